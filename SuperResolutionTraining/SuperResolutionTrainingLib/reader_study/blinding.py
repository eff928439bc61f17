"""The volumes of a case made alike in everything but the picture: one grid, one range, one step between grey values.

What is left is what readers judge. That a method can be recognised by its picture, as cubic interpolation by its spectrum or by how far its
slices' means are from those of the reference, is no secret that a study could keep.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import Volume

from ..grid import on_grid_of
from ..pictures import CT_WINDOW

LEVELS = 4096  # grey values, at most twice as many: the twelve bits of a scanner
FEWEST_LEVELS = 128  # half of eight bits, since ranges are cut; volumes of fewer grey values do not coarsen the others
_SAMPLED = 200_000  # voxels from which the step between a volume's grey values is told


def blind(
    volumes: Mapping[str, Volume], grid: Volume, noise: int, window: Sequence[float] = ()
) -> tuple[dict[str, Volume], tuple[float, float]]:
    """Make the volumes of a case alike.

    Volumes on another grid are resampled, see `grid.on_grid_of`. Where one of them has no values, none has. Grey values beyond the
    window are cut where not all volumes have some. Then all are rounded to the same step, a multiple of the coarsest step that one of them
    has, with noise of up to that coarsest step before: gaps of integers, and the even numbers that rounding has favoured, do not show.
    Hounsfield units and the like stay what they are, within 1, if the step is 1.

    Parameters
    ----------
    volumes : mapping of str to Volume
        By token.
    grid : Volume
        One of them, whose grid all get.
    noise : int
        Seed of the noise; secret, since who knows it can take the noise away.
    window : two float, optional
        Grey values to be shown, in the units of the volumes; chosen from them if empty.

    Returns
    -------
    volumes : dict of str to Volume
        Of type int16, with nothing but voxels and affine.
    window : tuple of two float
        In the units of those.

    Raises
    ------
    RequestError
        If values are not finite, the volumes do not overlap, or all are constant.
    """
    floats, covered = _on_one_grid(volumes, grid)
    if not window:
        window = _window([values[covered] for values in floats.values()])
    # The range that all have, but never less than what is shown.
    low = min(window[0], max(float(values[covered].min()) for values in floats.values()))
    high = max(window[1], min(float(values[covered].max()) for values in floats.values()))
    comb = _coarsest_step(volumes.values(), (high - low) / (FEWEST_LEVELS - 1))
    step = (high - low) / (LEVELS - 1)
    if comb:
        step, low = comb * math.ceil(step / comb), comb * round(low / comb)
    # Whole Hounsfield units are worth keeping; other scales have no unit.
    offset = int(low) if step == 1 and low == int(low) and low >= -32768 and high <= 32767 else 0

    random = np.random.default_rng(noise)

    def rounded(values: np.ndarray) -> Volume:
        # Two teeth wide, the noise makes even and odd ones, and the gaps between them, equally frequent.
        values = np.clip(values + random.uniform(-comb, comb, values.shape), low, high)
        # A cell begins half a comb below its first tooth: each holds as many teeth as any other.
        codes = np.floor((values - low + comb / 2) / step)
        return Volume((np.where(covered, codes, 0) + offset).astype(np.int16), grid.affine)

    shown = tuple((edge - low) / step + offset for edge in window)
    # The order of tokens, not that in which the methods were listed, says who gets which part of the noise.
    return {name: rounded(floats[name]) for name in sorted(floats)}, shown


def _on_one_grid(volumes: Mapping[str, Volume], grid: Volume) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the voxels on the grid, float64, and where all of them have some."""
    found, everywhere = {}, np.ones(grid.shape, bool)
    for name, volume in volumes.items():
        if not np.isfinite(volume.voxels).all():
            raise RequestError(f"{volume.source}: NaN or infinite values; accepted are finite numbers")
        try:
            brought, covered = on_grid_of(grid, volume)
        except RequestError as error:
            raise RequestError(f"{volume.source}: {error}") from error
        everywhere &= covered
        found[name] = brought.voxels.astype(np.float64)
    if not everywhere.any():
        raise RequestError(f"{grid.source}: no place that all volumes of the case show; accepted are volumes that overlap")
    return found, everywhere


def _window(values: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the grey values to be shown; of CT, air to bone."""
    low = min(float(np.percentile(each, 0.5)) for each in values)
    high = max(float(np.percentile(each, 99.7)) for each in values)
    if low < -500:
        return CT_WINDOW
    if low == high:
        low, high = (edge(float(edge(each)) for each in values) for edge in (min, max))
    if low == high:
        raise RequestError(f"all volumes of the case are constant ({low:g}); accepted are volumes that show something")
    return low, high


def _coarsest_step(volumes: Sequence[Volume], most: float) -> float:
    """Return the largest of the steps between neighbouring grey values that the volumes have, of those up to `most`; 0 if there is none."""
    steps = []
    for volume in volumes:
        values = volume.voxels.ravel()
        values = np.unique(values[:: max(1, values.size // _SAMPLED)]).astype(np.float64)
        if values.size > 1:
            gaps = np.diff(values)
            steps.append(float(gaps[gaps < 2 * gaps.min()].mean()))  # the mean: rounding makes equal steps unequal, such as 2, 2, 3
    return max((step for step in steps if step <= most), default=0.0)
