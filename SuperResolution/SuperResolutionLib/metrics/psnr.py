"""Peak signal-to-noise ratio."""

import math

import numpy as np

from ..errors import RequestError
from .mean_square import mse
from .pairs import value_range


def psnr(candidate: np.ndarray, reference: np.ndarray, mask: np.ndarray | None = None, peak: float | None = None) -> float:
    """Return the peak signal-to-noise ratio in dB, 10 · log₁₀(peak² / mean((candidate − reference)²)).

    Parameters
    ----------
    candidate, reference : ndarray, shape (k, j, i)
        What is measured, and the truth.
    mask : ndarray of bool, shape (k, j, i), optional
        Voxels over which the mean is taken; all by default.
    peak : float, optional
        By default maximum − minimum of the whole reference, with or without a mask.

    Returns
    -------
    float
        dB; infinite where the two are equal.

    Raises
    ------
    RequestError
        If the arrays cannot be compared, or the peak is not positive (a constant reference has none).
    """
    mean_square = mse(candidate, reference, mask)
    if peak is None:
        peak = value_range(reference)
    if not peak > 0:
        raise RequestError(f"peak {peak}; accepted is a positive number")
    return math.inf if mean_square == 0 else 10 * math.log10(peak**2 / mean_square)
