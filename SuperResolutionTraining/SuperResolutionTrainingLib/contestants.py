"""The models of a comparison: interpolations and model files that make thick volumes fine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.model_file import read_card
from SuperResolutionLib.model_zoo import list_upscalers
from SuperResolutionLib.upscaling import Progress
from SuperResolutionLib.volume import Volume

from .made_thick import make_fine
from .slice_scores import EVERY_AXIS
from .trials import ScanTrial

BASELINE = "cubic"
PLANE = "plane"


@dataclass(frozen=True)
class Contestant:
    """An upscaler and how it is run.

    Attributes
    ----------
    id : str
    file : str
        What `upscale` takes for it.
    weights_sha256 : str
        Hash of its weights; empty for interpolations.
    trained_on : frozenset of str
        The subjects it was trained on.
    trained_for : str, optional
        The slice profile it was mainly trained for; None for interpolations.
    consistency : bool
        Whether its result is projected onto the measurement.
    device, precision : str
        See `devices`.
    ensemble : bool
        Whether the results of all flips are averaged.
    """

    id: str
    file: str
    weights_sha256: str = ""
    trained_on: frozenset[str] = frozenset()
    trained_for: str | None = None
    consistency: bool = True
    device: str = "auto"
    precision: str = "auto"
    ensemble: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return what names it in an entry of a record."""
        return {"model": self.id, "weights_sha256": self.weights_sha256, "consistency": self.consistency}

    def make(self, trial: ScanTrial, thick: Volume, follow: Callable[[float], None]) -> tuple[Volume, dict[str, Any]]:
        """Make the thick volume of a trial fine; return the result and what an entry says of how it came about."""

        def report(state: Progress) -> None:
            if state.stage == "upscaling":
                follow(state.fraction)

        result = make_fine(
            thick,
            trial.axis,
            trial.factor,
            model=self.file,
            consistency=self.consistency,
            device=self.device,
            precision=self.precision,
            ensemble=self.ensemble,
            progress=report,
        )
        told = {"trained_on": trial.scan.subject in self.trained_on, "trained_for": self.trained_for}
        return result.volume, told | {"seconds": round(result.seconds, 2), "device": result.device, "precision": result.precision}


def models_for(factors: Iterable[int], axes: str = EVERY_AXIS) -> list[str]:
    """Return the ids of all upscalers that make what `axes` says (see `trials.trials_of`) finer by each of the factors."""
    wanted = set(factors)
    able = (info for info in list_upscalers() if wanted <= set(info.factors))
    return [info.id for info in able if axes == PLANE or not info.only_planes]


def contestants_of(models: Sequence[str], factors: set[int], axes: str = EVERY_AXIS, **how: Any) -> list[Contestant]:
    """Return the contestants for ids and model files, cubic interpolation first.

    Parameters
    ----------
    models : sequence of str
    factors : set of int
        Those that each must offer.
    axes : str
        What each must make finer, see `trials.trials_of`.
    **how
        ``consistency``, ``device`` and ``precision`` of every contestant.

    Raises
    ------
    RequestError
        If a model is unknown or does not offer a factor or the axes, or two have the same id.
    """
    known = {info.id: info for info in list_upscalers()}
    found = []
    for model in dict.fromkeys((BASELINE, *models)):
        path = known[model].path if model in known else Path(model)
        found.append(Contestant(model, model, **how) if path is None else _of_file(path, factors, axes, how))
    ids = [each.id for each in found]
    twice = next((each for each in ids if ids.count(each) > 1), None)
    if twice:
        raise RequestError(f"two models have the id '{twice}'; accepted are models of different ids")
    return found


def _of_file(path: Path, factors: set[int], axes: str, how: dict[str, Any]) -> Contestant:
    card = read_card(path)
    only_planes = card.task == "plane" and axes != PLANE
    if only_planes or not factors <= set(card.offered_factors):
        makes = "planes only" if only_planes else f"factors {', '.join(map(str, card.offered_factors))}"
        wanted = "a plane" if axes == PLANE else "one axis"
        raise RequestError(f"model '{card.id}' makes {makes}; accepted are models for {wanted} and factors {sorted(factors)}")
    trained_on = frozenset(card.training.get("split", {}).get("train", ()))
    # Absolute: whoever measures with it may work in another folder.
    return Contestant(card.id, str(path.absolute()), card.weights_sha256, trained_on, card.acquisitions[0], **how)
