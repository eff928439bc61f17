"""The background process of an evaluation: a request in a JSON file, JSON lines out.

Run as ``python -m SuperResolutionTrainingLib.evaluation_worker REQUEST.json``. The request is one object::

    {"candidate": PATH, "reference": PATH, "input": PATH or null, "scores": PATH, "folder": null}

With the thick ``input`` that the candidate was made of, the interpolations of it are measured beside the candidate. The figures go to the
JSON file ``scores``, see `scores_of`. ``folder`` (optional, absolute) is the temporary folder of a caller that wants nothing left behind:
see `SuperResolutionLib.caller.leave_with_caller`. Every line on standard output is one object with a ``type``:

``started``
    ``pid``. Only with ``folder``: the process then leads a group of its own, so that the caller can end all of it.
``progress``
    ``stage`` (reading, candidate or the name of an interpolation), ``fraction`` (of the whole).
``result``
    ``scores``: the path. The last line.
``error``
    ``message``, ``exit_status``. The last line.

Exit status: 0 done, 1 the work failed, 2 the request was wrong, 130 or 143 interrupted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SuperResolutionLib.caller import leave_with_caller
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.interpolation import INTERPOLATIONS
from SuperResolutionLib.volume import Volume
from SuperResolutionLib.whole import whole_file
from SuperResolutionLib.worker import Emit, answer, write_json_line

from .plain_data import as_json

CANDIDATE = "candidate"


@dataclass(frozen=True)
class Job:
    """One evaluation, from files to file; the entries are those of the request, see above."""

    candidate: str
    reference: str
    scores: str
    input: str | None = None
    folder: str | None = None


def run_job(job: Job, emit: Emit) -> None:
    """Read, measure and write, telling `emit` what happens as the objects described above.

    Raises
    ------
    SuperResolutionError
        If a volume cannot be read or measured, or the scores cannot be written.
    """
    from SuperResolutionLib.files import read_volume

    leave_with_caller(job.folder, emit)
    emit({"type": "progress", "stage": "reading", "fraction": 0.0})
    candidate, reference = read_volume(job.candidate), read_volume(job.reference)
    thick = None if job.input is None else read_volume(job.input)
    scores = scores_of(candidate, reference, thick, emit)
    with whole_file(Path(job.scores)) as partial:
        partial.write_text(json.dumps(scores), encoding="utf-8")
    emit({"type": "result", "scores": str(job.scores)})


def scores_of(candidate: Volume, reference: Volume, thick: Volume | None, emit: Emit) -> dict[str, Any]:
    """Return the figures of a candidate and, where the thick volume is given, of the interpolations, as plain data.

    Returns
    -------
    dict
        ``conventions``: one line. ``summary``: a list of objects with ``volume``, ``region``, ``along``, ``slices`` and, for each measure,
        ``mean`` and ``deviation``. ``curves``: a list of objects with ``volume``, ``region``, ``axis``, ``slices`` and, under ``values``,
        a list for each measure. What does not exist is null.
    """
    from .slice_scores import CONVENTIONS, Reference, summarise

    truth = Reference(reference)
    summary, curves = [], []
    names = [CANDIDATE, *(INTERPOLATIONS if thick is not None else ())]
    for number, (name, volume) in enumerate(_volumes(candidate, thick)):
        emit({"type": "progress", "stage": name, "fraction": (number + 0.1) / (len(names) + 0.1)})
        scores = truth.score(volume)
        summary += [{"volume": name} | vars(each) for each in summarise(scores)]
        curves += [{"volume": name} | vars(each) for each in scores]
    return as_json({"conventions": CONVENTIONS, "summary": summary, "curves": curves})


def _volumes(candidate: Volume, thick: Volume | None) -> Iterator[tuple[str, Volume]]:
    from .baselines import baselines

    yield CANDIDATE, candidate
    if thick is not None:
        yield from baselines(thick, candidate)


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
        accepted = "a JSON object with candidate, reference and scores, optionally input and folder"
        raise RequestError(f"{path}: {' '.join(str(error).split())}; accepted is {accepted}") from error
    for name, value in vars(job).items():
        if not isinstance(value, str) and not (value is None and name in ("input", "folder")):
            raise RequestError(f"{path}: {name} {value!r}; accepted is a path")
    if job.folder is not None and not Path(job.folder).is_absolute():
        raise RequestError(f"{path}: folder {job.folder!r}; accepted are the absolute path of a folder and null")
    return job


def main(arguments: list[str] | None = None) -> int:
    """Run the request named on the command line and return the exit status."""
    return answer("evaluation_worker", arguments, lambda path: run_job(read_job(path), write_json_line))


if __name__ == "__main__":
    sys.exit(main())
