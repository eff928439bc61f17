"""The slices of two volumes side by side, for measures that are defined for pictures."""

from collections.abc import Iterator

import numpy as np

from ..errors import RequestError
from .pairs import check_axis, check_pair, data_range_or

GREY_LEVELS = 255.0


def slice_pairs(
    candidate: np.ndarray, reference: np.ndarray, data_range: float | None, axis: int, smallest: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the slices of both as pictures of float64, the data range stretched to 255 grey levels.

    Parameters
    ----------
    candidate, reference : ndarray, shape (k, j, i) or (j, i)
        Volumes, or one slice of each.
    data_range : float or None
        What becomes 255; None is maximum − minimum of the whole reference. The minimum of the reference becomes 0; nothing is clipped.
    axis : int
        Array axis that the slices are stacked along; 0 for a slice alone.
    smallest : int
        Pixels that a slice must have along both of its axes.

    Raises
    ------
    RequestError
        If the arrays cannot be compared, are no slices or volumes, or the slices are too small.
    """
    check_pair(candidate, reference)
    if reference.ndim == 2:
        candidate, reference = candidate[None], reference[None]
    check_axis(axis, reference.shape)
    candidates, references = np.moveaxis(candidate, axis, 0), np.moveaxis(reference, axis, 0)
    if min(references.shape[1:]) < smallest:
        raise RequestError(f"slices of shape {references.shape[1:]}; accepted are at least {smallest} pixels along each axis")
    scale = GREY_LEVELS / data_range_or(data_range, reference)
    lowest = float(reference.min())
    for pair in zip(candidates, references):
        c, r = ((plane.astype(np.float64) - lowest) * scale for plane in pair)
        yield c, r
