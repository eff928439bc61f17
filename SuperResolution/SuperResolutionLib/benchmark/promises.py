"""What the shipped default model promises of its speed, judged by a record."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .timing import Timing, flatness

if TYPE_CHECKING:
    from .record import Record

PROMISING = "fast"
SECONDS = 8.45
"""What the knee-MRI thesis reports for a volume of this size on a Titan X."""
CORES = 2
SHARE_OF_CEILING = 0.5
SHARE_AROUND = 0.2
VOLUMES, BASE_MB = 3, 600
FLATNESS = 1.25
_VOXEL_BYTES = 2
_VOLUME = (384, 384, 160)
_SMALLEST, _LARGEST = 64**3, 512 * 512 * 600


@dataclass(frozen=True)
class Promise:
    """A promise and what became of it.

    Attributes
    ----------
    promise, found : str
        In words.
    kept : bool or None
        None: this record cannot tell.
    """

    promise: str
    found: str
    kept: bool | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    def __str__(self) -> str:
        verdict = {True: "kept", False: "NOT KEPT", None: "cannot be told"}[self.kept]
        return f"{verdict}: {self.promise}; {self.found}"


def judge(record: Record) -> list[Promise]:
    """Return the promises of the model `PROMISING`, judged; none if it was not measured."""
    timings = record.of(PROMISING)
    compared = next((timing for timing in timings if timing.size == record.volume), None)
    if compared is None:
        return []
    return [_seconds(record, compared), _share_of_ceiling(record, compared), _share_around(compared), _memory(timings), _flat(timings)]


def _seconds(record: Record, timing: Timing) -> Promise:
    promise = f"{PROMISING}: the whole command for {size_in_words(_VOLUME)} under {SECONDS} s on {CORES} cores without a GPU"
    cores = record.machine["cores"]
    alike = timing.size == _VOLUME and cores == CORES and timing.device == "cpu"
    found = f"{timing.median_seconds:.2f} s for {size_in_words(timing.size)} on {timing.device}, {cores} cores"
    return Promise(promise, found, timing.median_seconds < SECONDS if alike else None)


def _share_of_ceiling(record: Record, timing: Timing) -> Promise:
    promise = f"at least {SHARE_OF_CEILING:.0%} of the matrix product while the network runs"
    share = timing.share_of(record.ceiling)
    if share is None:
        return Promise(promise, f"no ceiling was measured for {timing.precision} on {timing.device}", None)
    return Promise(promise, f"{share:.0%} in {timing.precision}", share >= SHARE_OF_CEILING)


def _share_around(timing: Timing) -> Promise:
    promise, share = f"everything around the network under {SHARE_AROUND:.0%} of the time", timing.share_around
    return Promise(promise, "not known", None) if share is None else Promise(promise, f"{share:.0%}", share < SHARE_AROUND)


def _memory(timings: list[Timing]) -> Promise:
    promise = f"peak memory under {VOLUMES} times the result plus {BASE_MB} MB in every size"
    told = [timing for timing in timings if timing.peak_memory_mb]
    if not told:
        return Promise(promise, "this system does not tell the memory of a process", None)
    worst = max(told, key=lambda timing: timing.peak_memory_mb / _allowed_mb(timing))
    found = f"{worst.peak_memory_mb:,} of {_allowed_mb(worst):,.0f} MB for {size_in_words(worst.size)}"
    return Promise(promise, found, worst.peak_memory_mb < _allowed_mb(worst))


def _allowed_mb(timing: Timing) -> float:
    """Return the promised limit in MiB; the result has 16 bits a voxel, as its input."""
    return VOLUMES * _VOXEL_BYTES * timing.voxels / 2**20 + BASE_MB


def _flat(timings: list[Timing]) -> Promise:
    promise = f"cost of a voxel flat, within {FLATNESS - 1:.0%}, from 64x64x64 to 512x512x600"
    timings = [timing for timing in timings if _SMALLEST <= timing.voxels <= _LARGEST]
    ratio = flatness(timings)
    if ratio is None:
        return Promise(promise, "fewer than two sizes of these were measured", None)
    first, last = timings[0], timings[-1]
    whole = first.voxels <= _SMALLEST and last.voxels >= _LARGEST
    found = f"largest over smallest {ratio:.2f} from {size_in_words(first.size)} to {size_in_words(last.size)}"
    # Too much variation in a part of the range is too much in all of it.
    return Promise(promise, found, False if ratio > FLATNESS else True if whole else None)


def size_in_words(size: tuple[int, int, int]) -> str:
    """Return columns, rows and slices as they are typed."""
    return "x".join(map(str, size))
