"""The answers of one reader, kept in a file that only grows."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from SuperResolutionLib.errors import RequestError, WorkError

FOLDER = "answers"
NOT_PRESENT = "not present"
RATINGS = (1, 2, 3, 4, 5)
_TYPES = dict.fromkeys(("study", "reader", "case", "comparison", "left", "right", "question", "time"), (str,))
_TYPES |= dict.fromkeys(("structure", "side"), (str, type(None))) | {"value": (str, int), "seconds": (int, float, type(None))}
_READER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
# Windows knows these names as devices, whatever the ending.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What a reader said to one question.

    Attributes
    ----------
    study, reader : str
        Id of the study, name of the reader.
    case, comparison : str
        Neutral name of the case, id of the comparison.
    left, right : str
        Tokens of the volumes as they stood on the screen.
    question : str
        ``sharper``, ``nearer`` or ``structure``.
    structure, side : str, optional
        Which structure of which volume (``left`` or ``right``) was rated.
    value : str or int
        ``left``, ``right`` or ``equal``; for structures 1 to 5, or ``not present``.
    seconds : float, optional
        How long the comparison had been shown.
    time : str
        When, ISO 8601 in UTC.
    """

    study: str
    reader: str
    case: str
    comparison: str
    left: str
    right: str
    question: str
    structure: str | None
    side: str | None
    value: str | int
    seconds: float | None
    time: str

    @property
    def question_id(self) -> str:
        """Id of the question in its comparison, such as ``sharper`` or ``structure:Meniscus:left``."""
        return self.question if self.structure is None else f"{self.question}:{self.structure}:{self.side}"

    @property
    def place(self) -> tuple[str, str]:
        """Comparison and question: of several answers at one place the latest counts."""
        return self.comparison, self.question_id


def check_reader(name: str) -> str:
    """Return the name of a reader, which is also the name of a file.

    Raises
    ------
    RequestError
        If it holds more than letters, digits, hyphens and underscores.
    """
    if not _READER.fullmatch(name) or _DEVICES.fullmatch(name):
        raise RequestError(f"reader '{name}': accepted are 1 to 40 letters (A to Z), digits, - and _, the first a letter or digit")
    return name


class AnswersFile:
    """``<reader>.jsonl``: one line for each answer; a later answer to the same question replaces the earlier one.

    Parameters
    ----------
    folder : Path
        Where the files of all readers lie; made with the first answer.
    study, reader : str
        Id of the study, name of the reader.

    Attributes
    ----------
    path : Path
    latest : dict
        The answers that count, by their places.

    Raises
    ------
    RequestError
        If the name of the reader is none, differs only in case from one that is there, or the file is of another study or reader.
    WorkError
        If the file cannot be read.
    """

    def __init__(self, folder: Path, study: str, reader: str) -> None:
        self.path = folder / f"{check_reader(reader)}.jsonl"
        self._study, self._reader = study, reader
        for path in folder.glob("*.jsonl"):
            if path.stem != reader and path.stem.lower() == reader.lower():
                raise RequestError(f"reader '{reader}': there are answers of '{path.stem}' already; accepted is one way to write a name")
        self.latest = {answer.place: answer for answer in self._read()}

    def append(self, answer: Answer) -> None:
        """Add an answer; it is on the disk when this returns.

        Raises
        ------
        WorkError
            If it cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                line = (json.dumps(asdict(answer), ensure_ascii=False) + "\n").encode()
                file.write(self._end_of_half_line(file) + line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise WorkError(f"{self.path}: answer not written, {error.strerror or error}") from error
        self.latest[answer.place] = answer

    @staticmethod
    def _end_of_half_line(file: BinaryIO) -> bytes:
        """Return what separates a new line from one that a killed process left half."""
        if file.seek(0, os.SEEK_END) == 0:
            return b""
        file.seek(-1, os.SEEK_END)
        return b"" if file.read(1) == b"\n" else b"\n"

    def _read(self) -> list[Answer]:
        try:
            lines = self.path.read_bytes().splitlines() if self.path.exists() else []
        except OSError as error:
            raise WorkError(f"{self.path}: cannot be read, {error.strerror or error}") from error
        found = []
        for number, line in enumerate(lines, start=1):
            try:
                plain = json.loads(line)
            except ValueError:
                continue  # half a line: the process was killed while it wrote, and the answer was never confirmed
            found.append(self._checked(plain, f"{self.path}: line {number}"))
        return found

    def _checked(self, plain: object, where: str) -> Answer:
        answer = answer_from(plain, where)
        if (answer.study, answer.reader) != (self._study, self._reader):
            expected = f"study {self._study} and reader {self._reader}"
            raise RequestError(f"{where}: of study {answer.study} and reader {answer.reader}; accepted are answers of {expected}")
        return answer


def answer_from(plain: object, where: str) -> Answer:
    """Build an answer from plain data.

    Raises
    ------
    RequestError
        If it is no mapping, a key is unknown or missing, or a value has the wrong type.
    """
    if not isinstance(plain, Mapping) or set(plain) != set(_TYPES):
        raise RequestError(f"{where}: found {plain!r:.200}; accepted is an object with the keys {', '.join(_TYPES)}")
    for name, types in _TYPES.items():
        if type(plain[name]) not in types:
            raise RequestError(f"{where}: {name}: found {plain[name]!r}; accepted are {' or '.join(kind.__name__ for kind in types)}")
    return Answer(**plain)
