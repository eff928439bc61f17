"""Turns a volume into a finer one: interpolations and models behind one door."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .acquisition import Acquisition, resolve_axis
from .consistency import measurement_residual, project
from .errors import RequestError, WorkError
from .interpolation import interpolation_operator
from .model_file import LoadedModel, load_model
from .model_zoo import SAFE_FACTOR, UpscalerInfo, axis_meant, find_upscaler
from .network_run import NetworkRun
from .number_type import to_type
from .planning import Plan
from .provenance import SPREAD, Provenance
from .stopwatch import Stopwatch
from .version import __version__
from .volume import AXES, Volume, array_axis

SEVERAL_AXES = ("plane", "all")
_AIR_HU = -300
_SAMPLED = 2**18
_TOUCHING = 0.05


@dataclass(frozen=True)
class Progress:
    """How far the work is.

    Attributes
    ----------
    stage : str
        ``reading``, ``adapting``, ``upscaling``, ``checking`` or ``writing``.
    fraction : float
        Done part of the stage, 0 to 1.
    seconds_left : float, optional
        Expected for the stage; None where nothing is known yet.
    """

    stage: str
    fraction: float
    seconds_left: float | None = None


@dataclass(frozen=True)
class Settings:
    """How a volume is to be made finer; the defaults are those of the command line.

    Attributes
    ----------
    model : str
        ``auto``, an id or the path of a model file.
    factor : int, optional
        None: the one that comes nearest to isotropic voxels, at most 4.
    axis : str
        ``auto`` (largest spacing, or the plane if the model makes only planes finer), ``i``, ``j``, ``k``, ``plane`` (both axes other
        than the one with the largest spacing) or ``all``.
    device, precision : str
        See `devices`.
    ensemble : bool
        Average the results of all flips of the input (self-ensemble, Timofte et al., CVPR 2016), and return their spread.
    memory_mb : int, optional
        Limit for input, result and one piece together, MiB.
    consistency : bool
        Project the result of a network onto those that degrade to the input.
    """

    model: str = "auto"
    factor: int | None = None
    axis: str = "auto"
    device: str = "auto"
    precision: str = "auto"
    ensemble: bool = False
    memory_mb: int | None = None
    consistency: bool = True


@dataclass(frozen=True)
class Result:
    """A finer volume and how it came about.

    Attributes
    ----------
    volume : Volume
        Its ``provenance`` is set.
    model : str
        Id of the upscaler.
    factor : int
    axis : str
    acquisition : str
        The main one of those the model was trained on; ``mean`` for interpolations.
    residual_before, residual_after : float
        Measurement check over the range of the input, before and after projection (see `consistency`).
    device, precision : str
        What the network ran on; empty for interpolations.
    seconds : float
    stage_seconds : dict of str to float
        Of these, what went into ``loading`` (torch, model, trial of the precisions; for an interpolation its weights: nothing of it grows
        with the volume), ``network`` (see `NetworkRun`) and ``checking``.
    warnings : tuple of str
        What to know before trusting the result.
    spread : Volume, optional
        With ensemble: the standard deviation of the network's results over all flips and orthogonal views, float32 on the grid and in the
        units of `volume`. The measurement check moves the result, not the spread. Of several passes the variances are added, each
        repeated for the voxels that later passes put in the place of one. Interpolations have none: all flips give the same.
    """

    volume: Volume
    model: str
    factor: int
    axis: str
    acquisition: str
    residual_before: float
    residual_after: float
    device: str
    precision: str
    seconds: float
    stage_seconds: dict[str, float]
    warnings: tuple[str, ...]
    spread: Volume | None = None


Report = Callable[[Progress], None]
Announce = Callable[[str, Plan, str, str], None]


def upscale(
    volume: Volume,
    *,
    progress: Report | None = None,
    announce: Announce | None = None,
    **settings: object,
) -> Result:
    """Make a volume finer.

    Parameters
    ----------
    volume : Volume
        Finite voxels.
    progress : callable, optional
        Called with a `Progress` from time to time.
    announce : callable, optional
        Called with the axis, the plan, the device and the precision before each pass of a network; the axis is
        ``plane`` where it takes two at once.
    **settings
        See `Settings`.

    Returns
    -------
    Result
        The volume has the input's units; integers stay integers.

    Raises
    ------
    RequestError
        If a setting is not accepted, the volume holds NaN, or no model fits.
    WorkError
        If memory runs out.
    """
    started = time.perf_counter()
    wanted = Settings(**settings)
    check_voxels(volume)
    wanted = replace(wanted, axis=axis_meant(wanted.model, wanted.axis))
    axes = finer_axes(volume, wanted.axis)
    factor = choose_factor(volume, wanted)
    info = find_upscaler(wanted.model, modality_of(volume), factor, wanted.axis)
    watch = Stopwatch()
    with watch.stage("loading"):
        model = load_model(info.path) if info.path else None
    report = progress or (lambda _: None)
    fine, variance, steps = volume, None, []
    try:
        stages = _stages(volume, axes, model)
        for number, stage in enumerate(stages):
            share = _share(report, number, len(stages))
            fine, variance, step = _finer(fine, variance, stage, factor, info, model, wanted, watch, share, announce)
            steps.append(step)
        voxels = to_type(fine.voxels, volume.voxels.dtype)
        deviation = None if variance is None else np.sqrt(variance, out=variance)
    except MemoryError as error:
        raise WorkError(
            f"{volume.source or 'volume'} at factor {factor}: not enough memory; a lower --memory uses smaller pieces"
        ) from error
    before, after = max(step.before for step in steps), max(step.after for step in steps)
    provenance = Provenance(
        info.id, model.sha256 if model else "", factor, axes[0] if len(axes) == 1 else wanted.axis, steps[0].acquisition,
        f"{before:.3%}", f"{after:.3%}", __version__, notes=volume.notes,
    )  # fmt: skip
    result = replace(fine, voxels=voxels, modality=modality_of(volume), provenance=provenance)
    unchecked = replace(provenance, residual_before="", residual_after="", quantity=SPREAD)
    spread = None if deviation is None else replace(result, voxels=deviation, provenance=unchecked)
    return Result(
        result, info.id, factor, provenance.axis, steps[0].acquisition,
        before, after, steps[0].device, steps[0].precision, time.perf_counter() - started, watch.seconds,
        (*_warnings(volume, factor, info, wanted.ensemble), *(shortage for step in steps for shortage in step.shortages)), spread,
    )  # fmt: skip


def _warnings(volume: Volume, factor: int, info: UpscalerInfo, ensemble: bool) -> tuple[str, ...]:
    warnings = list(volume.notes)
    if ensemble and info.kind == "interpolation":
        warnings.append(f"ensemble: '{info.id}' is an interpolation, of which all flips give the same; there is no spread")
    if factor > SAFE_FACTOR:
        warnings.append(f"factor {factor}: factors above {SAFE_FACTOR} are experimental")
    modality = modality_of(volume)
    if volume.modality is None:
        warnings.append(f"{volume.source or 'the volume'} does not say its modality; by its values it is taken for {modality}")
    if info.modalities and modality not in info.modalities:
        warnings.append(f"model '{info.id}' was trained on {', '.join(info.modalities)}; this volume is {modality}")
    spacing, thickness = volume.spacing[2], volume.slice_thickness
    if info.kind == "network" and thickness is not None and abs(thickness / spacing - 1) > _TOUCHING:
        how = "overlap" if thickness > spacing else "leave gaps"
        warnings.append(
            f"slices {thickness:.4g} mm thick lie {spacing:.4g} mm apart: they {how}, and the model was trained on slices that touch"
        )
    return tuple(warnings)


def check_voxels(volume: Volume) -> None:
    """Refuse voxels that no upscaler can take.

    Raises
    ------
    RequestError
        If voxels are NaN or infinite.
    """
    if volume.voxels.dtype.kind == "f":
        bad = volume.voxels.size - int(np.count_nonzero(np.isfinite(volume.voxels)))
        if bad:
            raise RequestError(f"{volume.source or 'volume'}: {bad} voxels are NaN or infinite; accepted are finite voxels")


def modality_of(volume: Volume) -> str:
    """Return the volume's modality; where nothing says it, Hounsfield-like values (air well below zero) mean CT, others MR."""
    if volume.modality:
        return volume.modality
    step = max(1, round((volume.voxels.size / _SAMPLED) ** (1 / 3)))
    low = float(np.percentile(volume.voxels[::step, ::step, ::step], 1))
    return "CT" if -4096 <= low < _AIR_HU else "MR"


def choose_factor(volume: Volume, settings: Settings) -> int:
    """Return the factor asked for, or the one that brings the axis' spacing nearest to that of the other two, at most 4.

    Raises
    ------
    RequestError
        If the factor asked for is below 2, or none was asked for and the voxels are isotropic already.
    """
    if settings.factor is not None:
        if settings.factor < 2 or settings.factor != int(settings.factor):
            raise RequestError(f"factor {settings.factor}: accepted are whole numbers from 2")
        return settings.factor
    if settings.axis in SEVERAL_AXES:
        return 2
    axis = resolve_axis(volume, settings.axis)
    spacing = dict(zip(AXES, volume.spacing))
    others = np.sqrt(np.prod([length for name, length in spacing.items() if name != axis]))
    factor = min(range(1, SAFE_FACTOR + 1), key=lambda f: abs(np.log(spacing[axis] / f / others)))
    if factor == 1:
        found = " x ".join(f"{length:.3g}" for length in volume.spacing)
        found = f"{volume.source or 'volume'}: voxels of {found} mm are nearly isotropic along {axis}"
        raise RequestError(f"{found}; name a --factor from 2 to make them finer")
    return factor


@dataclass(frozen=True)
class _Step:
    acquisition: str
    before: float
    after: float
    device: str = ""
    precision: str = ""
    shortages: tuple[str, ...] = ()


def finer_axes(volume: Volume, axis: str) -> tuple[str, ...]:
    """Return the array axes that become finer, in the order in which they do if it is one after the other.

    Raises
    ------
    RequestError
        If `axis` is none of those that `Settings` names.
    """
    if axis == "plane":
        return tuple(name for name in reversed(AXES) if name != volume.thick_axis)
    if axis == "all":
        return tuple(reversed(AXES))
    if axis not in ("auto", *AXES):
        raise RequestError(f"axis '{axis}': accepted are auto, {', '.join((*AXES, *SEVERAL_AXES))}")
    return (resolve_axis(volume, axis),)


def _stages(volume: Volume, axes: tuple[str, ...], model: LoadedModel | None) -> list[tuple[str, ...]]:
    """Group the axes by what becomes finer at once: a network for planes takes the two that are not thick together, and first."""
    if len(axes) == 1 or model is None or model.card.task == "axis":
        return [(axis,) for axis in axes]
    plane = finer_axes(volume, "plane")
    return [plane, *((axis,) for axis in axes if axis not in plane)]


def _finer(
    volume: Volume,
    variance: np.ndarray | None,
    axes: tuple[str, ...],
    factor: int,
    info: UpscalerInfo,
    model: LoadedModel | None,
    settings: Settings,
    watch: Stopwatch,
    report: Report,
    announce: Announce | None,
) -> tuple[Volume, np.ndarray | None, _Step]:
    """Make one axis finer, or the two of a plane at once; the variance of earlier passes is carried on, and that of these added."""
    plane = len(axes) == 2
    first = array_axis(*set(AXES).difference(axes)) if plane else array_axis(axes[0])
    thick = np.moveaxis(volume.voxels, first, 0)
    if model is None:
        with watch.stage("loading"):
            interpolate = interpolation_operator(info.id, len(thick), factor)
        fine = np.moveaxis(interpolate(volume.voxels, first), first, 0)
        acquisition = Acquisition("mean", factor)
        with watch.stage("checking"):
            residual = measurement_residual(fine, thick, acquisition)
        step = _Step(acquisition.name, residual, residual)
    else:
        fine, run, shortages = thick, None, []
        passes = model.card.passes(factor)
        for number, step_factor in enumerate(passes):
            with watch.stage("loading"):
                run = NetworkRun(model, fine, step_factor, settings, plane, watch)
            if announce:
                announce("plane" if plane else axes[0], run.plan, str(run.device), run.precision)
            share = _share(report, number, len(passes))
            fine = run.upscale(lambda fraction, left, share=share: share(Progress("upscaling", fraction, left)))
            shortages += filter(None, [run.shortage])
            variance = _carried_on(variance, step_factor, axes, np.moveaxis(run.variance, 0, first)) if settings.ensemble else None
        report(Progress("checking", 0.0))
        acquisition = Acquisition(model.card.acquisitions[0], factor)
        with watch.stage("checking"):
            before, after = _checked(fine, thick, acquisition, (1, 2) if plane else (0,), settings.consistency)
        report(Progress("checking", 1.0, 0.0))
        step = _Step(acquisition.name, before, after, str(run.device), run.precision, tuple(shortages))
    finer = np.moveaxis(fine, 0, first)
    for axis in axes:
        volume = volume.regridded(finer, axis, 1 / factor)
    return volume, variance, step


def _carried_on(earlier: np.ndarray | None, factor: int, axes: tuple[str, ...], own: np.ndarray) -> np.ndarray:
    """Return the variance of a pass and of those before, which lies on the grid that the pass made finer; changes `own`."""
    if earlier is not None:
        repeated = earlier
        for axis in axes:
            repeated = np.repeat(repeated, factor, array_axis(axis))
        own += repeated
    return own


def _checked(fine: np.ndarray, thick: np.ndarray, acquisition: Acquisition, axes: tuple[int, ...], forced: bool) -> tuple[float, float]:
    """Return the residual of the measurement check before and after projection, which is done in place if it is `forced`."""
    before = measurement_residual(fine, thick, acquisition, axes)
    if not forced:
        return before, before
    project(fine, thick, acquisition, axes)
    return before, measurement_residual(fine, thick, acquisition, axes)


def _share(report: Report, number: int, total: int) -> Report:
    """Map the progress of one axis to its share of the whole."""
    return lambda state: report(replace(state, fraction=(number + state.fraction) / total))
