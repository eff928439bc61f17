"""Interpolation along one axis onto a grid that is a whole factor finer, edges aligned: the baselines.

All are linear operators in voxel coordinates: fine centre p lies at thick coordinate (p + 1/2)/f − 1/2. Beyond the outer slice
centres the outer slice is repeated.
"""

from collections.abc import Callable

import numpy as np

from .axis_operator import AxisOperator
from .errors import RequestError

LANCZOS_RADIUS = 5


def interpolation_operator(name: str, slices: int, factor: int) -> AxisOperator:
    """Return the map from `slices` to ``factor * slices`` slices.

    Parameters
    ----------
    name : {"nearest", "linear", "cubic", "lanczos"}
        ``cubic`` is the cubic B-spline that passes through the samples (scipy ``order=3``, SimpleITK ``sitkBSpline``; Unser 1999);
        ``lanczos`` is the Lanczos-windowed sinc of radius 5 (SimpleITK ``sitkLanczosWindowedSinc``), rows normalised to sum to one.
    slices : int
        Slices of the input.
    factor : int
        How many times finer.

    Raises
    ------
    RequestError
        If the name is unknown.
    """
    if name not in INTERPOLATIONS:
        raise RequestError(f"interpolation '{name}': accepted are {', '.join(INTERPOLATIONS)}")
    positions = np.clip((np.arange(slices * factor) + 0.5) / factor - 0.5, 0, slices - 1)
    return AxisOperator(INTERPOLATIONS[name](positions, slices))


def _gather(weights: np.ndarray, indices: np.ndarray, slices: int) -> np.ndarray:
    """Sum tap weights, shape (positions, taps), into a matrix of shape (positions, slices)."""
    matrix = np.zeros((len(weights), slices))
    np.add.at(matrix, (np.arange(len(weights))[:, None], indices), weights)
    return matrix


def _nearest(positions: np.ndarray, slices: int) -> np.ndarray:
    return np.eye(slices)[np.rint(positions).astype(int)]


def _linear(positions: np.ndarray, slices: int) -> np.ndarray:
    return np.maximum(0, 1 - np.abs(positions[:, None] - np.arange(slices)[None, :]))


def _cubic(positions: np.ndarray, slices: int) -> np.ndarray:
    from scipy.ndimage import spline_filter1d  # slow to import, and whoever only lists names needs none of it

    if slices == 1:
        return np.ones((len(positions), 1))
    taps = np.floor(positions).astype(int)[:, None] + np.arange(-1, 3)
    x = np.abs(positions[:, None] - taps)
    weights = np.where(x < 1, 2 / 3 - x**2 + x**3 / 2, np.clip(2 - x, 0, None) ** 3 / 6)
    period = 2 * (slices - 1)
    mirrored = np.abs(taps) % period
    basis = _gather(weights, np.minimum(mirrored, period - mirrored), slices)
    matrix = basis @ spline_filter1d(np.eye(slices), order=3, axis=0, mode="mirror", output=np.float64)
    matrix[np.abs(matrix) < 1e-8] = 0
    return matrix


def _lanczos(positions: np.ndarray, slices: int) -> np.ndarray:
    taps = np.floor(positions).astype(int)[:, None] + np.arange(1 - LANCZOS_RADIUS, LANCZOS_RADIUS + 1)
    x = positions[:, None] - taps
    weights = np.sinc(x) * np.sinc(x / LANCZOS_RADIUS)
    matrix = _gather(weights, np.clip(taps, 0, slices - 1), slices)
    return matrix / matrix.sum(axis=1, keepdims=True)


INTERPOLATIONS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "nearest": _nearest,
    "linear": _linear,
    "cubic": _cubic,
    "lanczos": _lanczos,
}
