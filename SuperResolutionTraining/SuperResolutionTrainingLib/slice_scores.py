"""How near a candidate comes to a reference, slice by slice along the three axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import foreground, ssim_map
from SuperResolutionLib.metrics.pairs import check_pair, value_range
from SuperResolutionLib.metrics.ssim import WINDOW
from SuperResolutionLib.volume import AXES, Volume, array_axis

from .evaluation import resample_onto, same_grid

MEASURES = ("psnr", "ncc", "ssim", "rmse")
REGIONS = ("whole", "foreground")
EVERY_AXIS = "".join(AXES)
CONVENTIONS = (
    "Mean and standard deviation over slices, the first and the last of each axis left out, and those where a measure does not exist. "
    "PSNR in dB: peak = maximum - minimum of the whole reference. NCC: zero mean, within the slice. "
    "SSIM: 3-D Gaussian window, sigma 1.5 voxels (Wang 2004), averaged within the slice. RMSE in the reference's units. "
    "Foreground: Otsu's threshold on the reference, largest component, closed and filled."
)


@dataclass(frozen=True)
class SliceScores:
    """The measures of every slice along an axis but the first and the last.

    Attributes
    ----------
    region : str
        ``whole`` (every voxel that the candidate covers) or ``foreground`` (those of the patient).
    axis : str
        The axis that the slices are stacked along.
    slices : ndarray of int
        Their index in the reference.
    values : dict of str to ndarray of float
        A curve for each of `MEASURES`; NaN where a slice has no such measure: no voxel of the region, one of the two constant (NCC), no
        difference at all (PSNR), a volume smaller than the window (SSIM).
    """

    region: str
    axis: str
    slices: np.ndarray
    values: dict[str, np.ndarray]


@dataclass(frozen=True)
class Summary:
    """Mean and standard deviation of every measure over slices.

    Attributes
    ----------
    region : str
        As in `SliceScores`.
    along : str
        An axis, or ``ijk`` for the slices of all three.
    slices : int
        Their number.
    mean, deviation : dict of str to float
        For each of `MEASURES`; NaN where no slice has it. The deviation is that of the population.
    """

    region: str
    along: str
    slices: int
    mean: dict[str, float]
    deviation: dict[str, float]


class Reference:
    """A volume that candidates are measured against.

    Parameters
    ----------
    volume : Volume

    Raises
    ------
    RequestError
        If a voxel is not finite, the volume is constant, or it has fewer than three slices along an axis.
    """

    def __init__(self, volume: Volume) -> None:
        if min(volume.shape) < 3:
            found = " × ".join(map(str, reversed(volume.shape)))
            raise RequestError(f"reference of {found} voxels; accepted are at least three slices along each axis")
        self.volume = volume
        self._body = foreground(volume.voxels)
        self._peak = value_range(volume.voxels)

    def score(self, candidate: Volume) -> list[SliceScores]:
        """Measure a candidate in the patient's space; one on another grid is resampled onto the reference's by cubic B-splines.

        Returns
        -------
        list of SliceScores
            For each of `REGIONS`, along i, j and k.

        Raises
        ------
        RequestError
            If the candidate covers nothing of the reference, or has values that are not finite.
        """
        truth = self.volume.voxels
        if same_grid(candidate, self.volume):
            voxels, covered = candidate.voxels, np.ones(truth.shape, bool)
        else:
            voxels, covered = resample_onto(candidate, self.volume)
        check_pair(voxels, truth)
        similarity = ssim_map(voxels, truth) if min(truth.shape) >= WINDOW else np.full(truth.shape, np.nan, np.float32)
        masks = dict(zip(REGIONS, (covered, covered & self._body), strict=True))
        return [self._along(axis, region, voxels, similarity, mask) for region, mask in masks.items() for axis in AXES]

    def _along(self, axis: str, region: str, voxels: np.ndarray, similarity: np.ndarray, mask: np.ndarray) -> SliceScores:
        stacked = (np.moveaxis(array, array_axis(axis), 0)[1:-1] for array in (voxels, self.volume.voxels, similarity, mask))
        scores = np.array([self._slice(*planes) for planes in zip(*stacked, strict=True)])
        slices = np.arange(1, self.volume.shape[array_axis(axis)] - 1)
        return SliceScores(region, axis, slices, dict(zip(MEASURES, scores.T, strict=True)))

    def _slice(self, candidate: np.ndarray, truth: np.ndarray, similarity: np.ndarray, mask: np.ndarray) -> tuple[float, ...]:
        """Return the `MEASURES` of one slice."""
        if not mask.any():
            return (np.nan,) * len(MEASURES)
        c, r = (plane[mask].astype(np.float64) for plane in (candidate, truth))
        mean_square = float(np.mean((c - r) ** 2))
        psnr = 10 * np.log10(self._peak**2 / mean_square) if mean_square > 0 else np.nan
        constant = c.min() == c.max() or r.min() == r.max()
        c, r = c - c.mean(), r - r.mean()
        ncc = np.nan if constant else float((c @ r) / np.sqrt((c @ c) * (r @ r)))
        return psnr, ncc, float(similarity[mask].mean(dtype=np.float64)), mean_square**0.5


def summarise(scores: Sequence[SliceScores]) -> Iterator[Summary]:
    """Yield what the slices of a candidate amount to: for each region over all three axes, then along each."""
    for region in REGIONS:
        ours = [each for each in scores if each.region == region]
        yield _summary(region, EVERY_AXIS, ours)
        yield from (_summary(region, each.axis, [each]) for each in ours)


def _summary(region: str, along: str, scores: Sequence[SliceScores]) -> Summary:
    mean, deviation = {}, {}
    for measure in MEASURES:
        values = np.concatenate([each.values[measure] for each in scores])
        values = values[np.isfinite(values)]
        mean[measure] = float(values.mean()) if values.size else np.nan
        deviation[measure] = float(values.std()) if values.size else np.nan
    return Summary(region, along, sum(len(each.slices) for each in scores), mean, deviation)
