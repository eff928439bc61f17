"""The volumes of one comparison as nodes of the scene that tell nothing but where they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import slicer

from SuperResolutionSlicer.linked_views import OneWindow


class StudyNodes:
    """Puts volumes into the scene, all with one grey window, and takes them away.

    They have no name but their role, no storage node, no attributes; editors do not list them and scene files do not hold them, so that
    nothing measures them and nothing of them is left behind.

    Attributes
    ----------
    volumes : dict of str to vtkMRMLScalarVolumeNode
        By role.
    """

    def __init__(self) -> None:
        self.volumes: dict[str, slicer.vtkMRMLScalarVolumeNode] = {}
        self._window = OneWindow()

    def load(self, files: Mapping[str, Path], window: Sequence[float]) -> None:
        """Show other volumes from now on.

        Parameters
        ----------
        files : mapping of str to Path
            NRRD files by role.
        window : sequence of two float
            Lowest and highest grey value to begin with.

        Raises
        ------
        RuntimeError
            If a file cannot be read.
        """
        self.remove()
        for role, path in files.items():
            node = self.volumes[role] = _read(role, path)
            slicer.mrmlScene.AddNode(node)
            node.CreateDefaultDisplayNodes()
            display = node.GetDisplayNode()
            display.SetSaveWithScene(False)
            display.SetInterpolate(True)
            display.SetAutoWindowLevel(False)
            display.SetWindowLevelMinMax(*window)
        self._window.link(node.GetDisplayNode() for node in self.volumes.values())

    def remove(self) -> None:
        """Take the volumes out of the scene."""
        self._window.unlink()
        for node in self.volumes.values():
            for each in (node.GetDisplayNode(), node):
                if each is not None and slicer.mrmlScene.IsNodePresent(each):
                    slicer.mrmlScene.RemoveNode(each)
        self.volumes = {}


def _read(role: str, path: Path) -> slicer.vtkMRMLScalarVolumeNode:
    """Return a node that is not yet in the scene; its storage node never is, since it would name the file."""
    node = slicer.vtkMRMLScalarVolumeNode()
    storage = slicer.vtkMRMLNRRDStorageNode()
    storage.SetFileName(str(path))
    if not storage.ReadData(node) or node.GetImageData() is None:
        raise RuntimeError(f"{role} image: its file cannot be read; accepted is the whole folder of the study as it was handed out")
    for name in node.GetAttributeNames():  # fields of the file
        node.RemoveAttribute(name)
    node.SetName(role)
    node.SetHideFromEditors(True)
    node.SetSaveWithScene(False)
    return node
