"""How each measure of a whole volume is taken: a function of candidate, reference and context; conventions stand in `volume_measures`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from SuperResolutionLib import metrics
from SuperResolutionLib.acquisition import Acquisition
from SuperResolutionLib.consistency import measurement_residual
from SuperResolutionLib.metrics.ms_ssim import EXPONENTS, scales_that_fit
from SuperResolutionLib.volume import AXES, Volume, array_axis

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

Take = Callable[[Volume, Volume, Context], Figure | NotMeasured]


def mse(candidate: Volume, reference: Volume, context: Context) -> Figure:
    """Return the mean square error."""
    return Figure(metrics.mse(candidate.voxels, reference.voxels, context.mask))


def rmse(candidate: Volume, reference: Volume, context: Context) -> Figure:
    """Return the root mean square error."""
    return Figure(metrics.rmse(candidate.voxels, reference.voxels, context.mask))


def psnr_range(candidate: Volume, reference: Volume, context: Context) -> Figure:
    """Return the PSNR whose peak is the range of the reference, dB."""
    return Figure(metrics.psnr(candidate.voxels, reference.voxels, context.mask))


def psnr_maximum(candidate: Volume, reference: Volume, context: Context) -> Figure:
    """Return the PSNR whose peak is the maximum of the reference, dB."""
    return Figure(metrics.psnr(candidate.voxels, reference.voxels, context.mask, peak=float(reference.voxels.max())))


def psnr_255(candidate: Volume, reference: Volume, context: Context) -> Figure | NotMeasured:
    """Return the mean PSNR of slices as pictures of 8 bits, across the plane made finer or else along k, dB."""
    if context.mask is not None:
        return _NO_MASK
    across = set(AXES) - set(context.axis or "")
    return Figure(metrics.picture_psnr(candidate.voxels, reference.voxels, array_axis(across.pop() if len(across) == 1 else "k")))


def ms_ssim(candidate: Volume, reference: Volume, context: Context) -> Figure:
    """Return the multi-scale SSIM, over as many scales as fit."""
    scales = max(1, scales_that_fit(reference.shape))
    value = metrics.ms_ssim(candidate.voxels, reference.voxels, context.mask, scales=scales)
    return Figure(value, f"{scales} of {len(EXPONENTS)} scales")


def along_every_axis(measure: Callable[..., float]) -> Take:
    """Return what takes the mean of a measure of slices along i, j and k."""

    def take(candidate: Volume, reference: Volume, context: Context) -> Figure | NotMeasured:
        if context.mask is not None:
            return _NO_MASK
        return Figure(float(np.mean([measure(candidate.voxels, reference.voxels, axis=array_axis(axis)) for axis in AXES])))

    return take


def of_nine_planes(measure: Callable[[np.ndarray, float, float], float]) -> Take:
    """Return what takes the mean of a measure of pictures over nine planes of the candidate."""

    def take(candidate: Volume, reference: Volume, context: Context) -> Figure | NotMeasured:
        if context.mask is not None:
            return _NO_MASK
        black, white = float(reference.voxels.min()), float(reference.voxels.max())
        places = [(axis, length * quarter // 4) for axis, length in enumerate(candidate.shape) for quarter in _QUARTERS]
        return Figure(float(np.mean([measure(np.take(candidate.voxels, place, axis), black, white) for axis, place in places])))

    return take


def period_energy(candidate: Volume, reference: Volume, context: Context) -> Figure | NotMeasured:
    """Return how much the steps of the thick slices still show."""
    if context.factor is None or context.axis not in AXES:
        return _unknown(context, "the factor and one axis")
    return Figure(metrics.period_energy(candidate.voxels, context.factor, array_axis(context.axis), context.mask))


def edge_width(candidate: Volume, reference: Volume, context: Context) -> Figure | NotMeasured:
    """Return the median 10-90 % rise of edges along the axis made finer, mm."""
    if context.axis not in AXES:
        return _unknown(context, "one axis")
    reach = max(_LEAST_REACH, 2 * (context.factor or 0))
    edges = metrics.find_edges(reference.voxels, array_axis(context.axis), reference.spacing, context.edge_level, reach, context.mask)
    found = metrics.edge_width(candidate.voxels, edges)
    return Figure(found.width, f"median of {found.edges} edges")


def residual(candidate: Volume, reference: Volume, context: Context) -> Figure | NotMeasured:
    """Return how far the candidate, made thick again, is from the thick volume."""
    if context.thick is None or context.factor is None or not context.axis or context.profile is None:
        return NotMeasured("needs the thick volume, its factor, axis and profile")
    if context.mask is not None:
        return _NO_MASK
    dimensions = [array_axis(axis) for axis in context.axis]
    wanted = tuple(length * context.factor if axis in dimensions else length for axis, length in enumerate(context.thick.shape))
    if candidate.shape != wanted:
        return NotMeasured(f"candidate of shape {candidate.shape}; the thick volume and the factor make {wanted}")
    acquisition = Acquisition(context.profile, context.factor)
    return Figure(measurement_residual(candidate.voxels, context.thick.voxels, acquisition, dimensions))


def _unknown(context: Context, needed: str) -> NotMeasured:
    if context.factor is None and context.axis is None:
        return NotMeasured(f"needs {needed}, told by the thick volume")
    return NotMeasured(f"needs {needed}; known are factor {context.factor} and axis {context.axis}")
