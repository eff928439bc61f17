"""Slice views that show volumes beside each other: one volume in each, the same mm in a pixel, one grey window."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import qt
import slicer
import slicer.util
import vtk

from .slice_planes import size_on

_MARGIN = 1.02  # of the field of view around the volume
_LAYING_OUT_MS = 100


def lay_out(layout: int) -> None:
    """Change to a layout, and let its views take their size."""
    slicer.app.layoutManager().setLayout(layout)
    slicer.app.processEvents(qt.QEventLoop.ExcludeUserInputEvents, _LAYING_OUT_MS)


def fill(widget: slicer.qMRMLSliceWidget, label: str, node: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Show one volume, and nothing else, under a label in a view that is linked to the others of its group."""
    widget.mrmlSliceNode().SetLayoutLabel(label)
    composite = widget.mrmlSliceCompositeNode()
    composite.SetBackgroundVolumeID(node.GetID())
    composite.SetForegroundVolumeID(None)
    composite.SetLabelVolumeID(None)
    composite.SetLinkedControl(True)
    composite.SetHotLinkedControl(True)
    composite.SetDoPropagateVolumeSelection(False)  # else a volume that is loaded would take the place of all


def scale_to_show(volume: slicer.vtkMRMLVolumeNode, plane: np.ndarray, views: Iterable[slicer.vtkMRMLSliceNode]) -> float:
    """Return the mm in a pixel at which the smallest of some views shows all of a volume around the centre of a plane."""
    return _MARGIN * max(float(np.max(size_on(volume, plane) / view.GetDimensions()[:2])) for view in views)


def set_scale(view: slicer.vtkMRMLSliceNode, scale: float) -> None:
    """Show so many mm in a pixel, around the centre of the view."""
    width, height, _ = view.GetDimensions()
    view.SetXYZOrigin(0, 0, 0)
    view.SetFieldOfView(scale * width, scale * height, view.GetFieldOfView()[2])


class OneWindow(slicer.util.VTKObservationMixin):
    """Shows volumes alike: what the user does to the grey window of one happens to all."""

    def __init__(self) -> None:
        super().__init__()
        self._displays: list[slicer.vtkMRMLScalarVolumeDisplayNode] = []

    def link(self, displays: Iterable[slicer.vtkMRMLScalarVolumeDisplayNode]) -> None:
        """Give displays the window of the first, and keep them together from now on."""
        self.unlink()
        self._displays = list(displays)
        self._take_over(self._displays[0], "")
        for display in self._displays:
            self.addObserver(display, vtk.vtkCommand.ModifiedEvent, self._take_over)

    def unlink(self) -> None:
        """Leave each to itself again."""
        self.removeObservers()
        self._displays = []

    def _take_over(self, changed: slicer.vtkMRMLScalarVolumeDisplayNode, event: str) -> None:
        window, level = changed.GetWindow(), changed.GetLevel()
        for display in self._displays:
            if (display.GetWindow(), display.GetLevel()) != (window, level):
                display.SetAutoWindowLevel(False)
                display.SetWindowLevel(window, level)
