"""From images at uneven places to the slices of an even, perpendicular grid."""

from __future__ import annotations

import numpy as np

from ..errors import RequestError
from ..number_type import to_type
from .geometry import Stack

# A pixel or a step at this part of its size from its place is taken to be there: positions are rounded.
_AT_PLACE = 1e-4
# Positions that would have most of a volume invented are no series of slices.
_MOST_GROWTH = 4


def resampled(images: np.ndarray, stack: Stack, name: str) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Interpolate images linearly at the slices of an even grid.

    Each image is shifted in its plane to its place; a slice between two images is their mean, weighted by nearness. One at the place of an
    image is that image.

    Parameters
    ----------
    images : ndarray, shape (n, rows, columns)
        Values of the images of `stack`.
    stack : Stack
        The grid, and where the images lie on it.
    name : str
        What to call the series in messages.

    Returns
    -------
    voxels : ndarray, shape (slices, rows, columns)
        Of the type of `images`, integers rounded. The plane holds all shifted images; what none of them covers has the lowest value of
        `images`, which for CT is air (or the padding around the scanner's field of view).
    affine : ndarray, shape (4, 4)
        Index (i, j, k, 1) → LPS mm.
    nearest : list of int
        Number of the image nearest to each slice.

    Raises
    ------
    RequestError
        If the result would be more than four times as large as the images.
    """
    places = stack.places
    first = np.floor(places[:, :2].min(axis=0) + _AT_PLACE).astype(int)
    last = np.ceil(places[:, :2].max(axis=0) - _AT_PLACE).astype(int)
    columns, rows = np.add(images.shape[:0:-1], last - first)
    shape = (round(places[-1, 2]) + 1, int(rows), int(columns))
    if np.prod(shape, dtype=float) > _MOST_GROWTH * images.size:
        raise RequestError(
            f"{name}: resampling {images.shape} slices, rows and columns would make {shape}; accepted are series of which at least "
            f"1/{_MOST_GROWTH} was measured"
        )
    shifts = (places[:, :2] - first)[:, ::-1]
    lowest = float(images.min())
    voxels = np.empty(shape, images.dtype)
    for k, (below, weight) in enumerate(zip(*_brackets(places[:, 2], shape[0]), strict=True)):
        parts = ((below, 1 - weight), (below + 1, weight))
        blended = sum(part * _shifted(images[index], shifts[index], shape[1:], lowest) for index, part in parts if part)
        voxels[k] = to_type(blended[None], images.dtype)[0]
    corner = np.eye(4)
    corner[:2, 3] = first
    nearest = [int(np.argmin(np.abs(places[:, 2] - k))) for k in range(shape[0])]
    return voxels, stack.affine @ corner, nearest


def _brackets(heights: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for slices 0 to `count` - 1 the image below each and the weight, 0 to 1, of the image above."""
    slices = np.arange(count)
    below = np.clip(np.searchsorted(heights, slices, side="right") - 1, 0, len(heights) - 2)
    weights = (slices - heights[below]) / (heights[below + 1] - heights[below])
    return below, np.where(np.abs(weights - np.rint(weights)) < _AT_PLACE, np.rint(weights), weights)


def _shifted(image: np.ndarray, shift: np.ndarray, shape: tuple[int, int], outside: float) -> np.ndarray:
    """Return an image in a plane of `shape`, moved by rows and columns of any fraction."""
    from scipy import ndimage

    plane = np.full(shape, outside)
    plane[: image.shape[0], : image.shape[1]] = image
    return ndimage.shift(plane, shift, order=1, mode="grid-constant", cval=outside) if shift.any() else plane
