"""What a comparison has measured so far, kept line by line, so that one that was ended goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import WorkError
from SuperResolutionLib.whole import whole_file

from .alone import alone
from .plain_data import as_json, read_json_lines

FILE = "measured.jsonl"
_LOCK = ".measuring"
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
    RequestError
        On entering, if another process measures into the folder.
    WorkError
        On entering or adding, if the folder cannot be written.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / FILE
        self._entries: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._held = ExitStack()

    def __enter__(self) -> ComparisonRecord:
        if self._path is None:
            return self
        folder = self._path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            refusal = f"{folder}: another process measures into it; accepted is to wait for that one, or to end it"
            self._held.enter_context(alone(folder / _LOCK, refusal))
        except OSError as error:
            raise WorkError(f"{folder}: not made, {error.strerror or error}") from error
        self._entries = {key_of(entry): entry for entry in read_json_lines(self._path)}
        # Without the line that a killed process left half.
        with whole_file(self._path) as partial:
            partial.write_text("".join(f"{json.dumps(entry)}\n" for entry in self._entries.values()), encoding="utf-8")
        return self

    def __exit__(self, *error: object) -> None:
        self._path = None
        self._held.close()

    def get(self, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the entry of a model in a trial, both named as in an entry; None where it was not measured."""
        return self._entries.get(key_of(wanted))

    def add(self, entry: Mapping[str, Any]) -> None:
        """Keep an entry, in place of an older one of the same model and trial; it is in the file when this returns."""
        entry = as_json(dict(entry))
        self._entries[key_of(entry)] = entry
        if self._path is not None:
            try:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(f"{json.dumps(entry)}\n")
            except OSError as error:
                raise WorkError(f"{self._path}: not written, {error.strerror or error}") from error


def is_complete(entry: Mapping[str, Any] | None, measures: Iterable[str], planes: Path | None) -> bool:
    """Tell whether an entry holds all that is wanted of it: its curves, the measures, and its planes if there is a folder for them."""
    if entry is None or "curves" not in entry or not set(measures) <= set(entry["measures"]):
        return False
    return planes is None or bool(entry["planes"] and (planes / entry["planes"]).is_file())


def place_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what tells the trial of an entry from the others."""
    return tuple(str(entry[name]) for name in _PLACE)


def key_of(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what tells an entry from the others; of volumes from files, also in which state those were."""
    return (*place_of(entry), *(entry[name] for name in _MODEL), entry.get("files_state"))


def state_of(path: Path) -> str:
    """Return what changes when a file, or one of a folder, is written anew; empty where it cannot be read."""
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        states = [(each.name, each.stat().st_size, each.stat().st_mtime_ns) for each in files]
    except OSError:  # told when it is read
        return ""
    return hashlib.sha256(repr(states).encode()).hexdigest()[:16]
