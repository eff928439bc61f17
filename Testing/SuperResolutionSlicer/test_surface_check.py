"""Balls and boxes whose shells, volumes and flaws are known."""

import numpy as np
import pytest
import vtk

from SuperResolutionLib.errors import RequestError
from SuperResolutionSlicer.shells import drop_shells, find_edges, find_shells
from SuperResolutionSlicer.surface_check import check_surface
from SuperResolutionSlicer.triangle_surface import TriangleSurface

BOX_POINTS = np.array([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)], float)
BOX_TRIANGLES = np.array(
    [[0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6], [0, 1, 4], [1, 5, 4], [2, 6, 3], [3, 6, 7], [0, 4, 2], [2, 4, 6], [1, 3, 5], [3, 7, 5]]
)


def box(low, size, inside_out=False):
    """Points and triangles of a box, mm."""
    triangles = BOX_TRIANGLES[:, ::-1] if inside_out else BOX_TRIANGLES
    return np.asarray(low) + BOX_POINTS * size, triangles


def surface(*meshes, name="bone"):
    """One surface of several meshes, whose coincident points are joined."""
    appended = vtk.vtkAppendPolyData()
    for points, triangles in meshes:
        appended.AddInputData(TriangleSurface("", (0, 0, 0), points, triangles).poly_data())
    appended.Update()
    return TriangleSurface.from_poly_data(appended.GetOutput(), name)


def ball(radius, resolution=60):
    source = vtk.vtkSphereSource()
    source.SetRadius(radius)
    source.SetThetaResolution(resolution)
    source.SetPhiResolution(resolution)
    source.SetOutputPointsPrecision(vtk.vtkAlgorithm.DOUBLE_PRECISION)
    source.Update()
    return TriangleSurface.from_poly_data(source.GetOutput(), "ball")


def feature_edges(surface):
    """Count boundary and non-manifold edges as VTK does."""
    counts = []
    for kind in ("Boundary", "NonManifold"):
        edges = vtk.vtkFeatureEdges()
        for other in ("BoundaryEdges", "NonManifoldEdges", "FeatureEdges", "ManifoldEdges"):
            getattr(edges, f"{other}Off")()
        getattr(edges, f"{kind}EdgesOn")()
        edges.SetInputData(surface.poly_data())
        edges.Update()
        counts.append(edges.GetOutput().GetNumberOfCells())
    return tuple(counts)


def test_a_ball_is_closed_and_has_its_volume():
    report = check_surface(ball(10.0))

    assert report.closed and report.flaws == () and report.warnings == ()
    assert report.volume_mm3 == pytest.approx(4 / 3 * np.pi * 1000, rel=0.01)
    assert report.volume_ml == pytest.approx(report.volume_mm3 / 1000)
    assert report.extents_mm == pytest.approx((20, 20, 20), abs=0.1)
    assert len(report.shells) == 1


def test_the_volume_does_not_depend_on_where_the_surface_is():
    points, triangles = box([5000.0, -7000.0, 9000.0], [1.0, 2.0, 3.0])
    assert check_surface(surface((points, triangles))).volume_mm3 == pytest.approx(6.0, abs=1e-6)


def test_a_surface_of_left_handed_voxels_is_turned_outwards():
    assert check_surface(surface(box([0, 0, 0], 10, inside_out=True))).volume_mm3 == pytest.approx(1000)


def test_a_hole_is_a_flaw_and_leaves_the_volume_unknown():
    points, triangles = box([0, 0, 0], 10)
    report = check_surface(surface((points, triangles[1:])))

    assert not report.closed and report.volume_mm3 is None and report.volume_ml is None
    assert report.flaws == ("open: 3 boundary edges",)
    assert "volume unknown" in report.describe()


def test_edges_are_counted_as_vtk_counts_them():
    cube, neighbour = box([0, 0, 0], 1), box([1, 1, 0], 1)
    for mesh in (surface(cube), surface(cube, neighbour), surface((cube[0], cube[1][3:]), neighbour), ball(3.0, 9)):
        edges = find_edges(mesh)
        assert (edges.boundary, edges.non_manifold) == feature_edges(mesh)


def test_boxes_that_share_an_edge_are_two_shells_and_not_manifold():
    report = check_surface(surface(box([0, 0, 0], 1), box([1, 1, 0], 1)))

    assert len(report.shells) == 2
    assert report.flaws == ("1 edge of more than two triangles",)
    assert "touches itself in 2 points" in report.warnings


def test_boxes_that_share_a_corner_touch_but_are_closed():
    report = check_surface(surface(box([0, 0, 0], 1), box([1, 1, 1], 1)))

    assert report.closed and report.flaws == ()
    assert report.warnings == ("touches itself in 1 point", "2 separate parts")


def test_fins_as_slicers_decimation_leaves_them_are_left_out():
    points, triangles = box([0, 0, 0], 10)
    fin = np.array([[0, 1, 8], [0, 1, 8]])
    mesh = TriangleSurface("", (0, 0, 0), np.vstack([points, [5, -9, -9]]), np.vstack([triangles, fin]))
    report = check_surface(TriangleSurface.from_poly_data(mesh.poly_data(), "bone"))

    assert report.flaws == () and report.warnings == ("2 triangles that enclosed nothing left out",)
    assert len(report.surface.triangles) == 12
    assert report.extents_mm == pytest.approx((10, 10, 10))


def test_boxes_that_share_a_face_become_one():
    report = check_surface(surface(box([0, 0, 0], 1), box([1, 0, 0], 1)))

    assert report.flaws == () and len(report.shells) == 1
    assert len(report.surface.triangles) == 20 and report.volume_mm3 == pytest.approx(2)


def test_one_triangle_turned_about_is_found():
    points, triangles = box([0, 0, 0], 10)
    triangles = triangles.copy()
    triangles[4] = triangles[4, ::-1]
    assert check_surface(surface((points, triangles))).flaws[0] == "3 edges between triangles that face opposite ways"


def test_small_islands_are_counted_and_told_from_large_parts():
    report = check_surface(surface(box([0, 0, 0], 10), box([20, 0, 0], 5), *(box([40, 3 * n, 0], 1) for n in range(3))))

    assert report.flaws == ()
    assert report.warnings == ("3 loose islands below 1 % of the volume", "2 separate parts")
    assert report.volume_mm3 == pytest.approx(1000 + 125 + 3)


def test_a_cavity_is_told_from_an_island_and_an_island_in_a_cavity_from_both():
    hollow = surface(box([0, 0, 0], 10), box([2, 2, 2], 6, inside_out=True), box([4, 4, 4], 1))
    report = check_surface(hollow)

    assert [(shell.is_part, shell.is_cavity, len(shell.within)) for shell in report.shells] == [
        (True, False, 0), (False, True, 1), (True, False, 2),
    ]  # fmt: skip
    assert report.volume_mm3 == pytest.approx(1000 - 216 + 1)
    assert report.flaws == ()
    assert report.warnings == ("1 loose island below 1 % of the volume", "1 closed cavity of 0.216 ml (216 mm³) inside")


def test_a_solid_inside_a_solid_and_a_shell_inside_out_are_flaws():
    assert check_surface(surface(box([0, 0, 0], 10), box([2, 2, 2], 6))).flaws == ("1 shell turned inside out or inside a solid",)
    beside = surface(box([0, 0, 0], 10), box([20, 0, 0], 5, inside_out=True))
    assert check_surface(beside).flaws == ("1 shell turned inside out or inside a solid",)


def test_a_flat_surface_encloses_nothing():
    flat = TriangleSurface("sheet", (0, 0, 0), BOX_POINTS[:4], np.array([[0, 1, 2], [0, 2, 1]]))
    assert check_surface(flat).flaws == ("encloses no volume",)


def test_an_empty_surface_is_refused_by_name():
    with pytest.raises(RequestError, match="'nothing'.*no triangles"):
        check_surface(TriangleSurface.from_poly_data(vtk.vtkPolyData(), "nothing"))


def test_a_change_of_volume_is_told():
    points, triangles = box([0, 0, 0], 10)
    drawn = TriangleSurface("bone", (0, 0, 0), points, triangles, drawn_mm3=1100.0)
    assert check_surface(drawn).warnings == ("volume -9.1 % against the voxels drawn",)


def test_the_description_states_units_and_what_was_not_checked():
    text = check_surface(surface(box([0, 0, 0], [10, 20, 30]))).describe()
    assert text.splitlines() == [
        "bone: closed, 6.000 ml (6000 mm³), 10.0 x 20.0 x 30.0 mm (R-L x A-P x S-I)",
        "  12 triangles in 1 shell; self-intersections not checked",
    ]


def test_small_shells_are_dropped_when_asked_and_the_report_says_so():
    mesh = surface(box([0, 0, 0], 10), box([2, 2, 2], 1, inside_out=True), box([20, 0, 0], 5), box([40, 0, 0], 1))
    report = check_surface(drop_shells(mesh, smallest_mm3=2.0))

    assert [shell.volume_mm3 for shell in report.shells] == pytest.approx([1000, 125])
    assert "2 shells of 0.002 ml (2 mm³) left out as asked" in report.warnings
    assert drop_shells(mesh) is mesh


def test_the_largest_shell_keeps_its_cavities():
    mesh = surface(box([0, 0, 0], 10), box([2, 2, 2], 4, inside_out=True), box([3, 3, 3], 1), box([20, 0, 0], 5))
    kept = drop_shells(mesh, largest_only=True)
    assert [shell.volume_mm3 for shell in find_shells(kept, find_edges(kept))] == pytest.approx([1000, -64])


@pytest.mark.parametrize("volume, words", [(5000.0, "largest is 1000 mm³"), (-1.0, "accepted are 0 and more"), (np.nan, "nan mm³")])
def test_dropping_everything_or_a_senseless_volume_is_refused(volume, words):
    with pytest.raises(RequestError, match=words):
        drop_shells(surface(box([0, 0, 0], 10)), smallest_mm3=volume)
