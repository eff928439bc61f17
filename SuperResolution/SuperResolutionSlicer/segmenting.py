"""Hands the upscaled volume over to Segment Editor, so that masks are drawn on its fine grid."""

from __future__ import annotations

import slicer
import slicer.util

from SuperResolutionLib.errors import RequestError

_EDITOR_TAG = "SegmentEditor"  # of the parameter node that the Segment Editor module takes for itself


def segmentation_of(volume: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLSegmentationNode:
    """Return the segmentation whose voxels are those of a volume; the one made before, if there is one.

    It stands beside the volume in the subject hierarchy, under the same parent transform, and is shown in the views.

    Raises
    ------
    RequestError
        If the node is no scalar volume with voxels in the application's scene.
    """
    _check_volume(volume)
    segmentation = _made_before(volume)
    if segmentation is None:
        segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{volume.GetName()}_Segmentation")
        segmentation.CreateDefaultDisplayNodes()
    # Again also for an old one, since the volume may have been made anew with other voxels.
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segmentation.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    _put_beside(segmentation, volume)
    return segmentation


def _check_volume(volume) -> None:
    """Refuse what cannot be segmented."""
    if volume is None or not volume.IsA("vtkMRMLScalarVolumeNode") or volume.GetScene() is not slicer.mrmlScene:
        found = "no node" if volume is None else f"'{volume.GetName()}', a {volume.GetClassName()}"
        raise RequestError(f"segmentation: found {found}; accepted is a scalar volume of the current scene")
    if volume.GetImageData() is None or 0 in volume.GetImageData().GetDimensions():
        raise RequestError(f"'{volume.GetName()}': has no voxels; accepted are volumes with voxels")


def _made_before(volume: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLSegmentationNode | None:
    """Return the first segmentation that has its geometry from a volume."""
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    for index in range(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")):
        segmentation = slicer.mrmlScene.GetNthNodeByClass(index, "vtkMRMLSegmentationNode")
        if segmentation.GetNodeReferenceID(role) == volume.GetID():
            return segmentation
    return None


def _put_beside(segmentation: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Put a segmentation under the volume's study or folder in the subject hierarchy."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    volume_item, item = hierarchy.GetItemByDataNode(volume), hierarchy.GetItemByDataNode(segmentation)
    parent = hierarchy.GetItemParent(volume_item) if volume_item else hierarchy.GetSceneItemID()
    if not item:  # the application makes items by itself, the libraries alone do not
        hierarchy.CreateItem(parent, segmentation)
    elif hierarchy.GetItemParent(item) != parent:
        hierarchy.SetItemParent(item, parent)


def prepare_segment_editor(
    segmentation: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLSegmentEditorNode:
    """Choose what Segment Editor edits, now or when it is opened next: it keeps its choices in one node of the scene.

    Returns
    -------
    vtkMRMLSegmentEditorNode
        That node.
    """
    editor = slicer.mrmlScene.GetSingletonNode(_EDITOR_TAG, "vtkMRMLSegmentEditorNode")
    if editor is None:
        editor = slicer.vtkMRMLSegmentEditorNode()
        editor.SetSingletonTag(_EDITOR_TAG)
        editor = slicer.mrmlScene.AddNode(editor)
    # The segmentation first: an editor that is open takes the source volume from it.
    if editor.GetSegmentationNode() is not segmentation:
        editor.SetSelectedSegmentID("")
        editor.SetAndObserveSegmentationNode(segmentation)
    editor.SetAndObserveSourceVolumeNode(volume)
    return editor


def open_segment_editor(volume: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLSegmentationNode:
    """Make or find the segmentation of a volume and show it in Segment Editor.

    Raises
    ------
    RequestError
        If the volume cannot be segmented. Also if there is no main window or no Segment Editor to show; the segmentation is in the
        scene all the same then.
    """
    segmentation = segmentation_of(volume)
    prepare_segment_editor(segmentation, volume)
    ready = f"the segmentation '{segmentation.GetName()}' is ready in the scene"
    if slicer.util.mainWindow() is None:
        raise RequestError(f"Segment Editor: Slicer runs without a main window, accepted is one with it; {ready}")
    if not hasattr(slicer.modules, "segmenteditor"):
        raise RequestError(f"Segment Editor: the module is not loaded, accepted is a Slicer that has it; {ready}")
    slicer.util.selectModule("SegmentEditor")
    return segmentation
