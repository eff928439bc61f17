"""How wide a boundary of bone or air is drawn: the 10 to 90 % rise along an axis."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import RequestError
from .pairs import check_axis, check_finite, check_mask, value_range

FEWEST = 20  # edges; below, a median says little
FLATNESS = 0.2
"""The part of the step by which a plateau may vary."""
STEEPEST = np.tan(np.radians(30))
"""Of a boundary to the plane across the axis: one that is steeper looks wider along the axis than it is."""
_BLOCK = 50_000  # edges at a time, so that memory stays small


@dataclass(frozen=True)
class Edges:
    """Boundaries that lie across an axis, found in a reference.

    Attributes
    ----------
    axis : int
        Array axis that they are crossed along.
    spacing : float
        mm between voxels along it.
    reach : int
        Voxels of a profile on either side.
    voxels : ndarray of int, shape (edges, 3)
        The last voxel before each, with the axis as the first index.
    rising : ndarray of bool, shape (edges,)
        Whether the voxel behind is the brighter one.
    shape : tuple of int
        That of the reference.
    """

    axis: int
    spacing: float
    reach: int
    voxels: np.ndarray
    rising: np.ndarray
    shape: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.voxels)


@dataclass(frozen=True)
class EdgeWidth:
    """The median width in mm, and the number of edges that it was taken over."""

    width: float
    edges: int


def find_edges(
    reference: np.ndarray,
    axis: int,
    spacing: tuple[float, float, float],
    level: float | None = None,
    reach: int = 8,
    mask: np.ndarray | None = None,
) -> Edges:
    """Return the places where a reference steps from one plateau to another along an axis.

    An edge is where the intensity crosses `level` between two voxels; on both sides the outer half of the reach is a plateau, flat to a
    fifth of the step; and the boundary lies within 30° of the plane across the axis. The tilt is the shift of the boundary between the
    neighbouring lines: the sum over the profile of their difference, over the step.

    Parameters
    ----------
    reference : ndarray, shape (k, j, i)
    axis : int
        Array axis.
    spacing : tuple of float
        mm along (i, j, k).
    level : float, optional
        Intensity within the boundary, such as 200 HU for bone; by default Otsu's threshold, which lies between air and tissue.
    reach : int
        Voxels on either side that a profile has, at least 4; half of it must exceed the blur that is to be measured: twice the factor is
        enough.
    mask : ndarray of bool, shape (k, j, i), optional
        Where the voxels on both sides of the boundary must lie; anywhere by default.

    Raises
    ------
    RequestError
        If there are fewer than 20 such places, or an argument is not accepted.
    """
    check_finite(reference, "reference")
    value_range(reference)
    check_axis(axis, reference.shape)
    if reach < 4 or reach != int(reach):
        raise RequestError(f"reach {reach}; accepted are whole numbers of voxels from 4")
    if mask is not None:
        check_mask(mask, reference.shape)
    if level is None:
        from skimage.filters import threshold_otsu

        level = float(threshold_otsu(reference.astype(np.float32)))  # as `foreground` takes it
    widths = [spacing[::-1][axis], *(length for other, length in enumerate(spacing[::-1]) if other != axis)]
    found = [np.empty((0, 3), int)]
    rising = [np.empty(0, bool)]
    lines = np.moveaxis(reference, axis, 0)
    for voxels in _crossings(lines, level, reach, None if mask is None else np.moveaxis(mask, axis, 0)):
        upwards = lines[tuple(voxels.T)] <= level
        profiles = _profiles(lines, voxels, upwards, reach)
        low, high = _plateaus(profiles, reach)
        step = high - low
        outer = reach // 2
        unevenness = np.maximum(
            np.abs(profiles[:, :outer] - low[:, None]).max(axis=1), np.abs(profiles[:, -outer:] - high[:, None]).max(axis=1)
        )
        flat = np.flatnonzero((step > 0) & (unevenness <= FLATNESS * step))
        voxels, upwards = voxels[flat], upwards[flat]
        across = _tilt(lines, voxels, reach, step[flat], widths) <= STEEPEST
        found.append(voxels[across])
        rising.append(upwards[across])
    edges = Edges(axis, widths[0], reach, np.concatenate(found), np.concatenate(rising), reference.shape)
    if len(edges) < FEWEST:
        raise RequestError(f"{len(edges)} edges across array axis {axis} at level {level:g}; accepted are at least {FEWEST}")
    return edges


def edge_width(volume: np.ndarray, edges: Edges) -> EdgeWidth:
    """Return the median distance over which a volume rises from 10 to 90 % of the step at known edges.

    Each profile runs from 0 to 100 % between its own two plateaus, so that gain and offset do not matter; between voxels it is linear.
    From its crossing of 50 % that is nearest to the edge, the nearest crossings of 10 % and 90 % on either side are taken (the rise
    distance of an edge response; of a Gaussian blur of standard deviation σ it is 2.563 σ, of a sharp step 0.8 voxels).

    Parameters
    ----------
    volume : ndarray, shape (k, j, i)
        The reference in which the edges were found, or a candidate on its grid.
    edges : Edges
        See `find_edges`.

    Raises
    ------
    RequestError
        If the shape is another than the reference's, a value is not finite, or the volume shows fewer than 20 of the edges.
    """
    check_finite(volume, "volume")
    if volume.shape != edges.shape:
        raise RequestError(f"volume of shape {volume.shape}; accepted is that of the reference, {edges.shape}")
    lines = np.moveaxis(volume, edges.axis, 0)
    widths = []
    for start in range(0, len(edges), _BLOCK):
        block = slice(start, start + _BLOCK)
        profiles = _profiles(lines, edges.voxels[block], edges.rising[block], edges.reach)
        low, high = _plateaus(profiles, edges.reach)
        seen = high > low
        widths.append(_rise(((profiles - low[:, None])[seen]) / (high - low)[seen, None]))
    measured = np.concatenate(widths)
    measured = measured[np.isfinite(measured)]
    if len(measured) < FEWEST:
        raise RequestError(f"{len(measured)} of {len(edges)} edges to be seen; accepted are at least {FEWEST}")
    return EdgeWidth(float(np.median(measured)) * edges.spacing, len(measured))


def _crossings(lines: np.ndarray, level: float, reach: int, mask: np.ndarray | None) -> Iterator[np.ndarray]:
    """Yield the voxels behind which the lines cross the level, with room for a profile and for neighbouring lines, block by block."""
    bright = lines > level
    crossed = bright[1:] != bright[:-1]
    if mask is not None:
        crossed &= mask[1:] & mask[:-1]
    inner = crossed[reach - 1 : len(lines) - reach, 1:-1, 1:-1]
    places = np.flatnonzero(inner)
    for start in range(0, len(places), _BLOCK):
        yield np.column_stack(np.unravel_index(places[start : start + _BLOCK], inner.shape)) + (reach - 1, 1, 1)


def _profiles(lines: np.ndarray, voxels: np.ndarray, rising: np.ndarray, reach: int) -> np.ndarray:
    """Return the intensities across each edge, shape (edges, 2 · reach), turned so that they rise."""
    places = voxels[:, :1] + np.arange(1 - reach, reach + 1)
    profiles = lines[places, voxels[:, 1:2], voxels[:, 2:3]].astype(np.float64)
    return np.where(rising[:, None], profiles, profiles[:, ::-1])


def _plateaus(profiles: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the means of the outer half on the dark and on the bright side."""
    outer = reach // 2
    return profiles[:, :outer].mean(axis=1), profiles[:, -outer:].mean(axis=1)


def _tilt(lines: np.ndarray, voxels: np.ndarray, reach: int, step: np.ndarray, widths: list[float]) -> np.ndarray:
    """Return the tangent of the angle between each boundary and the plane across the axis."""
    squares = np.zeros(len(voxels))
    forwards = np.ones(len(voxels), bool)
    for dimension, width in enumerate(widths[1:], start=1):
        neighbour = np.eye(3, dtype=int)[dimension]
        before, behind = (_profiles(lines, voxels + sign * neighbour, forwards, reach).sum(axis=1) for sign in (-1, 1))
        squares += ((behind - before) / step * widths[0] / (2 * width)) ** 2
    return np.sqrt(squares)


def _rise(profiles: np.ndarray) -> np.ndarray:
    """Return the distance in voxels between 10 and 90 % of profiles from 0 to 1; NaN where there is none."""
    length = profiles.shape[1]
    places = np.arange(length)
    upwards = (profiles[:, :-1] < 0.5) & (profiles[:, 1:] >= 0.5)
    distance = np.where(upwards, np.abs(places[:-1] - (length / 2 - 1)), length)
    middle = distance.argmin(axis=1)[:, None]
    before = np.where((profiles <= 0.1) & (places <= middle), places, -1).max(axis=1)
    behind = np.where((profiles >= 0.9) & (places > middle), places, length).min(axis=1)
    whole = upwards.any(axis=1) & (before >= 0) & (behind < length)
    rises = np.full(len(profiles), np.nan)
    p, before, behind = profiles[whole], before[whole], behind[whole]
    rows = np.arange(len(p))
    start = before + (0.1 - p[rows, before]) / (p[rows, before + 1] - p[rows, before])
    stop = behind - (p[rows, behind] - 0.9) / (p[rows, behind] - p[rows, behind - 1])
    rises[whole] = stop - start
    return rises
