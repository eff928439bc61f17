"""What will run: how a volume is cut into pieces, where, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from .errors import RequestError

_DEFAULT_BYTES = 768 << 20
_COMFORTABLE_BYTES = 192 << 20
_CHEAP = 0.05
"""Pieces above the comfortable size are made smaller for as long as this part of the work at most is done twice."""
_BASE_BYTES = {"network": 320 << 20, "interpolation": 208 << 20}  # the process itself, with torch and without
_SMALLEST_PIECE = 16


@dataclass(frozen=True)
class Piece:
    """A box of thick voxels along (slices, rows, columns): what is read, with its halo, and what of it is kept.

    What is read may begin before the volume, below 0, and end behind it: see `cut`.
    """

    read: tuple[slice, slice, slice]
    keep: tuple[slice, slice, slice]

    def cut(self, volume: np.ndarray) -> np.ndarray:
        """Return what is read of a volume, which is continued by its outermost voxels."""
        inside = tuple(slice(max(part.start, 0), min(part.stop, length)) for part, length in zip(self.read, volume.shape))
        lacking = [(max(-part.start, 0), max(part.stop - length, 0)) for part, length in zip(self.read, volume.shape)]
        return np.pad(volume[inside], lacking, mode="edge") if np.any(lacking) else volume[inside]

    def fine(self, factors: tuple[int, int, int]) -> tuple[slice, slice, slice]:
        """Where the kept part lies in the fine volume, given how many times finer each axis becomes."""
        return tuple(slice(keep.start * factor, keep.stop * factor) for keep, factor in zip(self.keep, factors))

    def inner(self, factors: tuple[int, int, int]) -> tuple[slice, slice, slice]:
        """Where the kept part lies in the network's result for the read part."""
        starts = (read.start for read in self.read)
        return tuple(
            slice((keep.start - start) * factor, (keep.stop - start) * factor) for keep, start, factor in zip(self.keep, starts, factors)
        )


@dataclass(frozen=True)
class Plan:
    """How a volume will be made finer by one pass of a network.

    Attributes
    ----------
    shape : tuple of int
        Thick voxels along (slices, rows, columns). Slices run along the axis that is made finer or, in a plane pass, across the two.
    size : tuple of int
        Thick voxels of a piece without halo, at most.
    halo : tuple of int
        Thick voxels added on either side where there are any.
    continued : tuple of int
        Thick voxels that there are beyond either end of the volume: repetitions of the outermost ones.
    factor : int
    views : int
        Orthogonal views that are averaged.
    bytes_needed : int
        Estimate of the memory for input, result and one piece.
    plane : bool
        Rows and columns become finer, not slices.
    """

    shape: tuple[int, int, int]
    size: tuple[int, int, int]
    halo: tuple[int, int, int]
    continued: tuple[int, int, int]
    factor: int
    views: int
    bytes_needed: int
    plane: bool = False

    @property
    def factors(self) -> tuple[int, int, int]:
        """How many times finer (slices, rows, columns) become."""
        return (1, self.factor, self.factor) if self.plane else (self.factor, 1, 1)

    @property
    def pieces(self) -> list[Piece]:
        """The pieces, which tile the volume without gap or overlap."""
        return self._tiles([slice(0, length) for length in self.shape], self.size)

    def halves(self, piece: Piece) -> list[Piece]:
        """Return smaller pieces that tile what a piece keeps, or none if it is too small to be cut."""
        size = [keep.stop - keep.start for keep in piece.keep]
        whole = tuple(length + 2 * more for length, more in zip(self.shape, self.continued))
        smaller = _cut_once(tuple(size), whole, size, self.halo)
        return self._tiles(piece.keep, smaller) if smaller else []

    @property
    def work(self) -> int:
        """Thick voxels that the network will see, halos included."""
        return self.views * sum(math.prod(part.stop - part.start for part in piece.read) for piece in self.pieces)

    def _tiles(self, box: Sequence[slice], size: Sequence[int]) -> list[Piece]:
        axes = zip(box, size, self.shape, self.halo, self.continued)
        return [Piece(*zip(*ranges)) for ranges in product(*(_ranges(*axis) for axis in axes))]


def _ranges(kept: slice, size: int, length: int, halo: int, continued: int) -> Iterator[tuple[slice, slice]]:
    for start in range(kept.start, kept.stop, size):
        stop = min(start + size, kept.stop)
        yield slice(max(start - halo, -continued), min(stop + halo, length + continued)), slice(start, stop)


def make_plan(
    shape: tuple[int, int, int],
    factor: int,
    halo: tuple[int, int, int],
    bytes_per_voxel: int,
    views: int = 1,
    memory_mb: int | None = None,
    plane: bool = False,
    piece_bytes: int | None = None,
    continued: tuple[int, int, int] = (0, 0, 0),
    spread: bool = False,
) -> Plan:
    """Cut a volume into pieces that fit the memory.

    Parameters
    ----------
    shape : tuple of int
        Thick voxels along (slices, rows, columns).
    factor : int
    halo : tuple of int
        The network's reach in thick voxels.
    bytes_per_voxel : int
        Memory the network takes for each thick voxel of a piece.
    views : int
        Orthogonal views that are averaged.
    memory_mb : int, optional
        Limit for input, result and one piece together in MiB.
    plane : bool
        Rows and columns become finer, not slices.
    piece_bytes : int, optional
        What a piece may take on a device with memory of its own. By default 768 MiB at most, and where halos cost little less.
    continued : tuple of int
        Thick voxels that the volume is continued by beyond either end.
    spread : bool
        Whether the spread over an ensemble is computed, too, which is one more fine volume.

    Raises
    ------
    RequestError
        If not even the smallest piece fits into `memory_mb`.
    """
    volumes = 4 * math.prod(shape) * (1 + (3 if spread else 2) * (factor**2 if plane else factor))
    most, comfortable = (_DEFAULT_BYTES, _COMFORTABLE_BYTES) if piece_bytes is None else (piece_bytes, piece_bytes)
    budget = most if memory_mb is None else min(most, (memory_mb << 20) - volumes)
    whole = tuple(length + 2 * more for length, more in zip(shape, continued))
    size = list(shape)
    while True:
        needed = bytes_per_voxel * _with_halo(whole, size, halo)
        smaller = _cut_once(shape, whole, size, halo)
        if needed <= budget and (needed <= comfortable or smaller is None or _waste(shape, smaller, halo) > _CHEAP):
            break
        if smaller is None and memory_mb is None:
            break
        if smaller is None:
            raise RequestError(f"memory {memory_mb} MB: this volume at factor {factor} needs at least {((volumes + needed) >> 20) + 1} MB")
        size = smaller
    piece = bytes_per_voxel * _with_halo(whole, size, halo)
    return Plan(tuple(shape), tuple(size), tuple(halo), tuple(continued), factor, views, volumes + piece, plane)


def _cut_once(shape: tuple[int, ...], whole: tuple[int, ...], size: list[int], halo: tuple[int, ...]) -> list[int] | None:
    """Return the next smaller size of piece, or None if there is none."""
    # Where there is no halo, the smallest piece wastes nothing.
    smallest = [_SMALLEST_PIECE if reach else 1 for reach in halo]
    # An axis whose smallest piece would still read all of it is better left whole.
    divisible = [
        axis for axis in range(3) if size[axis] > smallest[axis] and (not halo[axis] or smallest[axis] + 2 * halo[axis] < whole[axis])
    ]
    if not divisible:
        return None
    # Cutting where there is no halo costs nothing, so that comes first.
    largest = max(divisible, key=lambda axis: (not halo[axis], size[axis] / (1 + 2 * halo[axis])))
    # Even parts waste less halo than full parts and a rest. One part more can round up to the same size.
    parts = math.ceil(shape[largest] / size[largest]) + 1
    return [min(length - 1, math.ceil(shape[axis] / parts)) if axis == largest else length for axis, length in enumerate(size)]


def _waste(shape: tuple[int, ...], size: list[int], halo: tuple[int, ...]) -> float:
    """Return about which part of the volume is read more than once for the halos."""
    return math.prod(1 + 2 * reach * (math.ceil(length / part) - 1) / length for length, part, reach in zip(shape, size, halo)) - 1


def _with_halo(shape: tuple[int, ...], size: list[int], halo: tuple[int, ...]) -> int:
    return math.prod(min(length, part + 2 * reach) for length, part, reach in zip(shape, size, halo))


@dataclass(frozen=True)
class Expectation:
    """What a result will be and what making it takes, told before anything is loaded.

    Attributes
    ----------
    shape : tuple of int
        Voxels of the result along (k, j, i).
    result_bytes : int
        The result in memory and, uncompressed, on disk.
    memory_bytes : int
        Estimate of what the process that makes it holds at most.
    """

    shape: tuple[int, int, int]
    result_bytes: int
    memory_bytes: int


def expect(
    shape: tuple[int, int, int],
    axes: Sequence[str],
    factor: int,
    voxel_bytes: int,
    kind: str = "network",
    memory_mb: int | None = None,
    spread: bool = False,
) -> Expectation:
    """Estimate a result and its cost without torch.

    Parameters
    ----------
    shape : tuple of int
        Voxels of the input along (k, j, i).
    axes : sequence of {"i", "j", "k"}
        The axes that become finer, see `upscaling.finer_axes`.
    factor : int
    voxel_bytes : int
        Size of one voxel of the input, which is that of the result.
    kind : {"network", "interpolation"}
    memory_mb : int, optional
        The limit that will be asked for, see `make_plan`.
    spread : bool
        See `make_plan`; interpolations have none.
    """
    fine = tuple(length * (factor if name in axes else 1) for length, name in zip(shape, "kji"))
    voxels = math.prod(fine)
    volumes = 4 * voxels // factor * (1 + (3 if spread and kind == "network" else 2) * factor)
    piece = 0 if kind == "interpolation" else _DEFAULT_BYTES
    needed = volumes + piece if memory_mb is None else max(volumes, min(volumes + piece, memory_mb << 20))
    return Expectation(fine, voxels * voxel_bytes, needed + voxels * voxel_bytes + _BASE_BYTES[kind])
