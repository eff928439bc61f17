"""A worker ends with the process that called it, and leaves nothing of it behind."""

from __future__ import annotations

import atexit
import os
import shutil
import threading
from collections.abc import Callable
from typing import Any

_STANDARD_INPUT = 0
INTERRUPTED = 143
"""Exit status of a worker whose caller is gone; that of a process which SIGTERM ended."""
_ATTEMPTS = 3
_NOTICE_S = 0.05


def leave_with_caller(folder: str | None, emit: Callable[[dict[str, Any]], None]) -> None:
    """Lead a process group, and end at once when standard input closes: the caller holds its other end, and a killed caller cannot say so.

    A caller that keeps standard input open writes one line to it first. Without that line nothing is watched: a launcher between the
    two may have put an empty input there.

    Parameters
    ----------
    folder : str or None
        The caller's temporary folder; removed when the caller is gone, since nobody else will. None: nothing is watched, nothing is said.
    emit : callable
        Called with the line ``started``, from which the caller knows the group that it may have to end.
    """
    if folder is None:
        return
    # Who leads a group already may lead a session, and that cannot be changed.
    if hasattr(os, "setpgid") and os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    gone = threading.Event()
    watch = threading.Thread(target=_watch, args=(folder, gone), daemon=True)
    watch.start()
    atexit.register(_let_finish, watch, gone)
    emit({"type": "started", "pid": os.getpid()})


def _watch(folder: str, gone: threading.Event) -> None:
    # Below Python's own buffers: their lock, held by a waiting thread, would abort the interpreter at its end.
    if not os.read(_STANDARD_INPUT, 1):
        return
    while os.read(_STANDARD_INPUT, 4096):
        pass
    gone.set()
    # Nothing that is written from here on has a reader, so no exception may stop this thread either.
    for _ in range(_ATTEMPTS):  # the work still goes on and may add a file to a folder that is being emptied
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(INTERRUPTED)


def _let_finish(watch: threading.Thread, gone: threading.Event) -> None:
    """Keep the process until the folder is removed: without a reader of its lines, the work itself fails and would end it earlier."""
    watch.join(_NOTICE_S)
    if gone.is_set():
        watch.join()
