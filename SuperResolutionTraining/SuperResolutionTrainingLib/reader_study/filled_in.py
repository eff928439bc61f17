"""Answers that were given without Slicer: the file that a questionnaire saved, or a table typed from paper."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.whole import check_place, whole_file

from .answers import check_reader
from .reading import Comparison, Reading, comparisons_of
from .study import Study

COLUMNS = ("study", "reader", "comparison", "question", "value")


def take_in(study: Study, path: str | Path, folder: str | Path | None = None) -> Reading:
    """Add filled-in answers to those of their reader, all or none; one that is there already is not added again.

    Parameters
    ----------
    study : Study
    path : path
        ``.json``: as the questionnaire saves it. ``.csv``: as `write_form` writes it, filled in; that is, the header
        ``study,reader,comparison,question,value`` and a line for each answer, such as
        ``6e1947a3f7d899f1,anna,case-02,structure:Meniscus:left,4``, with commas or semicolons. A line without a value is left out.
    folder : path, optional
        Of the answers; see `Reading`.

    Returns
    -------
    Reading
        Of the reader, with the new answers.

    Raises
    ------
    RequestError
        If the file cannot be read, is of another study or of several readers, or an answer does not fit.
    WorkError
        If the answers cannot be written.
    """
    path = Path(path)
    rows = _rows(path)
    for number, row in enumerate(rows, start=1):
        if row["study"] != study.id:
            raise RequestError(f"{path}: answer {number}: of study '{row['study']}'; accepted are answers of study {study.id}")
    if not rows:
        raise RequestError(f"{path}: no answers; accepted is a file with at least one value filled in")
    readers = sorted({row["reader"] for row in rows})
    if len(readers) > 1:
        raise RequestError(f"{path}: answers of {', '.join(readers)}; accepted are those of one reader")
    reading = Reading(study, readers[0], folder)
    twice = [place for place, count in Counter((row["comparison"], row["question"]) for row in rows).items() if count > 1]
    if twice:
        raise RequestError(f"{path}: {twice[0][1]} of {twice[0][0]} is answered twice; accepted is one answer to each question")
    new = [_fitting(reading, row, f"{path}: answer {number}") for number, row in enumerate(rows, start=1)]
    for comparison, question, value in new:
        if reading.answered(comparison).get(question) != value:
            reading.answer(question, value, comparison)
    return reading


def write_form(study: Study, reader: str, path: str | Path) -> None:
    """Write the CSV table that `take_in` takes, with the values left empty: for whoever types what was ticked on paper.

    Raises
    ------
    RequestError
        If the reader's name is none.
    WorkError
        If the file cannot be written.
    """
    path = Path(path)
    check_place(path)
    comparisons = comparisons_of(study, check_reader(reader))
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows((study.id, reader, each.id, question.id, "") for each in comparisons for question in each.questions)


def _rows(path: Path) -> list[dict[str, str]]:
    """Return the answers of a file, each with the columns of the table as text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{path}: {error}; accepted is a readable file in UTF-8") from error
    if path.suffix.lower() == ".json":
        return _rows_of_json(text, path)
    if path.suffix.lower() == ".csv":
        return _rows_of_csv(text, path)
    raise RequestError(f"{path}: ending '{path.suffix}'; accepted are .json, as the questionnaire saves it, and .csv")


def _rows_of_json(text: str, path: Path) -> list[dict[str, str]]:
    try:
        plain = json.loads(text)
        head = {name: str(plain[name]) for name in ("study", "reader")}
        return [head | {name: str(row[name]) for name in COLUMNS[2:]} for row in plain["answers"]]
    except (ValueError, KeyError, TypeError) as error:
        raise RequestError(f"{path}: {type(error).__name__} {error}; accepted is the file as the questionnaire saved it") from error


def _rows_of_csv(text: str, path: Path) -> list[dict[str, str]]:
    first = text.partition("\n")[0]
    # Spreadsheets in some languages save with semicolons.
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",", strict=True)
    try:
        found = list(rows)
    except csv.Error as error:
        raise RequestError(f"{path}: line {rows.line_num}: {error}; accepted is CSV") from error
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise RequestError(f"{path}: header '{first.strip()}'; accepted is {','.join(COLUMNS)}")
    if uneven := next((number for number, row in enumerate(found, start=2) if None in row or None in row.values()), None):
        raise RequestError(f"{path}: row {uneven}: accepted are {len(COLUMNS)} values")
    return [row for row in found if row["value"].strip()]


def _fitting(reading: Reading, row: dict[str, str], where: str) -> tuple[Comparison, str, str | int]:
    """Return comparison, question and value of an answer that fits."""
    text = row["value"].strip().lower()
    value = int(text) if text.isdecimal() else text
    try:
        comparison = reading.comparison(row["comparison"])
        comparison.accepting(row["question"], value)
    except RequestError as error:
        raise RequestError(f"{where}: {error}") from error
    return comparison, row["question"], value
