"""Mean square error and its root."""

import math

import numpy as np

from .pairs import check_pair


def mse(candidate: np.ndarray, reference: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Return the mean square error, mean((candidate − reference)²), in the square of the reference's units.

    Parameters
    ----------
    candidate, reference : ndarray, shape (k, j, i)
        What is measured, and the truth.
    mask : ndarray of bool, shape (k, j, i), optional
        Voxels over which the mean is taken; all by default.

    Raises
    ------
    RequestError
        If the arrays cannot be compared.
    """
    check_pair(candidate, reference, mask)
    where = slice(None) if mask is None else mask
    error = np.subtract(candidate[where], reference[where], dtype=np.float64)
    return float(np.mean(np.square(error, out=error)))


def rmse(candidate: np.ndarray, reference: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Return the root mean square error in the reference's units; see `mse`."""
    return math.sqrt(mse(candidate, reference, mask))
