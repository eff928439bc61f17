"""Several models on the same fine scans: each scan is made thick, made fine again by every model, and compared with itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.model_file import read_card
from SuperResolutionLib.model_zoo import list_upscalers
from SuperResolutionLib.upscaling import Progress, Report, upscale
from SuperResolutionLib.volume import Volume, array_axis
from SuperResolutionLib.whole import whole_file
from SuperResolutionLib.worker import MODALITIES

from .comparison_record import ComparisonRecord, place_of
from .data_folder import find_scans
from .plain_data import as_json
from .recipe import Scan
from .samples import load_scan
from .slice_scores import CONVENTIONS, EVERY_AXIS, MEASURES, REGIONS, Reference, summarise
from .training_run import listed_scans

BASELINE = "cubic"
RECORD = "comparison.json"

Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class Trial:
    """A scan made thick in one way.

    Attributes
    ----------
    scan : Scan
    axis : {"i", "j", "k"}
    factor : int
    profile : str
        Slice profile, see `acquisition`.
    """

    scan: Scan
    axis: str
    factor: int
    profile: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        told = {name: getattr(self.scan, name) for name in ("file", "series", "subject", "modality")}
        return told | {"coarsen": list(self.scan.coarsen), "axis": self.axis, "factor": self.factor, "profile": self.profile}


def scans_to_compare_on(data: Path, recipe: str | None = None, tell: Callable[[str], None] = lambda line: None) -> tuple[Scan, ...]:
    """Return the validation scans that a recipe lists, or else every scan of a folder.

    Raises
    ------
    RequestError
        If there is none.
    """
    if recipe is None:
        return find_scans(data, MODALITIES, tell=tell).scans
    scans = tuple(scan for scan in listed_scans(recipe) if scan.split == "validation")
    if not scans:
        raise RequestError(f"recipe '{recipe}': lists no validation scans; accepted is a recipe that does")
    return scans


def models_for(factors: Iterable[int]) -> list[str]:
    """Return the ids of all upscalers that make one axis finer by each of the factors."""
    wanted = set(factors)
    return [info.id for info in list_upscalers() if wanted <= set(info.factors) and not (info.card and info.card.task == "plane")]


def trials_of(scans: Iterable[Scan], axes: str, factors: Iterable[int], profiles: Iterable[str]) -> list[Trial]:
    """Return every way to make each scan thick: along those of `axes` whose resolution is real.

    Raises
    ------
    RequestError
        If there is none.
    """
    factors, profiles = tuple(factors), tuple(profiles)
    found = [
        Trial(scan, axis, factor, profile)
        for scan in scans
        for axis in scan.axes
        if axis in axes
        for factor in factors
        for profile in profiles
    ]
    if not found:
        raise RequestError(f"no scan has real resolution along {axes}; accepted are scans of fine spacing along the axis to be made thick")
    return found


def compare(
    models: Sequence[str],
    trials: Sequence[Trial],
    data: Path,
    out: Path | None = None,
    *,
    consistency: bool = True,
    device: str = "auto",
    precision: str = "auto",
    tell: Tell = lambda fraction, line: None,
    follow: Callable[[float], None] = lambda fraction: None,
) -> dict[str, Any]:
    """Let models make the same thick volumes fine, and compare with the truth slice by slice.

    Parameters
    ----------
    models : sequence of str
        Ids or model files; cubic interpolation is always among them.
    trials : sequence of Trial
    data : Path
        Folder of the scans.
    out : Path, optional
        Folder for ``comparison.json``; made if absent. What was measured there before is not measured again.
    consistency : bool
        Project results onto those that degrade to the thick volume, as `upscale` does; without, networks are measured bare.
    device, precision : str
        See `devices`.
    tell : callable
        Called before each measurement with the part of the work that is done and a line on what comes next.
    follow : callable
        Called while a network works with the part of the work that is done.

    Returns
    -------
    dict
        ``conventions``: one line. ``models``: see `overall`. ``entries``: for each model in each trial an object with what names both,
        ``seconds`` of upscaling, ``trained_on`` (whether the model's card names the subject among those it was trained on) and
        ``summary``, the list of `slice_scores.Summary`.

    Raises
    ------
    RequestError
        If a model, a scan or a trial cannot be accepted.
    WorkError
        If `out` cannot be written.
    """
    contestants = _contestants(models, {trial.factor for trial in trials}, consistency)
    with ComparisonRecord(out) as kept:
        for number, trial in enumerate(trials):
            missing = [each for each in contestants if (trial.as_dict() | each.as_dict()) not in kept]
            thick, reference = _thick_and_reference(trial, data) if missing else (None, None)
            for place, each in enumerate(missing):
                done = (number + place / len(missing)) / len(trials)
                tell(done, f"{trial.scan.subject}, factor {trial.factor} along {trial.axis}, {trial.profile}: {each.id}")
                settings = {
                    "factor": trial.factor,
                    "axis": trial.axis,
                    "consistency": consistency,
                    "device": device,
                    "precision": precision,
                }
                share = 1 / len(missing) / len(trials)
                result = upscale(thick, model=each.file, progress=_followed(follow, done, share), **settings)
                kept.add(
                    trial.as_dict() | each.as_dict() | {
                        "trained_on": trial.scan.subject in each.taught_by,
                        "seconds": round(result.seconds, 2),
                        "device": result.device,
                        "precision": result.precision,
                        "summary": [asdict(summary) for summary in summarise(reference.score(result.volume))],
                    }
                )  # fmt: skip
        entries = [kept[trial.as_dict() | each.as_dict()] for trial in trials for each in contestants]
    record = as_json({"conventions": CONVENTIONS, "models": overall(entries), "entries": entries})
    if out is not None:
        with whole_file(out / RECORD) as partial:
            partial.write_text(json.dumps(record, indent=1), encoding="utf-8")
    return record


def _followed(follow: Callable[[float], None], done: float, share: float) -> Report:
    """Return what tells `follow` of one upscaling, which is a share of the work."""

    def report(state: Progress) -> None:
        if state.stage == "upscaling":
            follow(done + share * state.fraction)

    return report


@dataclass(frozen=True)
class _Contestant:
    """An upscaler: its id, what `upscale` takes for it, the hash of its weights, how it is run, and the subjects it was trained on."""

    id: str
    file: str
    weights_sha256: str = ""
    consistency: bool = True
    taught_by: frozenset[str] = frozenset()

    def as_dict(self) -> dict[str, str | bool]:
        return {"model": self.id, "weights_sha256": self.weights_sha256, "consistency": self.consistency}


def _contestants(models: Sequence[str], factors: set[int], consistency: bool) -> list[_Contestant]:
    known = {info.id: info for info in list_upscalers()}
    found = []
    for model in dict.fromkeys((BASELINE, *models)):
        path = known[model].path if model in known else Path(model)
        if path is None:
            found.append(_Contestant(model, model, "", consistency))
            continue
        card = read_card(path)
        if card.task == "plane" or not factors <= set(card.offered_factors):
            makes = "planes only" if card.task == "plane" else f"factors {', '.join(map(str, card.offered_factors))}"
            raise RequestError(f"model '{card.id}' makes {makes}; accepted are models for one axis and factors {sorted(factors)}")
        taught_by = frozenset(card.training.get("split", {}).get("train", ()))
        found.append(_Contestant(card.id, str(path), card.weights_sha256, consistency, taught_by))
    ids = [each.id for each in found]
    twice = next((each for each in ids if ids.count(each) > 1), None)
    if twice:
        raise RequestError(f"two models have the id '{twice}'; accepted are models of different ids")
    return found


def _thick_and_reference(trial: Trial, data: Path) -> tuple[Volume, Reference]:
    """Return the thick volume and the part of the fine one that whole thick slices cover."""
    fine = load_scan(trial.scan, data)
    thick = degrade(fine, trial.factor, trial.axis, trial.profile)
    axis = array_axis(trial.axis)
    covered = np.take(fine.voxels, np.arange(thick.shape[axis] * trial.factor), axis=axis)
    return thick, Reference(replace(fine, voxels=covered))


def overall(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return for each model, factor, profile and region what its trials amount to.

    Returns
    -------
    list of dict
        ``model``, ``factor``, ``profile``, ``region``, ``trials``, ``subjects``; ``mean`` and ``deviation`` of each measure over trials,
        each counting with its mean over the slices of all axes; ``gain_db`` and ``worst_gain_db``: PSNR over that of cubic in the same
        trial; ``trained_on``: whether the model was trained on any of the subjects.
    """
    groups: dict[tuple[Any, ...], list[tuple[Mapping[str, Any], Mapping[str, float], float]]] = {}
    cubic = {place_of(entry): _means(entry) for entry in entries if entry["model"] == BASELINE}
    for entry in entries:
        for region, means in _means(entry).items():
            gain = means["psnr"] - cubic[place_of(entry)][region]["psnr"]
            groups.setdefault((entry["model"], entry["factor"], entry["profile"], region), []).append((entry, means, gain))
    return [
        {
            **dict(zip(("model", "factor", "profile", "region"), key)),
            "trials": len(group),
            "subjects": len({entry["subject"] for entry, _, _ in group}),
            "mean": {measure: float(np.mean([means[measure] for _, means, _ in group])) for measure in MEASURES},
            "deviation": {measure: float(np.std([means[measure] for _, means, _ in group])) for measure in MEASURES},
            "gain_db": float(np.mean([gain for _, _, gain in group])),
            "worst_gain_db": float(min(gain for _, _, gain in group)),
            "trained_on": any(entry["trained_on"] for entry, _, _ in group),
        }
        for key, group in groups.items()
    ]


def _means(entry: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return {
        each["region"]: {measure: np.nan if value is None else value for measure, value in each["mean"].items()}
        for each in entry["summary"]
        if each["along"] == EVERY_AXIS
    }


def format_comparison(record: Mapping[str, Any]) -> str:
    """Return the models of a record as a plain-text table, the best PSNR first, with the conventions in a line under it."""
    lines = []
    for region in REGIONS:
        rows = sorted((row for row in record["models"] if row["region"] == region), key=_order)
        width = max(len("model"), *(len(row["model"]) for row in rows))
        head = f"{'model':{width}}  {'×':>2} {'profile':9} {'PSNR dB':>14} {'gain':>6} {'worst':>6} {'NCC':>15} {'SSIM':>13} {'trials':>6}"
        lines += ["", f"{region} (mean ± standard deviation over trials)", head, "-" * len(head)]
        lines += [_line(row, width) for row in rows]
    return "\n".join([*lines[1:], record["conventions"]])


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["factor"], row["profile"], -(row["mean"]["psnr"] or 0)


def _line(row: Mapping[str, Any], width: int) -> str:
    def figure(measure: str, digits: int) -> str:
        mean, deviation = row["mean"][measure], row["deviation"][measure]
        return "-" if mean is None else f"{mean:.{digits}f} ± {deviation:.{digits}f}"

    seen = "  trained on some of these subjects" if row["trained_on"] else ""
    gains = f"{row['gain_db']:+6.2f} {row['worst_gain_db']:+6.2f}"
    figures = f"{figure('psnr', 2):>14} {gains} {figure('ncc', 4):>15} {figure('ssim', 3):>13}"
    return f"{row['model']:{width}}  {row['factor']:>2} {row['profile']:9} {figures} {row['trials']:>6}{seen}"
