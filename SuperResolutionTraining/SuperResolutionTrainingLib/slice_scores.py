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

from .grid import on_grid_of

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
        return self.score_on_grid(*on_grid_of(self.volume, candidate))

    def score_on_grid(self, candidate: Volume, covered: np.ndarray) -> list[SliceScores]:
        """Measure what `grid.on_grid_of` returned, as `score` does."""
        voxels, truth = candidate.voxels, self.volume.voxels
        check_pair(voxels, truth)
        similarity = ssim_map(voxels, truth) if min(truth.shape) >= WINDOW else np.full(truth.shape, np.nan, np.float32)
        masks = dict(zip(REGIONS, (covered, covered & self._body), strict=True))
        return [scores for region, mask in masks.items() for scores in self._in(region, voxels, similarity, mask)]

    def _in(self, region: str, voxels: np.ndarray, similarity: np.ndarray, mask: np.ndarray) -> Iterator[SliceScores]:
        by_dimension = _statistics(voxels, self.volume.voxels, similarity, mask)
        for axis in AXES:
            inner = by_dimension[array_axis(axis)][1:-1]
            values = np.array([self._measures(*statistics) for statistics in inner])
            yield SliceScores(region, axis, np.arange(1, len(inner) + 1), dict(zip(MEASURES, values.T, strict=True)))

    def _measures(
        self, count: float, c: float, r: float, cc: float, rr: float, cr: float, error: float, similarity: float, spread: float
    ) -> tuple[float, ...]:
        """Return the `MEASURES` of one slice from what `_statistics` found in it."""
        if not count:
            return (np.nan,) * len(MEASURES)
        mean_square = error / count
        psnr = 10 * np.log10(self._peak**2 / mean_square) if mean_square > 0 else np.nan
        # Rounding leaves nothing certain of a slice that is all but constant.
        variances = max(cc - c * c / count, 0.0) * max(rr - r * r / count, 0.0)
        ncc = (cr - c * r / count) / variances**0.5 if spread > 0 and variances > 0 else np.nan
        return psnr, ncc, similarity / count, mean_square**0.5


def _statistics(candidate: np.ndarray, truth: np.ndarray, similarity: np.ndarray, mask: np.ndarray) -> list[np.ndarray]:
    """Return for each array axis what the masked voxels of its slices amount to.

    Returns
    -------
    list of ndarray, shape (slices, 9)
        Number of voxels; sums of the candidate c, the truth r, c², r², c·r, (c − r)² and the similarity, c and r counted from the mean of
        the truth; the smaller of the two spreads (maximum − minimum).
    """
    centre = float(truth.mean(dtype=np.float64))
    sums = [np.zeros((length, 8)) for length in truth.shape]
    # Highest c, −c, r and −r.
    highest = [np.full((length, 4), -np.inf) for length in truth.shape]
    # One plane at a time, for all three axes at once: memory stays small, and no axis is read across.
    for number, (inside, *planes) in enumerate(zip(mask, candidate, truth, similarity)):
        if not inside.any():
            continue
        c, r, s = (np.where(inside, plane.astype(np.float64) - offset, 0) for plane, offset in zip(planes, (centre, centre, 0)))
        terms = np.stack([inside, c, r, c * c, r * r, c * r, (c - r) ** 2, s])
        signed = np.where(inside, np.stack([c, -c, r, -r]), -np.inf)
        by_row, highest_by_row = terms.sum(axis=2).T, signed.max(axis=2).T
        sums[0][number], highest[0][number] = by_row.sum(axis=0), highest_by_row.max(axis=0)
        sums[1] += by_row
        sums[2] += terms.sum(axis=1).T
        np.maximum(highest[1], highest_by_row, out=highest[1])
        np.maximum(highest[2], signed.max(axis=1).T, out=highest[2])
    spreads = [np.minimum(each[:, 0] + each[:, 1], each[:, 2] + each[:, 3]) for each in highest]
    return [np.column_stack([each, spread]) for each, spread in zip(sums, spreads)]


def curves_of(scores: Sequence[SliceScores]) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Return the curves of a candidate as plain data: by region and axis the ``slices`` and a list for each measure, to 5 digits."""
    curves: dict[str, dict[str, dict[str, list[float]]]] = {region: {} for region in REGIONS}
    for each in scores:
        values = {measure: [float(f"{value:.5g}") for value in curve] for measure, curve in each.values.items()}
        curves[each.region][each.axis] = {"slices": each.slices.tolist()} | values
    return curves


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
