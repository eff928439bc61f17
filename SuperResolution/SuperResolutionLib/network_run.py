"""Runs a model's network over a thick volume, piece by piece, in bounded memory."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .devices import choose_device, choose_precision, free_bytes, place_network, run_network
from .errors import WorkError
from .model_file import LoadedModel
from .networks import continuation
from .planning import Piece, Plan, make_plan

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
        The volume with the axis that is made finer first; in a plane pass, the one that is not.
    factor : int
    settings : Settings
        Device, precision, ensemble and memory limit.
    plane : bool
        Make rows and columns finer, not slices.

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

    def __init__(self, model: LoadedModel, thick: np.ndarray, factor: int, settings: Settings, plane: bool = False) -> None:
        network = model.network
        self._network = network
        self._thick = thick
        self._factor = factor
        self._plane = plane
        self._flips = list(itertools.product((False, True), repeat=3)) if settings.ensemble else [(False, False, False)]
        self._offset, self._scale = _normalisation(thick, model.card.normalisation)
        self.device = choose_device(settings.device)
        place_network(network, self.device)
        centre = tuple(
            slice((length - min(length, size)) // 2, (length + min(length, size)) // 2) for length, size in zip(thick.shape, _PROBE)
        )
        self._dtype = choose_precision(settings.precision, network, self._tensor(thick[centre]), factor, plane)
        self.precision = str(self._dtype).removeprefix("torch.")
        halo, values, views = (
            (network.plane_halo, network.plane_working_values, 1) if plane else (network.halo, network.working_values, network.views)
        )
        free = free_bytes(self.device)
        limit = {} if free is None else {"piece_bytes": free // 2}
        beyond = continuation(network, plane)
        self._plans = [
            make_plan(view.shape, factor, halo, self._dtype.itemsize * values, views, settings.memory_mb, plane, continued=beyond, **limit)
            for view in _views(thick)[:views]
        ]

    @property
    def plan(self) -> Plan:
        """The plan of the first view; that of the other one differs in rows and columns alone."""
        return self._plans[0]

    def upscale(self, progress: Callable[[float, float], None]) -> np.ndarray:
        """Return the fine volume.

        Parameters
        ----------
        progress : callable
            Called after each piece with the done fraction and the seconds left.

        Returns
        -------
        ndarray, float32
            Shape (factor · slices, rows, columns) or, in a plane pass, (slices, factor · rows, factor · columns).

        Raises
        ------
        WorkError
            If the device runs out of memory.
        """
        import torch

        factors = self.plan.factors
        fine = np.empty([length * factor for length, factor in zip(self._thick.shape, factors)], np.float32)
        total = sum(len(plan.pieces) for plan in self._plans)
        done, started = 0, time.perf_counter()
        for number, (plan, thick, made) in enumerate(zip(self._plans, _views(self._thick), _views(fine))):
            for piece in plan.pieces:
                try:
                    result = self._piece(piece.cut(thick), piece)
                except torch.OutOfMemoryError as error:
                    raise WorkError(
                        f"device {self.device}: out of memory with pieces of {plan.size} voxels; a lower --memory uses smaller ones"
                    ) from error
                place = piece.fine(factors)
                made[place] = (made[place] + result) / 2 if number else result
                done += 1
                elapsed = time.perf_counter() - started
                progress(done / total, elapsed / done * (total - done))
        return fine

    def _piece(self, thick: np.ndarray, piece: Piece) -> np.ndarray:
        slices = self._tensor(thick)
        result = sum(self._flipped(slices, flips) for flips in self._flips) / len(self._flips)
        kept = result[0][piece.inner(self.plan.factors)]
        return (kept * self._scale + self._offset).cpu().numpy()

    def _flipped(self, slices: Tensor, flips: tuple[bool, bool, bool]) -> Tensor:
        dimensions = [axis + 1 for axis, flip in enumerate(flips) if flip]
        return run_network(self._network, slices.flip(dimensions), self._factor, self._dtype, self._plane).flip(dimensions)

    def _tensor(self, thick: np.ndarray) -> Tensor:
        import torch

        voxels = (thick.astype(np.float32) - self._offset) / self._scale
        return torch.from_numpy(np.ascontiguousarray(voxels))[None].to(self.device)


def _views(volume: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the two orthogonal views of a volume: as it is, and with rows and columns exchanged."""
    return volume, volume.swapaxes(1, 2)


def _normalisation(thick: np.ndarray, percentiles: dict[str, float]) -> tuple[np.float32, np.float32]:
    """Return the offset and scale that map the card's percentiles to 0 and 1; a constant volume is left as it is."""
    step = max(1, round((thick.size / 2**22) ** (1 / 3)))
    low, high = np.percentile(thick[::step, ::step, ::step], (percentiles["low"], percentiles["high"]))
    return np.float32(low), np.float32(high - low if high > low else 1)
