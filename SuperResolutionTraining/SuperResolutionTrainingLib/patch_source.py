"""A scan as patches are cut from it: voxels in units of the scan's range, and where in them there is content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.upscaling import check_voxels
from SuperResolutionLib.volume import Volume

from .foreground import BLOCK, content_blocks
from .pairs import Pair


@dataclass(frozen=True, eq=False)
class PatchSource:
    """Voxels to cut from, in memory or in memory-mapped files.

    Attributes
    ----------
    fine : ndarray, float32, shape (k, j, i)
        The truth, from about 0 to about 1.
    blocks : ndarray, int32, shape (blocks, 3)
        Where there is content; see `content_blocks`.
    thick : ndarray, float32, or None
        Of a real pair: the thick scan in the same units, edges aligned with `fine`.
    """

    fine: np.ndarray
    blocks: np.ndarray
    thick: np.ndarray | None = None

    @property
    def thick_axis(self) -> int:
        """Array axis along which the slices of a real pair are thick."""
        return next(axis for axis in range(3) if self.fine.shape[axis] != self.thick.shape[axis])

    def start_with_content(self, axis: int, size: Sequence[int], random: np.random.Generator) -> list[int]:
        """Draw where a patch with content begins.

        Parameters
        ----------
        axis : int
            Array axis of the patch's slices.
        size : sequence of int
            Slices, rows and columns of the patch.

        Returns
        -------
        list of int
            Index of its first voxel, in the order of `size`.
        """
        block = self.blocks[random.integers(len(self.blocks))]
        order = [axis, *(other for other in range(3) if other != axis)]
        starts = []
        for dimension, wanted in zip(order, size):
            length = self.fine.shape[dimension]
            place = min(int(block[dimension]) + int(random.integers(BLOCK)), length - 1)
            last = max(length - wanted, 0)
            starts.append(int(random.integers(min(max(place - wanted + 1, 0), last), min(place, last) + 1)))
        return starts


def source_of(volume: Volume) -> PatchSource:
    """Prepare a fine scan.

    Raises
    ------
    RequestError
        If all voxels are alike.
    """
    low, high = value_range(volume)
    fine = _scaled(volume.voxels, low, high)
    return PatchSource(fine, content_blocks(fine))


def source_of_pair(pair: Pair) -> PatchSource:
    """Prepare a real pair; both sides are scaled alike, or a network would learn intensity instead of resolution.

    Raises
    ------
    RequestError
        If all voxels are alike.
    """
    low, high = value_range(pair.fine)
    fine = _scaled(pair.fine.voxels, low, high)
    return PatchSource(fine, content_blocks(fine), _scaled(pair.thick.voxels, low, high))


def value_range(volume: Volume) -> tuple[np.float64, np.float64]:
    """Return the values that 0.5 % of the voxels lie below and 0.2 % above.

    Raises
    ------
    RequestError
        If the two are one value, or voxels are NaN or infinite.
    """
    check_voxels(volume)
    low, high = np.percentile(volume.voxels[::2, ::2, ::2].astype(np.float32, copy=False), (0.5, 99.8))
    if not high > low:
        raise RequestError(f"{volume.source}: constant voxels of value {low:g}; accepted are scans with contrast")
    return low, high


def _scaled(voxels: np.ndarray, low: np.float64, high: np.float64) -> np.ndarray:
    """Map `low` to 0 and `high` to 1, slice by slice to spare memory."""
    scaled = np.empty(voxels.shape, np.float32)
    for out, image in zip(scaled, voxels):
        out[...] = (image.astype(np.float32, copy=False) - low) / (high - low)
    return scaled


def cut(voxels: np.ndarray, starts: Sequence[int], size: Sequence[int]) -> np.ndarray:
    """Cut a patch; what a short axis lacks is filled by its outermost voxels, but a picture's single slice stays single."""
    patch = voxels[tuple(slice(start, start + wanted) for start, wanted in zip(starts, size))]
    lacking = [(0, wanted - have if length > 1 else 0) for have, wanted, length in zip(patch.shape, size, voxels.shape)]
    return np.pad(patch, lacking, mode="edge") if any(right for _, right in lacking) else patch
