"""Runs a model's network over a thick volume, piece by piece, in bounded memory."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .devices import choose_device, choose_precision, run_network
from .errors import WorkError
from .model_file import LoadedModel
from .planning import Piece, make_plan

if TYPE_CHECKING:
    from torch import Tensor

    from .upscaling import Settings

_PROBE = (8, 64, 64)


class NetworkRun:
    """One pass of a network over a volume.

    Parameters
    ----------
    model : LoadedModel
    thick : ndarray, shape (slices, rows, columns)
        The volume with the axis that is made finer first.
    factor : int
    settings : Settings
        Device, precision, ensemble and memory limit.

    Attributes
    ----------
    plan : Plan
    device : torch.device
    precision : str
        Number type the network runs in.

    Raises
    ------
    RequestError
        If device, precision or memory limit are not accepted.
    """

    def __init__(self, model: LoadedModel, thick: np.ndarray, factor: int, settings: Settings) -> None:
        import torch

        self._network = model.network
        self._thick = thick
        self._factor = factor
        self._flips = list(itertools.product((False, True), repeat=3)) if settings.ensemble else [(False, False, False)]
        self._offset, self._scale = _normalisation(thick, model.card.normalisation)
        self.device = choose_device(settings.device)
        self._network.to(self.device, memory_format=torch.channels_last)
        centre = tuple(
            slice((length - min(length, size)) // 2, (length + min(length, size)) // 2) for length, size in zip(thick.shape, _PROBE)
        )
        self._dtype = choose_precision(settings.precision, self._network, self._tensor(centre), factor)
        self.precision = str(self._dtype).removeprefix("torch.")
        voxel_bytes = self._dtype.itemsize * self._network.working_values
        self.plan = make_plan(thick.shape, factor, self._network.halo, voxel_bytes, self._network.views, settings.memory_mb)

    def upscale(self, progress: Callable[[float, float], None]) -> np.ndarray:
        """Return the fine volume.

        Parameters
        ----------
        progress : callable
            Called after each piece with the done fraction and the seconds left.

        Returns
        -------
        ndarray, float32, shape (factor · slices, rows, columns)

        Raises
        ------
        WorkError
            If the device runs out of memory.
        """
        import torch

        slices, rows, columns = self._thick.shape
        fine = np.empty((slices * self._factor, rows, columns), np.float32)
        pieces = self.plan.pieces
        started = time.perf_counter()
        for number, piece in enumerate(pieces, 1):
            try:
                fine[piece.fine(self._factor)] = self._piece(piece)
            except torch.OutOfMemoryError as error:
                raise WorkError(
                    f"device {self.device}: out of memory with pieces of {self.plan.size} voxels; a lower --memory uses smaller ones"
                ) from error
            elapsed = time.perf_counter() - started
            progress(number / len(pieces), elapsed / number * (len(pieces) - number))
        return fine

    def _piece(self, piece: Piece) -> np.ndarray:
        slices = self._tensor(piece.read)
        result = sum(self._flipped(slices, flips) for flips in self._flips) / len(self._flips)
        kept = result[0][piece.inner(self._factor)]
        return (kept * self._scale + self._offset).cpu().numpy()

    def _flipped(self, slices: Tensor, flips: tuple[bool, bool, bool]) -> Tensor:
        dimensions = [axis + 1 for axis, flip in enumerate(flips) if flip]
        return self._all_views(slices.flip(dimensions)).flip(dimensions)

    def _all_views(self, slices: Tensor) -> Tensor:
        result = run_network(self._network, slices, self._factor, self._dtype)
        if self._network.views == 2:
            other = run_network(self._network, slices.transpose(2, 3).contiguous(), self._factor, self._dtype)
            result = (result + other.transpose(2, 3)) / 2
        return result

    def _tensor(self, box: tuple[slice, slice, slice]) -> Tensor:
        import torch

        voxels = (self._thick[box].astype(np.float32) - self._offset) / self._scale
        return torch.from_numpy(np.ascontiguousarray(voxels))[None].to(self.device)


def _normalisation(thick: np.ndarray, percentiles: dict[str, float]) -> tuple[np.float32, np.float32]:
    """Return the offset and scale that map the card's percentiles to 0 and 1; a constant volume is left as it is."""
    step = max(1, round((thick.size / 2**22) ** (1 / 3)))
    low, high = np.percentile(thick[::step, ::step, ::step], (percentiles["low"], percentiles["high"]))
    return np.float32(low), np.float32(high - low if high > low else 1)
