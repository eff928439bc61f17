"""Measures of a whole volume, by name: what each is called, its unit, its convention, and how it is taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from SuperResolutionLib import metrics
from SuperResolutionLib.acquisition import Acquisition
from SuperResolutionLib.consistency import measurement_residual
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics.ms_ssim import EXPONENTS, scales_that_fit
from SuperResolutionLib.metrics.pairs import check_pair, value_range
from SuperResolutionLib.volume import AXES, Volume, array_axis

from .evaluation import same_grid

ALL = "all"
_QUARTERS = (1, 2, 3)
_LEAST_REACH = 8  # voxels of the profile across an edge, on either side


@dataclass(frozen=True)
class Context:
    """What is known of a candidate beyond its voxels.

    Attributes
    ----------
    factor : int, optional
        How many times finer than the thick volume it is.
    axis : str, optional
        The axis that was made finer, or several, such as ``ij``.
    thick : Volume, optional
        What it was made from.
    profile : str, optional
        The slice profile of `thick`, see `acquisition`.
    mask : ndarray of bool, optional
        Where the two are compared; everywhere by default. Measures that know no mask then do not exist.
    edge_level : float, optional
        Intensity within the boundaries whose width is measured, such as 200 HU for bone; by default Otsu's threshold on the reference.
    """

    factor: int | None = None
    axis: str | None = None
    thick: Volume | None = None
    profile: str | None = None
    mask: np.ndarray | None = None
    edge_level: float | None = None


@dataclass(frozen=True)
class NotMeasured:
    """Why a measure does not exist."""

    reason: str


@dataclass(frozen=True)
class Figure:
    """A value, and in words what was found out about how it was taken."""

    value: float
    note: str | None = None


_NO_MASK = NotMeasured("knows no mask, and the two are compared within one")

Take = Callable[[Volume, Volume, np.ndarray | None, Context], Figure | NotMeasured]


@dataclass(frozen=True)
class Measure:
    """A measure of a whole volume.

    Attributes
    ----------
    label : str
        What it is called in tables.
    unit : str
        Empty where there is none.
    larger_is_better : bool or None
        None where nearer to the reference's own value is better.
    convention : str
        One sentence.
    take : callable
        Measures (candidate, reference, mask or None, context).
    alone : bool
        Whether the reference has the measure too, without being compared with anything.
    """

    label: str
    unit: str
    larger_is_better: bool | None
    convention: str
    take: Take
    alone: bool = False


def measures_named(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, each once; ``all`` stands for every one.

    Raises
    ------
    RequestError
        If a name is none of `VOLUME_MEASURES`.
    """
    found: dict[str, None] = {}
    for name in names:
        if name != ALL and name not in VOLUME_MEASURES:
            raise RequestError(f"measure '{name}': accepted are {ALL}, {', '.join(VOLUME_MEASURES)}")
        found |= dict.fromkeys(VOLUME_MEASURES if name == ALL else [name])
    return tuple(found)


def measure_volume(names: Sequence[str], candidate: Volume, reference: Volume, context: Context | None = None) -> dict[str, dict[str, Any]]:
    """Take measures of a whole volume.

    Parameters
    ----------
    names : sequence of str
        Of `VOLUME_MEASURES`, or ``all``.
    candidate, reference : Volume
        On the same grid to 1e-3 mm.
    context : Context, optional

    Returns
    -------
    dict
        For each name ``value``, ``reference`` (the same figure of the reference, where a measure is taken of a volume alone), ``reason``
        (why there is no value) and ``note`` (how it was taken); each is None where there is nothing to say.

    Raises
    ------
    RequestError
        If a name is unknown, or the volumes cannot be compared.
    """
    names, context = measures_named(names), context or Context()
    if not same_grid(candidate, reference):
        raise RequestError("candidate on another grid than the reference; accepted is one that was resampled onto it")
    check_pair(candidate.voxels, reference.voxels, context.mask)
    value_range(reference.voxels)
    told = {}
    for name in names:
        measure = VOLUME_MEASURES[name]
        found = _taken(measure, candidate, reference, context)
        own = _taken(measure, reference, reference, context) if measure.alone else None
        told[name] = {
            "value": getattr(found, "value", None),
            "reference": getattr(own, "value", None),
            "reason": getattr(found, "reason", None),
            "note": getattr(found, "note", None),
        }
    return told


def _taken(measure: Measure, candidate: Volume, reference: Volume, context: Context) -> Figure | NotMeasured:
    try:
        found = measure.take(candidate, reference, context.mask, context)
    except RequestError as error:
        return NotMeasured(str(error))
    if isinstance(found, Figure) and not math.isfinite(found.value):
        return NotMeasured("infinite: there is no difference at all")
    return found


def _mse(candidate: Volume, reference: Volume, mask: np.ndarray | None, context: Context) -> Figure:
    return Figure(metrics.mse(candidate.voxels, reference.voxels, mask))


def _rmse(candidate: Volume, reference: Volume, mask: np.ndarray | None, context: Context) -> Figure:
    return Figure(metrics.rmse(candidate.voxels, reference.voxels, mask))


def _psnr_range(candidate: Volume, reference: Volume, mask: np.ndarray | None, context: Context) -> Figure:
    return Figure(metrics.psnr(candidate.voxels, reference.voxels, mask))


def _psnr_maximum(candidate: Volume, reference: Volume, mask: np.ndarray | None, context: Context) -> Figure:
    return Figure(metrics.psnr(candidate.voxels, reference.voxels, mask, peak=float(reference.voxels.max())))


def _psnr_255(candidate: Volume, reference: Volume, mask: np.ndarray | None, context: Context) -> Figure | NotMeasured:
    if mask is not None:
        return _NO_MASK
    across = set(AXES) - set(context.axis or "")
    return Figure(metrics.picture_psnr(candidate.voxels, reference.voxels, array_axis(across.pop() if len(across) == 1 else "k")))


def _ms_ssim(candidate: Volume, reference: Volume, mask: np.ndarray | None, context: Context) -> Figure:
    scales = max(1, scales_that_fit(reference.shape))
    value = metrics.ms_ssim(candidate.voxels, reference.voxels, mask, scales=scales)
    return Figure(value, f"{scales} of {len(EXPONENTS)} scales")


def _along_every_axis(measure: Callable[..., float]) -> Take:
    """Return what takes the mean of a measure of slices along i, j and k."""

    def take(candidate: Volume, reference: Volume, mask: np.ndarray | None, context: Context) -> Figure | NotMeasured:
        if mask is not None:
            return _NO_MASK
        return Figure(float(np.mean([measure(candidate.voxels, reference.voxels, axis=array_axis(axis)) for axis in AXES])))

    return take


def _of_nine_planes(measure: Callable[[np.ndarray, float, float], float]) -> Take:
    """Return what takes the mean of a measure of pictures over nine planes of the candidate."""

    def take(candidate: Volume, reference: Volume, mask: np.ndarray | None, context: Context) -> Figure | NotMeasured:
        if mask is not None:
            return _NO_MASK
        black, white = float(reference.voxels.min()), float(reference.voxels.max())
        places = [(axis, length * quarter // 4) for axis, length in enumerate(candidate.shape) for quarter in _QUARTERS]
        return Figure(float(np.mean([measure(np.take(candidate.voxels, place, axis), black, white) for axis, place in places])))

    return take


def _period_energy(candidate: Volume, reference: Volume, mask: np.ndarray | None, context: Context) -> Figure | NotMeasured:
    if context.factor is None or context.axis not in AXES:
        return _unknown(context, "the factor and one axis")
    return Figure(metrics.period_energy(candidate.voxels, context.factor, array_axis(context.axis), mask))


def _edge_width(candidate: Volume, reference: Volume, mask: np.ndarray | None, context: Context) -> Figure | NotMeasured:
    if context.axis not in AXES:
        return _unknown(context, "one axis")
    reach = max(_LEAST_REACH, 2 * (context.factor or 0))
    edges = metrics.find_edges(reference.voxels, array_axis(context.axis), reference.spacing, context.edge_level, reach, mask)
    found = metrics.edge_width(candidate.voxels, edges)
    return Figure(found.width, f"median of {found.edges} edges")


def _residual(candidate: Volume, reference: Volume, mask: np.ndarray | None, context: Context) -> Figure | NotMeasured:
    if context.thick is None or context.factor is None or not context.axis or context.profile is None:
        return NotMeasured("needs the thick volume, its factor, axis and profile")
    if mask is not None:
        return _NO_MASK
    dimensions = [array_axis(axis) for axis in context.axis]
    wanted = tuple(length * context.factor if axis in dimensions else length for axis, length in enumerate(context.thick.shape))
    if candidate.shape != wanted:
        return NotMeasured(f"candidate of shape {candidate.shape}; the thick volume and the factor make {wanted}")
    acquisition = Acquisition(context.profile, context.factor)
    return Figure(measurement_residual(candidate.voxels, context.thick.voxels, acquisition, dimensions))


def _unknown(context: Context, needed: str) -> NotMeasured:
    return NotMeasured(f"needs {needed}; known are factor {context.factor} and axis {context.axis}")


_RANGE = "maximum - minimum of the whole reference"

VOLUME_MEASURES: dict[str, Measure] = {
    "mse": Measure("MSE", "", False, "Mean square error over all voxels, in the square of the reference's units.", _mse),
    "rmse": Measure("RMSE", "", False, "Root mean square error over all voxels, in the reference's units.", _rmse),
    "psnr_range": Measure("PSNR, all voxels", "dB", True, f"Mean square error over all voxels together, peak = {_RANGE}.", _psnr_range),
    "psnr_maximum": Measure(
        "PSNR, peak = maximum", "dB", True, "Mean square error over all voxels together, peak = maximum of the reference.", _psnr_maximum
    ),
    "psnr_255": Measure(
        "PSNR, 8 bits",
        "dB",
        True,
        "Slices as pictures of 8 bits, the reference's minimum black and its maximum white, peak = 255; mean over all slices across the "
        "plane made finer, else along k, two equal pictures counted as 100 dB (the code of Georgescu 2020).",
        _psnr_255,
    ),
    "ms_ssim": Measure(
        "MS-SSIM",
        "",
        True,
        "Multi-scale SSIM in 3-D (Wang, Simoncelli and Bovik 2003), Gaussian window of sigma 1.5 voxels, "
        f"range = {_RANGE}; where the volume is too small for five scales as many as fit, the exponents divided by their sum.",
        _ms_ssim,
    ),
    "ifc": Measure(
        "IFC",
        "bit/pixel",
        True,
        "Information fidelity criterion (Sheikh, Bovik and de Veciana 2005), vector variant of the authors' code with sp5 filters; "
        f"2-D, mean over slices, then over the three axes, {_RANGE} stretched to 255.",
        _along_every_axis(metrics.ifc),
    ),
    "vif": Measure(
        "VIFp",
        "",
        True,
        "Visual information fidelity (Sheikh and Bovik 2006), pixel-domain variant, noise variance 2; 2-D, the information summed over "
        f"slices, mean over the three axes, {_RANGE} stretched to 255.",
        _along_every_axis(metrics.vif),
    ),
    "niqe": Measure(
        "NIQE",
        "",
        False,
        "Natural image quality evaluator (Mittal 2013) by pyiqa, fitted to photographs; mean over nine planes, at a quarter, half and "
        "three quarters of each axis, the reference's minimum black and its maximum white.",
        _of_nine_planes(metrics.niqe),
        alone=True,
    ),
    "perceptual_index": Measure(
        "Perceptual index",
        "",
        False,
        "((10 - Ma) + NIQE) / 2 (Blau 2018) by pyiqa, fitted to photographs; the planes of NIQE.",
        _of_nine_planes(metrics.perceptual_index),
        alone=True,
    ),
    "period_energy": Measure(
        "Period energy",
        "",
        False,
        "Energy of the mean absolute difference of neighbouring slices at the period of the factor and its harmonics, along the axis made "
        "finer; 0 without steps, 1 after nearest-neighbour interpolation.",
        _period_energy,
        alone=True,
    ),
    "edge_width_mm": Measure(
        "Edge width",
        "mm",
        None,
        "10-90 % rise along the axis made finer, median over the boundaries at Otsu's threshold that lie within 30 degrees of across it "
        "between two plateaus of the reference.",
        _edge_width,
        alone=True,
    ),
    "residual": Measure(
        "Residual",
        "",
        False,
        "Measurement residual: root mean square of the degraded candidate minus the thick volume, over the range of the thick volume.",
        _residual,
    ),
}
