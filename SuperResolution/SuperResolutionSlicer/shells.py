"""The shells that a surface falls into, how they nest, and where the surface is no proper boundary of a solid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import vtk
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from SuperResolutionLib.errors import RequestError

from .triangle_surface import TriangleSurface


@dataclass(frozen=True, eq=False)
class Edges:
    """What the edges of a surface say.

    Attributes
    ----------
    boundary : int
        Edges of one triangle only: there the surface is open.
    non_manifold : int
        Edges of more than two triangles.
    misoriented : int
        Edges whose two triangles face opposite ways.
    touching_points : int
        Points in which the surface meets itself, or two shells each other.
    shell_of_triangle : ndarray of int
        Number of the shell of each triangle; triangles are of one shell if a walk across proper edges leads from one to the other.
    """

    boundary: int
    non_manifold: int
    misoriented: int
    touching_points: int
    shell_of_triangle: np.ndarray


def find_edges(surface: TriangleSurface) -> Edges:
    """Look at every edge of a surface once.

    Returns
    -------
    Edges
        The counts of boundary and non-manifold edges are those of vtkFeatureEdges.
    """
    triangles = surface.triangles
    count = len(triangles)
    starts, ends = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()  # three directed edges a triangle
    keys = np.minimum(starts, ends) * len(surface.points) + np.maximum(starts, ends)
    order = np.argsort(keys, kind="stable")
    _, first, uses = np.unique(keys[order], return_index=True, return_counts=True)
    proper = first[uses == 2]
    one, other = order[proper], order[proper + 1]
    shells = _components(one // 3, other // 3, count)

    # Corners of neighbouring triangles at a shared point make a fan; a point with two fans is one where the surface meets itself.
    corners = np.arange(3 * count)
    next_corners = np.roll(corners.reshape(-1, 3), -1, axis=1).ravel()
    ascending = starts < ends
    low, high = np.where(ascending, corners, next_corners), np.where(ascending, next_corners, corners)
    fans = _components(np.concatenate([low[one], high[one]]), np.concatenate([low[other], high[other]]), 3 * count)
    _, corner_of_fan = np.unique(fans, return_index=True)
    fans_of_point = np.bincount(starts[corner_of_fan], minlength=len(surface.points))
    return Edges(
        boundary=int(np.count_nonzero(uses == 1)),
        non_manifold=int(np.count_nonzero(uses > 2)),
        misoriented=int(np.count_nonzero(ascending[one] == ascending[other])),
        touching_points=int(np.count_nonzero(fans_of_point > 1)),
        shell_of_triangle=shells,
    )


def _components(one: np.ndarray, other: np.ndarray, count: int) -> np.ndarray:
    """Number the groups into which `count` things fall that are linked in pairs."""
    links = coo_matrix((np.ones(len(one), np.int8), (one, other)), shape=(count, count))
    return connected_components(links, directed=False)[1]


@dataclass(frozen=True)
class Shell:
    """One piece of a surface.

    Attributes
    ----------
    number : int
        As in `Edges.shell_of_triangle`.
    volume_mm3 : float
        Positive where the triangles point away from what is enclosed, negative for a cavity.
    within : tuple of int
        Numbers of the shells around it.
    """

    number: int
    volume_mm3: float
    within: tuple[int, ...] = ()

    @property
    def is_cavity(self) -> bool:
        """Whether it bounds a hollow inside a solid."""
        return len(self.within) % 2 == 1 and self.volume_mm3 < 0

    @property
    def is_part(self) -> bool:
        """Whether it bounds solid material that stands by itself."""
        return len(self.within) % 2 == 0 and self.volume_mm3 > 0


def find_shells(surface: TriangleSurface, edges: Edges) -> list[Shell]:
    """Return the shells of a surface, the largest first."""
    labels = edges.shell_of_triangle
    volumes = np.bincount(labels, weights=surface.triangle_volumes())
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(len(volumes)))
    corners = surface.points[surface.triangles[order]]
    lowest = np.minimum.reduceat(corners.min(axis=1), starts)
    highest = np.maximum.reduceat(corners.max(axis=1), starts)
    inner_points = corners[starts].mean(axis=1)  # the middle of a triangle: where shells touch, their points would say nothing
    within: list[list[int]] = [[] for _ in volumes]
    for outer in range(len(volumes)):
        nested = np.flatnonzero(np.all((lowest > lowest[outer]) & (highest < highest[outer]), axis=1))
        if len(nested):
            for inner in nested[_inside(surface.restricted_to(labels == outer), inner_points[nested])]:
                within[inner].append(outer)
    shells = [Shell(number, float(volume), tuple(around)) for number, (volume, around) in enumerate(zip(volumes, within))]
    return sorted(shells, key=lambda shell: -abs(shell.volume_mm3))


def _inside(shell: TriangleSurface, points: np.ndarray) -> np.ndarray:
    """Tell which of some points a shell encloses."""
    asked = TriangleSurface("", (0.0, 0.0, 0.0), points, np.empty((0, 3), np.int64)).poly_data()
    test = vtk.vtkSelectEnclosedPoints()
    test.SetTolerance(0.0)
    test.SetInputData(asked)
    test.SetSurfaceData(shell.poly_data())
    test.Update()
    return np.array([bool(test.IsInside(index)) for index in range(len(points))])


def drop_shells(surface: TriangleSurface, smallest_mm3: float = 0.0, largest_only: bool = False) -> TriangleSurface:
    """Leave out small shells, or all but the largest one and its cavities; the result says how many and how much.

    Parameters
    ----------
    surface : TriangleSurface
        A surface with or without flaws.
    smallest_mm3 : float
        Shells that enclose less than this volume, mm³, are left out: parts vanish, and cavities are filled.
    largest_only : bool
        Keep the largest part and the cavities directly inside it.

    Raises
    ------
    RequestError
        If the volume is negative or nothing would be left.
    """
    if not smallest_mm3 >= 0:
        raise RequestError(f"smallest shell: {smallest_mm3} mm³; accepted are 0 and more")
    edges = find_edges(surface)
    shells = find_shells(surface, edges)
    kept = [shell for shell in shells if abs(shell.volume_mm3) >= smallest_mm3]
    if not kept:
        raise RequestError(
            f"'{surface.name}': all its shells are below {smallest_mm3:g} mm³, the largest is {abs(shells[0].volume_mm3):g} mm³; "
            "accepted are volumes that leave something"
        )
    if largest_only:
        largest = kept[0].number
        kept = [shell for shell in kept if shell.number == largest or (shell.is_cavity and shell.within == (largest,))]
    if len(kept) == len(shells):
        return surface
    numbers = {shell.number for shell in kept}
    dropped = [abs(shell.volume_mm3) for shell in shells if shell.number not in numbers]
    remaining = surface.restricted_to(np.isin(edges.shell_of_triangle, list(numbers)))
    return replace(remaining, dropped_shells=surface.dropped_shells + len(dropped), dropped_mm3=surface.dropped_mm3 + sum(dropped))
