"""The MRML scene as the application has it after its start: core nodes, the application logic, and subject hierarchy items."""

import slicer
import vtk

from . import color_tables

# What subject hierarchy plugins of the application take up; the plugins are C++ on top of Qt and not in the wheel.
SHOWN_IN_SUBJECT_HIERARCHY = (
    "vtkMRMLDisplayableNode",
    "vtkMRMLTableNode",
    "vtkMRMLTextNode",
    "vtkMRMLPlotChartNode",
    "vtkMRMLSequenceNode",
)


def make_application_logic(scene) -> slicer.vtkSlicerApplicationLogic:
    """Fill an empty scene with the nodes that every scene has, and return the logic that looks after it."""
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
    logic = slicer.vtkSlicerApplicationLogic()
    logic.SetMRMLScene(scene)
    logic.GetColorLogic().SetMRMLScene(scene)
    logic.GetColorLogic().AddDefaultColorNodes()
    color_tables.add_diverging_table(scene)
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    return logic


class SubjectHierarchyItems:
    """Makes an item for every node that editors show, when it is added to the scene, and removes it with the node."""

    def __init__(self, scene):
        self.scene = scene
        scene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, self._node_added)
        scene.AddObserver(slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, self._node_about_to_be_removed)
        scene.AddObserver(slicer.vtkMRMLScene.EndImportEvent, self._import_ended)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _node_added(self, scene, event, node):
        if not scene.IsImporting():  # an imported scene brings its own hierarchy
            self._add(node)

    def _import_ended(self, scene, event):
        for index in range(scene.GetNumberOfNodes()):
            self._add(scene.GetNthNode(index))

    def _add(self, node):
        excluded = node.GetAttribute(slicer.vtkMRMLSubjectHierarchyConstants.GetSubjectHierarchyExcludeFromTreeAttributeName())
        if node.GetHideFromEditors() or excluded or not any(node.IsA(each) for each in SHOWN_IN_SUBJECT_HIERARCHY):
            return
        hierarchy = self.scene.GetSubjectHierarchyNode()
        if not hierarchy.GetItemByDataNode(node):
            hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _node_about_to_be_removed(self, scene, event, node):
        if scene.IsClosing() or node.IsA("vtkMRMLSubjectHierarchyNode"):
            return
        hierarchy = scene.GetSubjectHierarchyNode()
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.RemoveItem(item, False, False)
