"""What will run: how a volume is cut into pieces, where, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from .errors import RequestError

_DEFAULT_BYTES = 768 << 20
_BASE_BYTES = {"network": 320 << 20, "interpolation": 208 << 20}  # the process itself, with torch and without
_SMALLEST_PIECE = 16


@dataclass(frozen=True)
class Piece:
    """A box of thick voxels along (slices, rows, columns): what is read, with its halo, and what of it is kept."""

    read: tuple[slice, slice, slice]
    keep: tuple[slice, slice, slice]

    def fine(self, factor: int) -> tuple[slice, slice, slice]:
        """Where the kept part lies in the fine volume."""
        slices, rows, columns = self.keep
        return slice(slices.start * factor, slices.stop * factor), rows, columns

    def inner(self, factor: int) -> tuple[slice, slice, slice]:
        """Where the kept part lies in the network's result for the read part."""
        starts = [keep.start - read.start for keep, read in zip(self.keep, self.read)]
        lengths = [keep.stop - keep.start for keep in self.keep]
        return (
            slice(starts[0] * factor, (starts[0] + lengths[0]) * factor),
            *(slice(start, start + length) for start, length in zip(starts[1:], lengths[1:])),
        )


@dataclass(frozen=True)
class Plan:
    """How one axis of a volume will be made finer by a network.

    Attributes
    ----------
    shape : tuple of int
        Thick voxels along (slices, rows, columns); slices run along the axis that is made finer.
    size : tuple of int
        Thick voxels of a piece without halo, at most.
    halo : tuple of int
        Thick voxels added on either side where there are any.
    factor : int
    views : int
        Orthogonal views that are averaged.
    bytes_needed : int
        Estimate of the memory for input, result and one piece.
    """

    shape: tuple[int, int, int]
    size: tuple[int, int, int]
    halo: tuple[int, int, int]
    factor: int
    views: int
    bytes_needed: int

    @property
    def pieces(self) -> list[Piece]:
        """The pieces, which tile the volume without gap or overlap."""
        return [Piece(*zip(*ranges)) for ranges in product(*(_ranges(*axis) for axis in zip(self.shape, self.size, self.halo)))]

    @property
    def work(self) -> int:
        """Thick voxels that the network will see, halos included."""
        return self.views * sum(math.prod(part.stop - part.start for part in piece.read) for piece in self.pieces)


def _ranges(length: int, size: int, halo: int) -> Iterator[tuple[slice, slice]]:
    for start in range(0, length, size):
        stop = min(start + size, length)
        yield slice(max(start - halo, 0), min(stop + halo, length)), slice(start, stop)


def make_plan(
    shape: tuple[int, int, int], factor: int, halo: tuple[int, int, int], bytes_per_voxel: int, views: int = 1, memory_mb: int | None = None
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
        Limit for input, result and one piece together in MiB; without it pieces take at most 768 MiB where the network allows.

    Raises
    ------
    RequestError
        If not even the smallest piece fits into `memory_mb`.
    """
    volumes = 4 * math.prod(shape) * (1 + 2 * factor)
    budget = _DEFAULT_BYTES if memory_mb is None else min(_DEFAULT_BYTES, (memory_mb << 20) - volumes)
    size = list(shape)
    while bytes_per_voxel * _with_halo(shape, size, halo) > budget:
        divisible = [axis for axis in range(3) if size[axis] > _SMALLEST_PIECE]
        if not divisible and memory_mb is None:
            break
        if not divisible:
            needed = (volumes + bytes_per_voxel * _with_halo(shape, size, halo)) >> 20
            raise RequestError(f"memory {memory_mb} MB: this volume at factor {factor} needs at least {needed + 1} MB")
        largest = max(divisible, key=lambda axis: size[axis] / (1 + 2 * halo[axis]))
        # Even parts waste less halo than full parts and a rest. One part more can round up to the same size.
        parts = math.ceil(shape[largest] / size[largest]) + 1
        size[largest] = min(size[largest] - 1, math.ceil(shape[largest] / parts))
    piece = bytes_per_voxel * _with_halo(shape, size, halo)
    return Plan(tuple(shape), tuple(size), tuple(halo), factor, views, volumes + piece)


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
    shape: tuple[int, int, int], axis: str, factor: int, voxel_bytes: int, kind: str = "network", memory_mb: int | None = None
) -> Expectation:
    """Estimate a result and its cost without torch.

    Parameters
    ----------
    shape : tuple of int
        Voxels of the input along (k, j, i).
    axis : {"i", "j", "k", "all"}
    factor : int
    voxel_bytes : int
        Size of one voxel of the input, which is that of the result.
    kind : {"network", "interpolation"}
    memory_mb : int, optional
        The limit that will be asked for, see `make_plan`.
    """
    fine = tuple(length * (factor if axis in ("all", name) else 1) for length, name in zip(shape, "kji"))
    voxels = math.prod(fine)
    volumes = 4 * voxels // factor * (1 + 2 * factor)
    piece = 0 if kind == "interpolation" else _DEFAULT_BYTES
    needed = volumes + piece if memory_mb is None else max(volumes, min(volumes + piece, memory_mb << 20))
    return Expectation(fine, voxels * voxel_bytes, needed + voxels * voxel_bytes + _BASE_BYTES[kind])
