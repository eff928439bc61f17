"""A worker ends with the process that called it, and leaves nothing of it behind."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

_STANDARD_INPUT = 0
INTERRUPTED = 143
"""Exit status of a worker whose caller is gone; that of a process which SIGTERM ended."""


def leave_with_caller(folder: Path) -> None:
    """Lead a process group, and end at once when standard input closes: the caller holds its other end, and a killed caller cannot say so.

    A caller that keeps standard input open writes one line to it first. Without that line nothing is watched: a launcher between the
    two may have put an empty input there.

    Parameters
    ----------
    folder : path
        The caller's temporary folder; removed when the caller is gone, since nobody else will.
    """
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
    threading.Thread(target=_watch, args=(folder,), daemon=True).start()


def _watch(folder: Path) -> None:
    # Below Python's own buffers: their lock, held by a waiting thread, would abort the interpreter at its end.
    if not os.read(_STANDARD_INPUT, 1):
        return
    while os.read(_STANDARD_INPUT, 4096):
        pass
    # Nothing that is written from here on has a reader, so no exception may stop this thread either.
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(INTERRUPTED)
