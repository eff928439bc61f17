"""What a comparison has measured so far, kept line by line, so that one that was ended goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import WorkError
from SuperResolutionLib.whole import whole_file

from .plain_data import as_json, read_json_lines

FILE = "measured.jsonl"
_PLACE = ("file", "series", "subject", "coarsen", "axis", "factor", "profile")
_MODEL = ("model", "weights_sha256", "consistency")


class ComparisonRecord:
    """The entries of a comparison, one for each model in each trial.

    Parameters
    ----------
    folder : Path, optional
        Of the comparison; made if absent. Without one, nothing is kept beyond the process.

    Raises
    ------
    WorkError
        On entering or adding, if the folder cannot be written.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / FILE
        self._entries: dict[tuple[str, ...], dict[str, Any]] = {}

    def __enter__(self) -> ComparisonRecord:
        if self._path is not None:
            self._entries = {_key(entry): entry for entry in read_json_lines(self._path)}
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise WorkError(f"{self._path.parent}: not made, {error.strerror or error}") from error
            # Without the line that a killed process left half.
            with whole_file(self._path) as partial:
                partial.write_text("".join(f"{json.dumps(entry)}\n" for entry in self._entries.values()), encoding="utf-8")
        return self

    def __exit__(self, *error: object) -> None:
        self._path = None

    def __contains__(self, wanted: Mapping[str, Any]) -> bool:
        return _key(wanted) in self._entries

    def __getitem__(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        return self._entries[_key(wanted)]

    def add(self, entry: Mapping[str, Any]) -> None:
        """Keep an entry; it is in the file when this returns."""
        entry = as_json(dict(entry))
        self._entries[_key(entry)] = entry
        if self._path is not None:
            try:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(f"{json.dumps(entry)}\n")
            except OSError as error:
                raise WorkError(f"{self._path}: not written, {error.strerror or error}") from error


def place_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what tells the trial of an entry from the others."""
    return tuple(str(entry[name]) for name in _PLACE)


def _key(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return (*place_of(entry), *(entry[name] for name in _MODEL))
