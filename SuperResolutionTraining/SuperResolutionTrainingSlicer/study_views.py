"""The views of the reader study: side by side, linked, turned to a plane, magnified at one place."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import slicer
import slicer.util

from SuperResolutionSlicer import crosshair
from SuperResolutionSlicer.linked_views import fill, lay_out, scale_to_show, set_scale
from SuperResolutionSlicer.slice_planes import ORIENTATIONS, index_to_world, slice_to_world, voxel_axes

from . import study_layout

ZOOMS = (1, 2, 4)


class StudyViews:
    """Shows volumes that lie on one grid, and leads back to the layout that was there before.

    Where Slicer has no views, nothing is shown.

    Attributes
    ----------
    zoom : int
        How many times as large as the whole volume; one of `ZOOMS`.
    """

    def __init__(self) -> None:
        self.zoom = ZOOMS[0]
        self._before = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
        self._crosshair: tuple[int, int] | None = None
        self._volume: slicer.vtkMRMLScalarVolumeNode | None = None  # one of them; the others lie in the same place
        self._slices: list[slicer.vtkMRMLSliceNode] = []
        self._plane, self._normal = np.eye(4), 0

    @property
    def shown(self) -> bool:
        """Whether the views are in the layout of the study."""
        manager = slicer.app.layoutManager()
        return manager is not None and manager.layout == study_layout.LAYOUT

    def show(self, volumes: Mapping[str, slicer.vtkMRMLScalarVolumeNode], plane: str) -> None:
        """Show volumes, whole and through their middle.

        Parameters
        ----------
        volumes : mapping of str to vtkMRMLScalarVolumeNode
            By role, from left to right.
        plane : str
            See `turn_to`.
        """
        manager = slicer.app.layoutManager()
        if manager is None:
            return
        if not self.shown:
            self._before = manager.layout
        study_layout.register(tuple(volumes))
        lay_out(study_layout.LAYOUT)
        if not self.shown:  # the reading was ended meanwhile
            return
        if self._crosshair is None:
            self._crosshair = crosshair.follow_in_all_views()
        widgets = [manager.sliceWidget(study_layout.tag(role)) for role in volumes]
        for widget, (role, node) in zip(widgets, volumes.items(), strict=True):
            fill(widget, role, node)
        self._slices, self._volume = [widget.mrmlSliceNode() for widget in widgets], next(iter(volumes.values()))
        self.zoom = ZOOMS[0]
        crosshair.put_at(_middle(self._volume))
        self.turn_to(plane)

    def turn_to(self, plane: str) -> None:
        """Turn all views to a plane of voxels through the crosshair: ``axial``, ``sagittal`` or ``coronal``."""
        if not self._slices:
            return
        self._normal = voxel_axes(self._volume)[ORIENTATIONS.index(plane.capitalize())]
        self._plane = slice_to_world(self._volume, self._normal, self._slices[0])
        for node in self._slices:
            node.GetSliceToRAS().DeepCopy(self._plane.ravel())
            node.UpdateMatrices()
        place = np.array(crosshair.position())
        self._go_to(self._number_of(place))
        self._look_at(place)

    def magnify(self, zoom: int) -> None:
        """Show so many times as large what is under the cursor; at the crosshair, if the cursor is in no view."""
        if not self._slices:
            return
        cursor = [0.0, 0.0, 0.0]
        seen = crosshair.crosshair_node().GetCursorPositionRAS(cursor)
        self.zoom = zoom
        self._look_at(np.array(cursor if seen else crosshair.position()))

    def scroll(self, slices: int) -> None:
        """Go on by so many slices in all views; not beyond the volume."""
        if self._slices:
            self._go_to(self._number_of(_centre(self._slices[0])) + slices)

    def leave(self) -> None:
        """Go back to the layout before."""
        self._slices, self._volume = [], None
        if self._crosshair is not None:
            crosshair.restore(self._crosshair)
            self._crosshair = None
        if self.shown:
            slicer.app.layoutManager().setLayout(self._before)

    # ---- places, RAS mm

    def _number_of(self, place: np.ndarray) -> int:
        """Return the slice that a place is on, counted from the one in the middle."""
        return round(float((place - self._plane[:3, 3]) @ self._plane[:3, 2]) / self._step)

    @property
    def _step(self) -> float:
        """Distance of the slices, mm."""
        return float(np.linalg.norm(index_to_world(self._volume)[:3, self._normal]))

    def _go_to(self, number: int) -> None:
        """Bring all views to a slice, counted from the one in the middle; to the last one, if there are not so many."""
        size = self._volume.GetImageData().GetDimensions()[self._normal]
        # Of an even number of slices, there is one more on the side that the voxel axis comes from.
        more, fewer = size // 2, (size - 1) // 2
        along = index_to_world(self._volume)[:3, self._normal] @ self._plane[:3, 2] > 0
        lowest, highest = (-more, fewer) if along else (-fewer, more)
        place = self._plane[:3, 3] + min(max(number, lowest), highest) * self._step * self._plane[:3, 2]
        for node in self._slices:
            node.JumpSliceByOffsetting(*place)

    def _look_at(self, place: np.ndarray) -> None:
        """Give all views the same mm in a pixel, around the volume or, magnified, around a place; they stay on their slice."""
        scale = scale_to_show(self._volume, self._plane, self._slices) / self.zoom
        centre = self._plane[:3, 3] if self.zoom == ZOOMS[0] else place
        normal = self._plane[:3, 2]
        for node in self._slices:
            set_scale(node, scale)
            node.JumpSliceByCentering(*(centre + (_centre(node) - centre) @ normal * normal))
            node.UpdateMatrices()


def _centre(node: slicer.vtkMRMLSliceNode) -> np.ndarray:
    """Return the place in the middle of a view, RAS mm."""
    return slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())[:3, 3].copy()


def _middle(node: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    """Return the voxel in the middle, RAS mm."""
    return (index_to_world(node) @ [*(size // 2 for size in node.GetImageData().GetDimensions()), 1])[:3]
