"""Normalised cross-correlation."""

import numpy as np

from ..errors import RequestError
from .pairs import check_pair


def ncc(candidate: np.ndarray, reference: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Return the zero-mean normalised cross-correlation, Σ(c − c̄)(r − r̄) / √(Σ(c − c̄)² · Σ(r − r̄)²).

    Parameters
    ----------
    candidate, reference : ndarray, shape (k, j, i)
        What is measured, and the truth.
    mask : ndarray of bool, shape (k, j, i), optional
        Voxels over which sums and means are taken; all by default.

    Returns
    -------
    float
        Between −1 and 1; 1 where the two agree but for offset and positive scale.

    Raises
    ------
    RequestError
        If the arrays cannot be compared, or one of them is constant where they are compared: it correlates with nothing.
    """
    check_pair(candidate, reference, mask)
    where = slice(None) if mask is None else mask
    deviations = []
    for name, array in (("candidate", candidate), ("reference", reference)):
        values = array[where].astype(np.float64).ravel()
        if values.min() == values.max():
            raise RequestError(f"{name} is {values[0]:g} wherever the two are compared; accepted is one with at least two values")
        values -= values.mean()
        deviations.append(values)
    c, r = deviations
    return float(np.clip((c @ r) / np.sqrt((c @ c) * (r @ r)), -1, 1))
