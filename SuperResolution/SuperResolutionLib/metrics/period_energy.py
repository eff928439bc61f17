"""Steps between slices that recur with the factor: the trace of thick slices in a volume that was made fine."""

import numpy as np

from ..errors import RequestError
from .pairs import check_axis, check_finite, check_mask


def period_energy(volume: np.ndarray, period: int, axis: int, mask: np.ndarray | None = None) -> float:
    """Return the energy of the slice-to-slice changes at a period and its harmonics, 0 to 1.

    Σ |D(h / period)|² over h = 1 … period − 1, divided by (period − 1) |A(0)|². D is the discrete Fourier transform of d − a, A that of a;
    d(n) is the mean absolute difference of the slices n and n + 1, and a its moving average over one period, which follows the slow course
    of the anatomy and has no part in the harmonics of the period. By Parseval's theorem the sum is the mean square of the means of
    d − a at each phase of the period, and so it is computed. The definition is this project's own. A single large step, such as a flat
    face across the axis, counts as well: compare with the figure of the truth.

    Parameters
    ----------
    volume : ndarray, shape (k, j, i)
        Measured alone; the figure of a truth tells what chance amounts to.
    period : int
        Slices, at least 2: the factor.
    axis : int
        Array axis that was made finer.
    mask : ndarray of bool, shape (k, j, i), optional
        Voxels over which the differences are taken, where both neighbours are in it; all by default.

    Returns
    -------
    float
        0 where changes between slices know no period; 1 where all of them fall on one step of each period, as after nearest-neighbour
        interpolation. It does not depend on gain or offset of the intensities.

    Raises
    ------
    RequestError
        If the volume has fewer than four periods of slices that can be compared, no slice differs from the next, or an argument is
        not accepted.
    """
    check_finite(volume, "volume")
    check_axis(axis, volume.shape)
    if period < 2 or period != int(period):
        raise RequestError(f"period {period}; accepted are whole numbers of slices from 2")
    if mask is not None:
        check_mask(mask, volume.shape)
    changes = _changes(volume, axis, mask)
    # Of an even period the first and the last slice count half: the average then lies on a slice.
    window = np.convolve(np.full(period, 1 / period), [0.5, 0.5] if period % 2 == 0 else [1.0])
    margin = len(window) // 2
    average = np.convolve(changes, window, mode="valid") if len(changes) >= len(window) else np.empty(0)
    known = np.isfinite(average)
    if known.sum() < 3 * period - 1:
        comparable = int(np.isfinite(changes).sum()) + 1
        raise RequestError(f"period {period} in {comparable} slices that can be compared; accepted are at least {4 * period} in a row")
    if not average[known].any():
        raise RequestError("volume whose slices are all equal; accepted is one with some that differ")
    ripple = (changes[margin : margin + len(average)] - average)[known]
    phases = np.flatnonzero(known) % period
    means = np.bincount(phases, ripple, period) / np.bincount(phases, minlength=period)
    return float(np.mean(means**2) / average[known].mean() ** 2 / (period - 1))


def _changes(volume: np.ndarray, axis: int, mask: np.ndarray | None) -> np.ndarray:
    """Return the mean absolute difference of each slice and the next; NaN where they share no masked voxel."""
    slices = np.moveaxis(volume, axis, 0)
    inside = None if mask is None else np.moveaxis(mask, axis, 0)
    changes = np.full(len(slices) - 1, np.nan)
    for number in range(len(changes)):
        where = slice(None) if inside is None else inside[number] & inside[number + 1]
        difference = np.subtract(slices[number + 1][where], slices[number][where], dtype=np.float64)
        if difference.size:
            changes[number] = np.abs(difference).mean()
    return changes
