"""Our default: a 2.5-D network that works on thick slices at their own resolution and shuffles fine slices out of channels."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers import KEYS_REACH, keys_interpolation_inside, offset_free

_EXCHANGE_EVERY = 2
_CHUNK_BYTES = 8 << 20
_GPU_CHUNK_BYTES = 64 << 20
"""Features of a chunk in float32, of which about a dozen are alive at once and one is at least a slice.

On a CPU a small one stays in its cache, and below the size from which memory is asked of the system each time.
"""


class SliceStack(nn.Module):
    """Residual network over stacks of neighbouring thick slices.

    A thick slice and its neighbours enter as channels of a plane image; the channels that leave are the fine slices of that thick
    slice (sub-pixel shuffle along one axis, Shi et al., CVPR 2016), added to cubic interpolation. Before every second layer some
    channels move one slice up or down (temporal shift, Lin et al., ICCV 2019), which lets slices exchange features at no arithmetic cost.

    There are no biases and no norm layers, and the head's weights sum to zero: f(a·x + b) = a·f(x) + b for a > 0, so that no
    intensity range or offset is special (bias-free networks: Mohan et al., ICLR 2020).

    Parameters
    ----------
    factors : sequence of int
        Factors it upscales by; each has a head and a tail of its own around one shared body (MDSR: Lim et al., CVPRW 2017).
    channels : int
        Channels of the body.
    layers : int
        3×3 convolutions in the body.
    neighbours : int
        Thick slices on either side that the head sees.
    exchanged : int
        Channels that every second layer takes from the slice below and, as many again, from the slice above; 0 for none.
    """

    views = 1
    continues = True  # Its head repeats the outermost voxels; repeating more changes no figure.

    def __init__(
        self, factors: Sequence[int] = (2, 3, 4), channels: int = 64, layers: int = 4, neighbours: int = 2, exchanged: int = 8
    ) -> None:
        super().__init__()
        self.factors = tuple(factors)
        self.neighbours = neighbours
        self.exchanged = exchanged
        stack = 2 * neighbours + 1
        self.heads = nn.ModuleDict({str(factor): _convolution(stack, channels) for factor in self.factors})
        self.body = nn.ModuleList(_convolution(channels, channels) for _ in range(layers))
        self.tails = nn.ModuleDict({str(factor): _convolution(channels, factor) for factor in self.factors})
        for tail in self.tails.values():
            nn.init.zeros_(tail.weight)

    @property
    def halo(self) -> tuple[int, int, int]:
        """Reach in thick voxels along (slices, rows, columns) beyond which the input has no influence."""
        exchanges = len(self.body) // _EXCHANGE_EVERY if self.exchanged else 0
        slices = max(KEYS_REACH, self.neighbours + exchanges)
        plane = len(self.body) + 2
        return slices, plane, plane

    @property
    def working_values(self) -> int:
        """Numbers held at once for each thick voxel: mostly the fine slices, since the body works on one chunk after the other."""
        return 8 * max(self.factors)

    def forward(self, slices: Tensor, factor: int) -> Tensor:
        """Upscale along the first spatial axis.

        Without gradients the slices stream through all layers in chunks that fit a cache, so that no layer waits for memory.

        Parameters
        ----------
        slices : Tensor, shape (batch, slices, rows, columns)
            Thick slices, float32.
        factor : int
            One of `factors`.

        Returns
        -------
        Tensor, shape (batch, factor · slices, rows, columns)
        """
        batch, depth, rows, columns = slices.shape
        seen = max(KEYS_REACH, self.neighbours)
        padded = functional.pad(slices[:, None], (1, 1, 1, 1, seen, seen), mode="replicate")[:, 0]
        chunks = self._head(padded[:, seen - self.neighbours :], depth, str(factor))
        for number, layer in enumerate(self.body):
            exchanges = self.exchanged and number % _EXCHANGE_EVERY == 1
            chunks = _with_residual(layer, self._exchanged(chunks, batch) if exchanges else _activated(chunks))
        fine = slices.new_empty(batch, depth * factor, rows, columns)
        inside = padded[:, seen - KEYS_REACH :, 1:-1, 1:-1]
        start = 0
        for features in chunks:
            residual = self.tails[str(factor)](functional.relu(features)).float().reshape(batch, -1, rows, columns)
            stop = start + residual.shape[1] // factor
            cubic = keys_interpolation_inside(inside[:, start : stop + 2 * KEYS_REACH], factor)
            fine[:, start * factor : stop * factor] = cubic + residual
            start = stop
        return fine

    def _head(self, padded: Tensor, depth: int, factor: str) -> Iterator[Tensor]:
        """Yield the features of one chunk of slices after the other, shape (batch · slices, channels, rows, columns).

        In `padded` each slice has its neighbours, and rows and columns are continued by one.
        """
        weight = self.heads[factor].weight
        size = depth
        if not torch.is_grad_enabled():
            budget = _CHUNK_BYTES if padded.device.type == "cpu" else _GPU_CHUNK_BYTES
            size = max(1, budget // (padded.element_size() * len(weight) * padded[:, 0].numel()))
        for start in range(0, depth, size):
            slices = padded[:, start : min(start + size, depth) + 2 * self.neighbours]
            stacks = slices.unfold(1, 2 * self.neighbours + 1, 1).permute(0, 1, 4, 2, 3).flatten(0, 1)
            yield offset_free(functional.conv2d, stacks.contiguous(memory_format=torch.channels_last), weight)

    def _exchanged(self, chunks: Iterable[Tensor], batch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield each chunk and its activation, in which some channels moved one slice up and as many one slice down.

        The outermost slices keep theirs. A chunk is held back until its successor is known.
        """
        n = self.exchanged
        held = below = None
        for features in chain(chunks, (None,)):
            if held is not None:
                moved = held.clone()
                slices, target = (chunk.unflatten(0, (batch, -1)) for chunk in (held, moved))
                target[:, 1:, :n] = slices[:, :-1, :n]
                target[:, :-1, n : 2 * n] = slices[:, 1:, n : 2 * n]
                if below is not None:
                    target[:, :1, :n] = below
                if features is not None:
                    target[:, -1:, n : 2 * n] = features.unflatten(0, (batch, -1))[:, :1, n : 2 * n]
                below = slices[:, -1:, :n].clone()
                yield held, moved.relu_()
            held = features


def _activated(chunks: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield each chunk and its activation."""
    for features in chunks:
        yield features, functional.relu(features)


def _with_residual(layer: nn.Module, chunks: Iterable[tuple[Tensor, Tensor]]) -> Iterator[Tensor]:
    """Yield what a layer makes of each activation, added to the chunk."""
    for features, active in chunks:
        yield layer(active).add_(features)


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)


NETWORK = SliceStack
