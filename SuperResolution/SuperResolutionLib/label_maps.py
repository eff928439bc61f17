"""Tells segmentations from images by their values."""

from __future__ import annotations

import numpy as np

from .errors import RequestError
from .volume import Volume

LABEL_MAP_VOXELS = 4096
LABEL_MAP_VALUES = 32


def refuse_label_map(volume: Volume) -> None:
    """Refuse a volume of few whole numbers: a segmentation, which must not go through an intensity filter.

    Raises
    ------
    RequestError
        If at least 4096 integer voxels have at most 32 distinct values.
    """
    voxels = volume.voxels
    if voxels.dtype.kind not in "iu" or voxels.size < LABEL_MAP_VOXELS:
        return
    # A few slices decide for nearly every image; only what could be labels is looked at as a whole.
    if np.unique(voxels[:: max(1, len(voxels) // 8)]).size > LABEL_MAP_VALUES:
        return
    count = np.unique(voxels).size
    if count <= LABEL_MAP_VALUES:
        raise RequestError(
            f"{volume.source or 'volume'}: only {count} distinct whole numbers, a label map; accepted are intensity images "
            f"(more than {LABEL_MAP_VALUES} values)"
        )
