"""Figures of the engine as numbers, as text, and in CSV files."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import WorkError
from SuperResolutionLib.whole import whole_file

from .parameters import Measure

CONVENTIONS = "SuperResolution.conventions"
"""Attribute of a table of figures that says how they were measured."""
_DIGITS = {Measure.PSNR: 2, Measure.NCC: 3, Measure.SSIM: 3, Measure.RMSE: 1}
_NAN = float("nan")


def number(value: float | None) -> float:
    """Return a figure; NaN where there is none."""
    return _NAN if value is None else float(value)


def in_words(row: Mapping[str, Any], measure: Measure, deviation: bool = True) -> str:
    """Return the mean of a row, and its deviation, with the digits that are of use; a dash where there is none."""
    mean, digits = row["mean"][measure.value], _DIGITS[measure]
    if mean is None:
        return "–"
    spread = f" ± {row['deviation'][measure.value]:.{digits}f}" if deviation else ""
    return f"{mean:.{digits}f}{spread}"


def mean_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Return the columns of means and deviations of rows that have both for each measure."""
    columns = {}
    for measure in Measure:
        columns[measure.label()] = [number(row["mean"][measure.value]) for row in rows]
        columns[f"± {measure.label()}"] = [number(row["deviation"][measure.value]) for row in rows]
    return columns


def write_csv(path: Path, columns: Mapping[str, list]) -> None:
    """Write columns of one length as a CSV file, which appears whole or not at all.

    Raises
    ------
    WorkError
        If it cannot be written.
    """
    try:
        with whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
    except OSError as error:
        raise WorkError(f"{path}: not written, {error.strerror or error}") from error
