"""The upscaled volume is handed over to Segment Editor, with and without a main window."""

import numpy as np
import pytest
import slicer
import slicer.util
import vtk

from SuperResolutionLib.errors import RequestError
from SuperResolutionSlicer.segmenting import open_segment_editor, prepare_segment_editor, segmentation_of

IJK_TO_RAS = np.array([[0.0, 0.0, 0.6, -61.7], [0.7, 0.0, 0.0, 43.2], [0.0, 1.2, 0.0, 18.9], [0.0, 0.0, 0.0, 1.0]])


def add_volume(scene, name="knee ×4", dimensions=(5, 6, 7)):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    image = vtk.vtkImageData()
    image.SetDimensions(dimensions)
    image.AllocateScalars(vtk.VTK_SHORT, 1)
    node.SetAndObserveImageData(image)
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(IJK_TO_RAS.ravel())
    node.SetIJKToRASMatrix(matrix)
    return node


@pytest.fixture
def result(scene):
    """The upscaled volume."""
    return add_volume(scene)


def geometry_of(segmentation):
    """Matrix and dimensions of the grid that masks are drawn on."""
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    image = slicer.vtkOrientedImageData()
    text = segmentation.GetSegmentation().GetConversionParameter(name)
    assert slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, image, False)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)]), image.GetDimensions()


def editor_nodes(scene):
    return [
        scene.GetNthNodeByClass(i, "vtkMRMLSegmentEditorNode") for i in range(scene.GetNumberOfNodesByClass("vtkMRMLSegmentEditorNode"))
    ]


class MainWindow:
    """What slicer.util.selectModule asks of the main window."""

    def __init__(self):
        self.selected = []

    def moduleSelector(self):
        return self

    def selectModule(self, name):
        self.selected.append(name)


@pytest.fixture
def main_window(scene, monkeypatch):
    window = MainWindow()
    monkeypatch.setattr(slicer.util, "mainWindow", lambda: window)
    monkeypatch.setattr(slicer.modules, "segmenteditor", object(), raising=False)
    return window


def test_masks_are_drawn_on_the_voxels_of_the_result(result):
    segmentation = segmentation_of(result)

    matrix, dimensions = geometry_of(segmentation)
    np.testing.assert_allclose(matrix, IJK_TO_RAS, atol=1e-6)
    assert dimensions == (5, 6, 7)
    assert segmentation.GetName() == "knee ×4_Segmentation"
    assert segmentation.GetDisplayNode() is not None


def test_the_segmentation_lies_beside_the_result_under_the_same_transform(scene, result):
    hierarchy = scene.GetSubjectHierarchyNode()
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "knee MR")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(result), study)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registered")
    result.SetAndObserveTransformNodeID(transform.GetID())

    segmentation = segmentation_of(result)

    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(segmentation)) == study
    assert segmentation.GetParentTransformNode() is transform


def test_the_segmentation_made_before_is_used_again_with_its_segments(scene, result):
    first = segmentation_of(result)
    segment = first.GetSegmentation().AddEmptySegment("", "Femur")
    other = segmentation_of(add_volume(scene, "hip"))

    assert segmentation_of(result) is first and other is not first
    assert first.GetSegmentation().GetSegmentIDs() == (segment,)
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 2


def test_a_result_made_anew_with_other_voxels_changes_the_grid(result):
    segmentation = segmentation_of(result)
    result.GetImageData().SetDimensions(5, 6, 14)
    result.GetImageData().AllocateScalars(vtk.VTK_SHORT, 1)

    assert segmentation_of(result) is segmentation
    assert geometry_of(segmentation)[1] == (5, 6, 14)


def test_segment_editor_opens_on_the_result(scene, result, main_window):
    segmentation = open_segment_editor(result)

    # The module looks its choices up in this way; it would make a node of its own if it did not find one.
    editor = scene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
    assert editor.GetSegmentationNode() is segmentation
    assert editor.GetSourceVolumeNode() is result
    assert main_window.selected == ["SegmentEditor"]


def test_an_editor_that_was_used_before_changes_over(scene, result, main_window):
    other = add_volume(scene, "hip")
    open_segment_editor(other)
    (editor,) = editor_nodes(scene)
    editor.SetSelectedSegmentID("Segment of the hip")

    segmentation = open_segment_editor(result)

    assert editor_nodes(scene) == [editor]
    assert (editor.GetSegmentationNode(), editor.GetSourceVolumeNode()) == (segmentation, result)
    assert not editor.GetSelectedSegmentID()


def test_the_segment_selected_stays_selected_when_nothing_changes(result):
    segmentation = segmentation_of(result)
    prepare_segment_editor(segmentation, result).SetSelectedSegmentID("Femur")
    assert prepare_segment_editor(segmentation, result).GetSelectedSegmentID() == "Femur"


def test_after_the_scene_was_closed_everything_is_made_anew(scene, result, main_window):
    open_segment_editor(result)
    scene.Clear(0)
    again = add_volume(scene)
    assert open_segment_editor(again) is scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
    assert len(editor_nodes(scene)) == 1


def test_without_a_main_window_the_segmentation_is_ready_and_the_error_says_so(scene, result):
    assert slicer.util.mainWindow() is None
    with pytest.raises(RequestError, match="without a main window.*'knee ×4_Segmentation' is ready"):
        open_segment_editor(result)
    assert editor_nodes(scene)[0].GetSourceVolumeNode() is result


def test_without_the_module_the_error_says_so(result, main_window, monkeypatch):
    monkeypatch.delattr(slicer.modules, "segmenteditor")
    with pytest.raises(RequestError, match="module is not loaded"):
        open_segment_editor(result)
    assert main_window.selected == []


def test_what_cannot_be_segmented_is_refused(scene):
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    model = scene.AddNewNodeByClass("vtkMRMLModelNode", "bone")
    other_scene = slicer.vtkMRMLScene()
    stranger = other_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "stranger")
    for node, words in (
        (None, "found no node"),
        (model, "found 'bone', a vtkMRMLModelNode"),
        (stranger, "found 'stranger'"),
        (empty, "'empty': has no voxels"),
    ):
        with pytest.raises(RequestError, match=words):
            segmentation_of(node)
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
