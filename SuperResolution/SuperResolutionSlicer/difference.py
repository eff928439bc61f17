"""What a result has that an interpolation lacks: a volume node of their difference."""

from __future__ import annotations

import numpy as np
import slicer
import slicer.util
import vtk

MINUEND, SUBTRAHEND = "SuperResolutionMinuend", "SuperResolutionSubtrahend"
"""Roles under which a difference refers to its two volumes."""
_COLORS = "vtkMRMLColorTableNodeFileDivergingBlueRed.txt"
_SHOWN_PERCENTILE = 99.5
_TOLERANCE_MM = 1e-3


def make_difference(result: slicer.vtkMRMLScalarVolumeNode, interpolated: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeNode:
    """Return a node of result − interpolated beside the result; that of an earlier call is brought up to date.

    Raises
    ------
    ValueError
        If the two do not lie on the same grid.
    """
    _check_same_grid(result, interpolated)
    difference = slicer.util.arrayFromVolume(result).astype(np.float32) - slicer.util.arrayFromVolume(interpolated)
    node = _earlier(result, interpolated) or _new_node(result, interpolated)
    node.CopyOrientation(result)
    node.SetAndObserveTransformNodeID(result.GetTransformNodeID())
    slicer.util.updateVolumeFromArray(node, difference)
    _show_around_zero(node, float(np.percentile(np.abs(difference), _SHOWN_PERCENTILE)) or 1.0)
    return node


def _check_same_grid(result: slicer.vtkMRMLScalarVolumeNode, interpolated: slicer.vtkMRMLScalarVolumeNode) -> None:
    grids = [(node.GetImageData().GetDimensions(), _affine(node)) for node in (result, interpolated)]
    if grids[0][0] != grids[1][0] or not np.allclose(grids[0][1], grids[1][1], rtol=0, atol=_TOLERANCE_MM):
        raise ValueError(
            f"{interpolated.GetName()}: voxels {grids[1][0]} from {interpolated.GetOrigin()}; "
            f"accepted is the grid of {result.GetName()}: {grids[0][0]} from {result.GetOrigin()}"
        )


def _affine(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _earlier(result: slicer.vtkMRMLScalarVolumeNode, interpolated: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        if node.GetNodeReference(MINUEND) is result and node.GetNodeReference(SUBTRAHEND) is interpolated:
            return node
    return None


def _new_node(result: slicer.vtkMRMLScalarVolumeNode, interpolated: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeNode:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"{result.GetName()} − {interpolated.GetName()}")
    node.SetNodeReferenceID(MINUEND, result.GetID())
    node.SetNodeReferenceID(SUBTRAHEND, interpolated.GetID())
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    beside = hierarchy.GetItemByDataNode(result)
    parent = hierarchy.GetItemParent(beside) if beside else hierarchy.GetSceneItemID()
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(parent, node), parent)
    return node


def _show_around_zero(node: slicer.vtkMRMLScalarVolumeNode, largest: float) -> None:
    """Show zero in the middle of a diverging colour table, or of the greys where the table is missing."""
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    if slicer.mrmlScene.GetNodeByID(_COLORS):
        display.SetAndObserveColorNodeID(_COLORS)
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(2 * largest, 0.0)
