"""Patch sources in memory-mapped files: made once, shared by several processes, made anew when the scan changes."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from SuperResolutionLib.whole import whole_folder

from .alone import alone
from .patch_source import PatchSource

_ARRAYS = ("fine", "blocks", "thick")


def cache_source(cache: Path, name: str, files: list[Path], make: Callable[[], PatchSource]) -> Path:
    """Return where a patch source lies in the cache; it is made if it is absent or its files have changed.

    Parameters
    ----------
    cache : Path
        Folder; made if absent.
    name : str
        What is cached: every name has one entry.
    files : list of Path
        Files and folders that it depends on; their sizes and times of change tell whether they changed.
    make : callable
        Makes the source in memory. Of several processes that ask at once, one does it and the others wait.

    Raises
    ------
    WorkError
        If the entry cannot be written.
    """
    entry = cache / f"{_prefix(name)}{_stamp(files)}"
    if not entry.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with alone(cache / "lock"):
            if not entry.is_dir():
                _clear(cache, _prefix(name))
                _save(make(), entry)
    return entry


def open_source(entry: Path) -> PatchSource:
    """Return a patch source whose arrays are memory-mapped files of an entry of the cache."""
    files = {array: entry / f"{array}.npy" for array in _ARRAYS}
    return PatchSource(**{array: np.load(file, mmap_mode="r") for array, file in files.items() if file.exists()})


def _prefix(name: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9]+", "-", Path(name.partition("\n")[0]).name)[:40]
    return f"{readable}.{_digest(name)}."


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _stamp(files: list[Path]) -> str:
    """Return a digest of the sizes and times of change of files, for folders of all files below them."""
    below = [file for path in files for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    states = [(file, file.stat()) for file in below if file.is_file()]
    return _digest("\n".join(f"{file}\t{state.st_size}\t{state.st_mtime_ns}" for file, state in states))


def _save(source: PatchSource, entry: Path) -> None:
    with whole_folder(entry) as partial:
        for array in _ARRAYS:
            if getattr(source, array) is not None:
                np.save(partial / f"{array}.npy", getattr(source, array))


def _clear(cache: Path, prefix: str) -> None:
    """Remove older entries of a name, and what a process that was killed left behind: nobody else writes now."""
    for path in cache.iterdir():
        if path.is_dir() and path.name.startswith((prefix, ".")):
            shutil.rmtree(path, ignore_errors=True)
