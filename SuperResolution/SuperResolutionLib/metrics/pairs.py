"""What every measure asks of the arrays it compares."""

import numpy as np

from ..errors import RequestError


def check_pair(candidate: np.ndarray, reference: np.ndarray, mask: np.ndarray | None = None) -> None:
    """Refuse arrays that cannot be compared.

    Parameters
    ----------
    candidate, reference : ndarray, shape (k, j, i)
        Real numbers, all finite.
    mask : ndarray of bool, shape (k, j, i), optional
        Where to compare; at least one voxel.

    Raises
    ------
    RequestError
        If the shapes differ, a value is not finite, or the mask is empty or not of bool.
    """
    if candidate.shape != reference.shape:
        raise RequestError(f"candidate of shape {candidate.shape}; accepted is the shape of the reference, {reference.shape}")
    for name, array in (("candidate", candidate), ("reference", reference)):
        check_finite(array, name)
    if mask is not None:
        check_mask(mask, reference.shape)


def check_mask(mask: np.ndarray, shape: tuple[int, ...]) -> None:
    """Refuse a mask that is not of bool and `shape`, or is empty."""
    if mask.shape != shape or mask.dtype != bool:
        raise RequestError(f"mask of shape {mask.shape} and type {mask.dtype}; accepted is bool of shape {shape}")
    if not mask.any():
        raise RequestError("mask without any voxel; accepted is one with at least one")


def check_axis(axis: int, shape: tuple[int, ...]) -> None:
    """Refuse an array axis that is none of a volume's, and the shape of something else than a volume."""
    if len(shape) != 3 or axis not in range(3):
        raise RequestError(f"axis {axis} of an array of shape {shape}; accepted is axis 0, 1 or 2 of a volume")


def check_finite(array: np.ndarray, name: str) -> None:
    """Refuse an empty array, one that is not of real numbers, and one with NaN or infinite values."""
    if array.size == 0 or array.dtype.kind not in "iuf":
        raise RequestError(f"{name} of shape {array.shape} and type {array.dtype}; accepted are real numbers, at least one")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise RequestError(f"{name} has NaN or infinite values; accepted are finite numbers")


def value_range(reference: np.ndarray) -> float:
    """Return maximum − minimum of the whole reference: the peak that is stated with every figure.

    Raises
    ------
    RequestError
        If the reference is constant.
    """
    width = float(reference.max()) - float(reference.min())
    if width == 0:
        raise RequestError(f"reference is {float(reference.flat[0]):g} everywhere; accepted is one with at least two values")
    return width


def data_range_or(data_range: float | None, reference: np.ndarray) -> float:
    """Return the stated data range, or the reference's own where none is stated.

    Raises
    ------
    RequestError
        If the stated range is not positive, or none is stated and the reference is constant.
    """
    if data_range is None:
        return value_range(reference)
    if not data_range > 0:
        raise RequestError(f"data range {data_range}; accepted is a positive number")
    return data_range
