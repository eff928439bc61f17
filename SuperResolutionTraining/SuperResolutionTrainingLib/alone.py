"""A file that one process at a time holds; the system lets go of it when that process dies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from SuperResolutionLib.errors import RequestError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

_LOOK_EVERY_S = 0.2


@contextmanager
def alone(path: Path, refusal: str = "") -> Iterator[None]:
    """Keep other processes from the block.

    Parameters
    ----------
    path : Path
        The file that is held; made if absent.
    refusal : str
        What to say where another process is in the block; empty: wait for it.

    Raises
    ------
    RequestError
        With `refusal`.
    """
    with path.open("a+b") as stream:
        while not _take(stream):
            if refusal:
                raise RequestError(refusal)
            time.sleep(_LOOK_EVERY_S)
        try:
            yield
        finally:
            if fcntl is None:
                stream.seek(0)
                msvcrt.locking(stream.fileno(), msvcrt.LK_UNLCK, 1)


def _take(stream: IO[bytes]) -> bool:
    """Hold an open file, and tell whether it was free."""
    try:
        if fcntl is not None:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            stream.seek(0)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    except (BlockingIOError, PermissionError):
        return False
    return True
