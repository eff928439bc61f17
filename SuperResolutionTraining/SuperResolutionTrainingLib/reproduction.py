"""A source's benchmark done again: its networks trained, measured on subjects they were not trained on, beside what the source reports."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.errors import RequestError, SuperResolutionError, WorkError
from SuperResolutionLib.model_file import read_card
from SuperResolutionLib.model_zoo import list_upscalers
from SuperResolutionLib.whole import whole_file

from .checkpoint import FILE as CHECKPOINT
from .comparison_record import place_of
from .contestants import BASELINE, PLANE, Contestant, contestants_of
from .data_folder import SPLIT_FILE, find_scans
from .measurement import Measurement
from .model_comparison import measure_all
from .plain_data import as_json
from .recipe import SPLITS, Recipe, Scan
from .reproduction_table import as_text
from .revision import versions
from .slice_scores import EVERY_AXIS, MEASURES, REGIONS
from .source_benchmark import Comparison, SourceBenchmark
from .split import read_split, split_by_subject, write_split
from .training_run import listed_scans, named_scans, run
from .trials import trials_of

RECORD = "reproduction.json"
TABLE = "reproduction.txt"
ENSEMBLE = " + ensemble"
_NETWORKS = "networks"
_SEED = 1

Tell = Callable[[dict[str, Any]], None]


def reproduce(
    benchmark: SourceBenchmark,
    data: Path,
    out: Path,
    *,
    scans: str | None = None,
    minutes: float | None = None,
    device: str = "auto",
    tell: Tell = lambda message: None,
) -> dict[str, Any]:
    """Train the networks of a benchmark, measure them, and write down what came of it beside what the source reports.

    What is there already is not done again: a trained network, or a measurement; a training that was interrupted goes on.

    Parameters
    ----------
    benchmark : SourceBenchmark
    data : Path
        Folder of the scans.
    out : Path
        Folder for all of it; made if absent. Each network is trained in a folder of its own, and each comparison has one with the files
        that `model_comparison.measure_all` writes, a report among them.
    scans : str, optional
        The recipe whose list of scans is taken, with its split; otherwise every scan of the folder, split by subject.
    minutes : float, optional
        Time for each training, in place of the steps of its recipe.
    device : str
        See `devices`.
    tell : callable
        Called with the messages of `training_run.run`, and before each piece of work with ``{"type": "progress", "stage": words}``.

    Returns
    -------
    dict
        What ``reproduction.json`` holds: ``benchmark`` (as plain data), ``scans`` (the recipe that lists them), ``data`` (the scans of each
        split), ``minutes``, ``versions``, ``cores``, ``networks`` (how each was trained), ``comparisons`` (for each ``name``,
        ``conventions`` and ``rows``, see `rows_of`) and ``failures``.

    Raises
    ------
    RequestError
        If there are no scans to train or to measure on, or `out` holds something else.
    WorkError
        If a file cannot be written, or nothing could be measured.
    """
    chosen = _scans(benchmark, data, out, scans, tell)
    models, failures = _all_trained(benchmark, chosen, data, out, minutes, device, tell)
    comparisons = []
    for comparison in benchmark.comparisons:
        measured = _measured(benchmark, comparison, models, chosen, data, out, device, tell)
        failures += [{"what": f"{each['model']} on {each['trial']}", "message": each["message"]} for each in measured["failures"]]
        rows = rows_of(measured["entries"], benchmark.measured)
        comparisons.append({"name": comparison.name, "conventions": measured["conventions"], "rows": rows})
    record = as_json(
        {
            "benchmark": benchmark.as_dict(),
            "scans": scans and Path(scans).stem,
            "data": {split: named_scans(chosen, split) for split in SPLITS},
            "minutes": minutes,
            "versions": versions(),
            "cores": os.cpu_count(),
            "networks": [{"name": name, "factor": factor} | _training_of(path) for (name, factor), path in models.items()],
            "comparisons": comparisons,
            "failures": failures,
        }
    )
    for name, text in ((RECORD, json.dumps(record, indent=1)), (TABLE, as_text(record))):
        with whole_file(out / name) as partial:
            partial.write_text(f"{text}\n", encoding="utf-8")
    return record


def rows_of(entries: Sequence[Mapping[str, Any]], wholes: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return what each model reaches at each factor.

    Parameters
    ----------
    entries : sequence of dict
        Of one comparison's record.
    wholes : sequence of str
        Measures of whole volumes that are told, too, in the whole region.

    Returns
    -------
    list of dict
        ``model``, ``factor``, ``region``, ``subjects`` (their number), ``trained_on`` (whether it was trained on any of them), ``mean`` and
        ``deviation`` of each measure over subjects (of the population; a subject counts with the mean of its trials, a trial with the mean
        over the slices of all axes) and ``gain_db``, the mean PSNR over that of cubic. What was not measured is NaN.
    """
    base = {
        (place_of(entry), region): _figures(entry, region)["psnr"] for entry in entries if entry["model"] == BASELINE for region in REGIONS
    }
    groups: dict[tuple[str, int, str], dict[str, list[dict[str, float]]]] = {}
    seen: dict[tuple[str, int, str], bool] = {}
    for entry in entries:
        for region in REGIONS:
            key = (entry["model"], entry["factor"], region)
            figures = _figures(entry, region, wholes if region == REGIONS[0] else ())
            figures["gain_db"] = figures["psnr"] - base.get((place_of(entry), region), np.nan)
            groups.setdefault(key, {}).setdefault(entry["subject"], []).append(figures)
            seen[key] = seen.get(key, False) or entry["trained_on"]
    return [_row(key, list(by_subject.values()), seen[key]) for key, by_subject in groups.items()]


def _row(key: tuple[str, int, str], subjects: list[list[dict[str, float]]], trained_on: bool) -> dict[str, Any]:
    names = list(subjects[0][0])
    table = {name: [float(np.mean([figures[name] for figures in trials])) for trials in subjects] for name in names}
    gains = table.pop("gain_db")
    return {
        **dict(zip(("model", "factor", "region"), key)),
        "subjects": len(subjects),
        "trained_on": trained_on,
        "mean": {name: float(np.mean(values)) for name, values in table.items()},
        "deviation": {name: float(np.std(values)) for name, values in table.items()},
        "gain_db": float(np.mean(gains)),
    }


def _figures(entry: Mapping[str, Any], region: str, wholes: Sequence[str] = ()) -> dict[str, float]:
    """Return the figures of an entry, NaN for those that do not exist."""
    means = next(each["mean"] for each in entry["summary"] if (each["region"], each["along"]) == (region, EVERY_AXIS))
    found = {measure: means[measure] for measure in MEASURES} | {name: entry["measures"].get(name, {}).get("value") for name in wholes}
    return {name: np.nan if value is None else value for name, value in found.items()}


def _scans(benchmark: SourceBenchmark, data: Path, out: Path, recipe: str | None, tell: Tell) -> tuple[Scan, ...]:
    """Return the scans with their split, and write that down; one that was written before is kept to."""
    if not data.is_dir():
        raise RequestError(f"{data}: no such folder; accepted is the folder of the scans")
    path = out / SPLIT_FILE
    if recipe is not None:
        chosen = tuple(scan for scan in listed_scans(recipe) if scan.modality in benchmark.modalities)
        _refuse_other(path, chosen)
    elif path.is_file():
        chosen = read_split(path)
    else:
        found = find_scans(data, benchmark.modalities, out, lambda line: tell({"type": "warning", "message": line}))
        chosen = split_by_subject(found.scans, benchmark.validation, _SEED)
    for split, purpose in zip(SPLITS, ("to train on", "to measure on")):
        if not any(scan.split == split for scan in chosen):
            kinds = ", ".join(benchmark.modalities)
            raise RequestError(f"benchmark '{benchmark.id}': no {kinds} scan {purpose}; accepted are scans of both splits")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(f"{out}: not made, {error.strerror or error}") from error
    write_split(path, chosen)
    return chosen


def _refuse_other(path: Path, chosen: tuple[Scan, ...]) -> None:
    if path.is_file() and read_split(path) != chosen:
        raise RequestError(f"{path}: another choice of scans; accepted are the same scans, or another folder")


def _all_trained(
    benchmark: SourceBenchmark, scans: tuple[Scan, ...], data: Path, out: Path, minutes: float | None, device: str, tell: Tell
) -> tuple[dict[tuple[str, int], Path], list[dict[str, str]]]:
    """Return the model files by network and factor, and what failed; one that cannot be trained does not end the work."""
    models, failures = {}, []
    for network in benchmark.networks:
        for factor in benchmark.factors_of(network):
            recipe = replace(benchmark.recipe_for(network, factor), scans=scans)
            recipe = recipe if minutes is None else replace(recipe, minutes=minutes)
            what = f"training of {network.name} at factor {factor}"
            tell({"type": "progress", "stage": what})
            try:
                models[network.name, factor] = _trained(recipe, data, out / _NETWORKS / f"{network.name}-x{factor}", device, tell)
            except SuperResolutionError as error:
                failures.append({"what": what, "message": str(error)})
                tell({"type": "warning", "message": f"{what}: {error}"})
    return models, failures


def _trained(recipe: Recipe, data: Path, folder: Path, device: str, tell: Tell) -> Path:
    """Return the model file of a recipe, trained unless that was done before."""
    path, record = folder / f"{recipe.id}.safetensors", folder / f"{recipe.id}.json"
    if path.is_file() and record.is_file():
        # The record is the last that a run writes.
        if json.loads(record.read_text(encoding="utf-8"))["recipe"] != as_json(recipe.as_dict()):
            raise RequestError(
                f"{folder}: holds a network that was trained in another way; accepted are the same settings, or another folder"
            )
        return path
    return run(recipe.as_dict(), data, folder, (folder / CHECKPOINT).is_file(), device=device, tell=tell)


def _training_of(path: Path) -> dict[str, Any]:
    """Return what the record of a run says of how long it was."""
    record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    told = {name: record[name] for name in ("recipe", "step", "steps", "ended", "seconds", "machine", "git_revision", "date")}
    minutes = told.pop("recipe")["minutes"]
    return told | {"minutes": minutes, "weights_sha256": read_card(path).weights_sha256}


def _measured(
    benchmark: SourceBenchmark,
    comparison: Comparison,
    models: Mapping[tuple[str, int], Path],
    scans: Sequence[Scan],
    data: Path,
    out: Path,
    device: str,
    tell: Tell,
) -> dict[str, Any]:
    """Return the record of a comparison."""
    how = {"consistency": benchmark.consistency, "device": device, "precision": "float32"}
    names = {network.name for network in benchmark.networks_of(comparison)}
    contestants = {}
    for factor in comparison.factors:
        files = [str(path) for (name, made_for), path in models.items() if made_for == factor and name in names]
        contestants[factor] = _contestants(benchmark, comparison, factor, files, how)
    kept = [scan for scan in scans if scan.split == "validation"]
    trials = trials_of(kept, comparison.axes, comparison.factors, [benchmark.profile])
    measurements = [Measurement(trial, each, data.absolute()) for trial in trials for each in contestants[trial.factor]]
    return measure_all(
        measurements,
        BASELINE,
        out / comparison.name,
        measures=benchmark.measured,
        tell=lambda fraction, line: tell({"type": "progress", "stage": f"{comparison.name}: {line}", "fraction": round(fraction, 4)}),
        failed=lambda line: tell({"type": "warning", "message": f"{comparison.name}: {line}"}),
    )


def _contestants(
    benchmark: SourceBenchmark, comparison: Comparison, factor: int, files: Sequence[str], how: Mapping[str, Any]
) -> list[Contestant]:
    axes = PLANE if comparison.axes == PLANE else EVERY_AXIS
    offered = {info.id for info in list_upscalers() if factor in info.factors}
    beside = [model for model in benchmark.models if model in offered]
    found = contestants_of([*benchmark.baselines, *beside, *files], {factor}, axes, **how)
    if benchmark.ensemble:
        own = {str(Path(file).absolute()) for file in files}
        found += [replace(each, id=f"{each.id}{ENSEMBLE}", ensemble=True) for each in found if each.file in own]
    return found
