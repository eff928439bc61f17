"""Compare: input, interpolation and result side by side, at the same place in linked views."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import qt
import slicer
import slicer.util
import vtk

from . import compare_layout, crosshair
from .slice_planes import normals_by_improvement, size_on, slice_to_world

_MARGIN = 1.02  # of the field of view around the volume
_LAYING_OUT_MS = 100
_FLAT = 2  # width over height of a plane
_MODEL = "SuperResolution.model"  # attribute of the nodes that the engine made


class Comparison(slicer.util.VTKObservationMixin):
    """Shows volumes in the Compare layout, and leads back to the layout that was there before."""

    def __init__(self) -> None:
        super().__init__()
        self._before = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
        self._crosshair: tuple[int, int] | None = None
        self._displays: list[slicer.vtkMRMLScalarVolumeDisplayNode] = []

    @property
    def shown(self) -> bool:
        """Whether the views are in the Compare layout."""
        manager = slicer.app.layoutManager()
        return manager is not None and manager.layout == compare_layout.LAYOUT

    def show(
        self,
        thick: slicer.vtkMRMLScalarVolumeNode,
        interpolated: slicer.vtkMRMLScalarVolumeNode | None,
        result: slicer.vtkMRMLScalarVolumeNode,
        difference: slicer.vtkMRMLScalarVolumeNode | None = None,
        planes: int = 1,
        position: Sequence[float] | None = None,
    ) -> None:
        """Show the volumes in linked views of one scale, with one grey window for all but the difference.

        Parameters
        ----------
        thick : vtkMRMLScalarVolumeNode
            The input, which Slicer interpolates for display.
        interpolated, difference : vtkMRMLScalarVolumeNode, optional
            Each gets a column only if it is there.
        result : vtkMRMLScalarVolumeNode
        planes : {1, 3}
            Rows: the plane that shows best what became finer, or all three planes of the input's voxels.
        position : sequence of three float, optional
            RAS mm that the planes pass through; without it they stay where they are, at first in the middle of the input.

        Raises
        ------
        RuntimeError
            If Slicer has no views, or a volume has no voxels.
        """
        manager = slicer.app.layoutManager()
        if manager is None:
            raise RuntimeError("Compare: this Slicer has no views; accepted is one with a main window")
        columns = {"Input": thick, "Interpolation": interpolated, "Result": result, "Difference": difference}
        columns = {role: node for role, node in columns.items() if node is not None}
        for node in columns.values():
            if node.GetImageData() is None:
                raise RuntimeError(f"Compare: {node.GetName()} has no voxels; accepted are volumes with an image")
        if not self.shown:
            self._before = manager.layout
        elif position is None:
            position = _place_of(manager.sliceWidget(compare_layout.tag("Input", 0)), thick)
        self._forget()
        normals = normals_by_improvement(thick, result)
        stacked = planes == 1 and _is_flat(thick, normals[0])
        compare_layout.register(compare_layout.describe(tuple(columns), planes, stacked))
        manager.setLayout(compare_layout.LAYOUT)
        slicer.app.processEvents(qt.QEventLoop.ExcludeUserInputEvents, _LAYING_OUT_MS)  # lets new views take their size
        self._crosshair = crosshair.follow_in_all_views()
        rows = [[manager.sliceWidget(compare_layout.tag(role, row)) for role in columns] for row in range(planes)]
        for row in rows:
            for widget, (role, node) in zip(row, columns.items(), strict=True):
                _fill(widget, role, node)
        crosshair.put_at(_look(rows, thick, normals, position))
        self._link_windows([node for role, node in columns.items() if role != "Difference"])
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self._on_close)

    def leave(self) -> bool:
        """Go back to the layout before; return whether the Compare layout was shown."""
        shown = self.shown
        self._forget()
        if shown:
            slicer.app.layoutManager().setLayout(self._before)
        return shown

    def _on_close(self, caller: slicer.vtkMRMLScene, event: str) -> None:
        self.leave()

    def _forget(self) -> None:
        self.removeObservers()
        self._displays = []
        if self._crosshair is not None:
            crosshair.restore(self._crosshair)
            self._crosshair = None

    def _link_windows(self, nodes: list[slicer.vtkMRMLScalarVolumeNode]) -> None:
        """Show the volumes alike: what the user does to the window of one happens to all."""
        for node in nodes:
            node.CreateDefaultDisplayNodes()
            node.GetDisplayNode().SetInterpolate(True)
        self._displays = [node.GetDisplayNode() for node in nodes]
        for display in self._displays[1:]:
            display.SetAndObserveColorNodeID(self._displays[0].GetColorNodeID())
        self._take_over_window(self._displays[0], "")
        for display in self._displays:
            self.addObserver(display, vtk.vtkCommand.ModifiedEvent, self._take_over_window)

    def _take_over_window(self, changed: slicer.vtkMRMLScalarVolumeDisplayNode, event: str) -> None:
        window, level = changed.GetWindow(), changed.GetLevel()
        for display in self._displays:
            if (display.GetWindow(), display.GetLevel()) != (window, level):
                display.SetAutoWindowLevel(False)
                display.SetWindowLevel(window, level)


def _is_flat(thick: slicer.vtkMRMLScalarVolumeNode, normal: int) -> bool:
    """Tell whether a plane is so wide that pictures of it are larger one above the other than side by side."""
    any_view = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceNode")
    if any_view is None:
        return False
    width, height = size_on(thick, slice_to_world(thick, normal, any_view))
    return bool(width > _FLAT * height)


def _place_of(widget: slicer.qMRMLSliceWidget | None, node: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray | None:
    """Return where a view that shows a volume has been scrolled to, RAS mm; None if it does not show it."""
    if widget is None or widget.mrmlSliceCompositeNode().GetBackgroundVolumeID() != node.GetID():
        return None
    return slicer.util.arrayFromVTKMatrix(widget.mrmlSliceNode().GetSliceToRAS())[:3, 3]


def _fill(widget: slicer.qMRMLSliceWidget, role: str, node: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Show one volume, and nothing else, in a view that is linked to the others."""
    widget.mrmlSliceNode().SetLayoutLabel(node.GetAttribute(_MODEL) or role)
    composite = widget.mrmlSliceCompositeNode()
    composite.SetBackgroundVolumeID(node.GetID())
    composite.SetForegroundVolumeID(None)
    composite.SetLabelVolumeID(None)
    composite.SetLinkedControl(True)
    composite.SetHotLinkedControl(True)
    composite.SetDoPropagateVolumeSelection(False)  # else a volume that is loaded would take the place of all three


def _look(
    rows: list[list[slicer.qMRMLSliceWidget]],
    thick: slicer.vtkMRMLScalarVolumeNode,
    normals: Sequence[int],
    position: Sequence[float] | None,
) -> Sequence[float]:
    """Turn each row to a plane of the input, with the same centre and the same mm in a pixel; return the place shown, RAS mm."""
    nodes = [[widget.mrmlSliceNode() for widget in row] for row in rows]
    planes = [slice_to_world(thick, normal, row[0]) for normal, row in zip(normals, nodes)]
    scale = _MARGIN * max(
        float(np.max(size_on(thick, plane) / node.GetDimensions()[:2])) for plane, row in zip(planes, nodes) for node in row
    )
    for plane, row in zip(planes, nodes):
        for node in row:
            node.GetSliceToRAS().DeepCopy(plane.ravel())
            width, height, _ = node.GetDimensions()
            node.SetXYZOrigin(0, 0, 0)
            node.SetFieldOfView(scale * width, scale * height, node.GetFieldOfView()[2])
            node.UpdateMatrices()
            if position is not None:
                node.JumpSliceByOffsetting(*position)
    return planes[0][:3, 3] if position is None else position
