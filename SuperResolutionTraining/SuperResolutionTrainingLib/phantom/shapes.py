"""Signed distances of smooth solids: negative inside, millimetres.

Points are given as their three coordinate arrays ``(x, y, z)`` in LPS mm; every function returns an array of the same shape.
Distances need not be exact away from the surface, but they grow no faster than the true ones by more than a small factor, so that a
block of space can be skipped when it is far from a surface (sphere tracing's argument: Hart, The Visual Computer 1996).
"""

from collections.abc import Sequence

import numpy as np

Points = tuple[np.ndarray, np.ndarray, np.ndarray]
Triple = Sequence[float]


def ellipsoid(points: Points, centre: Triple, radii: Triple) -> np.ndarray:
    """Return the first-order distance to an ellipsoid with axes along x, y, z."""
    squares = [((p - c) * (1 / r)) ** 2 for p, c, r in zip(points, centre, radii, strict=True)]
    size = np.sqrt(squares[0] + squares[1] + squares[2])
    slope = np.sqrt(sum(square * (1 / r**2) for square, r in zip(squares, radii, strict=True)))
    return size * (size - 1) / np.maximum(slope, 1e-6)


def capsule(
    points: Points, start: Triple, end: Triple, start_radius: float, end_radius: float | None = None, widen: float = 1
) -> np.ndarray:
    """Return the distance to a rod with round ends; `widen` stretches its cross-section along x into a band."""
    end_radius = start_radius if end_radius is None else end_radius
    x, y, z = (p - s for p, s in zip(points, start, strict=True))
    dx, dy, dz = (e - s for e, s in zip(end, start, strict=True))
    length = dx * dx + dy * dy + dz * dz
    along = np.clip(x * (dx / length) + y * (dy / length) + z * (dz / length), 0, 1)
    across = np.sqrt(((x - along * dx) * (1 / widen)) ** 2 + (y - along * dy) ** 2 + (z - along * dz) ** 2)
    return across - (start_radius + along * (end_radius - start_radius))


def rope(points: Points, knots: Sequence[Triple], radius: float, widen: float = 1, blend: float = 2) -> np.ndarray:
    """Return the distance to a chain of rods through `knots`, bends rounded."""
    distance = capsule(points, knots[0], knots[1], radius, widen=widen)
    for start, end in zip(knots[1:-1], knots[2:], strict=True):
        distance = union(distance, capsule(points, start, end, radius, widen=widen), blend)
    return distance


def halfspace(points: Points, on_plane: Triple, outward: Triple) -> np.ndarray:
    """Return the distance to the half of space behind a plane; `outward` need not be of unit length."""
    length = float(np.linalg.norm(outward))
    return sum((p - o) * (n / length) for p, o, n in zip(points, on_plane, outward, strict=True))


def union(first: np.ndarray, second: np.ndarray, blend: float = 0) -> np.ndarray:
    """Return the union; `blend` mm of fillet where the two meet (polynomial smooth minimum)."""
    smallest = np.minimum(first, second)
    if not blend:
        return smallest
    return smallest - np.maximum(blend - np.abs(first - second), 0) ** 2 / (4 * blend)


def intersection(first: np.ndarray, second: np.ndarray, blend: float = 0) -> np.ndarray:
    """Return what both have in common, its new edges rounded by `blend` mm."""
    return -union(-first, -second, blend)


def difference(first: np.ndarray, second: np.ndarray, blend: float = 0) -> np.ndarray:
    """Return the first without the second, its new edges rounded by `blend` mm."""
    return -union(-first, second, blend)


def ramp(values: np.ndarray, start: float, end: float) -> np.ndarray:
    """Return 0 below `start`, 1 above `end`, and the smooth cubic step between them."""
    t = np.clip((values - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)
