"""Ends a process with everything it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys


def end_tree(pid: int, forced: bool) -> None:
    """Ask the processes of a group to end, or make them.

    Parameters
    ----------
    pid : int
        A process that leads its group (see `SuperResolutionLib.caller`), so that a launcher in between does not matter.
    forced : bool
        Whether they have no say in it.
    """
    if sys.platform == "win32":
        # Without /F only windows are asked, and the worker has none.
        subprocess.Popen(["taskkill", "/F", "/T", "/PID", str(pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return
    try:
        os.killpg(pid, signal.SIGKILL if forced else signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        return  # it has ended meanwhile; macOS says so of a group of zombies by refusing
