"""The spread of an ensemble as a volume node of its own, laid over the views that show its result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import slicer
import slicer.util
import vtk

from .result_node import Origin, load_result

SPREAD_REFERENCE = "SuperResolutionSpread"
"""Role under which a result refers to its spread."""
OPACITY = 0.5
_COLORS = "vtkMRMLColorTableNodeIron"  # black, red, yellow, white
_SHOWN_PERCENTILE = 99.5
_SEE_THROUGH = 0.3  # of the window, from below


def load_spread(path: Path, origin: Origin, result: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeNode:
    """Load the spread of a result into a node beside it; that of an earlier run into the same result is replaced.

    Raises
    ------
    RuntimeError
        If the file cannot be loaded.
    """
    node = load_result(path, origin, f"{result.GetName()} spread", result.GetNodeReference(SPREAD_REFERENCE))
    result.SetNodeReferenceID(SPREAD_REFERENCE, node.GetID())
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(_COLORS)
    largest = float(np.percentile(slicer.util.arrayFromVolume(node), _SHOWN_PERCENTILE)) or 1.0
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(largest, largest / 2)
    display.AutoThresholdOff()
    display.SetThreshold(_SEE_THROUGH * largest, np.finfo(np.float32).max)
    display.ApplyThresholdOn()
    return node


class SpreadOverlay(slicer.util.VTKObservationMixin):
    """Lays the spread of a result over views, and brings back what was there before."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[str, ...] = ()
        self._before: dict[str, tuple[str | None, float]] = {}  # foreground and opacity by ID of the view's composite node

    def show(self, result: slicer.vtkMRMLScalarVolumeNode) -> None:
        """Lay the spread of a result over the views of the layout that show the result; over all of them if none does."""
        spread, views = result.GetNodeReference(SPREAD_REFERENCE), _views_of(result)
        shown = (spread.GetID(), *(view.GetID() for view in views))
        if shown == self._shown:
            return  # what the user has changed since stays
        self.hide()
        self._shown = shown
        for view in views:
            there = view.GetForegroundVolumeID() == spread.GetID()  # in a scene that was saved like this
            self._before[view.GetID()] = (None, 0.0) if there else (view.GetForegroundVolumeID(), view.GetForegroundOpacity())
            view.SetForegroundVolumeID(spread.GetID())
            view.SetForegroundOpacity(OPACITY)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeAboutToBeRemovedEvent, self._on_removal)

    def hide(self) -> None:
        """Take the spread away from the views that still show it."""
        self.removeObservers()
        scene = slicer.mrmlScene
        for name, (foreground, opacity) in self._before.items():
            view = scene.GetNodeByID(name)
            if view is not None and view.GetForegroundVolumeID() == self._shown[0]:
                view.SetForegroundVolumeID(foreground if foreground and scene.GetNodeByID(foreground) else None)
                view.SetForegroundOpacity(opacity)
        self._shown, self._before = (), {}

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_removal(self, caller: slicer.vtkMRMLScene, event: str, node: slicer.vtkMRMLNode) -> None:
        if node.GetID() == self._shown[0]:
            self.hide()


def _views_of(result: slicer.vtkMRMLScalarVolumeNode) -> list[slicer.vtkMRMLSliceCompositeNode]:
    manager = slicer.app.layoutManager()
    widgets = [manager.sliceWidget(name) for name in manager.sliceViewNames()] if manager is not None else []
    views = [widget.mrmlSliceCompositeNode() for widget in widgets if widget.mrmlSliceNode().IsMappedInLayout()]
    return [view for view in views if view.GetBackgroundVolumeID() == result.GetID()] or views
