"""SR-DCNN: the network of the knee-MRI thesis, one deconvolution and four convolutions in single planes."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ..layers import columns_planes, from_columns_planes, interpolating_deconvolution, refuse_even, the_only_factor


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
        refuse_even(kernel)
        factor = the_only_factor(factors)
        self.factors = (factor,)
        self.deconvolution = interpolating_deconvolution(factor, kernel, dimensions=2)
        layers: list[nn.Module] = [nn.PReLU()]
        widths = (1, *channels)
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.PReLU()]
        layers.append(nn.Conv2d(widths[-1], 1, kernel, padding=kernel // 2))
        self.convolutions = nn.Sequential(*layers)

    @property
    def halo(self) -> tuple[int, int, int]:
        """Reach in thick voxels along (slices, rows, columns)."""
        kernel = self.convolutions[1].kernel_size[0]
        layers = sum(isinstance(layer, nn.Conv2d) for layer in self.convolutions)
        plane = (layers + 1) * (kernel // 2)
        return 1 + -(-layers * (kernel // 2) // self.factors[0]), 0, plane

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
        fine = self.convolutions(self.deconvolution(columns_planes(slices)))
        return from_columns_planes(fine, len(slices))


NETWORK = SrDcnn
