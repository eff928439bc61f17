"""Information fidelity criterion in a steerable pyramid."""

import math
from collections.abc import Iterator

import numpy as np

from .slice_pairs import slice_pairs

LEVELS = 4
BLOCK = 3  # coefficients
SMALLEST = 72  # pixels; below, the pyramid has no four levels
_RIGHT_ANGLES = (0, 3)
"""Of six orientations, thirty degrees apart."""
_NOISE_FLOOR = 1e-10
"""Added to the variance of the noise, in squared grey levels of 0 … 255, as in the authors' code."""
_RELATIVE_ZERO = 1e-12


def ifc(candidate: np.ndarray, reference: np.ndarray, data_range: float | None = None, axis: int = 0) -> float:
    """Return the information fidelity criterion of slices, vector variant, in bits for each pixel.

    Σ log₂(1 + g² s² λ / σᵥ²) over the eigenvalues λ, blocks and subbands, over the number of pixels: the information that the
    candidate's wavelet coefficients hold about the reference's, whose 3 × 3 blocks are a Gaussian scale mixture (Sheikh, Bovik and de
    Veciana, IEEE Trans. Image Process. 14, 2005, 2117–2128, in the form of the authors' code ``ifcvec``: vectors in place of scalars,
    without the factor ½). Subbands: two orientations at right angles on four levels of the steerable pyramid of six orientations with
    the filters ``sp5Filters``. candidate = g · reference + noise of variance σᵥ² under windows of 17, 9, 5 and 3 coefficients from the
    finest level to the coarsest; blocks within half a window of the border of a subband count for nothing. The mean over slices. It has
    no mask: its blocks are rectangular.

    Parameters
    ----------
    candidate, reference : ndarray, shape (k, j, i) or (j, i)
        What is measured, and the truth; slices of at least 72 × 72 pixels.
    data_range : float, optional
        What is stretched to 255 grey levels, by default maximum − minimum of the whole reference; only the floor of σᵥ² depends on it.
    axis : int
        Array axis that the slices are stacked along.

    Returns
    -------
    float
        0 where nothing of the reference is left; infinite for equal volumes.

    Raises
    ------
    RequestError
        If the arrays cannot be compared, the slices are too small, or the range is not positive.
    """
    bits = [
        sum(_information(*pair, level) for level, *pair in zip(_levels(), _subbands(c), _subbands(r))) / r.size
        for c, r in slice_pairs(candidate, reference, data_range, axis, SMALLEST)
    ]
    return math.inf if np.array_equal(candidate, reference) else float(np.mean(bits))


def _levels() -> Iterator[int]:
    return (level for level in range(LEVELS) for _ in _RIGHT_ANGLES)


def _subbands(picture: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the subbands at right angles of every level, the finest first; the others of pyrtools' pyramid are never made."""
    from pyrtools import corrDn, steerable_filters

    filters = steerable_filters("sp5_filters")
    oriented = filters["bfilts"]
    width = math.isqrt(len(oriented))
    smooth = corrDn(picture, filters["lo0filt"])
    for _ in range(LEVELS):
        for orientation in _RIGHT_ANGLES:
            yield corrDn(smooth, oriented[:, orientation].reshape(width, width).T)
        smooth = corrDn(smooth, filters["lofilt"], step=(2, 2))


def _information(c: np.ndarray, r: np.ndarray, level: int) -> float:
    """Return the bits about a subband of the reference that the candidate's holds."""
    whole = tuple(slice(length // BLOCK * BLOCK) for length in r.shape)
    c, r = c[whole], r[whole]
    width = 2 ** (LEVELS - level) + 1
    border = -(-(width // 2) // BLOCK)
    inner = (slice(border, -border),) * 2
    gain, noise = (each[inner] for each in _distortion(c, r, width))
    strengths, eigenvalues = _mixture(r)
    signal = gain**2 * strengths[inner] / (noise + _NOISE_FLOOR)
    return sum(float(np.log1p(signal * each).sum()) for each in eigenvalues) / math.log(2)


def _distortion(c: np.ndarray, r: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return g and σᵥ² of every block: the regression of the candidate on the reference under the window around the block's centre."""
    from scipy.ndimage import uniform_filter

    def mean(values: np.ndarray) -> np.ndarray:
        return uniform_filter(values, width, mode="mirror")[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK]

    mean_c, mean_r = mean(c), mean(r)
    variance_c, variance_r = mean(c * c) - mean_c**2, mean(r * r) - mean_r**2
    covariance = mean(c * r) - mean_c * mean_r
    # What rounding leaves of a window without any structure is no gain.
    related = (covariance > 0) & (variance_c > 0) & (variance_r > _RELATIVE_ZERO * float(np.square(r).mean()))
    gain = np.divide(covariance, variance_r, out=np.zeros_like(covariance), where=related)
    return gain, np.maximum(variance_c - gain * covariance, 0)


def _mixture(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return s² of every block, and the eigenvalues of the covariance of all blocks, overlapping ones among them."""
    overlapping = np.lib.stride_tricks.sliding_window_view(r, (BLOCK, BLOCK)).reshape(-1, BLOCK**2)
    eigenvalues, vectors = np.linalg.eigh(np.cov(overlapping, rowvar=False, bias=True))
    kept = eigenvalues > _RELATIVE_ZERO * eigenvalues[-1]
    rows, columns = (length // BLOCK for length in r.shape)
    blocks = r.reshape(rows, BLOCK, columns, BLOCK).transpose(0, 2, 1, 3).reshape(rows, columns, BLOCK**2)
    whitened = blocks @ vectors[:, kept] / np.sqrt(eigenvalues[kept])
    return np.square(whitened).sum(axis=2) / BLOCK**2, eigenvalues[kept]
