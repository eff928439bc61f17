"""Training pairs: patches of fine truth and the thick patches that an acquisition makes of them, or a scanner made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from SuperResolutionLib.acquisition import Acquisition, degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume
from SuperResolutionLib.volume import AXES, Volume, array_axis

from .augmentation import degraded_further, turned, with_changed_contrast
from .cached_volume import cache_source, open_source
from .foreground import CONTENT
from .images import is_image, read_image
from .pairs import Pair, align
from .patch_source import PatchSource, cut, source_of, source_of_pair
from .recipe import Recipe, Scan

_TRIALS = 20
_OPEN_SOURCES = 64  # scans whose files are held open at once


def load_scan(scan: Scan, data: Path) -> Volume:
    """Read a scan of a recipe, or a picture as a volume of one slice, and average voxels as the recipe says.

    Returns
    -------
    Volume
        float32 voxels.

    Raises
    ------
    RequestError
        If the scan cannot be read or has too few voxels to be averaged.
    """
    path = data / scan.file
    volume = read_image(path) if is_image(path) else read_volume(path, scan.series or None, scan.resample)
    volume = volume.with_voxels(np.asarray(volume.voxels, np.float32))
    for axis, count in zip(AXES, scan.coarsen):
        if count > 1:
            volume = degrade(volume, count, axis, "mean")
    return volume


def load_pair(scan: Scan, data: Path, factor: int) -> Pair:
    """Read a scan that names its thick counterpart, and bring the two together.

    Raises
    ------
    RequestError
        If one cannot be read or the two are no pair; see `align`.
    """
    return align(read_volume(data / scan.thick), load_scan(scan, data), factor)


@dataclass(frozen=True)
class _Entry:
    """A scan to draw from: the axes that patches may have as their slice axis, and for a real pair its factor."""

    scan: Scan
    axes: str
    factor: int = 0


class PatchSampler:
    """Draws training batches; batch n is a function of the recipe, the data and n alone.

    Parameters
    ----------
    recipe : Recipe
        With its scans; see `with_scans`.
    data : Path
        Folder that the recipe's scans are in.
    factors : sequence of int
        Factors to draw from.
    cache : Path, optional
        Folder of memory-mapped voxels, so that memory stays bounded however many scans there are; made on the first use and shared by
        all processes. None keeps them in memory.
    tell : callable, optional
        Told in one line which scan is being read.

    Raises
    ------
    RequestError
        If a scan cannot be read, has no contrast or is no pair with its thick counterpart, or if no scan serves the recipe's task.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Path,
        factors: Sequence[int],
        cache: Path | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._recipe, self._data, self._cache = recipe, data, cache
        self._factors = tuple(factors)
        self._open = lru_cache(_OPEN_SOURCES)(open_source)
        drawn = np.array([acquisition.weight for acquisition in recipe.acquisitions])
        self._acquisition_chances = drawn / drawn.sum()
        scans = [scan for scan in recipe.scans if scan.split == "train"]
        self._tasks = ("plane", "axis") if recipe.task == "both" else (recipe.task,)
        self._pool = {(task, factor): _Pool(scans, task, factor) for task in self._tasks for factor in dict.fromkeys(self._factors)}
        wanted = dict.fromkeys((entry.scan, entry.factor) for pool in self._pool.values() for entry in pool.entries)
        self._made: dict[tuple[Scan, int], PatchSource | Path] = {}
        for number, (scan, factor) in enumerate(wanted):
            tell(f"scan {number + 1} of {len(wanted)}: {scan.file}")
            self._made[scan, factor] = self._make(scan, factor)

    def batch(self, number: int) -> tuple[np.ndarray, np.ndarray, int]:
        """Return batch `number`.

        With task ``plane``, rows and columns are finer in `fine` than in `thick`; with ``both``, in batches of even number. A picture
        has one slice there; with task ``axis`` its rows or columns are the slices, and there is one row.

        Returns
        -------
        thick : ndarray, float32, shape (batch, slices, plane, plane)
        fine : ndarray, float32, shape (batch, factor · slices, plane, plane) or (batch, slices, factor · plane, factor · plane)
        factor : int
        """
        random = np.random.default_rng((self._recipe.seed, number))
        factor = int(random.choice(self._factors))
        task = self._tasks[number % len(self._tasks)]
        pairs = [self._pair(random, factor, task) for _ in range(self._recipe.patches.batch)]
        thick, fine = (np.stack(side) for side in zip(*pairs))
        return thick, fine, factor

    def _make(self, scan: Scan, factor: int) -> PatchSource | Path:
        """Read a scan, with a factor a pair: into memory, or into the cache where it is not there yet."""

        def make() -> PatchSource:
            return source_of_pair(load_pair(scan, self._data, factor)) if factor else source_of(load_scan(scan, self._data))

        if self._cache is None:
            return make()
        name = "\n".join(map(str, (scan.file, scan.series, scan.resample, scan.coarsen, scan.thick, factor)))
        return cache_source(self._cache, name, [_changing(self._data / file) for file in (scan.file, scan.thick) if file], make)

    def _source(self, entry: _Entry) -> PatchSource:
        made = self._made[entry.scan, entry.factor]
        return self._open(made) if isinstance(made, Path) else made

    def _pair(self, random: np.random.Generator, factor: int, task: str) -> tuple[np.ndarray, np.ndarray]:
        """Return a thick and a fine patch."""
        augmentation = self._recipe.augmentation
        fine, *measured = self._patches(random, factor, task)
        patches = [fine, *measured]
        if augmentation.flips:
            patches = turned(patches, random)
        patches = [np.ascontiguousarray(patch) for patch in patches]
        if random.random() < augmentation.contrast_changes:
            patches = with_changed_contrast(patches, random)
        fine, *measured = patches
        if measured:
            return measured[0], fine  # its blur and noise are real
        return degraded_further(self._degraded(fine, random, factor, task), augmentation, random), fine

    def _patches(self, random: np.random.Generator, factor: int, task: str) -> list[np.ndarray]:
        """Cut a fine patch, and of a real pair the thick one as well, slices first."""
        patches, pool = self._recipe.patches, self._pool[task, factor]
        thick_size = (patches.slices, patches.plane, patches.plane)
        finer = (factor, 1, 1) if task == "axis" else (1, factor, factor)
        size = tuple(length * ratio for length, ratio in zip(thick_size, finer))
        for _ in range(_TRIALS):
            entry = pool.entries[random.choice(len(pool.entries), p=pool.chances)]
            source = self._source(entry)
            if source.thick is not None:
                return _cut_pair(source, thick_size, factor, random)
            dimension = array_axis(str(random.choice(list(entry.axes))))
            fine = np.moveaxis(source.fine, dimension, 0)
            if patches.content == "map":
                return [cut(fine, source.start_with_content(dimension, size, random), size)]
            patch = cut(fine, [int(random.integers(0, max(have - wanted, 0) + 1)) for have, wanted in zip(fine.shape, size)], size)
            if patch.std() > CONTENT:
                break
        return [patch]

    def _degraded(self, fine: np.ndarray, random: np.random.Generator, factor: int, task: str) -> np.ndarray:
        """Return what a scanner would have measured, with an acquisition drawn from the recipe's."""
        drawn = self._recipe.acquisitions[random.choice(len(self._acquisition_chances), p=self._acquisition_chances)]
        low, high = drawn.thickness
        acquisition = Acquisition(drawn.profile, factor, random.uniform(low, high) if low < high else low)
        thick = fine
        for dimension in (0,) if task == "axis" else (1, 2):
            thick = acquisition.operator(fine.shape[dimension] // factor)(thick, dimension)
        return thick


def _cut_pair(source: PatchSource, size: tuple[int, int, int], factor: int, random: np.random.Generator) -> list[np.ndarray]:
    """Cut the fine and the thick patch of a real pair; `size` is in thick voxels."""
    dimension = source.thick_axis
    fine_size = (size[0] * factor, *size[1:])
    first, *others = source.start_with_content(dimension, fine_size, random)
    first //= factor
    fine, thick = (np.moveaxis(side, dimension, 0) for side in (source.fine, source.thick))
    return [cut(fine, (first * factor, *others), fine_size), cut(thick, (first, *others), size)]


class _Pool:
    """The scans that serve a task and a factor, and the chance of each to be drawn."""

    def __init__(self, scans: Sequence[Scan], task: str, factor: int) -> None:
        self.entries = [entry for scan in scans if (entry := _entry(scan, task, factor)).axes]
        if not self.entries:
            needed = (
                "with real resolution along an axis" if task == "axis" else "with real resolution along two axes and no thick counterpart"
            )
            raise RequestError(f"recipe: none of the {len(scans)} training scans serves task {task}; accepted are scans {needed}")
        weights = np.array([entry.scan.weight for entry in self.entries])
        self.chances = weights / weights.sum()


def _entry(scan: Scan, task: str, factor: int) -> _Entry:
    """Return how a scan serves a task: along its real axes, or in the planes of two of them."""
    if scan.thick:
        return _Entry(scan, scan.axes if task == "axis" else "", factor)
    return _Entry(scan, scan.axes if task == "axis" else "".join(axis for axis in AXES if set(AXES) - {axis} <= set(scan.axes)))


def _changing(path: Path) -> Path:
    """Return what tells by its time of change that a scan changed: the file, or the folder if other files belong to it."""
    alone = is_image(path) or path.name.lower().endswith((".nii", ".nii.gz", ".nrrd", ".mha"))
    return path if alone else (path if path.is_dir() else path.parent)
