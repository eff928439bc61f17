"""A result looks like its input and lies beside it, as far as that is still there when the result arrives."""

import numpy as np
import pytest
import slicer
import slicer.util

import host
from SuperResolutionLib.files import write_volume
from SuperResolutionLib.volume import Volume
from SuperResolutionSlicer.result_node import INPUT_REFERENCE, load_result, origin_of, result_name
from SuperResolutionSlicer.self_test import thick_node
from SuperResolutionSlicer.volume_nodes import DICOM_UIDS

RAINBOW = "vtkMRMLColorTableNodeRainbow"
VOXELS = np.arange(16 * 5 * 6, dtype=np.int16).reshape(16, 5, 6)


@pytest.fixture
def file(tmp_path):
    """A result as the engine writes it."""
    path = tmp_path / "result.nrrd"
    write_volume(Volume(VOXELS, np.diag([1.0, 1, 0.75, 1]), "MR"), path, False)
    return path


@pytest.fixture
def node(scene):
    """An input with a display, a transform, a study and DICOM instances of its own."""
    node = thick_node()
    display = node.GetDisplayNode()
    display.SetAutoWindowLevel(True)
    display.SetAndObserveColorNodeID(RAINBOW)
    display.SetInterpolate(False)
    display.SetThreshold(10, 900)
    display.ApplyThresholdOn()
    node.SetAndObserveTransformNodeID(scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved").GetID())
    hierarchy = scene.GetSubjectHierarchyNode()
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study"))
    node.SetAttribute(DICOM_UIDS, "1.2.3 1.2.4")
    return node


def parent_name(node):
    """Return the name of the subject hierarchy item that a node lies under."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    return hierarchy.GetItemName(hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)))


def test_the_result_has_the_display_of_its_input_with_a_fixed_window(node, file):
    node.GetDisplayNode().SetAutoWindowLevel(True)
    window, level = node.GetDisplayNode().GetWindow(), node.GetDisplayNode().GetLevel()
    display = load_result(file, origin_of(node), "fine").GetDisplayNode()
    assert (display.GetWindow(), display.GetLevel(), display.GetAutoWindowLevel()) == (window, level, 0)
    assert display.GetColorNodeID() == RAINBOW
    assert (display.GetInterpolate(), display.GetApplyThreshold(), display.GetLowerThreshold()) == (0, 1, 10)
    assert node.GetDisplayNode().GetAutoWindowLevel()


def test_the_display_is_that_at_the_start_and_the_two_are_changed_apart(node, file):
    node.GetDisplayNode().SetAutoWindowLevel(False)
    node.GetDisplayNode().SetWindowLevel(300, 100)
    origin = origin_of(node)
    node.GetDisplayNode().SetWindowLevel(1, 1)
    result = load_result(file, origin, "fine")
    assert (result.GetDisplayNode().GetWindow(), result.GetDisplayNode().GetLevel()) == (300, 100)
    result.GetDisplayNode().SetWindowLevel(2, 2)
    assert node.GetDisplayNode().GetWindow() == 1


def test_an_input_without_a_display_gives_a_result_that_can_be_shown(scene, file):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "bare")
    assert node.GetDisplayNode() is None
    display = load_result(file, origin_of(node), "fine").GetDisplayNode()
    assert display.GetColorNodeID() == "vtkMRMLColorTableNodeGrey"


def test_what_was_removed_meanwhile_is_left_out_and_the_rest_taken_over(scene, node, file):
    origin = origin_of(node)
    scene.RemoveNode(node.GetParentTransformNode())
    hierarchy = scene.GetSubjectHierarchyNode()
    hierarchy.RemoveItem(hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)), False, True)
    scene.RemoveNode(node)
    result = load_result(file, origin, result_name(origin, 4, "fast"))
    assert result.GetName() == "knee ×4 fast"
    assert result.GetTransformNodeID() is None
    assert result.GetNodeReferenceID(INPUT_REFERENCE) is None
    assert parent_name(result) == "Scene"
    assert result.GetDisplayNode().GetColorNodeID() == RAINBOW
    assert result.GetAttribute(DICOM_UIDS) == "1.2.3 1.2.4"
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(result), VOXELS)


def test_a_colour_table_that_was_removed_meanwhile_is_replaced_by_the_usual_one(scene, node, file):
    table = scene.AddNewNodeByClass("vtkMRMLColorTableNode", "mine")
    table.SetTypeToGrey()
    node.GetDisplayNode().SetAndObserveColorNodeID(table.GetID())
    origin = origin_of(node)
    scene.RemoveNode(table)
    display = load_result(file, origin, "fine").GetDisplayNode()
    assert display.GetColorNode() is not None
    assert display.GetColorNodeID() == "vtkMRMLColorTableNodeGrey"


def test_the_result_lies_beside_its_input_under_the_same_transform(node, file):
    result = load_result(file, origin_of(node), "fine")
    assert parent_name(result) == "study"
    assert result.GetParentTransformNode() is node.GetParentTransformNode()
    assert result.GetNodeReference(INPUT_REFERENCE) is node
    assert result.GetStorageNode() is None


def test_results_of_the_same_name_are_told_apart(node, file):
    origin = origin_of(node)
    names = [load_result(file, origin, "knee ×4 fast").GetName() for _ in range(3)]
    assert names == ["knee ×4 fast", "knee ×4 fast_1", "knee ×4 fast_2"]


def test_an_output_keeps_its_name_and_loses_what_it_was_before(scene, node, file):
    output = slicer.util.addVolumeFromArray(np.zeros((2, 3, 4), np.float32), name="mine")
    output.SetAttribute(DICOM_UIDS, "9.9.9")
    output.SetAndObserveTransformNodeID(scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "other").GetID())
    output.SetNodeReferenceID(INPUT_REFERENCE, output.GetID())
    node.RemoveAttribute(DICOM_UIDS)
    node.SetAndObserveTransformNodeID(None)
    assert load_result(file, origin_of(node), "fine", output) is output
    assert output.GetName() == "mine"
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(output), VOXELS)
    assert output.GetAttribute(DICOM_UIDS) is None
    assert output.GetTransformNodeID() is None
    assert output.GetNodeReference(INPUT_REFERENCE) is node
    assert output.GetDisplayNode().GetColorNodeID() == RAINBOW
    assert parent_name(output) == "study"


@pytest.mark.parametrize("with_output", [False, True], ids=["a new node", "an output"])
def test_a_file_that_cannot_be_loaded_is_named_and_leaves_no_new_node(with_output, scene, node, tmp_path):
    broken = tmp_path / "result.nrrd"
    broken.write_bytes(b"NRRD0004\ntype: short\n")
    output = slicer.util.addVolumeFromArray(VOXELS, name="mine") if with_output else None
    before = scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    with pytest.raises(RuntimeError, match="^result.nrrd: the result could not be loaded"):
        load_result(broken, origin_of(node), "fine", output)
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == before
    assert host.failures()  # what Slicer's own reader said
