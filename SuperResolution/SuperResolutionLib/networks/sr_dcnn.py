"""SR-DCNN: the network of the knee-MRI thesis, one deconvolution and four convolutions in single planes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class SrDcnn(nn.Module):
    """Deconvolution 1 → convolutions 64-64-32-1, PReLU after all but the last.

    It works in planes that contain the low-resolution axis; the upscaler averages the two orthogonal views.

    Parameters
    ----------
    factors : sequence of int
        Exactly one factor: the deconvolution's stride along the low-resolution axis. The thesis trains one network a factor.
    channels : sequence of int
        Channels of the hidden convolutions.
    kernel : int
        Side of the convolutions, odd. The notes of the thesis that this follows state the channels, not the kernels; 3 is our choice.

    Raises
    ------
    ValueError
        If there is not exactly one factor or the kernel is even.
    """

    views = 2

    def __init__(self, factors: Sequence[int] = (4,), channels: Sequence[int] = (64, 64, 32), kernel: int = 3) -> None:
        super().__init__()
        if len(factors) != 1:
            raise ValueError(f"factors {tuple(factors)}: accepted is exactly one")
        if kernel % 2 == 0:
            raise ValueError(f"kernel {kernel}: accepted are odd numbers")
        self.factors = tuple(factors)
        factor = self.factors[0]
        self.deconvolution = nn.ConvTranspose2d(1, 1, (3 * factor, kernel), stride=(factor, 1), padding=(factor, kernel // 2))
        layers: list[nn.Module] = [nn.PReLU()]
        widths = (1, *channels)
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.PReLU()]
        layers.append(nn.Conv2d(widths[-1], 1, kernel, padding=kernel // 2))
        self.convolutions = nn.Sequential(*layers)
        self._start_as_linear_interpolation(factor, kernel)

    def _start_as_linear_interpolation(self, factor: int, kernel: int) -> None:
        """A deconvolution with random weights steps every `factor` slices; one that interpolates does not."""
        distances = (torch.arange(3 * factor) + 0.5) / factor - 1.5
        with torch.no_grad():
            self.deconvolution.weight.zero_()
            self.deconvolution.bias.zero_()
            self.deconvolution.weight[0, 0, :, kernel // 2] = torch.clamp(1 - distances.abs(), min=0)

    @property
    def halo(self) -> tuple[int, int, int]:
        """Reach in thick voxels along (slices, rows, columns); rows and columns alike, since either may be the plane's second axis."""
        kernel = self.convolutions[1].kernel_size[0]
        layers = sum(isinstance(layer, nn.Conv2d) for layer in self.convolutions)
        plane = (layers + 1) * (kernel // 2)
        return 1 + -(-layers * (kernel // 2) // self.factors[0]), plane, plane

    @property
    def working_values(self) -> int:
        """Numbers held at once for each thick voxel."""
        return 3 * self.factors[0] * max(layer.out_channels for layer in self.convolutions if isinstance(layer, nn.Conv2d))

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
        batch = len(slices)
        planes = slices.transpose(1, 2).flatten(0, 1)[:, None].contiguous(memory_format=torch.channels_last)
        fine = self.convolutions(self.deconvolution(planes))[:, 0]
        return fine.unflatten(0, (batch, -1)).transpose(1, 2)


NETWORK = SrDcnn
