"""Real results in the number type that the input had."""

import numpy as np

from .errors import RequestError


def to_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return `values` in the type the input had; integers are rounded, and widened rather than clipped.

    Parameters
    ----------
    values : ndarray
        Real values of any shape; the first axis is worked off slice by slice to spare memory.
    dtype : dtype
        Integer or floating point type wanted.

    Returns
    -------
    ndarray
        C-contiguous, of `dtype` or of the smallest wider integer type that holds the values.

    Raises
    ------
    RequestError
        If no 64-bit integer holds the values.
    """
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return np.ascontiguousarray(values, dtype)
    low, high = np.rint(values.min()), np.rint(values.max())
    result = np.empty(values.shape, _holding(dtype, low, high))
    for target, source in zip(result, values):
        target[...] = np.rint(source)
    return result


def _holding(dtype: np.dtype, low: float, high: float) -> np.dtype:
    for candidate in (dtype, *map(np.dtype, ("int16", "int32", "int64"))):
        limits = np.iinfo(candidate)
        if candidate.itemsize >= dtype.itemsize and limits.min <= low and high <= limits.max:
            return candidate
    raise RequestError(f"values from {low:g} to {high:g}: accepted are those that 64-bit integers hold")
