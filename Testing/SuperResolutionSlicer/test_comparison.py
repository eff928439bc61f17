import os
import subprocess
import sys

import numpy as np
import pytest
import slicer
import slicer.util
import vtk

import host
from SuperResolutionSlicer import compare_layout, crosshair
from SuperResolutionSlicer.comparison import Comparison
from SuperResolutionSlicer.difference import make_difference

FACTOR = 4
THICK = (8, 20, 28)  # k, j, i
SPACING = (1.0, 1.2, 4.0)  # i, j, k, mm
TURN = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]) @ np.array([[1.0, 0.0, 0.0], [0.0, 0.96, -0.28], [0.0, 0.28, 0.96]])
HALFWAY = np.array([[1.0, -1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 2**0.5]]) / 2**0.5
DIRECTIONS = {
    "axial": np.diag([-1.0, -1.0, 1.0]),
    "sagittal": np.array([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]),
    "oblique": TURN,
    "at 45 degrees": HALFWAY,
    "left-handed": np.diag([1.0, -1.0, 1.0]),
}
MARK = (6, 14, 17)  # k, j, i of the brightest voxel


def add_volume(name: str, voxels: np.ndarray, to_ras: np.ndarray) -> slicer.vtkMRMLScalarVolumeNode:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(to_ras))
    slicer.util.updateVolumeFromArray(node, voxels)
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetAutoWindowLevel(False)
    node.GetDisplayNode().SetWindowLevel(1000, 500)
    return node


@pytest.fixture
def make_volumes(scene):
    """Make a thick volume with one bright voxel, its linear interpolation and a sharper result, with axes along given directions."""

    def make(directions: np.ndarray = TURN) -> tuple:
        to_ras = np.eye(4)
        to_ras[:3, :3] = directions * SPACING
        to_ras[:3, 3] = (12.0, -30.0, 50.0)
        finer = np.eye(4)
        finer[2, 2], finer[2, 3] = 1 / FACTOR, (1 / FACTOR - 1) / 2
        voxels = np.random.default_rng(3).integers(0, 100, THICK).astype(np.int16)
        voxels[MARK] = 1000
        fine = np.repeat(voxels, FACTOR, axis=0)
        smooth = (fine // 3 + np.roll(fine, 1, axis=0) // 3 + np.roll(fine, -1, axis=0) // 3).astype(np.int16)
        return (
            add_volume("knee", voxels, to_ras),
            add_volume("knee ×4 linear", smooth, to_ras @ finer),
            add_volume("knee ×4 fast", fine, to_ras @ finer),
        )

    return make


@pytest.fixture
def comparison(views):
    comparison = Comparison()
    yield comparison
    comparison.leave()


def widgets(views, *roles, row: int = 0) -> list:
    return [views.sliceWidget(compare_layout.tag(role, row)) for role in roles or ("Input", "Interpolation", "Result")]


def place_at(node: slicer.vtkMRMLSliceNode, right: float, up: float) -> np.ndarray:
    """Return the RAS mm of a pixel counted from the middle of a view."""
    width, height, _ = node.GetDimensions()
    return (slicer.util.arrayFromVTKMatrix(node.GetXYToRAS()) @ [width / 2 + right, height / 2 + up, 0, 1])[:3]


def normal_of(node: slicer.vtkMRMLSliceNode) -> np.ndarray:
    return slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())[:3, 2]


def brightest(widget) -> np.ndarray:
    """Return where the brightest spot of a view lies, in pixels from its middle to the right and up."""
    size = widget.sliceView().renderWindow().GetSize()
    widget.sliceView().forceRender()
    pixels = vtk.vtkUnsignedCharArray()
    widget.sliceView().renderWindow().GetPixelData(0, 0, size[0] - 1, size[1] - 1, 0, pixels, 0)
    rgb = np.asarray(pixels).reshape(size[1], size[0], 3)
    grey = rgb.min(axis=2) * (np.ptp(rgb.astype(int), axis=2) < 5)  # the crosshair is coloured
    rows, columns = np.nonzero(grey >= 0.9 * grey.max())
    return np.array([columns.mean() - size[0] / 2, rows.mean() - size[1] / 2])


def do_with_mouse(widget, *steps: tuple, shift: bool = False) -> None:
    interactor = widget.sliceView().interactor()
    for event, x, y in (("EnterEvent", 100, 100), ("MouseMoveEvent", 100, 100), *steps, ("LeaveEvent", 0, 0)):
        interactor.SetEventInformation(x, y, 0, int(shift and (event, x, y) in steps))
        interactor.InvokeEvent(event)


def test_each_volume_has_a_view_of_its_own(views, comparison, make_volumes):
    volumes = make_volumes()
    comparison.show(*volumes)
    assert comparison.shown
    assert [widget.mrmlSliceCompositeNode().GetBackgroundVolumeID() for widget in widgets(views)] == [v.GetID() for v in volumes]
    assert [widget.visible for widget in widgets(views)] == [True] * 3
    assert not views.sliceWidget("Red").visible


def test_the_volumes_of_other_views_stay(views, comparison, make_volumes):
    thick, linear, fast = make_volumes()
    red = views.sliceWidget("Red").mrmlSliceCompositeNode()
    red.SetBackgroundVolumeID(linear.GetID())
    comparison.show(thick, linear, fast)
    assert red.GetBackgroundVolumeID() == linear.GetID()


def test_a_view_is_named_after_the_model_that_made_its_volume(views, comparison, make_volumes):
    thick, linear, fast = make_volumes()
    linear.SetAttribute("SuperResolution.model", "linear")
    comparison.show(thick, linear, fast)
    assert [widget.mrmlSliceNode().GetLayoutLabel() for widget in widgets(views)] == ["Input", "linear", "Result"]


def test_without_an_interpolation_input_and_result_remain(views, comparison, make_volumes):
    thick, _, fast = make_volumes()
    comparison.show(thick, None, fast)
    shown = {name for name in views.sliceViewNames() if views.sliceWidget(name).visible}
    assert shown == {"SuperResolutionInput", "SuperResolutionResult"}


@pytest.mark.parametrize("directions", DIRECTIONS.values(), ids=DIRECTIONS)
@pytest.mark.parametrize("planes", [1, 3])
def test_the_same_pixel_of_all_views_in_a_row_is_the_same_place(views, comparison, make_volumes, directions, planes):
    comparison.show(*make_volumes(directions), planes=planes)
    for row in range(planes):
        nodes = [widget.mrmlSliceNode() for widget in widgets(views, row=row)]
        for pixel in ((0, 0), (40, -25)):
            places = [place_at(node, *pixel) for node in nodes]
            assert np.ptp(places, axis=0).max() < 1e-6


@pytest.mark.parametrize("directions", DIRECTIONS.values(), ids=DIRECTIONS)
def test_the_plane_contains_the_axis_that_became_finer(views, comparison, make_volumes, directions):
    comparison.show(*make_volumes(directions))
    normal = normal_of(widgets(views)[0].mrmlSliceNode())
    assert np.abs(directions.T @ normal) == pytest.approx([0, 1, 0], abs=1e-9)  # k is in it, and i, which is longer than j


@pytest.mark.parametrize("directions", DIRECTIONS.values(), ids=DIRECTIONS)
def test_three_rows_show_the_three_planes_of_the_voxels(views, comparison, make_volumes, directions):
    comparison.show(*make_volumes(directions), planes=3)
    normals = [normal_of(widgets(views, "Result", row=row)[0].mrmlSliceNode()) for row in range(3)]
    assert np.sort(np.abs(directions.T @ np.array(normals).T), axis=0) == pytest.approx(np.sort(np.eye(3), axis=0), abs=1e-9)
    assert np.abs(directions.T @ normals[2]) == pytest.approx([0, 0, 1], abs=1e-9)  # the acquired plane comes last


@pytest.mark.parametrize(("slices", "stacked"), [(2, True), (8, False)])
def test_flat_pictures_lie_one_above_the_other(views, comparison, make_volumes, slices, stacked):
    thick, smooth, fine = make_volumes(DIRECTIONS["axial"])
    for node, kept in ((thick, slices), (smooth, slices * FACTOR), (fine, slices * FACTOR)):
        slicer.util.updateVolumeFromArray(node, slicer.util.arrayFromVolume(node)[:kept].copy())
    comparison.show(thick, smooth, fine)
    sizes = {tuple(widget.mrmlSliceNode().GetDimensions()[:2]) for widget in widgets(views)}
    assert all((width > 2 * height) is stacked for width, height in sizes)


def test_comparing_again_stays_where_the_user_has_scrolled_to(views, comparison, make_volumes):
    volumes = make_volumes()
    comparison.show(*volumes)
    do_with_mouse(widgets(views)[0], ("MouseWheelForwardEvent", 100, 100), ("MouseWheelForwardEvent", 100, 100))
    place = place_at(widgets(views)[0].mrmlSliceNode(), 0, 0)
    comparison.show(*volumes, planes=3)
    assert place_at(widgets(views)[0].mrmlSliceNode(), 0, 0) == pytest.approx(place)
    other = make_volumes()
    comparison.show(*other)
    assert normal_of(widgets(views)[0].mrmlSliceNode()) @ (place_at(widgets(views)[0].mrmlSliceNode(), 0, 0) - place) != pytest.approx(0)


def test_an_oblique_volume_lies_straight_with_the_head_up(views, comparison, make_volumes):
    comparison.show(*make_volumes(TURN))
    axes = slicer.util.arrayFromVTKMatrix(widgets(views)[0].mrmlSliceNode().GetSliceToRAS())[:3, :3]
    assert axes[:, 1] == pytest.approx(TURN[:, 2])  # up is along k, which runs to the head
    assert axes.T @ axes == pytest.approx(np.eye(3))


def test_the_bright_voxel_is_drawn_at_the_same_pixel_in_every_view(views, comparison, make_volumes):
    thick, linear, fast = make_volumes()
    k, j, i = MARK
    place = [0.0] * 4
    matrix = vtk.vtkMatrix4x4()
    thick.GetIJKToRASMatrix(matrix)
    matrix.MultiplyPoint([i, j, k, 1], place)
    comparison.show(thick, linear, fast, position=place[:3])
    spots = [brightest(widget) for widget in widgets(views)]
    assert np.hypot(*spots[0]) > 20  # not by chance: the mark is away from the middle
    assert np.ptp(spots, axis=0).max() < 3


def test_all_of_the_volume_is_in_view(views, comparison, make_volumes):
    thick, linear, fast = make_volumes()
    comparison.show(thick, linear, fast, planes=3)
    sizes = [np.multiply(SPACING, THICK[::-1])[list(axes)] for axes in ((1, 2), (0, 2), (0, 1))]
    for row in range(3):
        field = widgets(views, row=row)[0].mrmlSliceNode().GetFieldOfView()[:2]
        assert any(np.all(np.sort(field) >= np.sort(size)) for size in sizes)


def test_all_views_have_one_scale(views, comparison, make_volumes):
    comparison.show(*make_volumes(), planes=3)
    nodes = [widget.mrmlSliceNode() for row in range(3) for widget in widgets(views, row=row)]
    scales = np.array([np.divide(node.GetFieldOfView()[:2], node.GetDimensions()[:2]) for node in nodes])
    assert np.ptp(scales) < 1e-9


def test_the_wheel_scrolls_all_views_of_the_row_and_no_other(views, comparison, make_volumes):
    comparison.show(*make_volumes())
    others = views.sliceWidget("Red").mrmlSliceNode().GetSliceOffset()
    nodes = [widget.mrmlSliceNode() for widget in widgets(views)]
    before = nodes[0].GetSliceOffset()
    do_with_mouse(widgets(views)[2], ("MouseWheelForwardEvent", 100, 100))
    assert nodes[0].GetSliceOffset() != before
    assert [node.GetSliceOffset() for node in nodes] == pytest.approx([nodes[0].GetSliceOffset()] * 3)
    assert views.sliceWidget("Red").mrmlSliceNode().GetSliceOffset() == others


def test_dragging_with_the_right_button_zooms_all_views(views, comparison, make_volumes):
    comparison.show(*make_volumes())
    nodes = [widget.mrmlSliceNode() for widget in widgets(views)]
    before = nodes[0].GetFieldOfView()[0]
    drag = ("RightButtonPressEvent", 100, 100), ("MouseMoveEvent", 100, 160), ("RightButtonReleaseEvent", 100, 160)
    do_with_mouse(widgets(views)[1], *drag)
    fields = [node.GetFieldOfView()[0] / node.GetDimensions()[0] for node in nodes]
    assert nodes[0].GetFieldOfView()[0] != before
    assert fields == pytest.approx([fields[0]] * 3, rel=0.01)  # widths may differ by a pixel


def test_dragging_with_the_middle_button_pans_all_views(views, comparison, make_volumes):
    comparison.show(*make_volumes())
    nodes = [widget.mrmlSliceNode() for widget in widgets(views)]
    drag = ("MiddleButtonPressEvent", 100, 100), ("MouseMoveEvent", 130, 120), ("MiddleButtonReleaseEvent", 130, 120)
    do_with_mouse(widgets(views)[0], *drag)
    assert np.hypot(*nodes[0].GetXYZOrigin()[:2]) > 1
    assert [node.GetXYZOrigin() for node in nodes] == [pytest.approx(nodes[0].GetXYZOrigin())] * 3


def test_comparing_again_brings_views_together_that_were_moved_apart(views, comparison, make_volumes):
    volumes = make_volumes()
    comparison.show(*volumes)
    widgets(views)[1].mrmlSliceNode().SetXYZOrigin(5, 6, 0)
    comparison.show(*volumes)
    assert np.ptp([place_at(widget.mrmlSliceNode(), 0, 0) for widget in widgets(views)], axis=0).max() < 1e-6


def test_moving_the_mouse_with_shift_sends_all_rows_to_the_place_below_it(views, comparison, make_volumes):
    comparison.show(*make_volumes(), planes=3)
    red = views.sliceWidget("Red").mrmlSliceNode().GetSliceOffset()
    source = widgets(views)[0]
    width, height, _ = source.mrmlSliceNode().GetDimensions()
    place = place_at(source.mrmlSliceNode(), 20, -10)
    do_with_mouse(source, ("MouseMoveEvent", width // 2 + 20, height // 2 - 10), shift=True)
    assert crosshair.position() == pytest.approx(place, abs=1)  # an odd width has no pixel in its middle
    for row in range(3):
        for widget in widgets(views, row=row):
            node = widget.mrmlSliceNode()
            assert normal_of(node) @ (place_at(node, 0, 0) - crosshair.position()) == pytest.approx(0, abs=1e-6)
    assert views.sliceWidget("Red").mrmlSliceNode().GetSliceOffset() == red


def test_the_window_of_one_volume_is_that_of_all(comparison, make_volumes):
    volumes = make_volumes()
    volumes[0].GetDisplayNode().SetWindowLevel(300, 90)
    comparison.show(*volumes)
    displays = [volume.GetDisplayNode() for volume in volumes]
    assert {(display.GetWindow(), display.GetLevel()) for display in displays} == {(300, 90)}
    displays[2].SetWindowLevel(77, 33)
    assert {(display.GetWindow(), display.GetLevel()) for display in displays} == {(77, 33)}


def test_the_difference_keeps_its_window(comparison, make_volumes):
    thick, linear, fast = make_volumes()
    difference = make_difference(fast, linear)
    window = difference.GetDisplayNode().GetWindow()
    comparison.show(thick, linear, fast, difference)
    thick.GetDisplayNode().SetWindowLevel(window + 50, 20)
    assert (difference.GetDisplayNode().GetWindow(), difference.GetDisplayNode().GetLevel()) == (window, 0)


def test_a_volume_that_is_loaded_takes_the_place_of_none(views, comparison, make_volumes):
    volumes = make_volumes()
    comparison.show(*volumes)
    selection = slicer.app.applicationLogic().GetSelectionNode()
    selection.SetActiveVolumeID(volumes[2].GetID())
    slicer.app.applicationLogic().PropagateVolumeSelection()
    assert [widget.mrmlSliceCompositeNode().GetBackgroundVolumeID() for widget in widgets(views)] == [v.GetID() for v in volumes]


def test_one_call_leads_back_to_the_layout_before(views, comparison, make_volumes):
    views.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    volumes = make_volumes()
    comparison.show(*volumes)
    comparison.show(*volumes, planes=3)
    assert comparison.leave() is True
    assert views.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView and not comparison.shown
    assert comparison.leave() is False


def test_a_layout_that_the_user_chose_meanwhile_stays(views, comparison, make_volumes):
    comparison.show(*make_volumes())
    views.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpGreenSliceView)
    assert comparison.leave() is False
    assert views.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpGreenSliceView


def test_leaving_unlinks_the_windows_and_brings_the_crosshair_back(comparison, make_volumes):
    node = crosshair.crosshair_node()
    node.SetCrosshairMode(node.NoCrosshair)
    thick, linear, fast = make_volumes()
    comparison.show(thick, linear, fast)
    assert node.GetCrosshairMode() == node.ShowSmallBasic and node.GetCrosshairBehavior() == node.OffsetJumpSlice
    comparison.leave()
    assert node.GetCrosshairMode() == node.NoCrosshair
    thick.GetDisplayNode().SetWindowLevel(11, 12)
    assert fast.GetDisplayNode().GetWindow() != 11


def test_closing_the_scene_leads_back(views, comparison, make_volumes):
    views.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView)
    comparison.show(*make_volumes())
    slicer.mrmlScene.Clear(0)
    assert views.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView
    comparison.show(*make_volumes())
    assert comparison.shown


def test_a_scene_that_is_saved_while_comparing_opens_comparing(views, comparison, make_volumes, tmp_path):
    comparison.show(*make_volumes())
    field = widgets(views)[0].mrmlSliceNode().GetFieldOfView()
    slicer.app.applicationLogic().SaveSceneToSlicerDataBundleDirectory(str(tmp_path), None)
    slicer.mrmlScene.Clear(0)
    assert not comparison.shown
    slicer.mrmlScene.SetURL(str(next(tmp_path.glob("*.mrml"))))
    slicer.mrmlScene.Connect()
    assert comparison.shown
    shown = [slicer.mrmlScene.GetNodeByID(each.mrmlSliceCompositeNode().GetBackgroundVolumeID()).GetName() for each in widgets(views)]
    assert shown == ["knee", "knee ×4 linear", "knee ×4 fast"]
    assert widgets(views)[0].mrmlSliceNode().GetFieldOfView() == pytest.approx(field)
    # Slicer's own words on every turned view in a scene that it opens; nothing is wrong.
    assert all("invalid orientation preset name: Reformat" in failure for failure in host.failures())


def test_slicer_can_know_the_layout_before_anything_is_compared(views):
    compare_layout.register()
    views.setLayout(compare_layout.LAYOUT)
    assert views.layout == compare_layout.LAYOUT
    views.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)


def test_removing_the_volumes_does_no_harm(views, comparison, make_volumes):
    thick, linear, fast = make_volumes()
    comparison.show(thick, linear, fast)
    for volume in (fast, thick):
        slicer.mrmlScene.RemoveNode(volume)
    linear.GetDisplayNode().SetWindowLevel(5, 6)
    assert widgets(views)[0].mrmlSliceCompositeNode().GetBackgroundVolumeID() is None
    assert comparison.leave() is True


def test_a_volume_without_voxels_is_refused(views, comparison, make_volumes):
    thick, linear, _ = make_volumes()
    before = views.layout
    with pytest.raises(RuntimeError, match="Compare: empty has no voxels"):
        comparison.show(thick, linear, slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))
    assert views.layout == before


def test_without_views_comparing_is_refused_and_leaving_does_nothing():
    script = """
import host
host.start()
import slicer
from SuperResolutionSlicer import compare_layout
from SuperResolutionSlicer.comparison import Comparison
node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
compare_layout.register()
print(Comparison().shown, Comparison().leave())
Comparison().show(node, None, node)
"""
    environment = {**slicer.util.startupEnvironment(), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.stdout.splitlines()[-1] == "False False"
    assert done.stderr.splitlines()[-1].startswith("RuntimeError: Compare: this Slicer has no views")
