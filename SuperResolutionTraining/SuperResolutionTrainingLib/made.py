"""What a network made of a batch, as the losses see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from SuperResolutionLib.layers import columns_planes, rows_planes

from .recipe import Recipe

if TYPE_CHECKING:
    import torch

    from .distributed import Group


@dataclass(frozen=True)
class Made:
    """Result and truth, without the margin.

    Attributes
    ----------
    result, truth : Tensor, shape (batch, slices, rows, columns)
        float32, the scan's range mapped to 0 … 1.
    plane : bool
        Whether rows and columns were made finer rather than slices.
    map : Tensor, optional
        The intermediate result of a network that has one, of the same shape.
    """

    result: Tensor
    truth: Tensor
    plane: bool
    map: Tensor | None = None

    def pictures(self, volume: Tensor, most: int | None = None) -> Tensor:
        """Return a volume as the single-channel pictures in which detail is to be gained, shape (pictures, 1, height, width).

        Slices where rows and columns are made finer, else the planes of slices and columns.

        Parameters
        ----------
        volume : Tensor
            Of the shape of `truth`.
        most : int, optional
            Number of pictures at most, taken at even distances: neighbours show nearly the same.
        """
        planes = rows_planes(volume) if self.plane else columns_planes(volume)
        return planes if most is None else planes[:: -(-len(planes) // most)]


@dataclass(frozen=True)
class Setting:
    """What a loss may build upon: the network it judges, the recipe, the device, and the group of processes."""

    network: nn.Module
    recipe: Recipe
    device: torch.device
    group: Group
