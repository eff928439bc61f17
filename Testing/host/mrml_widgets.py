"""qMRML widgets that .ui files name: the panel's root and the node selector. Behaviour follows Libs/MRML/Widgets of Slicer."""

import functools

import slicer
import vtk
from PySide6 import QtWidgets
from PySide6.QtCore import Property, Signal

from .pythonqt import custom_class


@custom_class
class qMRMLWidget(QtWidgets.QWidget):
    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None):
        super().__init__(parent)
        self._scene = None

    def mrmlScene(self) -> slicer.vtkMRMLScene | None:
        return self._scene

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


MISSING = object()


def option(kind, key: str):
    """Return a Qt property of the selector that decides which items it shows."""

    def write(self, value):
        if self._options[key] != value:
            self._options[key] = value
            self._refresh()

    return Property(kind, lambda self: self._options[key], write)


def remove_observers(observers: list) -> None:
    """Take away and forget observers, each an observed object and a tag."""
    for observed, tag in observers:
        observed.RemoveObserver(tag)
    observers.clear()


@custom_class
class qMRMLNodeComboBox(QtWidgets.QWidget):
    """Lists the nodes of the scene that fit; its menu entries (create, rename, ...) are not shown, but `addNode` is there."""

    currentNodeChanged = Signal((object,), (bool,))
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAboutToBeRemoved = Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None):
        super().__init__(parent)
        self._scene = None
        self._observers = []  # (object, tag); they must not outlive the widget
        self.destroyed.connect(functools.partial(remove_observers, self._observers))
        self._nodes = []  # what the list shows, without the None item
        self._current = None
        self._requested = None  # node ID that was set before the scene
        self._attributes = {}  # (node type, attribute name): value, or None for any
        self._base_name = ""
        self._options = {
            "nodeTypes": [],
            "hideChildNodeTypes": [],
            "noneDisplay": "None",
            "showHidden": False,
            "showChildNodeTypes": True,
            "noneEnabled": False,
            "addEnabled": True,
            "removeEnabled": True,
            "editEnabled": False,
            "renameEnabled": False,
            "selectNodeUponCreation": True,
        }
        self._combo = QtWidgets.QComboBox()
        self._combo.activated.connect(self._activated)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        self.setEnabled(False)

    nodeTypes = option("QStringList", "nodeTypes")
    hideChildNodeTypes = option("QStringList", "hideChildNodeTypes")
    noneDisplay = option(str, "noneDisplay")
    showHidden = option(bool, "showHidden")
    showChildNodeTypes = option(bool, "showChildNodeTypes")
    noneEnabled = option(bool, "noneEnabled")
    addEnabled = option(bool, "addEnabled")
    removeEnabled = option(bool, "removeEnabled")
    editEnabled = option(bool, "editEnabled")
    renameEnabled = option(bool, "renameEnabled")
    selectNodeUponCreation = option(bool, "selectNodeUponCreation")

    def _set_base_name(self, name):
        self._base_name = name

    baseName = Property(str, lambda self: self._base_name, _set_base_name)

    # ---- the scene

    def mrmlScene(self) -> slicer.vtkMRMLScene | None:
        return self._scene

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        if scene is self._scene:
            return
        remove_observers(self._observers)
        self._scene = scene
        if scene is not None:
            for event, slot in (
                (scene.NodeAddedEvent, self._node_added),
                (scene.NodeAboutToBeRemovedEvent, self._node_about_to_be_removed),
                (scene.EndBatchProcessEvent, self._scene_changed),
            ):
                self._observers.append((scene, scene.AddObserver(event, slot)))
            for index in range(scene.GetNumberOfNodes()):
                self._observe(scene.GetNthNode(index))
        self._nodes = self._fitting_nodes()
        requested = self._node_by_id(self._requested)
        first = self._nodes[0] if self._nodes and not self._options["noneEnabled"] else None
        self._requested = None
        self._select(requested or first)
        self.setEnabled(scene is not None)

    def _observe(self, node):
        self._observers.append((node, node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._node_modified)))

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _node_added(self, scene, event, node):
        self._observe(node)
        if not scene.IsBatchProcessing():
            self._add(node)

    def _add(self, node):
        if node.GetScene() is not self._scene or not self._fits(node):
            return
        self._nodes.append(node)
        self._fill()
        self.nodeAdded.emit(node)
        self._take_first()

    def _take_first(self):
        """Select the first node where nothing is selected, the list has no None item, and there are no menu entries below the nodes."""
        entries = ("noneEnabled", "addEnabled", "removeEnabled", "editEnabled", "renameEnabled")
        if self._current is None and self._nodes and not any(self._options[each] for each in entries):
            self._select(self._nodes[0])

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _node_about_to_be_removed(self, scene, event, node):
        for observer in [each for each in self._observers if each[0] is node]:
            node.RemoveObserver(observer[1])
            self._observers.remove(observer)
        if not scene.IsBatchProcessing() and node in self._nodes:
            self.nodeAboutToBeRemoved.emit(node)
            self._drop(node)

    def _drop(self, node):
        """Take a node off the list; if it was the current one, the next takes its place, or the one before it."""
        index = self._nodes.index(node)
        self._nodes.remove(node)
        self._fill()
        if node is self._current:
            self._select(self._nodes[min(index, len(self._nodes) - 1)] if self._nodes else None)

    def _node_modified(self, node, event):
        if self._scene is None or self._scene.IsBatchProcessing():
            return
        if node not in self._nodes:
            self._add(node)
        elif not self._fits(node):
            self._drop(node)
        elif self._combo.itemText(self._row(node)) != node.GetName():
            self._fill()
            if node is self._current:
                self._announce(node)

    def _scene_changed(self, scene, event):
        self._refresh()

    # ---- which nodes

    def _fits(self, node) -> bool:
        options = self._options
        fits = node.IsA if options["showChildNodeTypes"] else (lambda kind: node.GetClassName() == kind)
        kinds = [kind for kind in options["nodeTypes"] if fits(kind)]
        if not kinds or any(node.IsA(kind) for kind in options["hideChildNodeTypes"]):
            return False
        if node.GetHideFromEditors() and not options["showHidden"]:
            return False
        wanted = [(name, value) for (kind, name), value in self._attributes.items() if node.IsA(kind)]
        return all(node.GetAttribute(name) == value if value is not None else node.GetAttribute(name) is not None for name, value in wanted)

    def _fitting_nodes(self) -> list:
        nodes = [] if self._scene is None else [self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes())]
        return [node for node in nodes if self._fits(node)]

    def _refresh(self):
        """Bring the list up to date after the filter or the whole scene has changed."""
        before, self._nodes = self._nodes, self._fitting_nodes()
        if self._current is not None and self._current not in self._nodes:
            later = [node for node in before[before.index(self._current) :] if node in self._nodes]
            self._select((later or self._nodes[-1:] or [None])[0])
        self._fill()
        self._take_first()

    def addAttribute(self, nodeType: str, attributeName: str, attributeValue: str | None = None) -> None:
        self._attributes[nodeType, attributeName] = attributeValue
        self._refresh()

    def removeAttribute(self, nodeType: str, attributeName: str) -> None:
        self._attributes.pop((nodeType, attributeName), None)
        self._refresh()

    def nodeCount(self) -> int:
        return len(self._nodes)

    def nodeFromIndex(self, index: int) -> slicer.vtkMRMLNode | None:
        return self._nodes[index] if 0 <= index < len(self._nodes) else None

    # ---- the current node

    def currentNode(self) -> slicer.vtkMRMLNode | None:
        return self._current

    def setCurrentNode(self, node: slicer.vtkMRMLNode | None = MISSING) -> None:
        if node is MISSING:  # C++ has two overloads, and PythonQt speaks of them
            raise ValueError("Could not find matching overload for given arguments:\n()")
        self.setCurrentNodeID(node.GetID() if node is not None and node.GetID() else "")

    def setCurrentNodeID(self, nodeID: str) -> None:
        if self._scene is None:
            self._requested = nodeID
        else:
            self._select(self._node_by_id(nodeID))

    def setCurrentNodeIndex(self, index: int) -> None:
        self._select(self.nodeFromIndex(index))

    currentNodeID = Property(str, lambda self: self._current.GetID() if self._current is not None else "", setCurrentNodeID)

    def _node_by_id(self, node_id: str):
        return next((node for node in self._nodes if node.GetID() == node_id), None) if node_id else None

    def _select(self, node):
        changed = node is not self._current
        self._current = node
        self._fill()
        if changed:
            self._announce(node)

    def _announce(self, node):
        self.currentNodeChanged[object].emit(node)
        self.currentNodeChanged[bool].emit(node is not None)
        self.currentNodeIDChanged.emit(node.GetID() if node is not None else "")

    def _row(self, node) -> int:
        none_item = int(self._options["noneEnabled"])
        return none_item + self._nodes.index(node) if node in self._nodes else none_item - 1

    def _fill(self):
        none_item = [self._options["noneDisplay"]] if self._options["noneEnabled"] else []
        self._combo.clear()
        self._combo.addItems(none_item + [node.GetName() or "" for node in self._nodes])
        self._combo.setCurrentIndex(self._row(self._current))

    def _activated(self, row: int):
        self._select(self.nodeFromIndex(row - int(self._options["noneEnabled"])))
        self.nodeActivated.emit(self._current)

    # ---- new nodes

    def addNode(self, nodeType: str = "") -> slicer.vtkMRMLNode | None:
        kinds = self._options["nodeTypes"]
        kind = nodeType or next(iter(kinds), "")
        if kind not in kinds:
            return None
        node = self._scene.CreateNodeByClass(kind)
        node.UnRegister(None)
        node.SetName(self._scene.GenerateUniqueName(self._base_name or self._scene.GetTagByClassName(kind)))
        for (_, name), value in self._attributes.items():
            node.SetAttribute(name, value or "")
        node = self._scene.AddNode(node)
        if self._options["selectNodeUponCreation"]:
            self._select(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        self._scene.RemoveNode(self._current)
