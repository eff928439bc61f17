"""Runs a model's network over a thick volume, piece by piece, in bounded memory."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .devices import choose_device, choose_precision, free_bytes, place_network, run_network
from .errors import WorkError
from .model_file import LoadedModel
from .networks import continuation
from .planning import Piece, Plan, make_plan
from .stopwatch import Stopwatch

if TYPE_CHECKING:
    from torch import Tensor

    from .upscaling import Settings

    Values = float | np.ndarray | Tensor

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
    watch : Stopwatch, optional
        Told how long the network runs: stage ``network``, from a piece's thick voxels to its fine ones in the machine's memory.

    Attributes
    ----------
    plan : Plan
    device : torch.device
    precision : str
        Number type the network runs in.
    variance : ndarray, float32, or None
        After `upscale` with ensemble: at each voxel the variance over flips and views, in the square of the volume's units.
    shortage : str
        After `upscale`: that the device's memory ran out and smaller pieces than planned were used; else empty.

    Raises
    ------
    RequestError
        If device, precision or memory limit are not accepted.
    """

    def __init__(
        self,
        model: LoadedModel,
        thick: np.ndarray,
        factor: int,
        settings: Settings,
        plane: bool = False,
        watch: Stopwatch | None = None,
    ) -> None:
        network = model.network
        self._watch = watch or Stopwatch()
        self._network = network
        self._thick = thick
        self._factor = factor
        self._plane = plane
        self._flips = list(itertools.product((False, True), repeat=3)) if settings.ensemble else [(False, False, False)]
        self.variance: np.ndarray | None = None
        self.shortage, self._too_large = "", math.inf
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
        limits = {"continued": continuation(network, plane), "spread": settings.ensemble}
        limits |= {} if free is None else {"piece_bytes": free // 2}
        self._plans = [
            make_plan(view.shape, factor, halo, self._dtype.itemsize * values, views, settings.memory_mb, plane, **limits)
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
            If the device runs out of memory with the smallest pieces.
        """
        fine = np.empty([length * factor for length, factor in zip(self._thick.shape, self.plan.factors)], np.float32)
        self.variance = np.empty_like(fine) if len(self._flips) > 1 else None
        total = sum(len(plan.pieces) for plan in self._plans)
        done, started = 0, time.perf_counter()
        for number, plan in enumerate(self._plans):
            for piece in plan.pieces:
                self._place(piece, fine, number)
                done += 1
                elapsed = time.perf_counter() - started
                progress(done / total, elapsed / done * (total - done))
        return fine

    def _place(self, piece: Piece, fine: np.ndarray, earlier: int) -> None:
        """Put a piece into the fine volume, or join it to the `earlier` views that are there; in halves if it does not fit the device."""
        import torch

        thick, halves = piece.cut(_views(self._thick)[earlier]), self._plans[earlier].halves(piece)
        # A piece as large as one that did not fit is not tried.
        if thick.size < self._too_large or not halves:
            try:
                with self._watch.stage("network"):
                    mean, variance = self._piece(thick, piece)
                self._join(piece.fine(self.plan.factors), fine, mean, variance, earlier)
                return
            except torch.OutOfMemoryError as error:
                size = " x ".join(str(keep.stop - keep.start) for keep in piece.keep)
                if not halves:
                    raise WorkError(
                        f"device {self.device}: out of memory even with pieces of {size} voxels; the CPU may have more"
                    ) from error
                self.shortage = f"device {self.device}: out of memory with pieces of {size} voxels, smaller ones were used"
                self._too_large = min(self._too_large, thick.size)
        # Here, the tensors of an attempt are gone.
        for half in halves:
            self._place(half, fine, earlier)

    def _join(
        self, place: tuple[slice, slice, slice], fine: np.ndarray, mean: np.ndarray, variance: np.ndarray | float, earlier: int
    ) -> None:
        fine, *varied = (_views(volume)[earlier] for volume in (fine, self.variance) if volume is not None)
        if earlier:
            before = varied[0][place] if varied else 0.0
            mean, variance = _joined(earlier + 1, fine[place], before, mean, variance)
        fine[place] = mean
        for volume in varied:
            volume[place] = variance

    def _piece(self, thick: np.ndarray, piece: Piece) -> tuple[np.ndarray, np.ndarray | float]:
        """Return mean and variance over the flips where the piece is kept; a single one has no variance."""
        import torch

        slices, inner = self._tensor(thick), piece.inner(self.plan.factors)
        members = (self._flipped(slices, flips)[0][inner] for flips in self._flips)
        mean, variance = next(members), 0.0
        with torch.inference_mode():
            for number, member in enumerate(members, 2):
                mean, variance = _joined(number, mean, variance, member, 0.0)
            mean = mean.mul_(self._scale).add_(self._offset).cpu().numpy()
            return mean, variance if len(self._flips) == 1 else (variance * self._scale**2).cpu().numpy()

    def _flipped(self, slices: Tensor, flips: tuple[bool, bool, bool]) -> Tensor:
        dimensions = [axis + 1 for axis, flip in enumerate(flips) if flip]
        return run_network(self._network, slices.flip(dimensions), self._factor, self._dtype, self._plane).flip(dimensions)

    def _tensor(self, thick: np.ndarray) -> Tensor:
        import torch

        voxels = np.array(thick, np.float32, order="C")
        voxels -= self._offset
        voxels /= self._scale
        return torch.from_numpy(voxels)[None].to(self.device)


def _joined(number: int, mean: Values, variance: Values, result: Values, own: Values) -> tuple[Values, Values]:
    """Return mean and variance over groups of equal size, given those of the groups before and of the last one, which is the `number`-th.

    Welford's update (Technometrics 4, 1962) in Chan's form for groups: no difference of large sums.
    """
    step = (result - mean) / number
    return mean + step, variance + (own - variance) / number + (number - 1) * step**2


def _views(volume: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the two orthogonal views of a volume: as it is, and with rows and columns exchanged."""
    return volume, volume.swapaxes(1, 2)


def _normalisation(thick: np.ndarray, percentiles: dict[str, float]) -> tuple[np.float32, np.float32]:
    """Return the offset and scale that map the card's percentiles to 0 and 1; a constant volume is left as it is."""
    step = max(1, round((thick.size / 2**22) ** (1 / 3)))
    low, high = np.percentile(thick[::step, ::step, ::step], (percentiles["low"], percentiles["high"]))
    return np.float32(low), np.float32(high - low if high > low else 1)
