"""A result file becomes a volume node that looks like its input and lies beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import slicer
import vtk

from .volume_nodes import DICOM_UIDS

INPUT_REFERENCE = "SuperResolutionInput"
"""Role under which a result node refers to the volume it was made from."""


@dataclass(frozen=True)
class Origin:
    """What a result takes over from its input, remembered at the start, since the input may be gone at the end.

    Attributes
    ----------
    node_id, name : str
    parent_item : int
        The item it lies under: its study, or the scene.
    transform_id : str
        The input's parent transform; empty if none.
    display : vtkMRMLScalarVolumeDisplayNode or None
        A copy of the input's.
    instance_uids : str
        DICOM instance UIDs of the input's slices, separated by spaces; empty where unknown.
    """

    node_id: str
    name: str
    parent_item: int
    transform_id: str
    display: slicer.vtkMRMLScalarVolumeDisplayNode | None
    instance_uids: str


def origin_of(node: slicer.vtkMRMLScalarVolumeNode) -> Origin:
    """Return what a result will take over from a node."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(node)
    display = None
    if node.GetDisplayNode() is not None:
        display = slicer.vtkMRMLScalarVolumeDisplayNode()
        display.CopyContent(node.GetDisplayNode())
        display.SetAndObserveColorNodeID(node.GetDisplayNode().GetColorNodeID())
    return Origin(
        node.GetID(),
        node.GetName(),
        hierarchy.GetItemParent(item) if item else hierarchy.GetSceneItemID(),
        node.GetTransformNodeID() or "",
        display,
        node.GetAttribute(DICOM_UIDS) or "",
    )


def result_name(origin: Origin, factor: int, model: str) -> str:
    """Return the name of a new result node."""
    return f"{origin.name} ×{factor} {model}"


def load_result(
    path: Path, origin: Origin, name: str, output: slicer.vtkMRMLScalarVolumeNode | None = None
) -> slicer.vtkMRMLScalarVolumeNode:
    """Load a result into a node beside its input.

    Parameters
    ----------
    path : path
        NRRD file of the engine, whose fields become the node's attributes.
    origin : Origin
    name : str
        Of a new node.
    output : vtkMRMLScalarVolumeNode, optional
        The node to fill; without it a new one is made.

    Raises
    ------
    RuntimeError
        If the file cannot be loaded; no new node is left then.
    """
    scene = slicer.mrmlScene
    node = output or scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GetUniqueNameByString(name))
    # Not the node's own storage node: the file is temporary, and saving the scene must not look for it.
    storage = slicer.vtkMRMLNRRDStorageNode()
    storage.SetFileName(str(path))
    modifying = node.StartModify()
    try:
        if not storage.ReadData(node):
            if output is None:
                scene.RemoveNode(node)
            raise RuntimeError(f"{path.name}: the result could not be loaded; see Slicer's error log")
        _take_over(node, origin)
    finally:
        node.EndModify(modifying)
    return node


def _take_over(node: slicer.vtkMRMLScalarVolumeNode, origin: Origin) -> None:
    scene = slicer.mrmlScene
    node.CreateDefaultDisplayNodes()
    if origin.display is not None:
        # Copying takes over the reference to a colour table as well, also to one that was removed meanwhile.
        colors = origin.display.GetColorNodeID(), node.GetDisplayNode().GetColorNodeID()
        node.GetDisplayNode().CopyContent(origin.display)
        # A fixed window, since an automatic one would differ a little from the input's and spoil the comparison.
        node.GetDisplayNode().SetAutoWindowLevel(False)
        node.GetDisplayNode().SetAndObserveColorNodeID(next((each for each in colors if each and scene.GetNodeByID(each)), None))
    transform = scene.GetNodeByID(origin.transform_id) if origin.transform_id else None
    node.SetAndObserveTransformNodeID(origin.transform_id if transform else None)
    node.SetNodeReferenceID(INPUT_REFERENCE, origin.node_id if scene.GetNodeByID(origin.node_id) else None)
    node.SetAttribute(DICOM_UIDS, origin.instance_uids or None)
    hierarchy = scene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(origin.parent_item, node)
    # The parent may have been removed meanwhile, and asking for a removed item is an error.
    there = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), there, True)
    if origin.parent_item == hierarchy.GetSceneItemID() or there.IsId(origin.parent_item) >= 0:
        hierarchy.SetItemParent(item, origin.parent_item)
