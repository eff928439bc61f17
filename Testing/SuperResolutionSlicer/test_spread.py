"""The spread of an ensemble arrives beside its result, and is laid over the views that show that."""

import numpy as np
import pytest
import slicer
import slicer.util

from SuperResolutionLib.files import write_volume
from SuperResolutionLib.volume import Volume
from SuperResolutionSlicer.comparison import Comparison
from SuperResolutionSlicer.result_node import load_result, origin_of
from SuperResolutionSlicer.self_test import thick_node
from SuperResolutionSlicer.spread import OPACITY, SPREAD_REFERENCE, SpreadOverlay, load_spread

VOXELS = np.random.default_rng(0).uniform(0, 50, (16, 20, 24)).astype(np.float32)


@pytest.fixture
def file(tmp_path):
    """A spread as the engine writes it."""
    path = tmp_path / "result-spread.nrrd"
    write_volume(Volume(VOXELS, np.diag([1.0, 1, 0.75, 1]), "MR"), path, False)
    return path


@pytest.fixture
def result(scene, file):
    """A result with its spread."""
    origin = origin_of(thick_node())
    result = load_result(file, origin, "knee ×4 fast")
    load_spread(file, origin, result)
    return result


@pytest.fixture
def red(views):
    """What the red view shows: an atlas over the thick volume."""
    composite = views.sliceWidget("Red").mrmlSliceCompositeNode()
    atlas = slicer.util.addVolumeFromArray(np.zeros((4, 4, 4)), name="atlas")
    composite.SetForegroundVolumeID(atlas.GetID())
    composite.SetForegroundOpacity(0.3)
    return composite


@pytest.fixture
def overlay(views):
    overlay = SpreadOverlay()
    yield overlay
    overlay.hide()


def spread_of(result):
    return result.GetNodeReference(SPREAD_REFERENCE)


def over(composite):
    return composite.GetForegroundVolumeID(), composite.GetForegroundOpacity()


def test_it_is_named_after_its_result_and_lies_beside_it(result):
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    parents = {hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) for node in (result, spread_of(result))}
    assert spread_of(result).GetName() == "knee ×4 fast spread" and len(parents) == 1
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(spread_of(result)), VOXELS)


def test_small_spread_is_see_through_and_large_spread_is_bright(result):
    display = spread_of(result).GetDisplayNode()
    low, high = display.GetWindowLevelMin(), display.GetWindowLevelMax()
    assert low == pytest.approx(0, abs=1e-4)
    assert high == pytest.approx(np.percentile(VOXELS, 99.5), rel=1e-5)
    assert display.GetApplyThreshold() and display.GetLowerThreshold() == pytest.approx(0.3 * high)
    assert display.GetUpperThreshold() > VOXELS.max()
    assert display.GetColorNode() is not None and display.GetColorNodeID() != result.GetDisplayNode().GetColorNodeID()


def test_a_second_run_into_the_same_result_fills_the_same_spread(scene, result, file):
    spread, before = spread_of(result), scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    write_volume(Volume(2 * VOXELS, np.diag([1.0, 1, 0.75, 1]), "MR"), file, False)
    assert load_spread(file, origin_of(result), result) is spread is spread_of(result)
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == before
    assert spread.GetDisplayNode().GetWindow() == pytest.approx(2 * np.percentile(VOXELS, 99.5), rel=1e-3)


def test_it_is_laid_over_the_views_at_half_opacity_and_what_was_there_comes_back(overlay, red, views, result):
    yellow, before = views.sliceWidget("Yellow").mrmlSliceCompositeNode(), over(red)
    others = over(yellow)
    overlay.show(result)
    assert over(red) == over(yellow) == (spread_of(result).GetID(), OPACITY)
    overlay.hide()
    assert over(red) == before and over(yellow) == others


def test_where_some_views_show_the_result_the_others_are_left_alone(overlay, red, views, result):
    before = over(red)
    yellow = views.sliceWidget("Yellow").mrmlSliceCompositeNode()
    yellow.SetBackgroundVolumeID(result.GetID())
    overlay.show(result)
    assert over(yellow)[0] == spread_of(result).GetID() and over(red) == before


def test_in_the_compare_layout_it_lies_over_the_result_alone(overlay, views, result):
    comparison = Comparison()
    thick = slicer.mrmlScene.GetFirstNodeByName("knee")
    comparison.show(thick, None, result)
    overlay.show(result)
    shown = {name: views.sliceWidget(name).mrmlSliceCompositeNode().GetForegroundVolumeID() for name in views.sliceViewNames()}
    assert [name for name, node in shown.items() if node == spread_of(result).GetID()] == ["SuperResolutionResult"]
    comparison.leave()
    overlay.show(result)
    assert over(views.sliceWidget("Red").mrmlSliceCompositeNode())[0] == spread_of(result).GetID()
    assert views.sliceWidget("SuperResolutionResult").mrmlSliceCompositeNode().GetForegroundVolumeID() is None


def test_what_the_user_laid_over_a_view_meanwhile_stays(overlay, red, result):
    overlay.show(result)
    red.SetForegroundVolumeID(result.GetID())
    overlay.show(result)
    assert red.GetForegroundVolumeID() == result.GetID()
    overlay.hide()
    assert red.GetForegroundVolumeID() == result.GetID()


def test_a_spread_that_is_removed_leaves_what_was_there_before(scene, overlay, red, result):
    before = over(red)
    overlay.show(result)
    scene.RemoveNode(spread_of(result))
    assert over(red) == before and spread_of(result) is None


def test_what_was_there_before_and_is_gone_does_not_come_back(scene, overlay, red, result):
    overlay.show(result)
    scene.RemoveNode(scene.GetFirstNodeByName("atlas"))
    overlay.hide()
    assert red.GetForegroundVolumeID() is None


def test_a_scene_that_was_saved_with_it_is_left_without(scene, overlay, red, result):
    red.SetForegroundVolumeID(spread_of(result).GetID())
    red.SetForegroundOpacity(0.7)
    overlay.show(result)
    overlay.hide()
    assert over(red) == (None, 0)


def test_a_closed_scene_is_no_obstacle(scene, overlay, red, result):
    overlay.show(result)
    scene.Clear(0)
    overlay.hide()
