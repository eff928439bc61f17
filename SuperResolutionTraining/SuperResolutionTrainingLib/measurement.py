"""One model in one trial: what a comparison is made of, measured in this process or in another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from SuperResolutionLib.errors import RequestError, SuperResolutionError
from SuperResolutionLib.volume import Volume
from SuperResolutionLib.worker import unforeseen

from .grid import on_grid_of
from .kept_planes import Shown, shown_planes
from .made_thick import axes_of
from .planes import telling_point
from .slice_scores import Reference, curves_of, summarise


class Trial(Protocol):
    """What models are compared on, once: `trials.ScanTrial` or `paired_folders.ReferenceTrial`; can be hashed.

    Attributes
    ----------
    name : str
        What a line of progress calls it.
    factor : int, optional
    axis, profile : str, optional
        None where there is no thick volume.
    """

    name: str
    factor: int | None
    axis: str | None
    profile: str | None

    def as_dict(self) -> dict[str, Any]: ...

    def load(self, data: Path) -> tuple[Volume | None, Volume]: ...


class Model(Protocol):
    """What is compared: `contestants.Contestant` or `paired_folders.Candidate`."""

    id: str

    def as_dict(self) -> dict[str, Any]: ...

    def make(self, trial: Any, thick: Volume | None, follow: Callable[[float], None]) -> tuple[Volume, dict[str, Any]]: ...


@dataclass(frozen=True)
class Measurement:
    """One model in one trial.

    Attributes
    ----------
    trial : Trial
    model : Model
    data : Path
        Folder that the trial is loaded from; absolute.
    measures : tuple of str
        Measures of whole volumes that are wanted, of `volume_measures.VOLUME_MEASURES`.
    """

    trial: Trial
    model: Model
    data: Path
    measures: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What a line of progress calls it."""
        return f"{self.trial.name}: {self.model.id}"

    def as_dict(self) -> dict[str, Any]:
        """Return what names it in an entry of a record."""
        return self.trial.as_dict() | self.model.as_dict()


@dataclass(frozen=True)
class Succeeded:
    """What came of a measurement: its entry, but for the name of its planes, and the planes of result, truth and thick volume."""

    entry: dict[str, Any]
    result: Shown
    truth: Shown
    thick: Shown | None


@dataclass(frozen=True)
class Failed:
    """Why nothing came of a measurement, in one line."""

    message: str


class Ground:
    """What all models of a trial are measured on: the truth and, where there is one, the thick volume.

    Parameters
    ----------
    thick : Volume, optional
    truth : Volume
    factor : int, optional
    axis, profile : str, optional
        How the one came of the other.
    """

    def __init__(
        self, thick: Volume | None, truth: Volume, factor: int | None = None, axis: str | None = None, profile: str | None = None
    ) -> None:
        self.thick = thick
        self.reference = Reference(truth)
        self._made = (factor, axis, profile)
        self._point = telling_point(truth)
        self.shown = shown_planes(truth, self._point)
        self.thick_shown = None if thick is None else shown_planes(thick, self._point)

    def measure(self, candidate: Volume, measures: Iterable[str] = ()) -> tuple[dict[str, Any], Shown]:
        """Return what an entry says of how near a candidate comes, and the candidate's planes.

        Raises
        ------
        RequestError
            If the candidate covers nothing of the truth, is constant, or has values that are not finite.
        """
        return self.measure_on_grid(*on_grid_of(self.reference.volume, candidate), measures)

    def measure_on_grid(self, candidate: Volume, covered: np.ndarray, measures: Iterable[str] = ()) -> tuple[dict[str, Any], Shown]:
        """Measure what `grid.on_grid_of` returned, as `measure` does."""
        compared = candidate.voxels[covered]
        if compared.min() == compared.max():
            raise RequestError(f"candidate is {compared[0]:g} wherever the two are compared; accepted is one with at least two values")
        scores = self.reference.score_on_grid(candidate, covered)
        told = {
            "summary": [asdict(summary) for summary in summarise(scores)],
            "measures": self._of_whole(candidate, covered, tuple(measures)),
            "curves": curves_of(scores),
        }
        # Black where there is no candidate, whose own place is filled with the truth.
        seen = np.where(covered, candidate.voxels, self.reference.volume.voxels.min())
        return told, shown_planes(candidate.with_voxels(seen), self._point)

    def _of_whole(self, candidate: Volume, covered: np.ndarray, measures: tuple[str, ...]) -> dict[str, Any]:
        if not measures:
            return {}
        from .volume_measures import Context, measure_volume

        factor, axis, profile = self._made
        mask = None if covered.all() else covered
        along = axis and "".join(axes_of(axis))
        context = Context(factor=factor, axis=along, thick=self.thick, profile=profile, mask=mask)
        return measure_volume(measures, candidate, self.reference.volume, context)


def attempt(measurement: Measurement, follow: Callable[[float], None] = lambda fraction: None) -> Succeeded | Failed:
    """Carry out a measurement; what goes wrong is told, so that the others go on.

    Parameters
    ----------
    measurement : Measurement
    follow : callable
        Called with the part of the measurement that is done.
    """
    try:
        ground = ground_of(measurement.trial, measurement.data)
        candidate, told = measurement.model.make(measurement.trial, ground.thick, follow)
        measured, shown = ground.measure(candidate, measurement.measures)
    except SuperResolutionError as error:
        return Failed(str(error))
    except Exception as error:
        return Failed(unforeseen(error))
    return Succeeded(measurement.as_dict() | told | measured, shown, ground.shown, ground.thick_shown)


@lru_cache(maxsize=1)
def ground_of(trial: Trial, data: Path) -> Ground:
    """Load a trial; the last one is kept, since one model after the other is measured on it."""
    return Ground(*trial.load(data), trial.factor, trial.axis, trial.profile)


def forget() -> None:
    """Free the trial that is kept."""
    ground_of.cache_clear()
