"""The measurement check: degrading the result must give the input back.

Passing it does not prove that invented detail is true: whatever the acquisition cannot see passes.
"""

from __future__ import annotations

import numpy as np

from .acquisition import Acquisition

_BLOCK_BYTES = 64 << 20


def measurement_residual(fine: np.ndarray, thick: np.ndarray, acquisition: Acquisition) -> float:
    """Return how far the degraded result is from the input: root mean square over the range of the input.

    Parameters
    ----------
    fine : ndarray, shape (factor · slices, rows, columns)
    thick : ndarray, shape (slices, rows, columns)
        The input.
    acquisition : Acquisition
        How fine becomes thick.
    """
    spread = float(thick.max()) - float(thick.min())
    operator = acquisition.operator(len(thick))
    total = sum(float(np.square(operator(fine[:, rows], 0) - thick[:, rows], dtype=np.float64).sum()) for rows in _row_blocks(fine))
    return float(np.sqrt(total / thick.size)) / (spread or 1.0)


def project(fine: np.ndarray, thick: np.ndarray, acquisition: Acquisition) -> None:
    """Change the result in place as little as possible so that it degrades to the input: x ← x + Aᵀ(AAᵀ)⁻¹(y − Ax).

    Parameters
    ----------
    fine : ndarray, float32, shape (factor · slices, rows, columns)
    thick : ndarray, shape (slices, rows, columns)
    acquisition : Acquisition
    """
    operator, projector = acquisition.operator(len(thick)), acquisition.projector(len(thick))
    for rows in _row_blocks(fine):
        fine[:, rows] += projector(thick[:, rows] - operator(fine[:, rows], 0), 0)


def _row_blocks(fine: np.ndarray) -> list[slice]:
    """Return ranges of rows small enough that the work on them needs little memory."""
    slices, rows, columns = fine.shape
    step = max(1, _BLOCK_BYTES // (4 * slices * columns))
    return [slice(start, start + step) for start in range(0, rows, step)]
