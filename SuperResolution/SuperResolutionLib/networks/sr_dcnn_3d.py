"""3-D SR-DCNN: one deconvolution and four convolutions in three dimensions."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ..layers import interpolating_deconvolution, refuse_even, the_only_factor, thick_reach


class SrDcnn3d(nn.Module):
    """Deconvolution 1 → convolutions 16-8-4-1, PReLU after all but the last (knee-MRI thesis, 3D SR-DCNN).

    Parameters
    ----------
    factors : sequence of int
        Exactly one factor: the deconvolution's stride along the low-resolution axis. The thesis trains one network a factor.
    channels : sequence of int
        Channels of the hidden convolutions.
    kernel : int
        Side of the convolutions, odd. The notes of the thesis that this follows state the channels, not the kernels; 3 is our choice, and
        so are one slope a PReLU and a deconvolution that reaches three slices and starts as linear interpolation.

    Raises
    ------
    ValueError
        If there is not exactly one factor or the kernel is even.
    """

    def __init__(self, factors: Sequence[int] = (4,), channels: Sequence[int] = (16, 8, 4), kernel: int = 3) -> None:
        super().__init__()
        refuse_even(kernel)
        factor = the_only_factor(factors)
        self.factors = (factor,)
        self._reach = (len(channels) + 1) * (kernel // 2)
        self._widest = max(channels)
        self._deconvolution_reach = kernel // 2
        self.deconvolution = interpolating_deconvolution(factor, kernel, dimensions=3)
        widths = (1, *channels, 1)
        layers: list[nn.Module] = []
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [nn.PReLU(), nn.Conv3d(inputs, outputs, kernel, padding=kernel // 2)]
        self.convolutions = nn.Sequential(*layers)

    @property
    def halo(self) -> tuple[int, int, int]:
        """Reach in thick voxels along (slices, rows, columns)."""
        plane = self._reach + self._deconvolution_reach
        return 1 + thick_reach(self._reach, self.factors), plane, plane

    @property
    def working_values(self) -> int:
        """Numbers held at once for each thick voxel."""
        return 8 * self._widest * self.factors[0] + 2 * self.deconvolution.weight.numel()

    def forward(self, slices: Tensor, factor: int) -> Tensor:
        """Upscale along the first spatial axis.

        Parameters
        ----------
        slices : Tensor, shape (batch, slices, rows, columns)
        factor : int
            The factor the network was built for.

        Returns
        -------
        Tensor, shape (batch, factor · slices, rows, columns)
        """
        return self.convolutions(self.deconvolution(slices[:, None]))[:, 0]


NETWORK = SrDcnn3d
