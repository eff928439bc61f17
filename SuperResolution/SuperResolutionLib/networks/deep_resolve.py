"""DeepResolve: a deep residual network over the interpolated volume, made for thick-slice knee MRI."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..layers import refuse_even, thick_reach


class DeepResolve(nn.Module):
    """20 convolutions of 3×3×3 and 64 channels, ReLU between them, whose result is added to the interpolated volume.

    Chaudhari et al., Magn. Reson. Med. 80 (2018), 2139-2154, section Methods: layers, channels, and the residual between thin slices and
    tricubic interpolation. Ours: zero padding, and the start: the first layer by He (Proc. ICCV 2015, equation 10), the hidden ones as the
    identity (Le, Jaitly and Hinton, arXiv 1504.00941), since random ones pass on next to nothing of the volume after 20 layers, the last
    at zero, so that training starts from interpolation.

    Parameters
    ----------
    factors : sequence of int
        Factors it is trained for; the layers are the same for all. The paper trains one network a factor, from 2 to 8.
    channels : int
        Channels of the hidden convolutions.
    layers : int
        Convolutions, the first and the last included; at least 2.
    kernel : int
        Side of the convolutions, odd.

    Raises
    ------
    ValueError
        If the kernel is even or there are fewer than two layers.
    """

    interpolated = True

    def __init__(self, factors: Sequence[int] = (4,), channels: int = 64, layers: int = 20, kernel: int = 3) -> None:
        super().__init__()
        refuse_even(kernel)
        if layers < 2:
            raise ValueError(f"layers {layers}: accepted are whole numbers from 2")
        self.factors = tuple(factors)
        self._reach = layers * (kernel // 2)
        self._channels = channels
        widths = (1, *(layers - 1) * (channels,), 1)
        self.convolutions = nn.ModuleList(
            nn.Conv3d(inputs, outputs, kernel, padding=kernel // 2) for inputs, outputs in zip(widths, widths[1:])
        )
        first, *hidden, last = self.convolutions
        nn.init.kaiming_normal_(first.weight, nonlinearity="relu")
        for convolution in hidden:
            nn.init.dirac_(convolution.weight)
        nn.init.zeros_(last.weight)
        for convolution in self.convolutions:
            nn.init.zeros_(convolution.bias)

    @property
    def halo(self) -> tuple[int, int, int]:
        """Reach in thick voxels along (slices, rows, columns)."""
        return thick_reach(self._reach, self.factors, interpolated=True), self._reach, self._reach

    @property
    def working_values(self) -> int:
        """Numbers held at once for each thick voxel."""
        return 6 * self._channels * max(self.factors)

    def forward(self, slices: Tensor, factor: int) -> Tensor:
        """Sharpen slices that are interpolated along the first spatial axis; the shape stays."""
        features = slices[:, None]
        for convolution in self.convolutions[:-1]:
            features = torch.relu_(convolution(features))
        return slices + self.convolutions[-1](features)[:, 0]


NETWORK = DeepResolve
