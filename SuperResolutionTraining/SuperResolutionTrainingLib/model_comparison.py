"""Several models held against the same truths: fine scans that are made thick and fine again, or folders of volumes with references."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.errors import WorkError
from SuperResolutionLib.volume import Volume
from SuperResolutionLib.whole import whole_file

from . import comparison_csv, paired_tests, slice_scores
from .calibration import Calibration
from .comparison_record import ComparisonRecord, is_complete, state_of
from .comparison_totals import overall
from .contestants import BASELINE, PLANE, contestants_of
from .executors import Outcome, cluster, one_by_one, processes, side_by_side
from .kept_planes import FOLDER, names_of, write_result, write_trial
from .measurement import Failed, Ground, Measurement, Succeeded
from .paired_folders import ReferenceTrial, name_of, paired
from .plain_data import as_json
from .revision import versions
from .slice_scores import EVERY_AXIS
from .trials import ScanTrial

RECORD = "comparison.json"
CONVENTIONS = f"{slice_scores.CONVENTIONS} {paired_tests.CONVENTIONS}"

Tell = Callable[[float, str], None]


def compare(
    models: Sequence[str],
    trials: Sequence[ScanTrial],
    data: Path,
    out: Path | None = None,
    *,
    consistency: bool = True,
    device: str = "auto",
    precision: str = "float32",
    **how: Any,
) -> dict[str, Any]:
    """Let models make the same thick volumes fine, and compare with the truth slice by slice.

    Parameters
    ----------
    models : sequence of str
        Ids or model files; cubic interpolation is always among them, and the baseline.
    trials : sequence of ScanTrial
    data : Path
        Folder of the scans.
    out : Path, optional
        See `measure_all`.
    consistency : bool
        Project results onto those that degrade to the thick volume, as `upscale` does; without, networks are measured bare.
    device, precision : str
        See `devices`. Which reduced precision ``auto`` would choose depends on how busy the machine is.
    **how
        See `measure_all`.

    Returns
    -------
    dict
        See `measure_all`.

    Raises
    ------
    RequestError
        If a model cannot be accepted.
    """
    factors = {trial.factor for trial in trials}
    axes = PLANE if all(trial.axis == PLANE for trial in trials) else EVERY_AXIS
    contestants = contestants_of(models, factors, axes, consistency=consistency, device=device, precision=precision)
    states = {file: state_of(data / file) for file in {trial.scan.file for trial in trials}}
    trials = [replace(trial, state=states[trial.scan.file]) for trial in trials]
    return measure_all([Measurement(trial, each, data.absolute()) for trial in trials for each in contestants], BASELINE, out, **how)


def compare_folders(
    references: Path,
    candidates: Sequence[Path],
    out: Path | None = None,
    *,
    warn: Callable[[str], None] = lambda line: None,
    **how: Any,
) -> dict[str, Any]:
    """Compare the volumes of folders with the references of their names; each folder counts as a model.

    Parameters
    ----------
    references : Path
    candidates : sequence of Path
        The baseline is the folder named cubic, or else the first.
    out : Path, optional
        See `measure_all`.
    warn : callable
        Told in one line each which references have no candidate.
    **how
        See `measure_all`.

    Returns
    -------
    dict
        See `measure_all`; axis, factor and profile are None.

    Raises
    ------
    RequestError
        See `paired_folders.paired`.
    """
    measurements = [Measurement(pair, candidate, references.absolute()) for pair, candidate in paired(references, candidates, warn)]
    names = [folder.resolve().name for folder in candidates]
    return measure_all(measurements, BASELINE if BASELINE in names else names[0], out, **how)


def measure_all(
    measurements: Sequence[Measurement],
    baseline: str,
    out: Path | None = None,
    *,
    measures: Sequence[str] = (),
    jobs: int = 1,
    scheduler: str | None = None,
    tell: Tell = lambda fraction, line: None,
    follow: Callable[[float], None] = lambda fraction: None,
    failed: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Carry out every measurement that was not made before, and write down what all of them amount to.

    Parameters
    ----------
    measurements : sequence of Measurement
        Trial by trial.
    baseline : str
        The model that gains are over.
    out : Path, optional
        Folder for what is measured, the planes, ``comparison.json``, ``comparison.csv`` and the report; made if absent. What was
        measured there before is not measured again.
    measures : sequence of str
        Measures of whole volumes, of `volume_measures.VOLUME_MEASURES`.
    jobs : int
        Processes that measure at once.
    scheduler : str, optional
        Address of a Dask cluster that measures instead; it has to find the same files under the same names.
    tell : callable
        Called before each measurement, or after each where several run at once, with the part of the work that is done and its name.
    follow : callable
        Called while a model works with the part of the work that is done; not where several run at once.
    failed : callable
        Called with a line for each measurement that failed; the others go on.

    Returns
    -------
    dict
        ``conventions``: one line. ``versions``: see `revision.versions`. ``baseline``. ``models``: see `comparison_totals.overall`.
        ``tests``: see `paired_tests.paired_tests`. ``entries``: for each measurement an object with what names trial and model, ``seconds``
        of upscaling, ``trained_on`` (whether the model's card names the subject among those it was trained on), ``trained_for`` (the
        slice profile that it names first), ``summary`` (list of `slice_scores.Summary`), ``curves`` (see `slice_scores.curves_of`),
        ``measures`` (see `volume_measures.measure_volume`) and ``planes`` (file in the folder of planes, see `kept_planes`; None without
        `out`). ``failures``: for each measurement that failed ``trial``, ``model`` and ``message``.

    Raises
    ------
    RequestError
        If another process measures into `out`, or the scheduler cannot be reached.
    WorkError
        If `out` cannot be written, or every measurement failed.
    """
    planes = None if out is None else out / FOLDER
    failures: dict[Measurement, str] = {}
    with ComparisonRecord(out) as kept:
        lacking = [each for each in measurements if not is_complete(kept.get(each.as_dict()), measures, planes)]
        missing = [_with_measures(each, kept, measures) for each in lacking]
        with _carried_out(missing, jobs, scheduler, tell, follow) as outcomes:
            shared: set[str] = set()
            for measurement, outcome in outcomes:
                if isinstance(outcome, Failed):
                    failures[measurement] = outcome.message
                    failed(f"{measurement.name}: {outcome.message}")
                else:
                    kept.add(outcome.entry | {"planes": planes and _keep_planes(outcome, planes, shared)})
        entries = [entry for each in measurements if is_complete(entry := kept.get(each.as_dict()), measures, planes)]
    told = [{"trial": each.trial.name, "model": each.model.id, "message": message} for each, message in failures.items()]
    if not entries:
        raise WorkError(f"{failure_in_words(told)}; nothing was measured")
    return _concluded(entries, baseline, told, out)


def failure_in_words(failures: Sequence[Mapping[str, str]]) -> str:
    """Return one line on what failed, of the ``failures`` of a record."""
    named = "; ".join(f"{each['model']} on {each['trial']} ({each['message']})" for each in failures)
    return f"{len(failures)} {'measurement' if len(failures) == 1 else 'measurements'} failed: {named}"


def report_pair(
    candidate: Volume,
    covered: np.ndarray,
    reference: Volume,
    folder: Path,
    measures: Mapping[str, Any],
    thick: Volume | None = None,
    calibration: Calibration | None = None,
) -> None:
    """Write record, planes, CSV and report of a single pair, whose model is called ``candidate``, into a folder.

    Parameters
    ----------
    candidate : Volume
        On the reference's grid, see `grid.on_grid_of`.
    covered : ndarray of bool
        Where the candidate covers the reference.
    reference : Volume
    folder : Path
    measures : dict
        Its measures of whole volumes, as `volume_measures.measure_volume` returns them.
    thick : Volume, optional
        What the candidate was made from, to be shown beside.
    calibration : Calibration, optional
        Of the candidate's spread.

    Raises
    ------
    RequestError
        If the two cannot be compared.
    WorkError
        If the folder cannot be written.
    """
    source = Path(reference.source or "reference")
    pair = ReferenceTrial(source.name, name_of(source))
    ground = Ground(thick, reference)
    entry, shown = ground.measure_on_grid(candidate, covered)
    named = {"model": "candidate", "weights_sha256": "", "consistency": None, "trained_on": False, "trained_for": None}
    entry = pair.as_dict() | named | {"seconds": None, "device": "", "precision": ""} | entry | {"measures": dict(measures)}
    entry |= {"calibration": calibration.as_dict()} if calibration else {}
    planes = _keep_planes(Succeeded(entry, shown, ground.shown, ground.thick_shown), folder / FOLDER, set())
    _concluded([as_json(entry | {"planes": planes})], "candidate", [], folder)


def _with_measures(measurement: Measurement, kept: ComparisonRecord, measures: Sequence[str]) -> Measurement:
    """Return a measurement that takes what is asked for, and again what was asked for earlier."""
    earlier = (kept.get(measurement.as_dict()) or {}).get("measures", {})
    return replace(measurement, measures=tuple(dict.fromkeys((*earlier, *measures))))


@contextmanager
def _carried_out(
    measurements: Sequence[Measurement], jobs: int, scheduler: str | None, tell: Tell, follow: Callable[[float], None]
) -> Iterator[Iterator[tuple[Measurement, Outcome]]]:
    """Yield the measurements with what came of them, carried out where it was asked for."""
    if scheduler is None and min(jobs, len(measurements)) <= 1:
        yield one_by_one(measurements, tell, follow)
        return
    with processes(min(jobs, len(measurements))) if scheduler is None else cluster(scheduler) as executor:
        yield side_by_side(measurements, executor, tell)


def _keep_planes(measured: Succeeded, folder: Path, shared: set[str]) -> str:
    """Write the planes of a measurement, and those of its trial once; return the name of the measurement's file."""
    trial, model = names_of(measured.entry)
    if trial not in shared:
        write_trial(folder, trial, measured.truth, measured.thick)
        shared.add(trial)
    write_result(folder, model, measured.result)
    return model


def _concluded(
    entries: Sequence[Mapping[str, Any]], baseline: str, failures: Sequence[Mapping[str, str]], out: Path | None
) -> dict[str, Any]:
    """Return the record of entries; written, with its table and its report, where there is a folder for it."""
    record = {
        "conventions": " ".join([CONVENTIONS, *_conventions_of({name for entry in entries for name in entry["measures"]})]),
        "versions": versions(),
        "baseline": baseline,
        "models": overall(entries, baseline),
        "tests": paired_tests.paired_tests(entries),
        "failures": failures,
    }
    record = as_json(record) | {"entries": list(entries)}
    if out is not None:
        from .report import write_report

        with whole_file(out / RECORD) as partial:
            partial.write_text(_as_text(record), encoding="utf-8")
        comparison_csv.write_csv(record, out / comparison_csv.FILE)
        write_report(record, out)
    return record


def _conventions_of(measures: set[str]) -> list[str]:
    """Return how measures of whole volumes are taken, a sentence each."""
    if not measures:
        return []
    from .volume_measures import VOLUME_MEASURES

    return [f"{known.label}: {known.convention}" for name, known in VOLUME_MEASURES.items() if name in measures]


def _as_text(record: Mapping[str, Any]) -> str:
    """Return a record as JSON that people can read: an entry, with its long curves, in one line."""
    head = json.dumps({name: value for name, value in record.items() if name != "entries"}, indent=1)
    entries = ",\n  ".join(json.dumps(entry) for entry in record["entries"])
    return f'{head[:-2]},\n "entries": [\n  {entries}\n ]\n}}\n'
