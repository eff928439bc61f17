"""Multi-scale structural similarity in two and three dimensions."""

import numpy as np

from ..errors import RequestError
from .pairs import check_pair, data_range_or
from .ssim import MARGIN, WINDOW, about_level, luminance_and_structure

EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""From the finest scale to the coarsest; they sum to one."""


def ms_ssim(
    candidate: np.ndarray,
    reference: np.ndarray,
    mask: np.ndarray | None = None,
    data_range: float | None = None,
    scales: int = len(EXPONENTS),
) -> float:
    """Return the multi-scale structural similarity.

    lₘ^βₘ · Π cs₁^β₁ … csₘ^βₘ (Wang, Simoncelli and Bovik, Asilomar Conf. Signals, Systems and Computers 2003, eq. 7, with the exponents
    of section 3.2): contrast and structure `cs` of every scale, luminance `l` of the coarsest only; from one scale to the next the mean
    of 2 × 2 (× 2) voxels. Windows, constants and covariance are those of `ssim`. As in the authors' code, the means over voxels are
    taken before the exponents, and that of the coarsest scale over l · cs; a negative mean counts as 0.

    Parameters
    ----------
    candidate, reference : ndarray, shape (k, j, i) or (j, i)
        What is measured, and the truth; at least 11 · 2^(scales − 1) voxels along each axis, 176 for five scales.
    mask : ndarray of bool, optional
        Voxels over which the means are taken; at a coarser scale those of which at least half is masked. By default all whose window lies
        inside the array; near its border a mask takes windows that are completed by reflection.
    data_range : float, optional
        L of `ssim`, by default maximum − minimum of the whole reference.
    scales : int
        One to five. Of fewer than five, the exponents of the finest are taken, divided by their sum.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    RequestError
        If the arrays cannot be compared or are too small, or an argument is not accepted.
    """
    check_pair(candidate, reference, mask)
    if scales not in range(1, len(EXPONENTS) + 1):
        raise RequestError(f"{scales} scales; accepted are 1 to {len(EXPONENTS)}")
    if scales > scales_that_fit(reference.shape):
        smallest = WINDOW * 2 ** (scales - 1)
        found = f"MS-SSIM of {scales} scales for an array of shape {reference.shape}"
        raise RequestError(f"{found}; accepted are at least {smallest} voxels along each axis, or fewer scales")
    data_range = data_range_or(data_range, reference)
    c, r, level = about_level(candidate, reference)
    exponents = np.array(EXPONENTS[:scales]) / sum(EXPONENTS[:scales])
    product = 1.0
    for scale, exponent in enumerate(exponents):
        luminance, similarity = luminance_and_structure(c, r, level, data_range)
        if scale == scales - 1:
            similarity *= luminance
        product *= max(_mean(similarity, mask), 0.0) ** exponent
        c, r, mask = _halved(c), _halved(r), None if mask is None else _halved(mask.astype(np.float32)) >= 0.5
    return float(product)


def scales_that_fit(shape: tuple[int, ...]) -> int:
    """Return how many scales an array of this shape is large enough for, at most five; 0 if not even for one."""
    return sum(min(shape) >> scale >= WINDOW for scale in range(len(EXPONENTS)))


def _mean(similarity: np.ndarray, mask: np.ndarray | None) -> float:
    if mask is None:
        mask = (slice(MARGIN, -MARGIN),) * similarity.ndim
    elif not mask.any():
        raise RequestError("mask without any voxel at a coarse scale; accepted is a larger one, or fewer scales")
    return float(similarity[mask].mean(dtype=np.float64))


def _halved(array: np.ndarray) -> np.ndarray:
    """Return the means of neighbouring pairs along every axis; the last of an odd number is left out."""
    for axis in range(array.ndim):
        pairs = np.moveaxis(array, axis, 0)
        even = len(pairs) // 2 * 2
        array = np.moveaxis((pairs[0:even:2] + pairs[1:even:2]) * np.float32(0.5), 0, axis)
    return np.ascontiguousarray(array)
