"""How a run is paused and stopped from outside: by files in its folder, which work across processes and machines."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

_LOOK_EVERY_S = 0.2


class Control:
    """Watches for the files ``pause`` and ``stop`` in the folder of a run; those of an earlier run are removed.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._pause, self._stop = folder / "pause", folder / "stop"
        self.clear()

    def clear(self) -> None:
        """Remove both files."""
        self._pause.unlink(missing_ok=True)
        self._stop.unlink(missing_ok=True)

    @property
    def is_stopped(self) -> bool:
        """Whether training is to end."""
        return self._stop.exists()

    def wait_while_paused(self, before: Callable[[], None], after: Callable[[], None]) -> float:
        """Wait until nothing pauses the run, or it is stopped; return the seconds waited.

        Parameters
        ----------
        before, after : callable
            Called around the waiting, and only if there is some.
        """
        if not self._pause.exists():
            return 0.0
        started = time.perf_counter()
        before()
        while self._pause.exists() and not self._stop.exists():
            time.sleep(_LOOK_EVERY_S)
        after()
        return time.perf_counter() - started
