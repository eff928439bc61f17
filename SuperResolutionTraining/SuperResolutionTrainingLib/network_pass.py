"""A network's way through a batch, whichever of its methods the batch asks for."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from SuperResolutionLib.networks import prepare_input

from .made import Made
from .recipe import Patches


class NetworkPass(nn.Module):
    """Calls a network, so that the several processes of a run have one ``forward`` to watch.

    Parameters
    ----------
    network : Module
    with_map : bool
        Ask for the intermediate result as well; the network has one.
    """

    def __init__(self, network: nn.Module, with_map: bool) -> None:
        super().__init__()
        self.network = network
        self._with_map = with_map

    def forward(self, thick: Tensor, factor: int, plane: bool) -> tuple[Tensor, Tensor | None]:
        """Return result and map (None without one).

        Parameters
        ----------
        thick : Tensor, shape (batch, slices, rows, columns)
        factor : int
        plane : bool
            Make rows and columns finer, not slices.
        """
        prepared = prepare_input(self.network, thick, factor, plane)
        if self._with_map:
            return (self.network.intermediate_plane if plane else self.network.intermediate)(prepared, factor)
        return (self.network.forward_plane if plane else self.network)(prepared, factor), None


def make(passing: nn.Module, batch: tuple[np.ndarray, np.ndarray, int], patches: Patches, dtype: torch.dtype, device: torch.device) -> Made:
    """Let a network work on a batch.

    Parameters
    ----------
    passing : Module
        A `NetworkPass`, spread over processes or not.
    batch : tuple
        Thick and fine patches, (batch, slices, rows, columns), and the factor; where their numbers of slices agree, rows and columns
        are made finer.
    patches : Patches
        Its margin is left out of what is returned: there the network sees the end of the patch rather than of a scan.
    dtype : torch.dtype
        Number type to calculate in.
    device : torch.device
    """
    thick, truth = (torch.from_numpy(side).to(device) for side in batch[:2])
    factor = batch[2]
    plane = thick.shape[1] == truth.shape[1]
    with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
        result, early = passing(thick, factor, plane)
    margins = [
        # A picture has a single slice or row, and that no margin.
        0 if measured == 1 else patches.margin * (made // measured)
        for measured, made in zip(thick.shape[1:], truth.shape[1:])
    ]
    inside = (slice(None), *(slice(margin, -margin or None) for margin in margins))
    return Made(result.float()[inside], truth[inside], plane, None if early is None else early.float()[inside])
