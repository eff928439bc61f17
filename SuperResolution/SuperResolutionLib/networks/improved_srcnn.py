"""Improved SRCNN: SRCNN with a second feature extraction, overlapping max pooling and a link layer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from ..layers import columns_planes, from_columns_planes, from_rows_planes, refuse_even, refuse_other_task, rows_planes, thick_reach


class ImprovedSrcnn(nn.Module):
    """Convolutions 9×9×32, 5×5×32, 7×7×32 and 5×5×1 over interpolated planes, ReLU between them.

    Gao et al., after the notes that this follows: each of the first two convolutions, which extract features, is followed by overlapping
    max pooling (2×2, stride 1); a link layer, an 11×11 convolution of the pooled features, is added to the reconstruction. The paper
    works on axial CT images; ours also takes planes that contain the low-resolution axis.

    Our choice, since the notes do not state it: the link layer sees the features after the second pooling; zero padding; the first pooling
    looks back and the second ahead, so that together they move nothing.

    Parameters
    ----------
    factors : sequence of int
        Factors it is trained for; the layers are the same for all.
    task : {"axis", "plane"}
        Make one axis finer, or both axes of the plane, as in the paper.
    channels : int
        Channels of the hidden convolutions.
    kernels : sequence of int
        Sides of the four convolutions, odd.
    link : int
        Side of the link layer, odd.

    Raises
    ------
    ValueError
        If the task is neither of the two, a kernel is even, or there are not four.
    """

    interpolated = True
    views = 2

    def __init__(
        self,
        factors: Sequence[int] = (4,),
        task: str = "axis",
        channels: int = 32,
        kernels: Sequence[int] = (9, 5, 7, 5),
        link: int = 11,
    ) -> None:
        super().__init__()
        refuse_even(*kernels, link)
        if len(kernels) != 4:
            raise ValueError(f"kernels {tuple(kernels)}: accepted are exactly four")
        self.task = refuse_other_task(task)
        self.factors = tuple(factors)
        first, second, third, last = kernels
        self.extraction = nn.Conv2d(1, channels, first, padding=first // 2)
        self.second_extraction = nn.Conv2d(channels, channels, second, padding=second // 2)
        self.mapping = nn.Conv2d(channels, channels, third, padding=third // 2)
        self.reconstruction = nn.Conv2d(channels, 1, last, padding=last // 2)
        self.link = nn.Conv2d(channels, 1, link, padding=link // 2)

    @property
    def _reach(self) -> int:
        """Fine voxels on either side: each pooling reaches one voxel to one side."""
        extraction, second, mapping, reconstruction, link = (layer.kernel_size[0] // 2 for layer in self.children())
        return extraction + second + 1 + max(mapping + reconstruction, link)

    @property
    def halo(self) -> tuple[int, int, int]:
        """Reach in thick voxels along (slices, rows, columns)."""
        return thick_reach(self._reach, self.factors, interpolated=True), 0, self._reach

    @property
    def working_values(self) -> int:
        """Numbers held at once for each thick voxel."""
        return 6 * self.mapping.out_channels * max(self.factors)

    @property
    def plane_halo(self) -> tuple[int, int, int]:
        """Reach of `forward_plane` in thick voxels along (slices, rows, columns)."""
        reach = thick_reach(self._reach, self.factors, interpolated=True)
        return 0, reach, reach

    @property
    def plane_working_values(self) -> int:
        """Numbers that `forward_plane` holds at once for each thick voxel."""
        return self.working_values * max(self.factors)

    def forward(self, slices: Tensor, factor: int) -> Tensor:
        """Sharpen slices that are interpolated along the first spatial axis, in planes of (slices, columns); the shape stays."""
        return from_columns_planes(self._sharpen(columns_planes(slices)), len(slices))

    def forward_plane(self, slices: Tensor, factor: int) -> Tensor:
        """Sharpen slices that are interpolated along rows and columns, each for itself; the shape stays."""
        return from_rows_planes(self._sharpen(rows_planes(slices)), len(slices))

    def _sharpen(self, planes: Tensor) -> Tensor:
        features = _pool(functional.relu_(self.extraction(planes)), back=1)
        features = _pool(functional.relu_(self.second_extraction(features)), back=0)
        return self.reconstruction(functional.relu_(self.mapping(features))) + self.link(features)


def _pool(features: Tensor, back: int) -> Tensor:
    """Take the maximum of 2×2 neighbours, those before (`back` 1) or those behind (0); the shape stays."""
    ahead = 1 - back
    return functional.max_pool2d(functional.pad(features, (back, ahead, back, ahead), mode="replicate"), 2, stride=1)


NETWORK = ImprovedSrcnn
