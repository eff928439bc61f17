"""SRCNN: three convolutions over interpolated planes, the first network for super-resolution."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ..layers import columns_planes, from_columns_planes, from_rows_planes, refuse_even, refuse_other_task, rows_planes, thick_reach


class Srcnn(nn.Module):
    """Convolutions 128-64-1 with kernels 9-3-5 and ReLU between them (Dong et al., IEEE TPAMI 38, 2016, section 4.1 and 4.3.2).

    The knee-MRI thesis takes it over planes that contain the low-resolution axis and, for single images, over the image. Zero padding,
    which keeps the size, and the start from torch's default weights are our choice: the paper leaves the border out.

    Parameters
    ----------
    factors : sequence of int
        Factors it is trained for; the layers are the same for all. The thesis trains one network a factor.
    task : {"axis", "plane"}
        Make one axis finer, or both axes of the plane.
    channels, kernels : sequence of int
        Channels of the hidden convolutions, and the sides of all, odd.

    Raises
    ------
    ValueError
        If the task is neither of the two, a kernel is even, or there is not one kernel more than channels.
    """

    interpolated = True
    views = 2

    def __init__(
        self,
        factors: Sequence[int] = (4,),
        task: str = "axis",
        channels: Sequence[int] = (128, 64),
        kernels: Sequence[int] = (9, 3, 5),
    ) -> None:
        super().__init__()
        refuse_even(*kernels)
        if len(kernels) != len(channels) + 1:
            raise ValueError(f"kernels {tuple(kernels)}: accepted is one more than channels {tuple(channels)}")
        self.task = refuse_other_task(task)
        self.factors = tuple(factors)
        self._reach = sum(kernel // 2 for kernel in kernels)
        self._widest = max(channels)
        widths = (1, *channels, 1)
        layers: list[nn.Module] = []
        for inputs, outputs, kernel in zip(widths, widths[1:], kernels):
            layers += [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers[:-1])

    @property
    def halo(self) -> tuple[int, int, int]:
        """Reach in thick voxels along (slices, rows, columns)."""
        return thick_reach(self._reach, self.factors, interpolated=True), 0, self._reach

    @property
    def working_values(self) -> int:
        """Numbers held at once for each thick voxel."""
        return 3 * self._widest * max(self.factors)

    @property
    def plane_halo(self) -> tuple[int, int, int]:
        """Reach of `forward_plane` in thick voxels along (slices, rows, columns)."""
        reach = thick_reach(self._reach, self.factors, interpolated=True)
        return 0, reach, reach

    @property
    def plane_working_values(self) -> int:
        """Numbers that `forward_plane` holds at once for each thick voxel."""
        return 3 * self._widest * max(self.factors) ** 2

    def forward(self, slices: Tensor, factor: int) -> Tensor:
        """Sharpen slices that are interpolated along the first spatial axis, in planes of (slices, columns).

        Parameters
        ----------
        slices : Tensor, shape (batch, factor · slices, rows, columns)
        factor : int

        Returns
        -------
        Tensor, shape (batch, factor · slices, rows, columns)
        """
        return from_columns_planes(self.convolutions(columns_planes(slices)), len(slices))

    def forward_plane(self, slices: Tensor, factor: int) -> Tensor:
        """Sharpen slices that are interpolated along rows and columns, each for itself; the shape stays."""
        return from_rows_planes(self.convolutions(rows_planes(slices)), len(slices))


NETWORK = Srcnn
