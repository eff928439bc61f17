"""The measurement check: degrading the result must give the input back.

Passing it does not prove that invented detail is true: whatever the acquisition cannot see passes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .acquisition import Acquisition
from .axis_operator import AxisOperator

_BLOCK_BYTES = 64 << 20


def measurement_residual(fine: np.ndarray, thick: np.ndarray, acquisition: Acquisition, axes: Sequence[int] = (0,)) -> float:
    """Return how far the degraded result is from the input: root mean square over the range of the input.

    Parameters
    ----------
    fine : ndarray
    thick : ndarray
        The input, whose shape differs along `axes` only.
    acquisition : Acquisition
        How fine becomes thick along each of `axes`.
    axes : sequence of int
        Array axes that were made finer, one or two.
    """
    spread = float(thick.max()) - float(thick.min())
    operators = {axis: acquisition.operator(thick.shape[axis]) for axis in axes}
    total = sum(
        float(np.square(_along_each(operators, fine[block]) - thick[block], dtype=np.float64).sum()) for block in _blocks(fine, axes)
    )
    return float(np.sqrt(total / thick.size)) / (spread or 1.0)


def project(fine: np.ndarray, thick: np.ndarray, acquisition: Acquisition, axes: Sequence[int] = (0,)) -> None:
    """Change the result in place as little as possible so that it degrades to the input: x ← x + Aᵀ(AAᵀ)⁻¹(y − Ax).

    Over two axes A is the Kronecker product of the two operators, and Aᵀ(AAᵀ)⁻¹ that of the two projectors.

    Parameters
    ----------
    fine : ndarray, float32
    thick, acquisition, axes
        See `measurement_residual`.
    """
    operators = {axis: acquisition.operator(thick.shape[axis]) for axis in axes}
    projectors = {axis: acquisition.projector(thick.shape[axis]) for axis in axes}
    for block in _blocks(fine, axes):
        fine[block] += _along_each(projectors, thick[block] - _along_each(operators, fine[block]))


def _along_each(operators: dict[int, AxisOperator], array: np.ndarray) -> np.ndarray:
    for axis, operator in operators.items():
        array = operator(array, axis)
    return array


def _blocks(fine: np.ndarray, axes: Sequence[int]) -> list[tuple[slice, ...]]:
    """Return parts of the arrays that lie side by side along an axis that was not made finer, so small that they need little memory."""
    across = next(axis for axis in (1, 0, 2) if axis not in axes)
    length = fine.shape[across]
    step = max(1, _BLOCK_BYTES * length // (4 * fine.size))
    return [(slice(None),) * across + (slice(start, start + step),) for start in range(0, length, step)]
