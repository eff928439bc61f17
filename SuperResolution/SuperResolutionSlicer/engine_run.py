"""What every run of the engine has in common: a request in a temporary folder, a process, and nothing left of either."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer

from SuperResolutionLib.errors import SuperResolutionError

from .engine_process import SILENCE_S, EngineProcess, Outcome


class EngineRun:
    """One request to a background process of the engine; what is asked, told and returned is that of a derived class.

    Attributes
    ----------
    worker : str
        The module that answers.
    silence_s : float
        Seconds that it may say nothing.
    running : bool
    temporary : Path or None
        The temporary folder while the run lasts.

    Parameters
    ----------
    finished : callable
        Called once with what `_conclude` makes of the end, unless the run is abandoned.
    """

    worker: str
    silence_s: float = SILENCE_S

    def __init__(self, finished: Callable[[Any], None]) -> None:
        self._finished = finished
        self._process: EngineProcess | None = None
        self.temporary: Path | None = None
        self.running = False

    @property
    def process(self) -> EngineProcess | None:
        """The background process, once started."""
        return self._process

    @property
    def log(self) -> str:
        """All that the engine said so far."""
        return self._process.log if self._process else ""

    def start(self) -> None:
        """Write the request and start the engine; returns at once.

        Raises
        ------
        RuntimeError
            If what the engine needs cannot be written: a volume without voxels, disk full, no permission. Nothing temporary is left then.
        """
        try:
            self.temporary = Path(tempfile.mkdtemp(prefix="SuperResolution-", dir=slicer.app.temporaryPath))
            request = self.temporary / "request.json"
            request.write_text(json.dumps(self._make_request() | {"folder": str(self.temporary)}), encoding="utf-8")
            self._process = EngineProcess(self.worker, [str(request)], self._received, self._ended, self.silence_s)
            self._tell_start()
            self.running = True
            self._process.start()
        except (OSError, RuntimeError, SuperResolutionError) as error:
            self._end()
            raise RuntimeError(str(error)) from error

    def cancel(self) -> None:
        """End the run within two seconds; `finished` is called."""
        if self._process:
            self._process.cancel()

    def abandon(self) -> None:
        """End the run at once; `finished` is never called."""
        if self.running:
            self._process.abandon()
            self._end()

    def _make_request(self) -> dict[str, Any]:
        """Write the files that the engine reads into the temporary folder, and return the entries of the request."""
        raise NotImplementedError

    def _tell_start(self) -> None:
        """Tell that the engine is about to be started."""
        raise NotImplementedError

    def _received(self, message: dict[str, Any]) -> None:
        """Take a line of the engine that is not the last."""
        raise NotImplementedError

    def _conclude(self, outcome: Outcome) -> Any:
        """Return what `finished` is called with; the temporary folder is still there."""
        raise NotImplementedError

    def _ended(self, outcome: Outcome) -> None:
        try:
            conclusion = self._conclude(outcome)
        finally:
            self._end()
        self._finished(conclusion)

    def _end(self) -> None:
        self.running = False
        if self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)
            self.temporary = None
