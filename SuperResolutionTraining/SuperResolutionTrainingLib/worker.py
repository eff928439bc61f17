"""The training process: a request in a JSON file, JSON lines out.

Run as ``python -m SuperResolutionTrainingLib.worker REQUEST.json``. The request is one object::

    {"recipe": NAME, PATH or {...}, "data": DIR, "out": DIR, "resume": false, "minutes": null, "device": "auto", "folder": null}

``recipe`` is the name of a shipped recipe, the path of a YAML file, or a recipe as plain data (`recipe.Recipe.as_dict`). ``data`` is the
folder of its scans, ``out`` the folder of the run: checkpoint, curves, previews, record and model file. ``resume`` (optional, false)
continues from the checkpoint there; ``minutes`` (optional) takes the place of the recipe's own budget, and a resumed run counts what it
has used; ``device`` (optional) is one of `devices.DEVICES`. ``folder`` (optional, absolute) is the temporary folder of a caller that
wants nothing left behind: see `SuperResolutionLib.caller.leave_with_caller`. The run's own folder stays: a later run resumes from it.

While a file ``pause`` lies in ``out``, training waits; a file ``stop`` ends it, and the best model so far is written. Both are looked
for at every step; those of an earlier run are removed at the start, and ``stop`` when it was obeyed.

Every line on standard output is one object with a ``type``:

``started``
    ``pid``. Only with ``folder``: the process then leads a group of its own, so that the caller can end all of it.
``plan``
    ``steps`` (of all stages), ``first_step`` (above 0 when resumed), ``stages`` (objects with ``steps`` and ``losses``), ``minutes``
    (0: no limit), ``network``, ``parameters``, ``device``, ``precision``, ``processes``, ``train`` and ``validation`` (lists of subjects).
``progress``
    ``step``, ``steps``, ``stage`` (from 0), ``loss`` (mean since the last of these lines), ``seconds`` (of training, all sittings
    together), ``seconds_left`` (null where nothing is known yet). At most one a second.
``validation``
    ``step``, ``psnr``, ``psnr_cubic``, ``ncc``, ``ncc_cubic``, ``ssim``, ``ssim_cubic`` (means over the validation set), ``best`` (whether
    it is the best so far), ``preview`` (path of a PNG: input, cubic, network, truth). Resumed runs repeat those since their checkpoint.
``paused``, ``resumed``
    ``step``. Waiting began, or ended.
``warning``
    ``message``.
``measuring``
    ``message``. Training is over; the model is measured on whole scans for its card.
``result``
    ``model`` (path of the model file), ``id``, ``step`` (that the model is from), ``steps`` (done), ``ended`` (``steps``, ``minutes``,
    ``stop`` or ``patience``), ``seconds``, ``gain_db`` (mean PSNR gain over cubic by factor, as in ``superresolution models``),
    ``quality`` (as in the card). The last line.
``error``
    ``message``, ``exit_status``. The last line. Where training had begun, the last good checkpoint is still there.

Exit status: 0 done, 1 the work failed, 2 the request was wrong, 130 or 143 interrupted.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SuperResolutionLib.caller import leave_with_caller
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.worker import answer, write_json_line

_ACCEPTED = "a JSON object with recipe, data and out, optionally resume, minutes, device and folder"


@dataclass(frozen=True)
class TrainingJob:
    """A network to be trained; the entries are those of the request, see above."""

    recipe: str | dict[str, Any]
    data: str
    out: str
    resume: bool = False
    minutes: float | None = None
    device: str = "auto"
    folder: str | None = None


def read_job(path: str) -> TrainingJob:
    """Read a request file.

    Raises
    ------
    RequestError
        If the file cannot be read or is no request.
    """
    try:
        job = TrainingJob(**json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise RequestError(f"{path}: {' '.join(str(error).split())}; accepted is {_ACCEPTED}") from error
    minutes_fit = job.minutes is None or (type(job.minutes) in (int, float) and job.minutes >= 0)
    folder_fits = job.folder is None or (isinstance(job.folder, str) and Path(job.folder).is_absolute())
    checks = {
        "recipe": (isinstance(job.recipe, (str, dict)), "a name, a path and a recipe as an object"),
        "data": (isinstance(job.data, str), "the path of a folder"),
        "out": (isinstance(job.out, str), "the path of a folder"),
        "resume": (isinstance(job.resume, bool), "true and false"),
        "minutes": (minutes_fit, "numbers from 0 and null"),
        "device": (isinstance(job.device, str), "the name of a device"),
        "folder": (folder_fits, "the absolute path of a folder and null"),
    }
    for name, (fits, accepted) in checks.items():
        if not fits:
            raise RequestError(f"{path}: {name} {getattr(job, name)!r}; accepted are {accepted}")
    return job


def run_job(job: TrainingJob) -> None:
    """Train, telling standard output what happens.

    Raises
    ------
    SuperResolutionError
        As `training_run.run`.
    """
    leave_with_caller(job.folder, write_json_line)
    # After the watch for the caller: torch takes seconds to import.
    from .training_run import run

    run(job.recipe, Path(job.data), Path(job.out), job.resume, minutes=job.minutes, device=job.device, tell=write_json_line)


def main(arguments: list[str] | None = None) -> int:
    """Run the request named on the command line and return the exit status."""
    return answer("worker", arguments, lambda path: run_job(read_job(path)))


if __name__ == "__main__":
    sys.exit(main())
