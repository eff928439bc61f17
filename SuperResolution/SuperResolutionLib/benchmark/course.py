"""The course of a benchmark: what runs after what."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..errors import SuperResolutionError, WorkError
from .ceiling import MATRIX, Ceiling
from .contestants import FACTOR, Contestant, Eclare, OurUpscaler, PlainTorch, SlidingWindow, our_upscalers
from .machine import describe_machine
from .processes import Measured, run_measured, run_request
from .promises import size_in_words
from .record import Record
from .timing import MEASURED_STAGES, Timing

VOLUME = (384, 384, 160)
SIZES = ((64, 64, 64), (128, 128, 128), (256, 256, 256))
LARGEST = (512, 512, 600)
Size = tuple[int, int, int]


@dataclass(frozen=True)
class Course:
    """What is to be measured.

    Attributes
    ----------
    models : tuple of str
        Ids or files; empty: all.
    device : str
    repeats : int
    peers : bool
    volume : tuple of int
        Columns, rows, slices of the result in which all are compared.
    sizes : tuple of tuple of int
        Results in which the models' growth is measured.
    matrix : int
        See `ceiling.measure_ceiling`.
    """

    models: tuple[str, ...] = ()
    device: str = "auto"
    repeats: int = 3
    peers: bool = True
    volume: Size = VOLUME
    sizes: tuple[Size, ...] = SIZES
    matrix: int = MATRIX


@dataclass
class _Entry:
    """A contestant on a volume, and its processes so far."""

    contestant: Contestant
    size: Size
    once: bool = False
    runs: list[Measured] = field(default_factory=list)
    problem: str = ""

    def is_due(self, number: int) -> bool:
        """Whether it runs in a round; what failed is not tried again."""
        return not self.problem and not (self.once and number)

    def timing(self) -> Timing:
        """Return what it took, its operations apart."""
        contestant = self.contestant
        timing = Timing(contestant.id, contestant.kind, contestant.about, self.size, problem=self.problem)
        if self.problem:
            return timing
        result = self.runs[-1].result
        peaks = [run.peak_memory_mb for run in self.runs if run.peak_memory_mb is not None]
        return replace(
            timing,
            device=result.get("device", ""),
            precision=result.get("precision", ""),
            seconds=tuple(round(run.seconds, 4) for run in self.runs),
            stages=tuple(_stages(run) for run in self.runs),
            peak_memory_mb=max(peaks, default=None),
        )


def run_benchmark(course: Course, command: str, tell: Callable[[dict[str, Any]], None]) -> Record:
    """Measure the ceiling, the upscalers and the peers, in turn and again, so that what slows the machine down for a while slows all.

    Parameters
    ----------
    course : Course
    command : str
        What was typed, for the record.
    tell : callable
        Called with ``{"type": "progress", "message", "fraction"}`` before each process, and with ``ceiling`` and ``timing`` objects at
        the end.

    Raises
    ------
    RequestError, WorkError
        If a model or the device is not there, or the machine cannot be measured. What happens to a contestant is told in its timing.
    """
    entries = _entries(course)
    machine = describe_machine()
    with TemporaryDirectory(prefix="superresolution-benchmark-") as name:
        folder = Path(name)
        due = [(number, entry) for number in range(course.repeats) for entry in entries if entry.is_due(number)]
        scans = _make_scans({entry.size for _, entry in due}, folder, tell)
        ceiling, done = None, 0
        for number in range(course.repeats):
            tell(_progress(f"round {number + 1} of {course.repeats}: ceiling", done / len(due)))
            found = run_request("ceiling", {"device": course.device, "matrix": course.matrix}, folder)
            machine |= found["machine"]
            ceiling = Ceiling(**found["ceiling"]) if ceiling is None else ceiling.or_better(Ceiling(**found["ceiling"]))
            for entry in [entry for round_number, entry in due if round_number == number]:
                at = f"round {number + 1} of {course.repeats}: {entry.contestant.id} {size_in_words(entry.size)}"
                tell(_progress(at, done / len(due)))
                if not entry.problem:
                    _run(entry, scans[entry.size], folder)
                done += 1
        timings = _with_operations(entries, folder, tell)
    record = Record(datetime.date.today().isoformat(), command, machine, course.repeats, course.volume, ceiling, tuple(timings))
    tell({"type": "ceiling"} | ceiling.as_dict())
    for timing in timings:
        tell({"type": "timing"} | timing.as_dict() | {"share_of_ceiling": timing.share_of(ceiling)})
    return record


def _entries(course: Course) -> list[_Entry]:
    upscalers = our_upscalers(course.models, course.device)
    entries = [_Entry(upscaler, course.volume) for upscaler in upscalers]
    if course.peers:
        entries += [_Entry(peer, course.volume) for peer in _peers(upscalers, course.device)]
        # It trains for each volume, so it gets the smallest.
        entries.append(_Entry(Eclare(), min((course.volume, *course.sizes), key=prod), once=True))
    entries += [_Entry(upscaler, size) for upscaler in upscalers for size in course.sizes if size != course.volume]
    for entry in entries:
        if missing := entry.contestant.missing():
            entry.problem = f"not measured: {missing}"
    return entries


def _peers(upscalers: Sequence[OurUpscaler], device: str) -> list[Contestant]:
    network = next((upscaler.info.path for upscaler in upscalers if upscaler.info.path), None)
    return [PlainTorch(device), *([SlidingWindow(device, str(network))] if network else [])]


def _make_scans(sizes: set[Size], folder: Path, tell: Callable[[dict[str, Any]], None]) -> dict[Size, Path]:
    """Write the thick volume of each result."""
    scans = {}
    for size in sorted(sizes):
        columns, rows, slices = size
        tell(_progress(f"making the thick volume of {size_in_words(size)}", 0.0))
        scans[size] = folder / f"{size_in_words(size)}.nii.gz"
        run_request("scan", {"output": str(scans[size]), "shape": [slices // FACTOR, rows, columns]}, folder)
    return scans


def _run(entry: _Entry, thick: Path, folder: Path) -> None:
    """Run a contestant once and keep what it took, or why it failed."""
    with TemporaryDirectory(dir=folder) as name:
        try:
            run = run_measured(entry.contestant.command(thick, Path(name)), Path(name))
        except WorkError as error:
            entry.problem = str(error)
            return
        entry.problem = run.problem
        columns, rows, slices = entry.size
        if not entry.problem and run.result and run.result["shape"] != [slices, rows, columns]:
            entry.problem = f"made a volume of {run.result['shape']} voxels"
        if not entry.problem and not list(Path(name).rglob("*.nii.gz")):
            entry.problem = "ended well without a result"
    entry.runs.append(run)


def _stages(run: Measured) -> dict[str, float]:
    """Return what a process told of its stages; what comes before its own clock is starting."""
    result = run.result
    stages = dict(result.get("stage_seconds", {}))
    if "seconds_total" in result:
        stages["starting"] = run.seconds - result["seconds_total"] + stages.pop("loading", 0.0)
    return {name: round(stages[name], 4) for name in MEASURED_STAGES if name in stages}


def _with_operations(entries: Sequence[_Entry], folder: Path, tell: Callable[[dict[str, Any]], None]) -> list[Timing]:
    """Return the timings of all entries, with the operations where they can be counted."""
    works = {number: entry.contestant.work(entry.runs[-1].lines) for number, entry in enumerate(entries) if not entry.problem}
    works = {number: work for number, work in works.items() if work}
    try:
        counted = run_request("operations", {"works": list(works.values())}, folder)["operations"] if works else []
    except SuperResolutionError as error:
        tell(_progress(f"operations not counted: {error}", 1.0))
        counted = []
    operations = dict(zip(works, counted))
    return [replace(entry.timing(), operations=operations.get(number)) for number, entry in enumerate(entries)]


def _progress(message: str, fraction: float) -> dict[str, Any]:
    return {"type": "progress", "message": message, "fraction": round(fraction, 4)}
