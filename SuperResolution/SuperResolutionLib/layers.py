"""What several networks are made of: cubic interpolation, single planes, deconvolutions, and how far they reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

KEYS_REACH = 2


def keys_interpolation(slices: Tensor, factor: int, dimension: int = 1) -> Tensor:
    """Interpolate along one dimension with Keys' cubic kernel, a = −1/2 (IEEE Trans. ASSP 29, 1981, eq. 15), edges aligned.

    Parameters
    ----------
    slices : Tensor, shape (batch, slices, rows, columns)
    factor : int
    dimension : int
        1, 2 or 3.

    Returns
    -------
    Tensor
        `factor` times as long along `dimension`.
    """
    if dimension != 1:
        return keys_interpolation(slices.transpose(1, dimension), factor).transpose(1, dimension).contiguous()
    padded = functional.pad(slices[:, None], (0, 0, 0, 0, KEYS_REACH, KEYS_REACH), mode="replicate")[:, 0]
    return keys_interpolation_inside(padded, factor)


def keys_interpolation_inside(padded: Tensor, factor: int) -> Tensor:
    """Interpolate as `keys_interpolation` does, all slices but the first and the last `KEYS_REACH`, which are only seen.

    Parameters
    ----------
    padded : Tensor, shape (batch, slices + 2 · KEYS_REACH, rows, columns)
    factor : int

    Returns
    -------
    Tensor, shape (batch, factor · slices, rows, columns)
    """
    phases = (torch.arange(factor, device=padded.device) + 0.5) / factor - 0.5
    x = (phases[:, None] - torch.arange(-KEYS_REACH, KEYS_REACH + 1, device=padded.device)).abs()
    weights = torch.where(x < 1, 1.5 * x**3 - 2.5 * x**2 + 1, torch.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, torch.zeros_like(x)))
    depth = padded.shape[1] - 2 * KEYS_REACH
    fine = [sum(w * padded[:, tap : tap + depth] for tap, w in enumerate(row.tolist()) if w) for row in weights]
    return torch.stack(fine, dim=2).flatten(1, 2)


def offset_free(convolve: Callable[[Tensor, Tensor], Tensor], slices: Tensor, weight: Tensor) -> Tensor:
    """Convolve with weights whose mean is taken away for each output, so that an offset of the grey values has no influence.

    Parameters
    ----------
    convolve : callable
        ``functional.conv2d`` or ``conv3d``.
    slices : Tensor
        float32.
    weight : Tensor, shape (outputs, inputs, ...)

    Returns
    -------
    Tensor
        In the number type that autocast works in, if it does.
    """
    weight = weight - weight.mean(dim=tuple(range(1, weight.ndim)), keepdim=True)
    kind = slices.device.type
    # Not in reduced precision: a large common offset would drown the differences that the weights take.
    with torch.autocast(kind, enabled=False):
        features = convolve(slices, weight)
    # What follows would be cast layer by layer, with twice the memory in between.
    return features.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else features


def thick_reach(radius: int, factors: Sequence[int], interpolated: bool = False) -> int:
    """Return how many thick voxels a reach on the fine grid is along the axis that is made finer, at most over all factors.

    Parameters
    ----------
    radius : int
        Fine voxels on either side that a fine voxel depends on.
    factors : sequence of int
    interpolated : bool
        The fine grid is filled by `keys_interpolation`, which reaches further: two thick voxels from fine ones in the lower half of a
        thick voxel, one from the others.
    """

    def reach(factor: int) -> int:
        outermost = 2 * (-radius % factor) + 1
        return -(-radius // factor) + (0 if not interpolated else KEYS_REACH if outermost < factor else KEYS_REACH - 1)

    return max(map(reach, factors))


def columns_planes(slices: Tensor) -> Tensor:
    """Cut volumes into planes of (slices, columns).

    Parameters
    ----------
    slices : Tensor, shape (batch, slices, rows, columns)

    Returns
    -------
    Tensor, shape (batch · rows, 1, slices, columns)
    """
    return slices.transpose(1, 2).flatten(0, 1)[:, None].contiguous(memory_format=torch.channels_last)


def from_columns_planes(planes: Tensor, batch: int) -> Tensor:
    """Put planes back together: the inverse of `columns_planes`, whatever their size has become."""
    return planes[:, 0].unflatten(0, (batch, -1)).transpose(1, 2)


def rows_planes(slices: Tensor) -> Tensor:
    """Cut volumes into planes of (rows, columns), shape (batch · slices, 1, rows, columns)."""
    return slices.flatten(0, 1)[:, None].contiguous(memory_format=torch.channels_last)


def from_rows_planes(planes: Tensor, batch: int) -> Tensor:
    """Put planes back together: the inverse of `rows_planes`, whatever their size has become."""
    return planes[:, 0].unflatten(0, (batch, -1))


def interpolating_deconvolution(factor: int, kernel: int, dimensions: int) -> nn.Module:
    """Return a deconvolution of one channel that makes the first dimension finer and starts as linear interpolation.

    With random weights it would step every `factor` slices.

    Parameters
    ----------
    factor : int
    kernel : int
        Odd length along the other dimensions; along the first it is 3 · `factor`.
    dimensions : {2, 3}
    """
    others = dimensions - 1
    kind = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}[dimensions]
    layer = kind(1, 1, (3 * factor, *others * (kernel,)), stride=(factor, *others * (1,)), padding=(factor, *others * (kernel // 2,)))
    distances = (torch.arange(3 * factor) + 0.5) / factor - 1.5
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
        layer.weight[(0, 0, slice(None), *others * (kernel // 2,))] = torch.clamp(1 - distances.abs(), min=0)
    return layer


def refuse_even(*kernels: int) -> None:
    """Raise ValueError for a kernel without a middle."""
    for kernel in kernels:
        if kernel < 1 or kernel % 2 == 0:
            raise ValueError(f"kernel {kernel}: accepted are odd numbers")


def the_only_factor(factors: Sequence[int]) -> int:
    """Return the one factor of a network whose layers are made for it.

    Raises
    ------
    ValueError
        If there is not exactly one.
    """
    if len(factors) != 1:
        raise ValueError(f"factors {tuple(factors)}: accepted is exactly one")
    return factors[0]


def refuse_other_task(task: str, accepted: Sequence[str] = ("axis", "plane")) -> str:
    """Return `task`.

    Raises
    ------
    ValueError
        If it is none of the accepted ones.
    """
    if task not in accepted:
        raise ValueError(f"task '{task}': accepted are {', '.join(accepted)}")
    return task
