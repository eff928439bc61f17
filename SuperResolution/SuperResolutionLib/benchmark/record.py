"""The record of a benchmark: what was measured, where and how."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import RequestError
from ..whole import whole_file
from .ceiling import Ceiling
from .promises import judge
from .timing import Timing

_FORMAT = 1


@dataclass(frozen=True)
class Record:
    """A benchmark.

    Attributes
    ----------
    date : str
        Day on which it was made.
    command : str
        What was typed.
    machine : dict
        See `machine.describe_machine`; with torch, its threads and the GPU.
    repeats : int
    volume : tuple of int
        Columns, rows, slices of the result in which the contestants are compared.
    ceiling : Ceiling
    timings : tuple of Timing
    """

    date: str
    command: str
    machine: dict[str, Any]
    repeats: int
    volume: tuple[int, int, int]
    ceiling: Ceiling
    timings: tuple[Timing, ...]

    def compared(self) -> list[Timing]:
        """Return the timings on the volume in which the contestants are compared."""
        return [timing for timing in self.timings if timing.size == self.volume]

    def of(self, contestant: str) -> list[Timing]:
        """Return the timings of one contestant that have figures, the smallest volume first."""
        return sorted((each for each in self.timings if each.contestant == contestant and each.seconds), key=lambda each: each.voxels)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "format": _FORMAT,
            "date": self.date,
            "command": self.command,
            "machine": self.machine,
            "repeats": self.repeats,
            "volume": list(self.volume),
            "ceiling": self.ceiling.as_dict(),
            "timings": [each.as_dict() | {"share_of_ceiling": each.share_of(self.ceiling)} for each in self.timings],
            "promises": [promise.as_dict() for promise in judge(self)],
        }

    def write(self, path: Path) -> None:
        """Write the record to a file, whole or not at all."""
        with whole_file(path) as partial:
            partial.write_text(json.dumps(self.as_dict(), indent=1) + "\n", encoding="utf-8")


def read_record(path: Path) -> Record:
    """Read what `Record.write` wrote.

    Raises
    ------
    RequestError
        If the file cannot be read or is no such record.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != _FORMAT:
            raise RequestError(f"{path}: record of format {data['format']}; accepted is {_FORMAT}")
        told = {name: data[name] for name in ("date", "command", "machine", "repeats")}
        timings = tuple(Timing.from_dict(each) for each in data["timings"])
        return Record(**told, volume=tuple(data["volume"]), ceiling=Ceiling(**data["ceiling"]), timings=timings)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"{type(error).__name__} {' '.join(str(error).split())}"
        raise RequestError(f"{path}: {said}; accepted are records of superresolution benchmark --out") from error
