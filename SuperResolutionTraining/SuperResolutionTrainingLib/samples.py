"""Training pairs: patches of fine truth and the thick patches that an acquisition makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from SuperResolutionLib.acquisition import Acquisition, degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume
from SuperResolutionLib.volume import AXES, Volume

from .recipe import Recipe, Scan

_CONTENT = 0.03
"""A patch below this standard deviation, in units of the scan's range, is mostly air."""


def load_scan(scan: Scan, data: Path) -> Volume:
    """Read a scan of a recipe and average voxels as it says.

    Returns
    -------
    Volume
        float32 voxels.

    Raises
    ------
    RequestError
        If the scan cannot be read or has too few voxels to be averaged.
    """
    volume = read_volume(data / scan.file, resample=scan.resample)
    volume = volume.with_voxels(np.asarray(volume.voxels, np.float32))
    for axis, count in zip(AXES, scan.coarsen):
        if count > 1:
            volume = degrade(volume, count, axis, "mean")
    return volume


class PatchSampler:
    """Draws training batches; batch n is a function of the recipe, the data and n alone.

    Parameters
    ----------
    recipe : Recipe
    data : Path
        Folder that the recipe's scans are in.
    factors : sequence of int
        Factors to draw from.
    """

    def __init__(self, recipe: Recipe, data: Path, factors: Sequence[int]) -> None:
        self._recipe = recipe
        self._factors = tuple(factors)
        self._scans = [scan for scan in recipe.scans if scan.split == "train"]
        self._voxels = [_unit_range(load_scan(scan, data)) for scan in self._scans]
        weights = np.array([scan.weight for scan in self._scans])
        self._chances = weights / weights.sum()
        drawn = np.array([acquisition.weight for acquisition in recipe.acquisitions])
        self._acquisition_chances = drawn / drawn.sum()

    def batch(self, number: int) -> tuple[np.ndarray, np.ndarray, int]:
        """Return batch `number`.

        Returns
        -------
        thick : ndarray, float32, shape (batch, slices, plane, plane)
        fine : ndarray, float32, shape (batch, factor · slices, plane, plane)
        factor : int
        """
        random = np.random.default_rng((self._recipe.seed, number))
        factor = int(random.choice(self._factors))
        pairs = [self._pair(random, factor) for _ in range(self._recipe.patches.batch)]
        thick, fine = (np.stack(side) for side in zip(*pairs))
        return thick, fine, factor

    def _pair(self, random: np.random.Generator, factor: int) -> tuple[np.ndarray, np.ndarray]:
        fine = self._truth(random, factor)
        if random.random() < self._recipe.contrast_changes:
            fine = _changed_contrast(fine, random)
        drawn = self._recipe.acquisitions[random.choice(len(self._acquisition_chances), p=self._acquisition_chances)]
        acquisition = Acquisition(
            drawn.profile, factor, random.uniform(*drawn.thickness) if drawn.thickness[0] < drawn.thickness[1] else drawn.thickness[0]
        )
        thick = acquisition.operator(self._recipe.patches.slices)(fine, 0)
        thick += random.normal(0, random.uniform(0, self._recipe.noise), thick.shape).astype(np.float32)
        return thick, fine

    def _truth(self, random: np.random.Generator, factor: int) -> np.ndarray:
        size = (self._recipe.patches.slices * factor, self._recipe.patches.plane, self._recipe.patches.plane)
        for _ in range(20):
            index = random.choice(len(self._scans), p=self._chances)
            axis = str(random.choice(list(self._scans[index].axes)))
            voxels = np.moveaxis(self._voxels[index], 2 - AXES.index(axis), 0)
            patch = _cropped(voxels, size, random)
            if patch.std() > _CONTENT:
                break
        if random.random() < 0.5:
            patch = patch.swapaxes(1, 2)
        for dimension in range(3):
            if random.random() < 0.5:
                patch = np.flip(patch, dimension)
        return np.ascontiguousarray(patch)


def _unit_range(volume: Volume) -> np.ndarray:
    low, high = np.percentile(volume.voxels[::2, ::2, ::2], (0.5, 99.8))
    if not high > low:
        raise RequestError(f"{volume.source}: constant voxels of value {low:g}; accepted are scans with contrast")
    return ((volume.voxels - low) / (high - low)).astype(np.float32)


def _cropped(voxels: np.ndarray, size: Sequence[int], random: np.random.Generator) -> np.ndarray:
    """Cut a patch at random; what a short axis lacks is filled by its outermost voxels."""
    starts = [int(random.integers(0, max(length - wanted, 0) + 1)) for length, wanted in zip(voxels.shape, size)]
    patch = voxels[tuple(slice(start, start + wanted) for start, wanted in zip(starts, size))]
    lacking = [(0, wanted - have) for have, wanted in zip(patch.shape, size)]
    return np.pad(patch, lacking, mode="edge") if any(right for _, right in lacking) else patch


def _changed_contrast(fine: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Bend and sometimes invert the grey scale, so that the network learns edges and not one sequence's contrast."""
    bent = np.sign(fine) * np.abs(fine) ** random.uniform(0.7, 1.4)
    return (1 - bent if random.random() < 0.4 else bent).astype(np.float32)
