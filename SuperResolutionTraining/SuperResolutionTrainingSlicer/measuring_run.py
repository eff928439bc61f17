"""What both measurements of Evaluate have in common: progress for the panel, and figures in a JSON file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from SuperResolutionSlicer.engine_process import Ending, Outcome
from SuperResolutionSlicer.engine_run import EngineRun


class MeasuringRun(EngineRun):
    """A run whose engine writes figures into a file of the temporary folder.

    Attributes
    ----------
    figures : str
        Name of that file.

    Parameters
    ----------
    told : callable
        Called with percent and stage from time to time.
    finished : callable
        See `EngineRun`.
    """

    figures: str

    def __init__(self, told: Callable[[int, str], None], finished: Callable[[Any], None]) -> None:
        super().__init__(finished)
        self._told = told

    def _tell_start(self) -> None:
        self._told(0, "starting")

    def _received(self, message: dict[str, Any]) -> None:
        if message["type"] == "progress":
            self._told(int(100 * message.get("fraction", 0)), str(message.get("stage", "")))

    def _read_figures(self, outcome: Outcome) -> tuple[Outcome, dict[str, Any] | None]:
        """Return how the run ended, and its figures if it is done and they can be read."""
        if outcome.ending is not Ending.DONE:
            return outcome, None
        try:
            return outcome, json.loads((self.temporary / self.figures).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            return Outcome(Ending.INVALID, f"the figures of the background process cannot be read: {error}", {}, outcome.log), None
