"""The background process that compares all models: a request in a JSON file, JSON lines out.

Run as ``python -m SuperResolutionTrainingLib.comparison_worker REQUEST.json``. The request is one object::

    {"data": DIR, "record": PATH, "factor": 4, "profile": "mean", "axes": "ijk", "folder": null}

Every scan of the folder ``data`` is made thick by ``factor`` (optional, 4) with a slice ``profile`` (optional, mean; see
`acquisition.PROFILES`), along those of ``axes`` (optional, ijk) whose resolution is real, and made fine again by every installed model
that offers the factor and by every interpolation. The figures go to the JSON file ``record``, see `model_comparison.compare`. ``folder``
(optional, absolute) is the temporary folder of a caller that wants nothing left behind: see `SuperResolutionLib.caller.leave_with_caller`.
Every line on standard output is one object with a ``type``:

``started``
    ``pid``. Only with ``folder``: the process then leads a group of its own, so that the caller can end all of it.
``progress``
    ``stage`` (what is being read or measured, in words), ``fraction`` (of the whole).
``warning``
    ``message``: a file or a trial that is left out, or a model that failed in a trial, and why.
``result``
    ``record``: the path. The last line.
``error``
    ``message``, ``exit_status``. The last line.

Exit status: 0 done, 1 the work failed, 2 the request was wrong, 130 or 143 interrupted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from SuperResolutionLib.acquisition import PROFILES
from SuperResolutionLib.caller import leave_with_caller
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.model_zoo import list_upscalers, user_folder
from SuperResolutionLib.volume import AXES, array_axis
from SuperResolutionLib.whole import whole_file
from SuperResolutionLib.worker import Emit, answer, write_json_line

if TYPE_CHECKING:
    from .trials import ScanTrial

_FEWEST_SLICES = 3  # that can be measured
_ACCEPTED = "a JSON object with data and record, optionally factor, profile, axes and folder"


@dataclass(frozen=True)
class Job:
    """One comparison, from a folder to a file; the entries are those of the request, see above."""

    data: str
    record: str
    factor: int = 4
    profile: str = "mean"
    axes: str = "".join(AXES)
    folder: str | None = None


def run_job(job: Job, emit: Emit) -> None:
    """Read, measure and write, telling `emit` what happens as the objects described above.

    Raises
    ------
    SuperResolutionError
        If there is nothing to compare, or to compare on, every model fails, or the record cannot be written.
    """
    leave_with_caller(job.folder, emit)
    if against := reason_against_factor(job.factor):
        raise RequestError(against)
    # After the watch for the caller: what measures takes seconds to import.
    from .contestants import models_for
    from .model_comparison import compare
    from .trials import scans_to_compare_on, trials_of

    stage = "reading the scans"

    def tell(fraction: float, line: str) -> None:
        nonlocal stage
        stage = line
        emit({"type": "progress", "stage": line, "fraction": round(fraction, 4)})

    def warn(line: str) -> None:
        emit({"type": "warning", "message": line})

    tell(0.0, stage)
    data = Path(job.data)
    trials = trials_of(scans_to_compare_on(data, tell=warn), job.axes, [job.factor], [job.profile], warn)
    trials = _long_enough(trials, data, warn)
    record = compare(
        models_for([job.factor]),
        trials,
        data,
        precision="auto",  # as the panel's own results
        tell=lambda fraction, line: tell(fraction, f"measuring {line}"),
        follow=lambda fraction: tell(fraction, stage),
        failed=lambda line: warn(f"failed: {line}"),
    )
    with whole_file(Path(job.record)) as partial:
        partial.write_text(json.dumps(record), encoding="utf-8")
    emit({"type": "result", "record": str(job.record)})


def reason_against_factor(factor: int) -> str:
    """Return why there is nothing to compare at a factor: no model offers it; empty if one does."""
    networks = [info for info in list_upscalers() if info.kind == "network" and info.factors and not info.only_planes]
    if any(factor in info.factors for info in networks):
        return ""
    offered = ", ".join(f"{info.id} ({', '.join(map(str, info.factors))})" for info in networks)
    there = f"the factors of {offered}, or " if offered else ""
    return f"factor {factor}: no model makes one axis finer by it; accepted are {there}another model in {user_folder()}"


def _long_enough(trials: Sequence[ScanTrial], data: Path, warn: Callable[[str], None]) -> list[ScanTrial]:
    """Return the trials whose scans have slices enough, before hours go into those that come first."""
    from .samples import load_scan

    shapes = {scan: load_scan(scan, data).shape for scan in dict.fromkeys(trial.scan for trial in trials)}
    against = {trial: _reason_against(trial, shapes[trial.scan]) for trial in trials}
    reasons = list(dict.fromkeys(reason for reason in against.values() if reason))
    kept = [trial for trial, reason in against.items() if not reason]
    if not kept:
        more = f"; likewise {len(reasons) - 1} more" if len(reasons) > 1 else ""
        raise RequestError(f"{reasons[0]}{more}")
    for reason in reasons:
        warn(f"left out: {reason}")
    return kept


def _reason_against(trial: ScanTrial, shape: tuple[int, ...]) -> str:
    """Return why a scan of a shape cannot be made thick and measured so; empty if it can."""
    slices, needed = shape[array_axis(trial.axis)], 2 * trial.factor
    if min(shape) < _FEWEST_SLICES:
        found = " × ".join(map(str, reversed(shape)))
        return f"{trial.scan.subject}: {found} voxels; accepted are at least {_FEWEST_SLICES} along each axis"
    if slices < needed:
        return f"{trial.scan.subject}: {slices} slices along {trial.axis}; factor {trial.factor} needs at least {needed}"
    return ""


def read_job(path: str) -> Job:
    """Read a request file.

    Raises
    ------
    RequestError
        If the file cannot be read or is no request.
    """
    try:
        job = Job(**json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise RequestError(f"{path}: {' '.join(str(error).split())}; accepted is {_ACCEPTED}") from error
    folder_fits = job.folder is None or (isinstance(job.folder, str) and Path(job.folder).is_absolute())
    checks = {
        "data": (isinstance(job.data, str), "the path of a folder"),
        "record": (isinstance(job.record, str), "the path of a file"),
        "factor": (type(job.factor) is int and job.factor > 1, "whole numbers from 2"),
        "profile": (isinstance(job.profile, str) and job.profile in PROFILES, ", ".join(PROFILES)),
        "axes": (isinstance(job.axes, str) and job.axes != "" and set(job.axes) <= set(AXES), f"some of {', '.join(AXES)}"),
        "folder": (folder_fits, "the absolute path of a folder and null"),
    }
    for name, (fits, accepted) in checks.items():
        if not fits:
            raise RequestError(f"{path}: {name} {getattr(job, name)!r}; accepted are {accepted}")
    return job


def main(arguments: list[str] | None = None) -> int:
    """Run the request named on the command line and return the exit status."""
    return answer("comparison_worker", arguments, lambda path: run_job(read_job(path), write_json_line))


if __name__ == "__main__":
    sys.exit(main())
