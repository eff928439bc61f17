"""Where training runs lie: each has a folder of its own, which stays, so that a run goes on after Slicer was closed."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SuperResolutionLib.model_zoo import user_folder
from SuperResolutionLib.whole import whole_file

REQUEST, RESULT, CHECKPOINT = "slicer-request.json", "slicer-result.json", "checkpoint.safetensors"


@dataclass(frozen=True)
class UnfinishedRun:
    """A run that was started and has no model yet.

    Attributes
    ----------
    folder : Path
    request : dict
        What was asked for, see `training_request.make_request`.
    """

    folder: Path
    request: dict[str, Any]

    @property
    def resumable(self) -> bool:
        """Whether there is a checkpoint; without, the run starts anew."""
        return (self.folder / CHECKPOINT).is_file()

    def label(self) -> str:
        """Return what the panel shows."""
        return f"{self.folder.name}{'' if self.resumable else ' (from the start)'}"


def default_runs_folder() -> Path:
    """Return where runs are kept if the user names no other folder: beside the user's own models."""
    return user_folder().parent / "runs"


def reasons_against_folder(folder: Path) -> list[str]:
    """Return why a run cannot be started in a folder, as one line; none if it is absent or empty."""
    try:
        taken = any(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        return [f"{folder}: cannot be used, {error.strerror}; choose another name, or another folder of runs."]
    return [f"{folder}: holds a run already; resume it below if it is unfinished, or choose another name."] if taken else []


def unfinished_runs(folder: Path) -> list[UnfinishedRun]:
    """Return the unfinished runs below a folder, the latest first."""
    requests = folder.glob(f"*/{REQUEST}") if os.path.isdir(folder) else ()
    unfinished = [path for path in requests if not (path.parent / RESULT).is_file()]
    found = [(path.stat().st_mtime, path.parent, read_request(path.parent)) for path in unfinished]
    return [UnfinishedRun(parent, request) for _, parent, request in sorted(found, key=lambda each: -each[0]) if request is not None]


def read_request(folder: Path) -> dict[str, Any] | None:
    """Return what a run was asked for; None if its file is damaged."""
    try:
        request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return request if isinstance(request, dict) and {"recipe", "data"} <= request.keys() else None


def write_request(folder: Path, request: dict[str, Any]) -> None:
    """Keep what a run was asked for; raises WorkError if it cannot be written."""
    _write(folder / REQUEST, request)


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """Mark a run as finished; raises WorkError if it cannot be written."""
    _write(folder / RESULT, result)


def _write(path: Path, data: dict[str, Any]) -> None:
    with whole_file(path) as partial:
        partial.write_text(json.dumps(data, indent=1), encoding="utf-8")
