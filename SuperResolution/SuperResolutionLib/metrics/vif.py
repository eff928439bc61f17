"""Visual information fidelity in the pixel domain."""

import numpy as np

from ..errors import RequestError
from .slice_pairs import slice_pairs

SCALES = 4
NOISE = 2.0
"""Variance of the eye's own noise, σₙ², in squared grey levels of 0 … 255."""
SMALLEST = 41  # pixels; below, no window fits at the coarsest scale
_TINY = 1e-10


def vif(candidate: np.ndarray, reference: np.ndarray, data_range: float | None = None, axis: int = 0) -> float:
    """Return the visual information fidelity of slices, pixel-domain variant (VIFp).

    Σ log(1 + g² σᵣ² / (σᵥ² + σₙ²)) / Σ log(1 + σᵣ² / σₙ²): the information about the reference that the eye can take from the candidate
    over what it can take from the reference itself (Sheikh and Bovik, IEEE Trans. Image Process. 15, 2006, 430–444), with the moments of
    the authors' ``vifp_mscale``: Gaussian windows of 17, 9, 5 and 3 pixels, σ a fifth of that, at four scales, each half as fine as the
    one before; candidate = g · reference + noise of variance σᵥ² within the window, σₙ² = 2. For a single slice it is what piq's
    ``vif_p`` and torchmetrics' ``visual_information_fidelity`` compute. In a volume both sums run over all slices, so that empty
    slices, which hold no information, count for nothing. It has no mask: its windows and halved pictures are rectangular.

    Parameters
    ----------
    candidate, reference : ndarray, shape (k, j, i) or (j, i)
        What is measured, and the truth; slices of at least 41 × 41 pixels.
    data_range : float, optional
        What is stretched to 255 grey levels, by default maximum − minimum of the whole reference.
    axis : int
        Array axis that the slices are stacked along.

    Returns
    -------
    float
        1 for equal volumes, 0 where nothing of the reference is left; above 1 where the candidate has more contrast.

    Raises
    ------
    RequestError
        If the arrays cannot be compared, the slices are too small, or the range is not positive.
    """
    seen = there = 0.0
    for c, r in slice_pairs(candidate, reference, data_range, axis, SMALLEST):
        for scale in range(SCALES):
            window = _window(2 ** (SCALES - scale) + 1)
            if scale:
                c, r = (_smooth(each, window)[::2, ::2] for each in (c, r))
            of_candidate, of_reference = _information(c, r, window)
            seen += of_candidate
            there += of_reference
    if there == 0:
        raise RequestError("reference is constant within every slice; accepted is one whose slices show something")
    return seen / there


def _information(c: np.ndarray, r: np.ndarray, window: np.ndarray) -> tuple[float, float]:
    """Return the information about the reference in the candidate and in the reference itself, in nats, at one scale."""
    mean_c, mean_r = _smooth(c, window), _smooth(r, window)
    variance_c = np.maximum(_smooth(c * c, window) - mean_c**2, 0)
    variance_r = np.maximum(_smooth(r * r, window) - mean_r**2, 0)
    covariance = _smooth(c * r, window) - mean_c * mean_r
    related = (variance_c >= _TINY) & (variance_r >= _TINY) & (covariance > 0)
    gain = np.divide(covariance, variance_r + _TINY, out=np.zeros_like(covariance), where=related)
    unrelated = np.maximum(variance_c - gain * covariance, _TINY)
    there = np.log1p(np.where(variance_r >= _TINY, variance_r, 0) / NOISE).sum()
    return float(np.log1p(gain**2 * variance_r / (unrelated + NOISE)).sum()), float(there)


def _window(width: int) -> np.ndarray:
    places = np.arange(width) - width // 2
    weights = np.exp(-(places**2) / (2 * (width / 5) ** 2))
    return weights / weights.sum()


def _smooth(plane: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Return the weighted means under every window that lies inside the plane."""
    from scipy.ndimage import correlate1d

    margin = len(window) // 2
    for axis in (0, 1):
        plane = correlate1d(plane, window, axis=axis)
    return plane[margin:-margin, margin:-margin]
