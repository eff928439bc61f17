"""RRDB: the generator of ESRGAN, residual in residual dense blocks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers import columns_planes, from_columns_planes, from_rows_planes, refuse_even, refuse_other_task, rows_planes, the_only_factor

_DENSE, _LAYERS = 3, 5
_UPSAMPLING = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}


class Rrdb(nn.Module):
    """23 residual in residual dense blocks, then nearest-neighbour upsampling with a convolution after each doubling.

    Wang et al., ECCV Workshops 2018 (ESRGAN), section 3.1: blocks of three dense blocks of five 3×3 convolutions, no norm layers, residuals
    scaled by 0.2, a small start, leaky ReLU of slope 0.2. Arguments left out there (64 channels, growth 32, 23 blocks) are those of the
    supplement and the authors' code. The brain-MRI thesis that builds on it has a first convolution of 9×9: ``head=9``.

    The published form makes a plane finer by 4 (``task="plane"``); ours makes one axis finer in planes that contain it. Both have the same
    weights, and these the names that are common for published ones (``conv_first``, ``body.0.rdb1.conv1``, ``conv_body``, ``conv_up1``,
    ``conv_hr``, ``conv_last``); one grey channel enters and leaves, to which three colours can be summed up.

    Parameters
    ----------
    factors : sequence of int
        Exactly one of 2, 3, 4 and 8.
    task : {"axis", "plane"}
        Make one axis finer, or both axes of the plane.
    channels, growth : int
        Channels of the trunk, and those that each convolution of a dense block adds.
    blocks : int
        Residual in residual dense blocks.
    head : int
        Side of the first convolution, odd.
    residual_scale : float

    Raises
    ------
    ValueError
        If there is not exactly one factor, it is none of the four, the task is neither of the two, or the head is even.
    """

    views = 2

    def __init__(
        self,
        factors: Sequence[int] = (4,),
        task: str = "axis",
        channels: int = 64,
        growth: int = 32,
        blocks: int = 23,
        head: int = 3,
        residual_scale: float = 0.2,
    ) -> None:
        super().__init__()
        refuse_even(head)
        factor = the_only_factor(factors)
        if factor not in _UPSAMPLING:
            raise ValueError(f"factor {factor}: accepted are {', '.join(map(str, _UPSAMPLING))}")
        self.factors = (factor,)
        self.task = refuse_other_task(task)
        self._channels, self._growth = channels, growth
        self.conv_first = nn.Conv2d(1, channels, head, padding=head // 2)
        self.body = nn.Sequential(*(_Block(channels, growth, residual_scale) for _ in range(blocks)))
        self.conv_body = _convolution(channels, channels)
        for number in range(1, len(_UPSAMPLING[factor]) + 1):
            self.add_module(f"conv_up{number}", _convolution(channels, channels))
        self.conv_hr = _convolution(channels, channels)
        self.conv_last = _convolution(channels, 1)

    @property
    def _reach(self) -> int:
        """Thick voxels that the layers before the upsampling reach."""
        return self.conv_first.kernel_size[0] // 2 + _DENSE * _LAYERS * len(self.body) + 1

    @property
    def _finer_reach(self) -> int:
        """Thick voxels that all layers reach along an axis that becomes finer."""
        fine = 2
        for step in _UPSAMPLING[self.factors[0]]:
            fine = -(-(fine + 1) // step)
        return self._reach + fine

    @property
    def halo(self) -> tuple[int, int, int]:
        """Reach in thick voxels along (slices, rows, columns)."""
        plane = self._reach + len(_UPSAMPLING[self.factors[0]]) + 2
        return self._finer_reach, 0, plane

    @property
    def working_values(self) -> int:
        """Numbers held at once for each thick voxel."""
        return self._values(self.factors[0])

    @property
    def plane_halo(self) -> tuple[int, int, int]:
        """Reach of `forward_plane` in thick voxels along (slices, rows, columns)."""
        return 0, self._finer_reach, self._finer_reach

    @property
    def plane_working_values(self) -> int:
        """Numbers that `forward_plane` holds at once for each thick voxel."""
        return self._values(self.factors[0] ** 2)

    def _values(self, fine_voxels: int) -> int:
        return 4 * self._channels + 2 * (_LAYERS - 1) * self._growth + 5 * self._channels * fine_voxels

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
        return from_columns_planes(self._upscale(columns_planes(slices), (2,)), len(slices))

    def forward_plane(self, slices: Tensor, factor: int) -> Tensor:
        """Upscale along rows and columns, each slice for itself, to shape (batch, slices, factor · rows, factor · columns)."""
        return from_rows_planes(self._upscale(rows_planes(slices), (2, 3)), len(slices))

    def _upscale(self, planes: Tensor, dimensions: tuple[int, ...]) -> Tensor:
        features = self.conv_first(planes)
        features = features + self.conv_body(self.body(features))
        for number, step in enumerate(_UPSAMPLING[self.factors[0]], 1):
            for dimension in dimensions:
                features = features.repeat_interleave(step, dimension)
            features = _leaky(self.get_submodule(f"conv_up{number}")(features))
        return self.conv_last(_leaky(self.conv_hr(features)))


class _Block(nn.Module):
    """Residual in residual dense block."""

    def __init__(self, channels: int, growth: int, scale: float) -> None:
        super().__init__()
        self._scale = scale
        self.rdb1, self.rdb2, self.rdb3 = (_DenseBlock(channels, growth, scale) for _ in range(_DENSE))

    def forward(self, features: Tensor) -> Tensor:
        return features + self._scale * self.rdb3(self.rdb2(self.rdb1(features)))


class _DenseBlock(nn.Module):
    """Five convolutions, each of which sees the input and the results of all before it."""

    def __init__(self, channels: int, growth: int, scale: float) -> None:
        super().__init__()
        self._scale = scale
        for number in range(_LAYERS):
            outputs = growth if number < _LAYERS - 1 else channels
            layer = _convolution(channels + number * growth, outputs)
            nn.init.kaiming_normal_(layer.weight)
            with torch.no_grad():
                layer.weight *= 0.1
            nn.init.zeros_(layer.bias)
            self.add_module(f"conv{number + 1}", layer)

    def forward(self, features: Tensor) -> Tensor:
        seen = [features]
        *hidden, last = self.children()
        for layer in hidden:
            seen.append(_leaky(layer(torch.cat(seen, 1))))
        return features + self._scale * last(torch.cat(seen, 1))


def _leaky(features: Tensor) -> Tensor:
    return functional.leaky_relu_(features, 0.2)


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


NETWORK = Rrdb
