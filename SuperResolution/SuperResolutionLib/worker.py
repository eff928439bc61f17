"""The background process: a request in a JSON file, JSON lines out.

Run as ``python -m SuperResolutionLib.worker REQUEST.json``. The request is one object::

    {"input": PATH, "output": PATH, "series": UID or null, "settings": {...}, "resample": true}

with the settings of `upscaling.Settings`, each optional. ``resample`` (optional, false) accepts a DICOM series that is uneven or sheared,
see `files.read_volume`; a ``warning`` then says what was done. ``modality`` (optional, MR or CT) is that of the input, whatever the
file says. ``compress`` (optional, true) concerns ``.nrrd`` and ``.mha``. ``adapt_minutes`` (optional) fits the model to the volume first,
which takes that long and needs SuperResolutionTrainingLib; ``adapt_profile`` (optional, auto) is the volume's slice profile, mean,
gaussian or auto, and ``adapt_keep`` (optional) a model file to write what came of it to. ``folder`` (optional, absolute) is the temporary
folder of a caller that wants nothing left behind: see `caller.leave_with_caller`. Every line on standard output is one object with a
``type``:

``started``
    ``pid``. Only with ``folder``: the process then leads a group of its own, so that the caller can end all of it.
``plan``
    ``axis`` (i, j, k or plane), ``factor``, ``shape`` and ``piece`` (thick voxels: slices, rows, columns), ``pieces``, ``halo``,
    ``views``, ``memory_mb``, ``device``, ``precision``. Once for each pass of a network: one for each axis, one for both axes of a
    plane if the network takes them together, and several for a factor that a progressive model is applied for repeatedly.
``progress``
    ``stage`` (reading, adapting, upscaling, checking, writing), ``fraction`` (of the stage), ``seconds_left`` (of the stage, or null).
``adapted``
    Only with ``adapt_minutes``: ``base`` (id of the model that was fitted), ``share`` (how far its weights moved; 0: fitting did not help
    and they stayed), ``gain_db`` (over the base on slices kept apart), ``profiles``, ``steps``, ``seconds``, ``message`` (all in words).
``warning``
    ``message``.
``result``
    ``output``, ``model``, ``model_sha256``, ``factor``, ``axis`` (i, j, k, plane or all), ``acquisition``, ``residual_before``,
    ``residual_after`` (over the range of the input), ``device``, ``precision``, ``shape`` (k, j, i), ``spacing`` (i, j, k, mm),
    ``spread`` (the path of a second volume, with the setting ``ensemble`` and a network, else null; see `files.spread_path`),
    ``seconds`` (upscaling), ``stage_seconds`` (reading, writing, and what `upscaling.Result` has), ``seconds_total``. The last line.
``error``
    ``message``, ``exit_status``. The last line.

Exit status: 0 done, 1 the work failed, 2 the request was wrong, 130 or 143 interrupted.
"""

from __future__ import annotations

import json
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_type_hints

from .caller import leave_with_caller
from .companion import training_library
from .errors import RequestError, SuperResolutionError
from .stopwatch import Stopwatch

if TYPE_CHECKING:
    from .volume import Volume

MODALITIES = ("MR", "CT")
_OPTIONAL = ("resample", "modality", "compress", "folder", "adapt_minutes", "adapt_profile", "adapt_keep")
Emit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Job:
    """One volume to be made finer, from file to file; the entries are those of the request, see above."""

    input: str
    output: str
    series: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    resample: bool = False
    modality: str | None = None
    compress: bool = True
    folder: str | None = None
    adapt_minutes: float | None = None
    adapt_profile: str = "auto"
    adapt_keep: str | None = None


def run_job(job: Job, emit: Emit) -> None:
    """Read, upscale and write, telling `emit` what happens as the objects described above.

    Raises
    ------
    SuperResolutionError
        As `read_volume`, `upscale` and `write_volume`.
    """
    from .files import check_output, read_volume, spread_path, write_volumes
    from .upscaling import Settings, upscale

    started, watch = time.perf_counter(), Stopwatch()
    leave_with_caller(job.folder, emit)
    _check_settings(job.settings, Settings)
    outputs = _outputs(job)
    for output in outputs:
        if output.resolve() == Path(job.input).resolve():
            raise RequestError(f"{output}: is the input; accepted is another output, since the input is never replaced")
        check_output(output)
    emit(_progress("reading", 0.0))
    with watch.stage("reading"):
        volume = read_volume(job.input, job.series, job.resample)
    if job.modality is not None:
        volume = replace(volume, modality=job.modality)
    for output in outputs:
        check_output(output, volume)
    emit(_progress("reading", 1.0))
    with _model_for(volume, job, emit) as model:
        result = upscale(
            volume,
            progress=lambda state: emit(_progress(state.stage, state.fraction, state.seconds_left)),
            announce=lambda axis, plan, device, precision: emit(_plan(axis, plan, device, precision)),
            **job.settings | model,
        )
    for message in result.warnings:
        emit({"type": "warning", "message": message})
    emit(_progress("writing", 0.0))
    with watch.stage("writing"):
        written = {Path(job.output): result.volume}
        if result.spread is not None:
            written[spread_path(job.output)] = result.spread
        write_volumes(written, job.compress)
    emit(_progress("writing", 1.0))
    told = ("model", "factor", "axis", "acquisition", "residual_before", "residual_after", "device", "precision", "seconds")
    emit(
        {
            "type": "result",
            "output": str(job.output),
            "spread": str(spread_path(job.output)) if result.spread is not None else None,
            **{name: getattr(result, name) for name in told},
            "model_sha256": result.volume.provenance.model_sha256,
            "shape": list(result.volume.shape),
            "spacing": list(result.volume.spacing),
            "stage_seconds": watch.seconds | result.stage_seconds,
            "seconds_total": time.perf_counter() - started,
        }
    )


def _outputs(job: Job) -> list[Path]:
    """Return what will be written: the result and, where there will be one, its spread."""
    from .files import spread_path
    from .interpolation import INTERPOLATIONS

    spread = job.settings.get("ensemble", False) and job.settings.get("model") not in INTERPOLATIONS
    return [Path(job.output), spread_path(job.output)] if spread else [Path(job.output)]


@contextmanager
def _model_for(volume: Volume, job: Job, emit: Emit) -> Iterator[dict[str, Any]]:
    """Yield the setting that names the model which was fitted to the volume, or none where that was not asked for."""
    if job.adapt_minutes is None:
        yield {}
        return
    from .upscaling import Settings

    library = training_library("self_supervision")
    with TemporaryDirectory(prefix="superresolution-", dir=job.folder) as folder:
        path = Path(job.adapt_keep or Path(folder) / "adapted.safetensors")
        adapted = library.adapt(
            volume,
            path,
            Settings(**job.settings),
            minutes=job.adapt_minutes,
            profile=job.adapt_profile,
            progress=lambda state: emit(_progress(state.stage, state.fraction, state.seconds_left)),
        )
        told = {name: getattr(adapted, name) for name in ("base", "profiles", "share", "gain_db", "steps", "seconds")}
        emit({"type": "adapted", **told, "message": adapted.describe()})
        yield {"model": str(path)}


def _check_settings(settings: dict[str, Any], kind: type) -> None:
    types_of = get_type_hints(kind)
    for name, value in settings.items():
        if name not in types_of:
            raise RequestError(f"setting '{name}': accepted are {', '.join(types_of)}")
        if not isinstance(value, types_of[name]):
            raise RequestError(f"setting '{name}': found {value!r}; accepted is a value of type {kind.__annotations__[name]}")


def _progress(stage: str, fraction: float, seconds_left: float | None = None) -> dict[str, Any]:
    return {"type": "progress", "stage": stage, "fraction": fraction, "seconds_left": seconds_left}


def _plan(axis: str, plan: Any, device: str, precision: str) -> dict[str, Any]:
    return {
        "type": "plan",
        "axis": axis,
        "factor": plan.factor,
        "shape": list(plan.shape),
        "piece": list(plan.size),
        "pieces": len(plan.pieces),
        "halo": list(plan.halo),
        "views": plan.views,
        "memory_mb": plan.bytes_needed >> 20,
        "device": device,
        "precision": precision,
    }


def write_json_line(message: dict[str, Any]) -> None:
    """Write one object as one line on standard output, at once."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def stop_cleanly_when_terminated() -> None:
    """Turn SIGTERM into an exception, so that a terminated process removes its temporary files."""

    def stop(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)


def unforeseen(error: Exception) -> str:
    """Return one line for an exception that nobody meant for the user."""
    if isinstance(error, ModuleNotFoundError):
        return f"the Python package '{error.name}' is not installed; it is needed here"
    return f"unforeseen {type(error).__name__}: {' '.join(str(error).split())}"


def read_job(path: str) -> Job:
    """Read a request file.

    Raises
    ------
    RequestError
        If the file cannot be read or is no request.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        job = Job(**data)
    except (OSError, ValueError, TypeError) as error:
        accepted = f"a JSON object with input, output, series and settings, optionally {', '.join(_OPTIONAL)}"
        raise RequestError(f"{path}: {' '.join(str(error).split())}; accepted is {accepted}") from error
    if not isinstance(job.input, str) or not isinstance(job.output, str) or not isinstance(job.settings, dict):
        raise RequestError(f"{path}: input and output must be text and settings an object")
    for name in ("resample", "compress"):
        if not isinstance(getattr(job, name), bool):
            raise RequestError(f"{path}: {name} {getattr(job, name)!r}; accepted are true and false")
    if job.modality not in (None, *MODALITIES):
        raise RequestError(f"{path}: modality {job.modality!r}; accepted are {', '.join(MODALITIES)} and null")
    if job.folder is not None and not (isinstance(job.folder, str) and Path(job.folder).is_absolute()):
        raise RequestError(f"{path}: folder {job.folder!r}; accepted are the absolute path of a folder and null")
    minutes, keep = job.adapt_minutes, job.adapt_keep
    if minutes is not None and not (type(minutes) in (int, float) and minutes > 0):
        raise RequestError(f"{path}: adapt_minutes {minutes!r}; accepted are numbers above 0 and null")
    if not isinstance(job.adapt_profile, str) or not isinstance(keep, (str, type(None))):
        raise RequestError(f"{path}: adapt_profile and adapt_keep must be text")
    return job


def answer(name: str, arguments: list[str] | None, carry_out: Callable[[str], None]) -> int:
    """Carry out the one request file on a background process's command line, and return its exit status.

    Parameters
    ----------
    name : str
        Of the process, for the message about a wrong command line.
    arguments : list of str, optional
        By default those of the command line.
    carry_out : callable
        Called with the path of the request. What it raises becomes an ``error`` line, the last one.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    stop_cleanly_when_terminated()
    try:
        if len(arguments) != 1:
            raise RequestError(f"{name}: found {len(arguments)} arguments; accepted is one request file")
        carry_out(arguments[0])
    except SuperResolutionError as error:
        write_json_line({"type": "error", "message": str(error), "exit_status": error.exit_status})
        return error.exit_status
    except KeyboardInterrupt:
        write_json_line({"type": "error", "message": "interrupted", "exit_status": 130})
        return 130
    except Exception as error:
        # A fault of ours: where it is goes to the log, and the reader of the lines still gets a last one.
        traceback.print_exc()
        write_json_line({"type": "error", "message": unforeseen(error), "exit_status": 1})
        return 1
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the request named on the command line and return the exit status."""
    return answer("worker", arguments, lambda path: run_job(read_job(path), write_json_line))


if __name__ == "__main__":
    sys.exit(main())
