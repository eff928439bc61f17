"""A job's messages on a terminal."""

from __future__ import annotations

import sys
from typing import Any


class Bars:
    """Shows a job's messages as progress bars and lines on stderr."""

    def __init__(self) -> None:
        self.result: dict[str, Any] = {}
        self._bar: Any = None
        self._stage = ""

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, message: dict[str, Any]) -> None:
        """Take one of the worker's messages; ``result`` holds the last one of that type."""
        if message["type"] == "progress":
            self._move(message["stage"], message["fraction"])
        elif message["type"] == "warning":
            self._line(f"warning: {message['message']}")
        elif message["type"] == "adapted":
            self._line(message["message"])
        elif message["type"] == "plan":
            self._line("{pieces} piece(s) of {piece} on {device} in {precision}, about {memory_mb} MB".format(**message))
        elif message["type"] == "result":
            self.result = message

    def _line(self, text: str) -> None:
        from tqdm import tqdm

        tqdm.write(text, file=sys.stderr)

    def _move(self, stage: str, fraction: float) -> None:
        from tqdm import tqdm

        if stage != self._stage:
            if self._bar is not None:
                self._bar.close()
            self._stage = stage
            layout = "{desc} {percentage:3.0f}% |{bar:30}| {elapsed}<{remaining}"
            # Only on a terminal: in a log file every update would be a line.
            self._bar = tqdm(total=100, desc=f"{stage:9}", file=sys.stderr, bar_format=layout, leave=False, disable=None)
        self._bar.update(max(0.0, 100 * fraction - self._bar.n))
