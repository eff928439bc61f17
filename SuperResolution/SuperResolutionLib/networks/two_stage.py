"""The two-stage CNN with intermediate loss: one network makes rows and columns finer, a second one the slices."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..layers import (
    columns_planes,
    from_columns_planes,
    from_rows_planes,
    refuse_other_task,
    rows_planes,
    the_only_factor,
    thick_reach,
)

_LOW, _FINE = 6, 4


class TwoStage(nn.Module):
    """Two plain CNNs of one build, each 6 convolutions, a sub-pixel shuffle and 4 convolutions, all 3×3 and 32 channels wide.

    Georgescu et al., IEEE Access 8 (2020), 49112-49124, sections III-B to III-D, and the authors' published code for where the short and
    the long skip start and end. The first stage shuffles r² channels into a plane of (rows, columns), the second r channels into slices.
    The loss sees the map right after the shuffle as well as the result: see `intermediate`.

    Where we differ: the paper has ReLU after every layer. Our values may be negative, so that neither the map nor the result has one. The
    second stage may see both orthogonal views, which the upscaler averages.

    Parameters
    ----------
    factors : sequence of int
        Exactly one factor. The paper trains 2 and 4.
    task : {"both", "axis", "plane"}
        Both stages, or only the one for slices or for planes, which are trained apart.
    channels : int
        Channels of the hidden convolutions.

    Raises
    ------
    ValueError
        If there is not exactly one factor or the task is none of the three.
    """

    views = 2

    def __init__(self, factors: Sequence[int] = (2,), task: str = "both", channels: int = 32) -> None:
        super().__init__()
        factor = the_only_factor(factors)
        self.factors = (factor,)
        self.task = refuse_other_task(task, ("both", "axis", "plane"))
        self._channels = channels
        if task != "axis":
            self.plane_stage = _Stage((factor, factor), channels)
        if task != "plane":
            self.depth_stage = _Stage((factor, 1), channels)

    @property
    def halo(self) -> tuple[int, int, int]:
        """Reach in thick voxels along (slices, rows, columns)."""
        return _LOW + thick_reach(_FINE, self.factors), 0, _LOW + _FINE

    @property
    def working_values(self) -> int:
        """Numbers held at once for each thick voxel."""
        return 6 * self._channels * self.factors[0]

    @property
    def plane_halo(self) -> tuple[int, int, int]:
        """Reach of `forward_plane` in thick voxels along (slices, rows, columns)."""
        reach = _LOW + thick_reach(_FINE, self.factors)
        return 0, reach, reach

    @property
    def plane_working_values(self) -> int:
        """Numbers that `forward_plane` holds at once for each thick voxel."""
        return 6 * self._channels * self.factors[0] ** 2

    def forward(self, slices: Tensor, factor: int) -> Tensor:
        """Upscale along the first spatial axis in planes of (slices, columns).

        Parameters
        ----------
        slices : Tensor, shape (batch, slices, rows, columns)
        factor : int
            The factor the network was built for.

        Returns
        -------
        Tensor, shape (batch, factor · slices, rows, columns)
        """
        return self.intermediate(slices, factor)[0]

    def forward_plane(self, slices: Tensor, factor: int) -> Tensor:
        """Upscale along rows and columns, each slice for itself, to shape (batch, slices, factor · rows, factor · columns)."""
        return self.intermediate_plane(slices, factor)[0]

    def intermediate(self, slices: Tensor, factor: int) -> tuple[Tensor, Tensor]:
        """Return the result of `forward` and the map right after the shuffle, of the same shape."""
        result, early = self.depth_stage(columns_planes(slices))
        return from_columns_planes(result, len(slices)), from_columns_planes(early, len(slices))

    def intermediate_plane(self, slices: Tensor, factor: int) -> tuple[Tensor, Tensor]:
        """Return the result of `forward_plane` and the map right after the shuffle, of the same shape."""
        result, early = self.plane_stage(rows_planes(slices))
        return from_rows_planes(result, len(slices)), from_rows_planes(early, len(slices))


class _Stage(nn.Module):
    """One CNN of the two: a plane in, the finer plane and the map right after the shuffle out."""

    def __init__(self, factors: tuple[int, int], channels: int) -> None:
        super().__init__()
        self._factors = factors
        self.low = nn.ModuleList(_convolution(inputs, channels) for inputs in (1, *(_LOW - 2) * (channels,)))
        self.shuffled = _convolution(channels, factors[0] * factors[1])
        self.fine = nn.ModuleList(_convolution(inputs, channels) for inputs in (1, *(_FINE - 2) * (channels,)))
        self.last = _convolution(channels, 1)

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        first = torch.relu_(self.low[0](planes))
        short = first + _two(self.low[1], self.low[2], first)
        features = first + _two(self.low[3], self.low[4], short)
        early = _shuffle(self.shuffled(features), self._factors)
        fine = torch.relu_(self.fine[0](early))
        return self.last(fine + _two(self.fine[1], self.fine[2], fine)), early


def _two(first: nn.Module, second: nn.Module, features: Tensor) -> Tensor:
    return torch.relu_(second(torch.relu_(first(features))))


def _shuffle(channels: Tensor, factors: tuple[int, int]) -> Tensor:
    """Turn r · s channels into a plane r times as high and s times as wide (sub-pixel shuffle: Shi et al., CVPR 2016)."""
    height, width = factors
    return channels.unflatten(1, (1, height, width)).permute(0, 1, 4, 2, 5, 3).flatten(4, 5).flatten(2, 3)


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


NETWORK = TwoStage
