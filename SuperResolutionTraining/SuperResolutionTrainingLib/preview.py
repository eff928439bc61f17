"""A small picture for whoever watches a network being trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from SuperResolutionLib.whole import whole_file

_SIDE = 192  # pixels that the smaller side of a panel has at least
_GAP = 4  # pixels
_GREY = (0.5, 99.7)  # percentiles shown as black and white


def write_preview(path: Path, thick: np.ndarray, others: Sequence[np.ndarray], plane: bool) -> None:
    """Write a PNG: the input with its voxels as blocks, then volumes on the fine grid, side by side in one grey window.

    Parameters
    ----------
    path : Path
        Of the PNG; it appears whole or not at all.
    thick : ndarray, shape (slices, rows, columns)
    others : sequence of ndarray
        On the fine grid; the last, the truth, gives the grey window.
    plane : bool
        Show the middle slice; else the middle row, with the first slice at the bottom.

    Raises
    ------
    WorkError
        If the file cannot be written.
    """
    from PIL import Image

    fine = [_picture(volume, plane) for volume in others]
    height, width = fine[-1].shape
    panels = [_enlarged(_picture(thick, plane), (height, width)), *fine]
    low, high = np.percentile(fine[-1], _GREY)
    scale = -(-_SIDE // min(height, width))
    gap = np.zeros((height * scale, _GAP), np.uint8)
    row = []
    for panel in panels:
        grey = np.clip(255 * (panel - low) / ((high - low) or 1), 0, 255).astype(np.uint8)
        row += [_enlarged(grey, (height * scale, width * scale)), gap]
    with whole_file(path) as partial:
        Image.fromarray(np.concatenate(row[:-1], axis=1)).save(partial, format="png")


def _picture(volume: np.ndarray, plane: bool) -> np.ndarray:
    return volume[len(volume) // 2] if plane else volume[::-1, volume.shape[1] // 2]


def _enlarged(picture: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Repeat pixels up to a shape that holds the picture a whole number of times."""
    return np.kron(picture, np.ones((shape[0] // picture.shape[0], shape[1] // picture.shape[1]), picture.dtype))
