"""What one contestant took for one volume."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from math import prod
from statistics import median
from typing import Any

from .ceiling import Ceiling

MEASURED_STAGES = ("starting", "reading", "network", "checking", "writing")


@dataclass(frozen=True)
class Timing:
    """Whole processes that made one volume finer, from file to file.

    Attributes
    ----------
    contestant, kind, about : str
        See `contestants.Contestant`.
    size : tuple of int
        Columns, rows and slices of the result.
    device, precision : str
        Of the network; empty where there is none.
    seconds : tuple of float
        Of each process, from its start to its end.
    stages : tuple of dict
        For each process, how long its stages took: ``starting`` (Python, torch, model, trial of the precisions: nothing of it grows with
        the volume), ``reading``, ``network``, ``checking``, ``writing``. What is left are the steps between. Peers tell fewer.
    operations : int, optional
        What the network computed, see `operations`.
    peak_memory_mb : int, optional
        Largest of the processes.
    problem : str
        Why there are no figures.
    """

    contestant: str
    kind: str
    about: str
    size: tuple[int, int, int]
    device: str = ""
    precision: str = ""
    seconds: tuple[float, ...] = ()
    stages: tuple[dict[str, float], ...] = ()
    operations: int | None = None
    peak_memory_mb: int | None = None
    problem: str = ""

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Timing:
        """Return what `as_dict` was made of."""
        told = {field.name: data[field.name] for field in fields(cls)}
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in told.items()})

    def as_dict(self) -> dict[str, Any]:
        """Return what was measured as plain data, with the figures that follow from it."""
        derived = ("median_seconds", "voxels_per_second", "network_seconds", "share_around", "nanoseconds_a_voxel")
        return asdict(self) | {name: getattr(self, name) for name in derived}

    @property
    def voxels(self) -> int:
        """Voxels of the result."""
        return prod(self.size)

    @property
    def median_seconds(self) -> float | None:
        """Seconds of the command."""
        return median(self.seconds) if self.seconds else None

    @property
    def voxels_per_second(self) -> float | None:
        """Voxels of the result, over the seconds of the command."""
        return self.voxels / self.median_seconds if self.seconds else None

    @property
    def network_seconds(self) -> float | None:
        """Seconds in which the network ran; None where that is not known."""
        return self._median_of([stages["network"] for stages in self.stages if "network" in stages])

    @property
    def share_around(self) -> float | None:
        """Share of the command's time in which the network did not run; None where that is not known."""
        paired = zip(self.seconds, self.stages)
        return self._median_of([1 - stages["network"] / seconds for seconds, stages in paired if "network" in stages])

    @property
    def nanoseconds_a_voxel(self) -> float | None:
        """Cost of a voxel of the result once everything has started; None where that is not known."""
        paired = zip(self.seconds, self.stages)
        growing = [seconds - stages["starting"] for seconds, stages in paired if "starting" in stages]
        return self._median_of([1e9 * seconds / self.voxels for seconds in growing])

    def share_of(self, ceiling: Ceiling) -> float | None:
        """Return the network's operations a second over those of a matrix product in the same precision; None where that is not known."""
        rate = ceiling.products.get(self.precision) if self.device == ceiling.device else None
        if not (rate and self.operations and self.network_seconds):
            return None
        return self.operations / self.network_seconds / (1e9 * rate)

    @staticmethod
    def _median_of(values: list[float]) -> float | None:
        return median(values) if values else None


def flatness(timings: list[Timing]) -> float | None:
    """Return the largest over the smallest cost of a voxel among volumes of several sizes; None where there are not two."""
    costs = [timing.nanoseconds_a_voxel for timing in timings if timing.nanoseconds_a_voxel]
    return max(costs) / min(costs) if len(costs) > 1 else None
