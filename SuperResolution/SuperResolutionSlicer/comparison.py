"""Compare: input, interpolation and result side by side, at the same place in linked views."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer
import slicer.util

from . import compare_layout, crosshair
from .linked_views import OneWindow, fill, lay_out, scale_to_show, set_scale
from .slice_planes import normals_by_improvement, size_on, slice_to_world

_FLAT = 2  # width over height of a plane
_MODEL = "SuperResolution.model"  # attribute of the nodes that the engine made


class Comparison(slicer.util.VTKObservationMixin):
    """Shows volumes in the Compare layout, and leads back to the layout that was there before."""

    def __init__(self) -> None:
        super().__init__()
        self._before = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
        self._crosshair: tuple[int, int] | None = None
        self._window = OneWindow()

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
        lay_out(compare_layout.LAYOUT)
        self._crosshair = crosshair.follow_in_all_views()
        rows = [[manager.sliceWidget(compare_layout.tag(role, row)) for role in columns] for row in range(planes)]
        for row in rows:
            for widget, (role, node) in zip(row, columns.items(), strict=True):
                fill(widget, node.GetAttribute(_MODEL) or role, node)
        crosshair.put_at(_look(rows, thick, normals, position))
        self._show_alike([node for role, node in columns.items() if role != "Difference"])
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
        self._window.unlink()
        if self._crosshair is not None:
            crosshair.restore(self._crosshair)
            self._crosshair = None

    def _show_alike(self, nodes: list[slicer.vtkMRMLScalarVolumeNode]) -> None:
        """Show the volumes in one grey window and one colour scale."""
        for node in nodes:
            node.CreateDefaultDisplayNodes()
            node.GetDisplayNode().SetInterpolate(True)
        first, *others = displays = [node.GetDisplayNode() for node in nodes]
        for display in others:
            display.SetAndObserveColorNodeID(first.GetColorNodeID())
        self._window.link(displays)


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


def _look(
    rows: list[list[slicer.qMRMLSliceWidget]],
    thick: slicer.vtkMRMLScalarVolumeNode,
    normals: Sequence[int],
    position: Sequence[float] | None,
) -> Sequence[float]:
    """Turn each row to a plane of the input, with the same centre and the same mm in a pixel; return the place shown, RAS mm."""
    nodes = [[widget.mrmlSliceNode() for widget in row] for row in rows]
    planes = [slice_to_world(thick, normal, row[0]) for normal, row in zip(normals, nodes)]
    scale = max(scale_to_show(thick, plane, row) for plane, row in zip(planes, nodes))
    for plane, row in zip(planes, nodes):
        for node in row:
            node.GetSliceToRAS().DeepCopy(plane.ravel())
            set_scale(node, scale)
            node.UpdateMatrices()
            if position is not None:
                node.JumpSliceByOffsetting(*position)
    return planes[0][:3, 3] if position is None else position
