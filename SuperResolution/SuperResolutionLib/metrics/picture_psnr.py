"""Peak signal-to-noise ratio of slices that became pictures of 8 bits, as much of the literature takes it."""

import math

import numpy as np

from .pairs import check_pair, value_range
from .psnr import psnr

WHITE = 255
_OF_EQUALS = 100.0


def picture_psnr(candidate: np.ndarray, reference: np.ndarray, axis: int = 0) -> float:
    """Return the mean PSNR of slices as pictures of 8 bits, peak 255, in dB; two equal pictures count as 100 dB.

    The reference's minimum becomes 0 and its maximum 255; values are cut off there and rounded down. So Georgescu et al. (IEEE Access 2020)
    measure, by their code (``psnr`` in ``3d/utils.py`` of github.com/lilygeorgescu/3d-super-res-cnn); how they make pictures of scans is
    not in it, the stretch is ours. Slices of air, and pictures that are equal, lift the mean: it is no match for `psnr`.

    Parameters
    ----------
    candidate, reference : ndarray, shape (k, j, i)
        What is measured, and the truth.
    axis : int
        Array dimension that the slices are stacked along.

    Returns
    -------
    float
        dB, at most 100.

    Raises
    ------
    RequestError
        If the arrays cannot be compared, or the reference is constant.
    """
    check_pair(candidate, reference)
    low, scale = float(reference.min()), WHITE / value_range(reference)
    pictures = (np.moveaxis(_as_picture(voxels, low, scale), axis, 0) for voxels in (candidate, reference))
    values = [psnr(ours, truth, peak=WHITE) for ours, truth in zip(*pictures)]
    return float(np.mean([value if math.isfinite(value) else _OF_EQUALS for value in values]))


def _as_picture(voxels: np.ndarray, low: float, scale: float) -> np.ndarray:
    return np.clip((voxels.astype(np.float64) - low) * scale, 0, WHITE).astype(np.uint8)
