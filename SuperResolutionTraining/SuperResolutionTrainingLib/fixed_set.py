"""A small, fixed part of the validation scans, on which a network is measured again and again while it is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from SuperResolutionLib.acquisition import Acquisition
from SuperResolutionLib.devices import run_network
from SuperResolutionLib.interpolation import interpolation_operator
from SuperResolutionLib.metrics import ncc, psnr
from SuperResolutionLib.networks import continuation
from SuperResolutionLib.planning import Piece
from SuperResolutionLib.volume import AXES, array_axis

from .patch_source import value_range
from .preview import write_preview
from .recipe import Recipe, Scan
from .samples import load_scan
from .validation import central_part, measured_pair, similarity

_SIZE = (12, 64, 64)
"""Thick voxels of a slab at most: slices, rows, columns."""
_SLABS = 6


@dataclass(frozen=True)
class Slab:
    """The centre of a validation scan: the truth, what a scanner measured or would have, and that interpolated by ``cubic``."""

    truth: np.ndarray
    thick: np.ndarray
    cubic: np.ndarray
    factor: int
    plane: bool


@dataclass(frozen=True)
class Figures:
    """Means over the slabs; peak and range are maximum − minimum of each truth."""

    psnr: float
    ncc: float
    ssim: float


class FixedSet:
    """Centre slabs of the validation scans, made thick by the recipe's main acquisition at the largest factor.

    A scan with a thick counterpart gives the two of them, at the factor that is between their slices; if that is none of the network's
    or the recipe makes only planes finer, it gives nothing.

    Parameters
    ----------
    recipe : Recipe
    data : Path
        Folder that the recipe's scans are in.
    factors : sequence of int
        Factors of the network.

    Attributes
    ----------
    cubic : Figures
        What cubic interpolation reaches.

    Raises
    ------
    RequestError
        If a scan cannot be read or is no pair with its thick counterpart.
    """

    def __init__(self, recipe: Recipe, data: Path, factors: Sequence[int]) -> None:
        scans = [scan for scan in recipe.scans if scan.split == "validation"]
        slabs = [slab for scan in scans[:_SLABS] for slab in _slabs_of(scan, data, recipe, factors)]
        # One of each scan before a second of any.
        self._slabs = [slab for _, slab in sorted(slabs, key=lambda numbered: numbered[0])][:_SLABS]
        if self._slabs:
            self.cubic = _figures([(slab.cubic, slab.truth) for slab in self._slabs])

    def __bool__(self) -> bool:
        return bool(self._slabs)

    def measure(self, network: nn.Module, device: torch.device, preview: Path | None = None) -> Figures:
        """Measure a network in single precision.

        Parameters
        ----------
        network : Module
            Its training mode is kept.
        device : torch.device
        preview : Path, optional
            PNG to draw: input, cubic, network and truth of the first slab.
        """
        mode = network.training
        network.eval()
        results = [_run(network, slab, device) for slab in self._slabs]
        network.train(mode)
        if preview:
            first = self._slabs[0]
            write_preview(preview, first.thick, (first.cubic, results[0], first.truth), first.plane)
        return _figures([(result, slab.truth) for result, slab in zip(results, self._slabs)])


def _run(network: nn.Module, slab: Slab, device: torch.device) -> np.ndarray:
    fine = _run_once(network, slab.thick, slab.factor, device, slab.plane)
    if network.views == 2 and not slab.plane:
        fine = (fine + _run_once(network, slab.thick.swapaxes(1, 2), slab.factor, device).swapaxes(1, 2)) / 2
    return fine


def _run_once(network: nn.Module, thick: np.ndarray, factor: int, device: torch.device, plane: bool = False) -> np.ndarray:
    """Run a network over a whole slab, which ends as volumes do."""
    beyond = continuation(network, plane)
    read = tuple(slice(-more, length + more) for more, length in zip(beyond, thick.shape))
    whole = Piece(read, keep=tuple(slice(0, length) for length in thick.shape))
    finer = (1, factor, factor) if plane else (factor, 1, 1)
    slices = torch.from_numpy(np.ascontiguousarray(whole.cut(thick)))[None].to(device)
    return run_network(network, slices, factor, torch.float32, plane)[0][whole.inner(finer)].cpu().numpy()


def _slabs_of(scan: Scan, data: Path, recipe: Recipe, factors: Sequence[int]) -> Iterator[tuple[int, Slab]]:
    """Yield the slabs of a scan that is long enough, numbered."""
    yield from enumerate(_measured_slabs(scan, data, recipe, factors) if scan.thick else _made_slabs(scan, data, recipe, max(factors)))


def _measured_slabs(scan: Scan, data: Path, recipe: Recipe, factors: Sequence[int]) -> Iterator[Slab]:
    pair = measured_pair(scan, data, factors) if recipe.task != "plane" else None
    if pair is None:
        return
    first = array_axis(pair.axis)
    low, high = value_range(pair.fine)
    parts = central_part(pair, np.insert(_SIZE[1:], first, _SIZE[0]))
    thick, truth = (np.moveaxis((part.voxels - low) / (high - low), first, 0) for part in parts)
    if len(thick) >= 2:
        yield _slab(truth, thick, (0,), pair.factor)


def _made_slabs(scan: Scan, data: Path, recipe: Recipe, factor: int) -> Iterator[Slab]:
    volume = load_scan(scan, data)
    low, high = value_range(volume)
    voxels = ((volume.voxels - low) / (high - low)).astype(np.float32)
    drawn = recipe.acquisitions[0]
    operator = Acquisition(drawn.profile, factor, sum(drawn.thickness) / 2).operator
    for plane in {"axis": (False,), "plane": (True,), "both": (False, True)}[recipe.task]:
        # The axis of the slices: of one pass, where planes become finer.
        for axis in scan.axes[:1] if plane else scan.axes:
            finer = (1, 2) if plane else (0,)
            truth = _centre(np.moveaxis(voxels, 2 - AXES.index("k" if plane else axis), 0), finer, factor)
            if all(truth.shape[dimension] >= 2 * factor for dimension in finer):
                thick = truth
                for dimension in finer:
                    thick = operator(thick.shape[dimension] // factor)(thick, dimension)
                yield _slab(truth, thick, finer, factor)


def _centre(voxels: np.ndarray, finer: tuple[int, ...], factor: int) -> np.ndarray:
    """Cut the middle of a scan; where it becomes finer, whole thick voxels."""
    parts = []
    for dimension, (length, most) in enumerate(zip(voxels.shape, _SIZE)):
        step = factor if dimension in finer else 1
        kept = min(length // step, most) * step
        parts.append(slice((length - kept) // 2, (length - kept) // 2 + kept))
    return np.ascontiguousarray(voxels[tuple(parts)])


def _slab(truth: np.ndarray, thick: np.ndarray, finer: tuple[int, ...], factor: int) -> Slab:
    truth, thick = (np.ascontiguousarray(side, np.float32) for side in (truth, thick))
    cubic = thick
    for dimension in finer:
        cubic = interpolation_operator("cubic", cubic.shape[dimension], factor)(cubic, dimension)
    return Slab(truth, thick, cubic, factor, len(finer) == 2)


def _figures(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> Figures:
    # A slab may be air alone, where correlation means nothing.
    pairs = [(result, truth) for result, truth in pairs if np.ptp(truth) > 0]
    return Figures(
        psnr=float(np.mean([psnr(*pair) for pair in pairs])),
        ncc=float(np.mean([ncc(*pair) for pair in pairs])),
        ssim=float(np.mean([similarity(*pair) for pair in pairs])),
    )
