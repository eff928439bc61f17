"""3-D SRCNN: the interpolated volume through four convolutions in three dimensions."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ..layers import refuse_even, thick_reach


class Srcnn3d(nn.Module):
    """Convolutions 32-16-8-1, PReLU after all but the last (knee-MRI thesis, 3D SRCNN).

    Parameters
    ----------
    factors : sequence of int
        Factors it is trained for; the layers are the same for all. The thesis trains one network a factor.
    channels : sequence of int
        Channels of the hidden convolutions.
    kernel : int
        Side of the convolutions, odd. The notes of the thesis that this follows state the channels, not the kernels; 3 is our choice, and
        so is one slope a PReLU.

    Raises
    ------
    ValueError
        If the kernel is even.
    """

    interpolated = True

    def __init__(self, factors: Sequence[int] = (4,), channels: Sequence[int] = (32, 16, 8), kernel: int = 3) -> None:
        super().__init__()
        refuse_even(kernel)
        self.factors = tuple(factors)
        self._reach = (len(channels) + 1) * (kernel // 2)
        self._widest = max(channels)
        widths = (1, *channels, 1)
        layers: list[nn.Module] = []
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [nn.Conv3d(inputs, outputs, kernel, padding=kernel // 2), nn.PReLU()]
        self.convolutions = nn.Sequential(*layers[:-1])

    @property
    def halo(self) -> tuple[int, int, int]:
        """Reach in thick voxels along (slices, rows, columns)."""
        return thick_reach(self._reach, self.factors, interpolated=True), self._reach, self._reach

    @property
    def working_values(self) -> int:
        """Numbers held at once for each thick voxel."""
        return 3 * self._widest * max(self.factors)

    def forward(self, slices: Tensor, factor: int) -> Tensor:
        """Sharpen slices that are interpolated along the first spatial axis; the shape stays."""
        return self.convolutions(slices[:, None])[:, 0]


NETWORK = Srcnn3d
