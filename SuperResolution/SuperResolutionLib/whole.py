"""Output that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from .errors import RequestError, WorkError


def check_place(path: Path) -> None:
    """Refuse an output whose folder does not exist or cannot be written to.

    Raises
    ------
    RequestError
        Naming the folder.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise RequestError(f"{path}: there is no folder {folder}; accepted are outputs in a folder that exists")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RequestError(f"{path}: no permission to write in {folder}; accepted are outputs in a folder that can be written to")


@contextmanager
def all_or_none(paths: Iterable[Path]) -> Iterator[None]:
    """Remove those outputs that were put in place if the block, which puts several, does not end well.

    What one of them replaced is lost then.
    """
    before = {path: _inode(path) for path in paths}
    try:
        yield
    except BaseException:
        for path, inode in before.items():
            if _inode(path) not in (inode, None):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


def _inode(path: Path) -> int | None:
    return path.stat().st_ino if path.exists() else None


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a hidden name beside `path` to write to; the file takes its place only when the block ends well.

    Raises
    ------
    WorkError
        If the block or the renaming fails with an OSError: disk full, permission denied.
    """
    # The name ends as the target's does, since writers choose the format by it.
    partial = path.with_name(f".{uuid4().hex}-{path.name}")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise WorkError(f"{path}: not written, {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a hidden folder beside `path` to fill; it takes the place of `path`, absent or empty, only when the block ends well.

    Raises
    ------
    WorkError
        If the block or the renaming fails with an OSError: disk full, permission denied, a folder that is no longer empty.
    """
    path = path.absolute()
    partial = path.with_name(f".{uuid4().hex}-{path.name}")
    try:
        partial.mkdir()
        yield partial
        if path.exists():
            path.rmdir()
        os.rename(partial, path)
    except OSError as error:
        raise WorkError(f"{path}: not written, {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
