"""The results of a study as tables: for a terminal, for a spreadsheet, for a printed page."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.whole import check_place, whole_folder

from .results import Results, Unblinded
from .templating import render


@dataclass(frozen=True)
class Table:
    """Words in columns, under a heading."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def tables(record: Mapping[str, Any]) -> list[Table]:
    """Return readers, preferences, ratings and agreement in words; those without rows are left out."""
    readers = [(row["reader"], str(row["comparisons"]), str(row["remaining"])) for row in record["readers"]]
    found = [
        Table("Readers", ("reader", "comparisons", "not answered"), readers),
        Table(
            "Preference",
            ("question", "methods", "reader", "chosen", "equal", "first preferred", "95 % interval", "p"),
            [_preference(row) for row in record["preferences"]],
        ),
        Table(
            "Ratings, 1 to 5",
            ("structure", "method", "reader", "n", "mean ± standard deviation", "not present"),
            [_rating(row) for row in record["ratings"]],
        ),
        Table(
            "Agreement of the readers",
            ("on", "readers", "items", "kappa", "kind", "ICC(2,1)", "ICC(2,k)"),
            [_agreement(row) for row in record["agreement"]],
        ),
    ]
    return [table for table in found if table.rows]


def as_text(record: Mapping[str, Any]) -> str:
    """Return the tables as plain text, the conventions under them."""
    parts = [f"{record['title']}: {len(record['readers'])} readers, {record['cases']} cases", *record["warnings"]]
    for table in tables(record):
        lines = [table.columns, *table.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(table.columns))]
        text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
        parts.append("\n".join([table.heading, *text[:1], "-" * max(map(len, text)), *text[1:]]))
    return "\n\n".join([*parts, record["conventions"]])


def write_results(results: Results, folder: str | Path, blinded: str | Path) -> None:
    """Write ``answers.csv``, ``results.json``, ``results.txt`` and ``results.html`` to a new or empty folder, all or none.

    Parameters
    ----------
    results : Results
    folder : path
    blinded : path
        The study's folder, in which nothing unblinded may come.

    Raises
    ------
    RequestError
        If the folder holds something, or is inside of the blinded one.
    WorkError
        If it cannot be written to.
    """
    folder = Path(folder).resolve()
    if folder.is_relative_to(Path(blinded).resolve()):
        raise RequestError(f"{folder}: inside of the blinded folder, which readers have; accepted is a folder elsewhere")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise RequestError(f"{folder}: exists and is not empty; accepted is a new or empty folder")
    check_place(folder)
    with whole_folder(folder) as partial:
        _write_csv(results.answers, partial / "answers.csv")
        (partial / "results.json").write_text(json.dumps(results.record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        (partial / "results.txt").write_text(as_text(results.record) + "\n", encoding="utf-8")
        page = render("results.html", record=results.record, tables=tables(results.record))
        (partial / "results.html").write_text(page, encoding="utf-8")


def _write_csv(answers: Iterable[Unblinded], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Unblinded)])
        writer.writeheader()
        writer.writerows(asdict(answer) for answer in answers)


def _preference(row: Mapping[str, Any]) -> Sequence[str]:
    interval = _number(row["interval"], lambda ends: f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f} %")
    return (
        row["question"],
        f"{row['first']} : {row['second']}",
        row["reader"],
        f"{row['for_first']} : {row['for_second']}",
        str(row["equal"]),
        _number(row["share_first"], lambda share: f"{100 * share:.1f} %"),
        interval,
        _number(row["p"], lambda p: f"{p:.4f}" if p >= 1e-4 else f"{p:.1e}"),
    )


def _rating(row: Mapping[str, Any]) -> Sequence[str]:
    mean, deviation = (_number(row[name], "{:.2f}".format) for name in ("mean", "standard_deviation"))
    return row["structure"], row["method"], row["reader"], str(row["n"]), f"{mean} ± {deviation}", str(row["not_present"])


def _agreement(row: Mapping[str, Any]) -> Sequence[str]:
    on = f"{row['on']}, {row['pair'][0]} : {row['pair'][1]}" if row["pair"] else row["on"]
    figures = [_number(row.get(name), "{:z.3f}".format) for name in ("kappa", "icc_2_1", "icc_2_k")]
    return on, str(row["readers"]), str(row["items"]), figures[0], row["kind"], *figures[1:]


def _number(value: Any, words: Callable[[Any], str]) -> str:
    """Return a figure in words; a dash where there is none."""
    return "–" if value is None else words(value)
