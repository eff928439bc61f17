"""Training pairs out of one thick scan: its planes are fine, and degraded along one of their axes they teach the thick one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from SuperResolutionLib.acquisition import Acquisition
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import AXES, Volume, array_axis

from .augmentation import degraded_further, turned
from .foreground import content_blocks
from .patch_source import PatchSource, cut
from .recipe import Recipe

FEWEST_SLICES = 6
_HELD_OUT = 0.15
_JUDGED = (128, 32, 128)
"""Most voxels of a held-out block: along the axis to be made finer, the one that was thick, and the third."""
_FINER = 0.75
"""A plane's voxels may be as long as this part of the slice spacing: above, the plane has no detail to teach."""


def teaching_axes(volume: Volume, axis: str, factor: int) -> dict[str, int]:
    """Return the axes that have the detail which `axis` lacks, with how many of their voxels are one of the wanted length.

    Raises
    ------
    RequestError
        If there is none, or too few slices to learn from some and judge by others.
    """
    spacing = dict(zip(AXES, volume.spacing))
    wanted = spacing[axis] / factor
    counts = {name: max(1, round(wanted / length)) for name, length in spacing.items() if name != axis}
    axes = {
        name: count
        for name, count in counts.items()
        if count * spacing[name] <= _FINER * spacing[axis] and volume.shape[array_axis(name)] // count >= 2 * factor
    }
    name = volume.source or "the volume"
    if not axes:
        found = " x ".join(f"{length:.3g}" for length in volume.spacing)
        raise RequestError(f"{name}: voxels of {found} mm; a volume can teach axis {axis} only if others are clearly finer and long enough")
    slices = volume.shape[array_axis(axis)]
    if slices < FEWEST_SLICES:
        raise RequestError(f"{name}: {slices} slices along {axis}; at least {FEWEST_SLICES} are needed to learn from")
    return axes


class OwnPairs:
    """Draws training batches from a scan, and keeps a slab in its middle to judge by; batch n is a function of scan, recipe and n alone.

    Along the thick axis training patches are cut from a volume that was already made fine: otherwise a network would learn that
    neighbouring columns are far from each other, which they are not where it is used.

    Parameters
    ----------
    fine : ndarray, float32
        In units of the scan's range, the axis that was thick first.
    taught : sequence of (int, int)
        Axes to degrade, and how many of their voxels are averaged before.
    factor : int
    recipe : Recipe
        Acquisitions, drawn alike, patches, augmentation and seed.
    """

    def __init__(self, fine: np.ndarray, taught: Sequence[tuple[int, int]], factor: int, recipe: Recipe) -> None:
        self._factor, self._recipe = factor, recipe
        self._acquisitions = [Acquisition(drawn.profile, factor) for drawn in recipe.acquisitions]
        slices = len(fine) // factor
        held = max(1, round(_HELD_OUT * slices))
        start = (slices - held) // 2 * factor
        stop = start + held * factor
        self._sources, self._held_out = [], []
        for axis, count in taught:
            averaged = _averaged(fine, axis, count)
            parts = (averaged[:start], averaged[stop:])
            self._sources += [(axis, PatchSource(part, content_blocks(part))) for part in parts]
            self._held_out.append(np.ascontiguousarray(_middle(np.moveaxis(averaged[start:stop], axis, 0), factor)))
        lengths = np.array([len(source.fine) for _, source in self._sources])
        self._chances = lengths / lengths.sum()

    def batch(self, number: int) -> tuple[np.ndarray, np.ndarray, int]:
        """Return batch `number`: thick and fine patches, shapes (batch, slices, rows, columns), and the factor."""
        random = np.random.default_rng((self._recipe.seed, number))
        pairs = [self._pair(random) for _ in range(self._recipe.patches.batch)]
        thick, fine = (np.stack(side) for side in zip(*pairs))
        return thick, fine, self._factor

    def held_out(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return thick and fine blocks from slices that no batch sees, shapes (slices, rows, columns).

        There is one pair for each taught axis and each acquisition.
        """
        return [(self._degraded(fine, acquisition), fine) for fine in self._held_out for acquisition in self._acquisitions]

    def _pair(self, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        patches = self._recipe.patches
        size = (patches.slices * self._factor, patches.plane, patches.plane)
        axis, source = self._sources[random.choice(len(self._sources), p=self._chances)]
        fine = cut(np.moveaxis(source.fine, axis, 0), source.start_with_content(axis, size, random), size)
        (fine,) = map(np.ascontiguousarray, turned([fine], random))
        acquisition = self._acquisitions[random.integers(len(self._acquisitions))]
        return degraded_further(self._degraded(fine, acquisition), self._recipe.augmentation, random), fine

    def _degraded(self, fine: np.ndarray, acquisition: Acquisition) -> np.ndarray:
        return acquisition.operator(len(fine) // self._factor)(fine, 0)


def _averaged(voxels: np.ndarray, axis: int, count: int) -> np.ndarray:
    if count == 1:
        return voxels
    length = voxels.shape[axis] // count
    return Acquisition("mean", count).operator(length)(np.take(voxels, np.arange(length * count), axis), axis)


def _middle(block: np.ndarray, factor: int) -> np.ndarray:
    """Return the middle of a block, whole thick slices of it along the first axis."""
    lengths = [min(length, most) for length, most in zip(block.shape, _JUDGED)]
    lengths[0] -= lengths[0] % factor
    starts = [(have - wanted) // 2 for have, wanted in zip(block.shape, lengths)]
    return block[tuple(slice(start, start + wanted) for start, wanted in zip(starts, lengths))]
