"""Named places of a joint to look at: a list of points in the scene, saved with it and open to Slicer's Markups module."""

from __future__ import annotations

import slicer

from . import crosshair

KNEE = ("ACL", "PCL", "Patellar cartilage", "Tibial cartilage", "Femoral cartilage", "Meniscus")
NODE_NAME = "Structures"
_ROLE = "SuperResolution.structures"  # attribute of the node


class Structures:
    """A list of names, each with a place in RAS mm or none yet.

    The list is a point list of the scene; a name without a place is a control point whose position is not defined. The node is made
    with the first change, so that a scene in which nobody names anything stays as it is.

    Parameters
    ----------
    names : tuple of str
        The names of a new list.
    """

    def __init__(self, names: tuple[str, ...] = KNEE) -> None:
        self._first_names = names

    @property
    def node(self) -> slicer.vtkMRMLMarkupsFiducialNode | None:
        """The point list of the scene, if there is one."""
        for index in range(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode")):
            node = slicer.mrmlScene.GetNthNodeByClass(index, "vtkMRMLMarkupsFiducialNode")
            if node.GetAttribute(_ROLE):
                return node
        return None

    def names(self) -> list[str]:
        """Return the names in their order."""
        node = self.node
        if node is None:
            return list(self._first_names)
        return [node.GetNthControlPointLabel(index) for index in range(node.GetNumberOfControlPoints())]

    def position(self, name: str) -> tuple[float, float, float] | None:
        """Return the place of a structure, RAS mm; None if it has none yet."""
        index, node = self._index(name), self.node
        if node is None or node.GetNthControlPointPositionStatus(index) != node.PositionDefined:
            return None
        return tuple(node.GetNthControlPointPositionWorld(index))

    def add(self, name: str) -> None:
        """Append a structure without a place.

        Raises
        ------
        ValueError
            If the name is empty or in the list.
        """
        self._check_new(name)
        _append(self._made(), name)

    def rename(self, name: str, new_name: str) -> None:
        """Give a structure another name; its place stays.

        Raises
        ------
        ValueError
            If there is no such structure, or the new name is empty or that of another.
        """
        index = self._index(name)
        if new_name.strip() != name:
            self._check_new(new_name)
        self._made().SetNthControlPointLabel(index, new_name.strip())

    def remove(self, name: str) -> None:
        """Remove a structure and its place.

        Raises
        ------
        ValueError
            If there is no such structure.
        """
        index = self._index(name)
        self._made().RemoveNthControlPoint(index)

    def store(self, name: str) -> tuple[float, float, float]:
        """Make the place of the crosshair that of a structure, and return it.

        Raises
        ------
        ValueError
            If there is no such structure.
        """
        index, place = self._index(name), crosshair.position()
        self._made().SetNthControlPointPositionWorld(index, *place)
        return place

    def jump(self, name: str) -> bool:
        """Bring a structure to the middle of all slice views; return whether it has a place.

        Raises
        ------
        ValueError
            If there is no such structure.
        """
        place = self.position(name)
        if place is not None:
            crosshair.jump_to(place)
        return place is not None

    def _index(self, name: str) -> int:
        names = self.names()
        if name not in names:
            raise ValueError(f"structure '{name}': accepted are {', '.join(names) or 'none; the list is empty'}")
        return names.index(name)

    def _check_new(self, name: str) -> None:
        if not name.strip() or name.strip() in self.names():
            raise ValueError(f"structure '{name}': accepted is a name that is neither empty nor in the list")

    def _made(self) -> slicer.vtkMRMLMarkupsFiducialNode:
        node = self.node
        if node is None:
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", NODE_NAME)
            node.SetAttribute(_ROLE, "1")
            node.CreateDefaultDisplayNodes()
            for name in self._first_names:
                _append(node, name)
        return node


def _append(node: slicer.vtkMRMLMarkupsFiducialNode, name: str) -> None:
    node.UnsetNthControlPointPosition(node.AddControlPoint(0, 0, 0, name.strip()))
