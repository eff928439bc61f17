"""The engine in a process of its own: never blocks the event loop, ends with everything it started, and always says how it ended."""

from __future__ import annotations

import codecs
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import qt

import SuperResolutionLib

from .connections import connect
from .process_tree import end_tree

GRACE_MS = 1000
"""Time that a cancelled process has to clean up before it is made to end."""
SILENCE_S = 600
"""A process that says nothing for so long is taken for hanging; the slowest piece of work takes a fraction of it."""
_LOG_CHARACTERS = 200_000
_KILLED, _TERMINATED, _SEGMENTATION = 9, 15, 11
_LAUNCHER_SAYS = "exit abnormally"
"""What Slicer's launcher, which PythonSlicer is, writes when a signal ended its child; it then returns 1, whatever the signal."""
# Python with the engine's folders in front, whatever a launcher does to the environment.
_START = (
    "import os, runpy, sys; sys.path[:0] = sys.argv.pop(1).split(os.pathsep); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


class Ending(Enum):
    """How a process ended."""

    DONE = "done"
    FAILED = "failed"  # it said why
    CANCELLED = "cancelled"
    CRASHED = "crashed"
    KILLED = "killed"  # from outside, mostly by the system when memory runs out
    SILENT = "silent"
    INVALID = "invalid"
    NOT_STARTED = "not started"


@dataclass(frozen=True)
class Outcome:
    """What came of a process.

    Attributes
    ----------
    ending : Ending
    message : str
        One line for the user; empty if done.
    result : dict
        The last line of a process that is done; else empty.
    log : str
        All that was said on the way.
    """

    ending: Ending
    message: str
    result: dict[str, Any]
    log: str


def python_executable() -> str:
    """Return Slicer's Python; in the application that is also ``sys.executable``."""
    return shutil.which("PythonSlicer") or sys.executable


def _folders_for(module: str) -> list[str]:
    """Return the folders that a module and what it may need is imported from; where Slicer has installed them, they are one."""
    packages = [*([module.partition(".")[0]] if "." in module else []), "SuperResolutionTrainingLib"]
    found = [spec.origin for spec in map(importlib.util.find_spec, packages) if spec is not None and spec.origin is not None]
    return list(dict.fromkeys(str(Path(file).resolve().parent.parent) for file in (SuperResolutionLib.__file__, *found)))


class EngineProcess:
    """One run of a module of the engine that answers in JSON lines.

    Parameters
    ----------
    module : str
        For example ``SuperResolutionLib.worker``.
    arguments : sequence of str
    received : callable
        Called with every JSON line that is not the last.
    ended : callable
        Called once with the `Outcome`, whatever happens, unless the process is abandoned.
    silence_s : float
        Seconds without a line after which the process is ended.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        received: Callable[[dict[str, Any]], None],
        ended: Callable[[Outcome], None],
        silence_s: float = SILENCE_S,
    ) -> None:
        self._received, self._ended = received, ended
        self._buffer, self._log = b"", ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._last: dict[str, Any] = {}
        self._group: int | None = None
        self._stopping: Ending | None = None
        self._arguments = ["-c", _START, os.pathsep.join(_folders_for(module)), module, *arguments]
        self._process = qt.QProcess()
        connect(self._process, "readyReadStandardOutput()", self._read)
        connect(self._process, "readyReadStandardError()", self._read_log)
        connect(self._process, "finished(int,QProcess::ExitStatus)", self._finished)
        connect(self._process, "errorOccurred(QProcess::ProcessError)", self._error_occurred)
        self._silence, self._grace = self._timer(self._fell_silent), self._timer(self._force)
        self._grace.setInterval(GRACE_MS)
        self.silence(silence_s)

    def start(self) -> None:
        """Start the process; returns at once."""
        self._silence.start()
        self._process.start(python_executable(), self._arguments)
        # The worker ends when this end of the pipe closes, but only if it has read a line first.
        self._process.write(b"held open\n")

    @property
    def log(self) -> str:
        """All that was said so far."""
        return self._log

    @property
    def pid(self) -> int | None:
        """Number of the engine's own process, once it has said it."""
        return self._group

    def cancel(self) -> None:
        """End the process and all it started, within two seconds; `ended` is called as for any other end."""
        self._stop(Ending.CANCELLED)

    def abandon(self) -> None:
        """End the process at once and never call back: for an application that quits, a scene that closes, a module that is unloaded."""
        self._ended = self._received = lambda _: None
        self._stopping = Ending.CANCELLED
        self._silence.stop()
        self._grace.stop()
        self._force()
        self._process.waitForFinished(GRACE_MS)

    def silence(self, seconds: float) -> None:
        """Say how long the process may say nothing, from now on."""
        self._silence_s = seconds
        self._silence.setInterval(int(1000 * seconds))

    @staticmethod
    def _timer(slot: Callable[[], None]) -> qt.QTimer:
        timer = qt.QTimer()
        timer.setSingleShot(True)
        connect(timer, "timeout()", slot)
        return timer

    def _stop(self, reason: Ending) -> None:
        if self._stopping is not None:
            return
        self._stopping = reason
        self._silence.stop()
        self._grace.start()
        if self._group is not None:
            end_tree(self._group, forced=False)
        self._process.terminate()

    def _force(self) -> None:
        if self._group is not None:
            end_tree(self._group, forced=True)
        self._process.kill()

    def _fell_silent(self) -> None:
        self._stop(Ending.SILENT)

    def _read(self) -> None:
        self._silence.start()
        # Pieces arrive as they please and may break a line, or a character.
        *lines, self._buffer = (self._buffer + self._process.readAllStandardOutput().data()).split(b"\n")
        for line in lines:
            self._take(line.decode(errors="replace").strip())

    def _take(self, line: str) -> None:
        if not line:
            return
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict) or "type" not in message:
            self._add_to_log(line + "\n")
            return
        if message["type"] == "started":
            self._group = message["pid"]
            if self._stopping is not None:
                end_tree(self._group, forced=False)
        elif message["type"] in ("result", "error"):
            self._last = message
        if message["type"] != "progress":
            self._add_to_log(line + "\n")
        if self._stopping is None and message["type"] not in ("started", "result", "error"):
            self._received(message)

    def _read_log(self) -> None:
        self._add_to_log(self._decoder.decode(self._process.readAllStandardError().data()))

    def _add_to_log(self, text: str) -> None:
        self._log = (self._log + text)[-_LOG_CHARACTERS:]

    def _error_occurred(self, error: int) -> None:
        # Every other error is followed by `finished`.
        if error == qt.QProcess.FailedToStart:
            self._end(Ending.NOT_STARTED, f"{python_executable()}: could not be started ({self._process.errorString()})")

    def _finished(self, code: int, status: int) -> None:
        self._read()
        self._take(self._buffer.decode(errors="replace").strip())
        self._read_log()
        if self._group is not None:
            end_tree(self._group, forced=True)  # what outlived it
        self._end(*self._verdict(code, status == qt.QProcess.CrashExit))

    def _verdict(self, code: int, crashed: bool) -> tuple[Ending, str]:
        if self._stopping is Ending.CANCELLED:
            return Ending.CANCELLED, "cancelled"
        if self._stopping is Ending.SILENT:
            return Ending.SILENT, f"the background process said nothing for {self._silence_s:g} s and was ended"
        if self._last.get("type") == "error":
            return Ending.FAILED, str(self._last.get("message", "the background process failed without a reason"))
        # The engine turns SIGTERM into 128 + number, and shells do so with every signal.
        number = code if crashed else code - 128
        if number == _KILLED:
            return Ending.KILLED, "the background process was killed from outside, most likely by the system because memory ran out"
        if number == _TERMINATED:
            return Ending.KILLED, "the background process was terminated from outside"
        if crashed or number == _SEGMENTATION:
            return Ending.CRASHED, f"the background process crashed (signal {number})"
        if code == 1 and _LAUNCHER_SAYS in self._log:
            return Ending.CRASHED, "the background process crashed, or was killed by the system because memory ran out"
        if code != 0:
            return Ending.CRASHED, f"the background process ended with status {code} and gave no reason{self._last_words()}"
        if self._last.get("type") != "result":
            return Ending.INVALID, f"the background process ended without a result{self._last_words()}"
        return Ending.DONE, ""

    def _last_words(self) -> str:
        said = [line.strip() for line in self._log.splitlines() if line.strip()]
        return f"; its last words: {said[-1][:300]}" if said else ""

    def _end(self, ending: Ending, message: str) -> None:
        self._silence.stop()
        self._grace.stop()
        # PythonQt holds the slots of this process for good; so let go of those who wait for it.
        ended, self._ended, self._received = self._ended, lambda _: None, lambda _: None
        ended(Outcome(ending, message, self._last if ending is Ending.DONE else {}, self._log))
