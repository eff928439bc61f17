"""A surface of triangles as a value: points in millimetres, triangles that point outwards."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

_TO_LPS = np.array([-1.0, -1.0, 1.0])  # half a turn about the axis S, so triangles keep pointing outwards


@dataclass(frozen=True, eq=False)
class TriangleSurface:
    """The surface of one segment in the patient's space.

    Attributes
    ----------
    name : str
        The segment's name.
    colour : tuple of float
        Red, green and blue, 0 to 1.
    points : ndarray, shape (n, 3)
        RAS mm; no two points are the same.
    triangles : ndarray of int, shape (m, 3)
        Three different points each, counter-clockwise as seen from outside.
    drawn_mm3 : float or None
        Volume of the voxels that the surface was made of; None where there are none or it is not known.
    dropped_shells : int
        How many of its shells were left out on request.
    dropped_mm3 : float
        What those enclosed.
    collapsed : int
        How many triangles were left out since they enclosed nothing.
    """

    name: str
    colour: tuple[float, float, float]
    points: np.ndarray
    triangles: np.ndarray
    drawn_mm3: float | None = None
    dropped_shells: int = 0
    dropped_mm3: float = 0.0
    collapsed: int = 0

    @classmethod
    def from_poly_data(
        cls, poly_data: vtk.vtkPolyData, name: str, colour: tuple[float, float, float] = (0.5, 0.5, 0.5), drawn_mm3: float | None = None
    ) -> TriangleSurface:
        """Take the triangles of a mesh: strips and polygons are cut up, coincident points joined.

        Left out and counted is what encloses nothing: triangles that have collapsed, as those of single voxels do in Slicer's smoothing,
        and two triangles on the same three points, a fin as Slicer's decimation leaves it, whose edges would belong to four triangles.
        """
        triangulated = vtk.vtkTriangleFilter()
        triangulated.PassVertsOff()
        triangulated.PassLinesOff()
        triangulated.SetInputData(poly_data)
        joined = vtk.vtkCleanPolyData()
        joined.SetTolerance(0.0)
        joined.SetInputConnection(triangulated.GetOutputPort())
        joined.Update()
        mesh, before = joined.GetOutput(), triangulated.GetOutput().GetNumberOfPolys()
        if not mesh.GetNumberOfPolys():
            return cls(name, colour, np.empty((0, 3)), np.empty((0, 3), np.int64), drawn_mm3, collapsed=before)
        points = vtk_to_numpy(mesh.GetPoints().GetData()).astype(np.float64)
        triangles = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).astype(np.int64).reshape(-1, 3)
        points, triangles = _with_used_points(points, _without_fins(triangles))
        return cls(name, colour, points, triangles, drawn_mm3, collapsed=before - len(triangles)).pointing_outwards()

    def poly_data(self) -> vtk.vtkPolyData:
        """Return the surface as a mesh of its own, RAS mm in double precision."""
        points = vtk.vtkPoints()
        points.SetData(numpy_to_vtk(np.ascontiguousarray(self.points), deep=True))
        cells = vtk.vtkCellArray()
        offsets = np.arange(0, 3 * len(self.triangles) + 1, 3)
        cells.SetData(numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(self.triangles.ravel(), deep=True))
        mesh = vtk.vtkPolyData()
        mesh.SetPoints(points)
        mesh.SetPolys(cells)
        return mesh

    def points_in(self, lps: bool) -> np.ndarray:
        """Return the points in LPS or in RAS mm."""
        return self.points * _TO_LPS if lps else self.points

    def triangle_volumes(self) -> np.ndarray:
        """Return the signed volume, mm³, between each triangle and the middle of the points; a closed surface sums to its own volume."""
        a, b, c = np.moveaxis((self.points - self.points.mean(axis=0))[self.triangles], 1, 0)
        return np.einsum("ij,ij->i", a, np.cross(b, c)) / 6

    def pointing_outwards(self) -> TriangleSurface:
        """Return the surface turned about, if it encloses a negative volume: left-handed voxels make such surfaces."""
        return replace(self, triangles=self.triangles[:, ::-1]) if self.triangle_volumes().sum() < 0 else self

    def restricted_to(self, kept: np.ndarray) -> TriangleSurface:
        """Return the triangles for which `kept` is true, and their points, without a volume drawn."""
        points, triangles = _with_used_points(self.points, self.triangles[kept])
        return replace(self, points=points, triangles=triangles, drawn_mm3=None)


def _without_fins(triangles: np.ndarray) -> np.ndarray:
    """Leave out triangles on the same three points, two by two."""
    corners = np.sort(triangles, axis=1)
    order = np.lexsort(corners.T)
    corners = corners[order]
    is_first = np.concatenate([[True], np.any(corners[1:] != corners[:-1], axis=1)])
    kind = np.cumsum(is_first) - 1
    kept = is_first & (np.bincount(kind)[kind] % 2 == 1)
    return triangles[np.sort(order[kept])]


def _with_used_points(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out points that belong to no triangle, and number the others anew."""
    used = np.zeros(len(points), bool)
    used[triangles] = True
    return points[used], (np.cumsum(used) - 1)[triangles]
