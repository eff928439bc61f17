"""Runs a command as a process of its own and measures it whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import RequestError, WorkError

_ENGINE = Path(__file__).resolve().parents[2]
_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True)
class Measured:
    """A process that ended.

    Attributes
    ----------
    seconds : float
        From its start to its end.
    peak_memory_mb : int or None
        The most that it held at once, in MiB; None on Windows, which does not tell.
    lines : tuple of dict
        The JSON objects that it wrote on standard output, one a line; other lines are passed over.
    problem : str
        Why it failed, in one line; empty if it did not.
    status : int
        Exit status.
    """

    seconds: float
    peak_memory_mb: int | None
    lines: tuple[dict[str, Any], ...]
    problem: str
    status: int

    @property
    def result(self) -> dict[str, Any]:
        """The last line of type ``result``; empty if there is none."""
        return next((line for line in reversed(self.lines) if line.get("type") == "result"), {})


def run_measured(command: Sequence[str], folder: Path) -> Measured:
    """Run a command to its end.

    Parameters
    ----------
    command : sequence of str
    folder : Path
        Its current folder, in which its output is kept meanwhile.

    Raises
    ------
    WorkError
        If it cannot be started.
    """
    output, errors, figures = (folder / name for name in ("standard-output", "standard-error", "figures.json"))
    figures.unlink(missing_ok=True)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(_ENGINE), os.environ.get("PYTHONPATH"))))}
    # torch and peers leave caches in the folder for temporary files.
    environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    launched = [sys.executable, "-I", "-S", str(_LAUNCHER), str(figures), *command]
    with output.open("wb") as out, errors.open("wb") as err:
        # A group of its own, so that nothing which it starts outlives it.
        process = subprocess.Popen(
            launched, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=out, stderr=err, start_new_session=True
        )
        try:
            process.wait()
        finally:
            _end_group(process)
    if not figures.is_file():
        raise WorkError(f"{command[0]}: killed together with the process that measured it")
    found = json.loads(figures.read_text(encoding="utf-8"))
    if "not_started" in found:
        raise WorkError(found["not_started"])
    lines = tuple(_objects(output.read_text(encoding="utf-8", errors="replace")))
    problem = _problem(found["status"], lines, errors.read_text(encoding="utf-8", errors="replace"))
    return Measured(**found, lines=lines, problem=problem)


def run_request(module: str, request: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Let a module of this package carry out a request in a process of its own, and return its result.

    Raises
    ------
    RequestError, WorkError
        As the module told.
    """
    done = run_measured(request_command(module, request, folder), folder)
    if done.problem:
        raise (RequestError if done.status == RequestError.exit_status else WorkError)(done.problem)
    return done.result


def request_command(module: str, request: Mapping[str, Any], folder: Path) -> list[str]:
    """Write a request for a module of this package, and return the command that carries it out."""
    path = folder / f"{module}.json"
    path.write_text(json.dumps(request), encoding="utf-8")
    return [sys.executable, "-m", f"{__package__}.{module}", str(path)]


def _end_group(process: subprocess.Popen) -> None:
    """End what is left of a process and of those that it started."""
    if hasattr(os, "killpg"):
        # Where nobody is left, macOS says so by refusing.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True)
    process.wait()
    process.stdin.close()


def _objects(text: str) -> list[dict[str, Any]]:
    objects = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue  # a peer's own words
        if isinstance(value, dict):
            objects.append(value)
    return objects


def _problem(status: int, lines: Sequence[Mapping[str, Any]], errors: str) -> str:
    if status == 0:
        return ""
    if told := next((line["message"] for line in reversed(lines) if line.get("type") == "error"), ""):
        return told
    if status < 0:
        likely = ", most likely because memory ran out" if -status == getattr(signal, "SIGKILL", None) else ""
        return f"killed by signal {-status}{likely}"
    return (errors.strip().splitlines() or [f"exit status {status}"])[-1]
