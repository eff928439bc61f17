"""Where in a scan there is something to learn from: blocks of voxels that are not all alike."""

from __future__ import annotations

import numpy as np

BLOCK = 8
"""Edge of a block in voxels."""

CONTENT = 0.03
"""A block or patch below this standard deviation, in units of the scan's range, is mostly air."""


def content_blocks(voxels: np.ndarray) -> np.ndarray:
    """Return the first voxels of the blocks with content; of all blocks where none has any.

    Parameters
    ----------
    voxels : ndarray, shape (k, j, i)
        In units of the scan's range. Blocks have 8 voxels along each axis, fewer where the scan has; a rest at the end belongs to none.

    Returns
    -------
    ndarray of int32, shape (blocks, 3)
        Indices (k, j, i), at least one row.
    """
    edges = [min(BLOCK, length) for length in voxels.shape]
    counts = [length // edge for length, edge in zip(voxels.shape, edges)]
    deviations = np.empty(counts, np.float32)
    for layer, row in enumerate(deviations):
        slab = voxels[layer * edges[0] : (layer + 1) * edges[0], : counts[1] * edges[1], : counts[2] * edges[2]]
        row[:] = slab.reshape(edges[0], counts[1], edges[1], counts[2], edges[2]).std(axis=(0, 2, 4))
    chosen = np.argwhere(deviations > CONTENT)
    if not len(chosen):
        chosen = np.argwhere(deviations >= 0)
    return (chosen * edges).astype(np.int32)
