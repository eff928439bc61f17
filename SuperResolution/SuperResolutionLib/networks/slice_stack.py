"""Our default: a 2.5-D network that works on thick slices at their own resolution and shuffles fine slices out of channels."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers import KEYS_REACH, keys_interpolation, offset_free

_EXCHANGE_EVERY = 2


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
        """Numbers held at once for each thick voxel."""
        return 4 * self.body[0].out_channels + 16 * max(self.factors)

    def forward(self, slices: Tensor, factor: int) -> Tensor:
        """Upscale along the first spatial axis.

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
        features = self._head(slices, str(factor))
        for number, layer in enumerate(self.body):
            active = functional.relu(features)
            if self.exchanged and number % _EXCHANGE_EVERY == 1:
                active = self._exchange(active, batch)
            features = layer(active).add_(features)
        residual = self.tails[str(factor)](functional.relu(features))
        return keys_interpolation(slices, factor) + residual.float().reshape(batch, depth * factor, rows, columns)

    def _head(self, slices: Tensor, factor: str) -> Tensor:
        r = self.neighbours
        padded = functional.pad(slices[:, None], (1, 1, 1, 1, r, r), mode="replicate")[:, 0]
        stacks = padded.unfold(1, 2 * r + 1, 1).permute(0, 1, 4, 2, 3).flatten(0, 1)
        return offset_free(functional.conv2d, stacks.contiguous(memory_format=torch.channels_last), self.heads[factor].weight)

    def _exchange(self, features: Tensor, batch: int) -> Tensor:
        """Move some channels one slice up and as many one slice down; the outer slices keep theirs."""
        n = self.exchanged
        # Channels last, as they lie in memory: anything else would transpose the whole tensor twice.
        slices = features.permute(0, 2, 3, 1).unflatten(0, (batch, -1))
        below = torch.cat((slices[:, :1, ..., :n], slices[:, :-1, ..., :n]), dim=1)
        above = torch.cat((slices[:, 1:, ..., n : 2 * n], slices[:, -1:, ..., n : 2 * n]), dim=1)
        moved = torch.cat((below, above, slices[..., 2 * n :]), dim=-1)
        return moved.flatten(0, 1).permute(0, 3, 1, 2)


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)


NETWORK = SliceStack
