"""Segments drawn on oblique, anisotropic voxels become files; what the files hold is read again and measured."""

import os
import resource
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import numpy as np
import pytest
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

import host
from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionSlicer.surface_check import check_surface
from SuperResolutionSlicer.surface_files import write_surfaces
from SuperResolutionSlicer.surfaces import export_segments, segment_surfaces, takes_smoothing

RADIUS = 10.0
BALL_MM3 = 4 / 3 * np.pi * RADIUS**3
SPACING = [0.6, 0.7, 1.2]
SHAPE = (24, 40, 46)  # k, j, i


def ijk_to_ras(left_handed=False):
    """Oblique axes with three different spacings."""
    directions, _ = np.linalg.qr(np.array([[1.0, 0.2, -0.3], [-0.1, 1.0, 0.25], [0.3, -0.2, 1.0]]))
    if (np.linalg.det(directions) < 0) != left_handed:
        directions[:, 2] *= -1
    matrix = np.eye(4)
    matrix[:3, :3] = directions * SPACING
    matrix[:3, 3] = [-61.7, 43.2, 18.9]
    return matrix


def as_vtk(matrix):
    result = vtk.vtkMatrix4x4()
    result.DeepCopy(np.asarray(matrix, float).ravel())
    return result


def centre(matrix):
    return (matrix @ [*(np.array(SHAPE[::-1]) - 1) / 2, 1])[:3]


def ball(matrix, radius=RADIUS, shift=(0, 0, 0)):
    """Voxels whose centres lie in a ball."""
    k, j, i = np.indices(SHAPE)
    points = np.stack([i, j, k, np.ones(SHAPE)], axis=-1) @ matrix.T
    return (np.linalg.norm(points[..., :3] - centre(matrix) - shift, axis=-1) <= radius).astype(np.uint8)


def draw(segmentation, name, mask, matrix):
    """Add a segment of the voxels of a mask."""
    image = vtk.vtkImageData()
    image.SetDimensions(mask.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(mask.ravel(), deep=True))
    labelmap = slicer.vtkOrientedImageData()
    labelmap.DeepCopy(image)
    labelmap.SetImageToWorldMatrix(as_vtk(matrix))
    segment_id = segmentation.GetSegmentation().AddEmptySegment("", name)
    assert slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(labelmap, segmentation, segment_id)
    return segment_id


@pytest.fixture
def knee(scene):
    """A segmentation with one ball, "Femur"; the segment's id is "id"."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Knee")
    node.CreateDefaultDisplayNodes()
    draw(node, "Femur", ball(ijk_to_ras()), ijk_to_ras())
    return node


def ids(segmentation):
    return list(segmentation.GetSegmentation().GetSegmentIDs())


def read_mesh(path):
    reader = vtk.vtkSTLReader() if path.suffix == ".stl" else vtk.vtkOBJReader()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput()


def volume(mesh):
    mass = vtk.vtkMassProperties()
    mass.SetInputData(mesh)
    mass.Update()
    return mass.GetVolume()


def bounds_in_lps(surface):
    points = surface.points * [-1, -1, 1]
    return np.column_stack([points.min(axis=0), points.max(axis=0)]).ravel()


def test_a_ball_of_10_mm_has_its_volume_within_1_percent_and_is_closed(knee):
    for smoothing in (0.0, 0.5):
        (surface,) = segment_surfaces(knee, ids(knee), smoothing=smoothing)
        report = check_surface(surface)

        assert report.flaws == () and report.warnings == () and len(report.shells) == 1
        assert report.volume_mm3 == pytest.approx(BALL_MM3, rel=0.01)
        assert report.extents_mm == pytest.approx((20, 20, 20), abs=max(SPACING))  # half a voxel at either end
        assert (surface.points.min(axis=0) + surface.points.max(axis=0)) / 2 == pytest.approx(centre(ijk_to_ras()), abs=0.2)
        assert surface.drawn_mm3 == pytest.approx(BALL_MM3, rel=0.01)


def test_left_handed_voxels_give_a_surface_that_faces_outwards(scene):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Knee")
    draw(node, "Femur", ball(ijk_to_ras(left_handed=True)), ijk_to_ras(left_handed=True))

    report = check_surface(segment_surfaces(node, ids(node))[0])
    assert report.flaws == () and report.volume_mm3 == pytest.approx(BALL_MM3, rel=0.01)


@pytest.mark.parametrize("smoothing", ["0.5", "0.2"])
def test_the_surface_is_the_one_that_slicer_shows(knee, smoothing):
    knee.GetSegmentation().SetConversionParameter("Smoothing factor", smoothing)
    (surface,) = segment_surfaces(knee, ids(knee))
    shown = vtk.vtkPolyData()
    knee.CreateClosedSurfaceRepresentation()
    knee.GetClosedSurfaceRepresentation(ids(knee)[0], shown)
    np.testing.assert_allclose(np.sort(surface.points, axis=0), np.sort(vtk_to_numpy(shown.GetPoints().GetData()), axis=0), atol=1e-5)


def test_the_segmentation_of_the_user_stays_as_it_is(knee):
    inner = knee.GetSegmentation()
    voxels = inner.GetSegment(ids(knee)[0]).GetRepresentation("Binary labelmap")
    before = inner.SerializeAllConversionParameters(), voxels.GetMTime(), inner.GetMTime()

    segment_surfaces(knee, ids(knee), smoothing=0.9, decimation=0.5)

    assert (inner.SerializeAllConversionParameters(), voxels.GetMTime(), inner.GetMTime()) == before
    assert not inner.ContainsRepresentation("Closed surface")
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1


def test_a_surface_shown_in_3d_is_neither_used_nor_changed(knee):
    knee.CreateClosedSurfaceRepresentation()
    shown = knee.GetSegmentation().GetSegment(ids(knee)[0]).GetRepresentation("Closed surface")
    before = shown.GetMTime(), shown.GetNumberOfPolys()

    (surface,) = segment_surfaces(knee, ids(knee), decimation=0.5)

    assert (shown.GetMTime(), shown.GetNumberOfPolys()) == before
    assert len(surface.triangles) == pytest.approx(before[1] / 2, rel=0.05)


def test_decimation_and_what_it_costs_are_told(knee):
    plain, coarse = (check_surface(segment_surfaces(knee, ids(knee), decimation=factor)[0]) for factor in (0.0, 0.9))
    assert len(coarse.surface.triangles) < 0.2 * len(plain.surface.triangles)
    assert coarse.flaws == ()
    assert coarse.surface.collapsed > 0  # fins that Slicer's decimation leaves
    assert any("against the voxels drawn" in warning for warning in coarse.warnings)


@pytest.mark.parametrize("matrix", [
    [[0, -1, 0, 12], [1, 0, 0, -7], [0, 0, 1, 30], [0, 0, 0, 1]],
    [[-2, 0, 0, 5], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]],
])  # fmt: skip
def test_a_parent_transform_is_applied_as_slicers_exporter_applies_it(knee, tmp_path, matrix):
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    transform.SetMatrixTransformToParent(as_vtk(matrix))
    knee.SetAndObserveTransformNodeID(transform.GetID())
    (path,), (report,) = export_segments(knee, ids(knee), tmp_path)

    theirs = tmp_path / "theirs"
    theirs.mkdir()
    knee.CreateClosedSurfaceRepresentation()
    slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsClosedSurfaceRepresentationToFiles(str(theirs), knee)
    expected = read_mesh(theirs / "Knee_Femur.stl")
    assert read_mesh(path).GetBounds() == pytest.approx(expected.GetBounds(), abs=1e-3)
    assert report.volume_mm3 == pytest.approx(volume(expected), rel=1e-3)
    assert report.flaws == () and report.warnings == ()
    assert report.surface.drawn_mm3 == pytest.approx(BALL_MM3 * abs(np.linalg.det(np.array(matrix))), rel=0.01)


def test_a_warped_parent_transform_is_applied_too(knee):
    spline = vtk.vtkThinPlateSplineTransform()
    for points, move in ((vtk.vtkPoints(), 0), (vtk.vtkPoints(), 25)):
        for corner in np.ndindex(2, 2, 2):
            points.InsertNextPoint(*(np.array(corner) * 200.0 - 100 + [move, 0, 0]))
        (spline.SetTargetLandmarks if move else spline.SetSourceLandmarks)(points)
    spline.SetBasisToR()
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode", "warped")
    node.SetAndObserveTransformToParent(spline)
    (still,) = segment_surfaces(knee, ids(knee))
    knee.SetAndObserveTransformNodeID(node.GetID())
    (moved,) = segment_surfaces(knee, ids(knee))

    assert moved.points.mean(axis=0) - still.points.mean(axis=0) == pytest.approx([25, 0, 0], abs=0.01)
    assert moved.drawn_mm3 is None


def test_parts_that_smoothing_makes_vanish_are_told(scene):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Knee")
    mask = ball(ijk_to_ras(), 8.0)
    mask[2, 3, 4] = 1
    draw(node, "Femur", mask, ijk_to_ras())
    sharp, smooth = (check_surface(segment_surfaces(node, ids(node), smoothing=factor)[0]) for factor in (0, 0.5))
    assert len(sharp.shells) == 2 and sharp.surface.collapsed == 0
    assert len(smooth.shells) == 1 and "8 triangles that enclosed nothing left out" in smooth.warnings


def test_the_colour_is_the_one_that_is_shown(knee):
    (segment_id,) = ids(knee)
    assert segment_surfaces(knee, [segment_id])[0].colour == knee.GetSegmentation().GetSegment(segment_id).GetColor()
    knee.GetDisplayNode().SetSegmentOverrideColor(segment_id, 1, 0.5, 0)
    assert segment_surfaces(knee, [segment_id])[0].colour == (1, 0.5, 0)


def test_a_segment_named_twice_is_one_surface(knee):
    assert len(segment_surfaces(knee, ids(knee) * 2)) == 1


def test_representations_are_called_as_slicer_calls_them():
    converter = slicer.vtkSegmentationConverter
    assert converter.GetSegmentationClosedSurfaceRepresentationName() == "Closed surface"
    assert converter.GetSegmentationBinaryLabelmapRepresentationName() == "Binary labelmap"


def test_an_stl_file_holds_the_surface_in_lps_millimetres(knee, tmp_path):
    (path,), (report,) = export_segments(knee, ids(knee), tmp_path)

    assert path == tmp_path / "Knee_Femur.stl"
    assert b"SPACE=LPS" in path.read_bytes()[:80]
    mesh = read_mesh(path)
    assert mesh.GetBounds() == pytest.approx(bounds_in_lps(report.surface), abs=1e-4)
    assert mesh.GetNumberOfPolys() == len(report.surface.triangles)
    assert volume(mesh) == pytest.approx(report.volume_mm3, rel=1e-5)


def test_ras_is_written_when_asked_and_the_file_says_so(knee, tmp_path):
    (path,), (report,) = export_segments(knee, ids(knee), tmp_path, lps=False)
    assert b"SPACE=RAS" in path.read_bytes()[:80]
    assert read_mesh(path).GetBounds()[::2] == pytest.approx(report.surface.points.min(axis=0), abs=1e-4)


def test_an_obj_file_comes_with_its_materials(knee, tmp_path):
    draw(knee, "Knorpel übrig", ball(ijk_to_ras(), 4.0), ijk_to_ras())
    paths, reports = export_segments(knee, ids(knee)[1:], tmp_path, file_format="obj")

    assert [path.name for path in paths] == ["Knee_Knorpel_übrig.obj", "Knee_Knorpel_übrig.mtl"]
    assert "mtllib Knee_Knorpel_übrig.mtl\n" in paths[0].read_text("utf-8")
    assert "SPACE=LPS" in paths[0].read_text("utf-8")
    assert read_mesh(paths[0]).GetBounds() == pytest.approx(bounds_in_lps(reports[0].surface), abs=1e-4)
    assert "newmtl" in paths[1].read_text()


def test_a_3mf_file_holds_all_chosen_segments_with_their_names(knee, tmp_path):
    draw(knee, "Tibia", ball(ijk_to_ras(), 3.0), ijk_to_ras())
    (path,), reports = export_segments(knee, ids(knee), tmp_path, file_format="3mf", merged=True)

    assert path == tmp_path / "Knee.3mf"
    with ZipFile(path) as archive:
        model = ElementTree.fromstring(archive.read("3D/3dmodel.model"))
    objects = {entry.get("name"): len(entry.findall(".//{*}triangle")) for entry in model.findall(".//{*}object")}
    assert objects == {"Femur": len(reports[0].surface.triangles), "Tibia": len(reports[1].surface.triangles), "Knee": 0}


@pytest.mark.parametrize("file_format, names", [("stl", ["Knee.stl"]), ("obj", ["Knee.obj", "Knee.mtl"])])
def test_merged_segments_are_one_file(knee, tmp_path, file_format, names):
    draw(knee, "Tibia", ball(ijk_to_ras(), 3.0), ijk_to_ras())
    paths, reports = export_segments(knee, ids(knee), tmp_path, file_format=file_format, merged=True)
    assert [path.name for path in paths] == names
    assert read_mesh(paths[0]).GetNumberOfPolys() == sum(len(report.surface.triangles) for report in reports)


def test_names_that_files_cannot_have_are_changed_and_kept_apart(knee, tmp_path):
    knee.SetName("Knee: 2/3")
    for name in ("Tibia a/b", "Tibia a?b", "???"):
        draw(knee, name, ball(ijk_to_ras(), 3.0), ijk_to_ras())
    paths, _ = export_segments(knee, ids(knee), tmp_path)
    assert [path.name for path in paths] == [
        "Knee_2_3_Femur.stl", "Knee_2_3_Tibia_a_b.stl", "Knee_2_3_Tibia_a_b_2.stl", "Knee_2_3_surface.stl",
    ]  # fmt: skip
    assert sorted(os.listdir(tmp_path)) == sorted(path.name for path in paths)


@pytest.mark.parametrize("file_format", ["stl", "obj", "3mf"])
def test_a_name_of_which_nothing_is_left_and_a_folder_with_any_letters_do(knee, tmp_path, file_format):
    knee.SetName("???")
    folder = tmp_path / "Knie – 膝"
    folder.mkdir()
    paths, _ = export_segments(knee, ids(knee), folder, file_format=file_format, merged=True)
    assert paths[0] == folder / f"surface.{file_format}"
    assert sorted(os.listdir(folder)) == sorted(path.name for path in paths)
    assert paths[0].stat().st_size > 10_000


def test_overlapping_segments_are_each_exported_whole(knee):
    draw(knee, "Core", ball(ijk_to_ras(), 5.0), ijk_to_ras())
    large, small = (check_surface(surface).volume_mm3 for surface in segment_surfaces(knee, ids(knee)))
    assert (large, small) == pytest.approx((BALL_MM3, BALL_MM3 / 8), rel=0.03)


def test_segments_in_one_shared_labelmap_are_told_apart(knee):
    draw(knee, "Island", ball(ijk_to_ras(), 2.5, shift=(11.5, 0, 0)), ijk_to_ras())
    slicer.vtkSlicerSegmentationsModuleLogic.CollapseBinaryLabelmaps(knee, True)
    assert knee.GetSegmentation().GetNumberOfLayers() == 1

    (island,) = segment_surfaces(knee, ids(knee)[1:])
    assert island.name == "Island"
    assert island.drawn_mm3 == pytest.approx(4 / 3 * np.pi * 2.5**3, rel=0.2)


def test_islands_and_cavities_of_a_segment_are_reported_and_dropped_when_asked(scene, tmp_path):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Knee")
    mask = ball(ijk_to_ras(), 8.0) - ball(ijk_to_ras(), 3.0)
    mask[2, 3, 4] = mask[20, 3, 4] = 1
    draw(node, "Femur", mask, ijk_to_ras())

    _, (report,) = export_segments(node, ids(node), tmp_path, smoothing=0)
    assert report.flaws == ()
    assert report.warnings[0] == "2 loose islands below 1 % of the volume" and report.warnings[1].startswith("1 closed cavity")
    _, (report,) = export_segments(node, ids(node), tmp_path, smoothing=0, smallest_shell_mm3=20, overwrite=True)
    assert len(report.shells) == 2 and report.warnings[0].startswith("2 shells")
    _, (report,) = export_segments(node, ids(node), tmp_path, smoothing=0, largest_shell_only=True, overwrite=True)
    assert [shell.is_cavity for shell in report.shells] == [False, True]


def test_a_file_that_exists_is_replaced_only_when_asked(knee, tmp_path):
    present = tmp_path / "Knee_Femur.stl"
    present.write_text("precious")
    with pytest.raises(RequestError, match="Knee_Femur.stl: exists already"):
        export_segments(knee, ids(knee), tmp_path)
    assert present.read_text() == "precious"

    export_segments(knee, ids(knee), tmp_path, overwrite=True)
    assert read_mesh(present).GetNumberOfPolys() > 1000


@pytest.mark.parametrize("file_format", ["stl", "obj", "3mf"])
def test_a_full_disk_leaves_nothing_and_what_was_there_stays(knee, tmp_path, file_format):
    reports = [check_surface(surface) for surface in segment_surfaces(knee, ids(knee))]
    present = tmp_path / f"Knee_Femur.{file_format}"
    present.write_text("precious")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(WorkError, match="not written"):
            write_surfaces(reports, tmp_path, "Knee", file_format=file_format, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert all("disk space" in failure for failure in host.failures())  # VTK says it too, in the application's log
    assert os.listdir(tmp_path) == [present.name] and present.read_text() == "precious"


@pytest.mark.parametrize("file_format", ["stl", "obj"])
def test_a_file_that_slicer_leaves_cut_off_is_not_taken_for_whole(knee, tmp_path, monkeypatch, file_format):
    class CutsOff(slicer.vtkSlicerSegmentationsModuleLogic):
        @staticmethod
        def ExportSegmentsClosedSurfaceRepresentationToFiles(folder, *arguments):
            slicer_exports(folder, *arguments)
            (written,) = Path(folder).glob(f"*.{file_format}")
            os.truncate(written, written.stat().st_size - 100)
            return True

    slicer_exports = slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsClosedSurfaceRepresentationToFiles
    monkeypatch.setattr(slicer, "vtkSlicerSegmentationsModuleLogic", CutsOff)
    with pytest.raises(WorkError, match="not written whole"):
        export_segments(knee, ids(knee), tmp_path, file_format=file_format)
    assert os.listdir(tmp_path) == []


def imported(scene, mesh, name="Implant"):
    """A segmentation made of an imported model."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Imported")
    node.SetSourceRepresentationToClosedSurface()
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.AddRepresentation("Closed surface", mesh)
    node.GetSegmentation().AddSegment(segment)
    return node


def test_an_open_imported_model_is_refused_unless_flaws_are_accepted(scene, tmp_path):
    disk = vtk.vtkDiskSource()
    disk.Update()
    node = imported(scene, disk.GetOutput())

    with pytest.raises(RequestError, match="'Implant': open: 12 boundary edges"):
        export_segments(node, ids(node), tmp_path)
    with pytest.raises(RequestError, match="open"):
        export_segments(node, ids(node), tmp_path, file_format="3mf", accept_flaws=True)
    assert os.listdir(tmp_path) == []
    (path,), _ = export_segments(node, ids(node), tmp_path, accept_flaws=True)
    assert read_mesh(path).GetNumberOfPolys() == 12


def test_an_imported_model_is_written_as_it_is(scene, tmp_path):
    source = vtk.vtkSphereSource()
    source.SetRadius(10)
    source.Update()
    node = imported(scene, source.GetOutput())

    assert not takes_smoothing(node)
    (path,), _ = export_segments(node, ids(node), tmp_path)
    assert read_mesh(path).GetNumberOfPolys() == source.GetOutput().GetNumberOfPolys()
    with pytest.raises(RequestError, match="imported surfaces"):
        export_segments(node, ids(node), tmp_path, smoothing=0.5)


def test_an_empty_segment_is_refused_by_name(knee):
    empty = knee.GetSegmentation().AddEmptySegment("", "Patella")
    with pytest.raises(RequestError, match="segment 'Patella' of 'Knee': it is empty"):
        segment_surfaces(knee, [*ids(knee)[:1], empty])


def test_a_segment_erased_again_is_empty_too(knee):
    erased = draw(knee, "Patella", np.zeros(SHAPE, np.uint8), ijk_to_ras())
    with pytest.raises(RequestError, match="'Patella'.*it is empty"):
        segment_surfaces(knee, [erased])


def test_a_single_voxel_is_exported(knee, tmp_path):
    mask = np.zeros(SHAPE, np.uint8)
    mask[3, 3, 3] = 1
    _, (report,) = export_segments(knee, [draw(knee, "Dot", mask, ijk_to_ras())], tmp_path, smoothing=0)
    assert report.flaws == ()


@pytest.mark.parametrize("options, words", [
    ({"smoothing": 1.5}, "smoothing: 1.5"),
    ({"smoothing": float("nan")}, "smoothing: nan"),
    ({"decimation": -0.1}, "decimation: -0.1"),
    ({"file_format": "ply"}, "file format: 'ply'; accepted are stl, obj, 3mf"),
    ({"smallest_shell_mm3": 1e9}, "all its shells are below"),
])  # fmt: skip
def test_options_that_cannot_be_used_are_refused(knee, tmp_path, options, words):
    with pytest.raises(RequestError, match=words):
        export_segments(knee, ids(knee), tmp_path, **options)
    assert os.listdir(tmp_path) == []


def test_decimation_to_the_utmost_leaves_a_surface_or_an_error(knee):
    (surface,) = segment_surfaces(knee, ids(knee), decimation=1.0)
    assert check_surface(surface).warnings


def test_segments_and_nodes_that_are_not_there_are_refused(knee, tmp_path):
    other_scene = slicer.vtkMRMLScene()
    stranger = other_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Stranger")
    volume_node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "volume")
    for node, segments, words in (
        (knee, [], "'Knee': no segment chosen"),
        (knee, ["no-such-id"], "'Knee': there is no segment 'no-such-id'"),
        (stranger, ["x"], "found 'Stranger'"),
        (volume_node, ["x"], "found 'volume', a vtkMRMLScalarVolumeNode"),
        (None, ["x"], "found no node"),
    ):
        with pytest.raises(RequestError, match=words):
            export_segments(node, segments, tmp_path)


def test_a_folder_that_is_missing_or_closed_is_refused(knee, tmp_path, monkeypatch):
    with pytest.raises(RequestError, match="missing: there is no such folder"):
        export_segments(knee, ids(knee), tmp_path / "missing")
    monkeypatch.setattr(os, "access", lambda *_: False)  # the superuser may write everywhere
    with pytest.raises(RequestError, match="no permission to write"):
        export_segments(knee, ids(knee), tmp_path)
