"""slicer.app.layoutManager(): the views of the scene, in the arrangement that the layout node asks for.

Which views there are, how they are linked and what they draw is decided by MRML's own nodes and logics; this file makes a widget for each
slice, 3-D and plot view node and lays the widgets out in a viewport. Behaviour follows qMRMLLayoutManager of Slicer.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

from .plot_view import qMRMLPlotWidget
from .pythonqt import custom_class, unwrap
from .view_widgets import qMRMLSliceWidget, qMRMLThreeDWidget

SIZE = (1000, 700)
WIDGET_CLASSES = {"vtkMRMLSliceNode": qMRMLSliceWidget, "vtkMRMLViewNode": qMRMLThreeDWidget, "vtkMRMLPlotViewNode": qMRMLPlotWidget}


@custom_class
class qSlicerLayoutManager(QtCore.QObject):
    layoutChanged = Signal(int)

    def __init__(self, application_logic: slicer.vtkMRMLApplicationLogic, scene: slicer.vtkMRMLScene) -> None:
        super().__init__()
        self._application_logic, self._scene = application_logic, scene
        self._widgets: dict[str, QtWidgets.QWidget] = {}  # by node ID
        self._shown = None  # the description that the viewport shows
        self._node, self._node_tag = None, None
        self._viewport = QtWidgets.QWidget()
        self._viewport.setObjectName("CentralWidgetLayoutFrame")
        self._viewport.setAttribute(QtCore.Qt.WidgetAttribute.WA_DontShowOnScreen)
        self._viewport.resize(*SIZE)
        self._viewport.show()
        self._slice_logics, self._view_logics = vtk.vtkCollection(), vtk.vtkCollection()
        application_logic.SetSliceLogics(self._slice_logics)
        application_logic.SetViewLogics(self._view_logics)
        slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance().SetMRMLApplicationLogic(application_logic)
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLApplicationLogic(application_logic)
        self._logic.SetMRMLScene(scene)  # before the observers below: the logic makes the view nodes of a layout first
        for event, slot in (
            (scene.NodeAddedEvent, self._on_node_added),
            (scene.NodeRemovedEvent, self._on_node_removed),
            (scene.StartCloseEvent, self._on_close),
            (scene.EndCloseEvent, self._update_from_scene),
            (scene.EndBatchProcessEvent, self._update_from_scene),
        ):
            scene.AddObserver(event, slot)
        self._update_from_scene()

    # What module code sees

    def mrmlScene(self) -> slicer.vtkMRMLScene:
        return self._scene

    def layoutLogic(self) -> slicer.vtkMRMLLayoutLogic:
        return self._logic

    def viewport(self) -> QtWidgets.QWidget:
        return self._viewport

    def _layout(self) -> int:
        return self._node.GetViewArrangement() if self._node else slicer.vtkMRMLLayoutNode.SlicerLayoutNone

    def setLayout(self, layout: int) -> None:
        if self._node and layout != self._layout():
            known = self._node.IsLayoutDescription(layout)
            self._node.RemoveAllMaximizedViewNodes()
            self._node.SetViewArrangement(layout if known else slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView)

    def sliceViewNames(self) -> list[str]:
        return [widget.mrmlSliceNode().GetName() for widget in self._of_class(qMRMLSliceWidget)]

    def sliceWidget(self, name: str) -> qMRMLSliceWidget | None:
        return next((widget for widget in self._of_class(qMRMLSliceWidget) if widget.mrmlSliceNode().GetName() == name), None)

    def threeDWidget(self, index: int) -> qMRMLThreeDWidget:
        return self._of_class(qMRMLThreeDWidget)[index]

    def plotWidget(self, index: int) -> qMRMLPlotWidget:
        return self._of_class(qMRMLPlotWidget)[index]

    def viewWidget(self, node: slicer.vtkMRMLNode) -> QtWidgets.QWidget | None:
        return self._widgets.get(node.GetID())

    def mrmlSliceLogics(self) -> vtk.vtkCollection:
        return self._slice_logics

    def mrmlViewLogics(self) -> vtk.vtkCollection:
        return self._view_logics

    def resetSliceViews(self) -> None:
        for widget in self._of_class(qMRMLSliceWidget):
            widget.fitSliceToBackground()

    def resetThreeDViews(self) -> None:
        for widget in self._of_class(qMRMLThreeDWidget):
            widget.threeDView().resetFocalPoint()
            widget.threeDView().resetCamera()

    layout = Property(int, _layout, setLayout, notify=layoutChanged)
    threeDViewCount = Property(int, lambda self: len(self._of_class(qMRMLThreeDWidget)))
    tableViewCount = Property(int, lambda self: 0)
    plotViewCount = Property(int, lambda self: len(self._of_class(qMRMLPlotWidget)))

    # The widgets of the view nodes

    def _of_class(self, kind: type) -> list:
        return [widget for widget in self._widgets.values() if isinstance(widget, kind)]

    def _add(self, node: slicer.vtkMRMLAbstractViewNode) -> None:
        kind = WIDGET_CLASSES.get(node.GetClassName())
        if kind is None or node.GetID() in self._widgets:
            return
        widget = kind(node, self._application_logic, self._viewport)
        widget.setVisible(False)
        self._widgets[node.GetID()] = widget
        if kind is qMRMLSliceWidget:
            self._slice_logics.AddItem(widget.sliceLogic())
        elif kind is qMRMLThreeDWidget:
            self._view_logics.AddItem(widget.viewLogic())

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_added(self, scene, event, node) -> None:
        if not scene.IsBatchProcessing() and node.IsA("vtkMRMLAbstractViewNode"):
            self._add(node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_removed(self, scene, event, node) -> None:
        if node is self._node:
            self._set_node(None)
        widget = self._widgets.pop(node.GetID(), None) if node.IsA("vtkMRMLAbstractViewNode") else None
        if widget:
            if isinstance(widget, qMRMLSliceWidget):
                self._slice_logics.RemoveItem(widget.sliceLogic())
            elif isinstance(widget, qMRMLThreeDWidget):
                self._view_logics.RemoveItem(widget.viewLogic())
            widget._release()
            widget.deleteLater()

    # The arrangement

    def _set_node(self, node: slicer.vtkMRMLLayoutNode | None) -> None:
        if node is self._node:
            return
        if self._node:
            self._node.RemoveObserver(self._node_tag)
        self._node = node
        if node:
            self._node_tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._update_layout)

    def _on_close(self, scene=None, event="") -> None:
        self._arrange("")

    def _update_from_scene(self, scene=None, event="") -> None:
        if self._scene.IsBatchProcessing():
            return
        for index in range(self._scene.GetNumberOfNodesByClass("vtkMRMLAbstractViewNode")):
            self._add(self._scene.GetNthNodeByClass(index, "vtkMRMLAbstractViewNode"))
        self._set_node(self._logic.GetLayoutNode())
        self._update_layout()
        for widget in self._widgets.values():
            widget._fit_node()

    def _update_layout(self, caller=None, event="") -> None:
        if self._node and not self._scene.IsBatchProcessing():
            description = self._node.GetCurrentLayoutDescription() or ""
            if description != self._shown:
                self._arrange(description)
                self.layoutChanged.emit(self._layout())

    def _arrange(self, description: str) -> None:
        """Put the views of a layout description into the viewport; the others are hidden, not deleted."""
        self._shown = description
        for widget in self._widgets.values():
            widget.setParent(self._viewport)
            widget.setVisible(False)
            self._node_of(widget).SetMappedInLayout(0)
        if self._viewport.layout():
            QtWidgets.QWidget().setLayout(self._viewport.layout())  # takes the old one away, containers and all
        if not description:
            return
        frame = QtWidgets.QVBoxLayout(self._viewport)
        frame.setSizeConstraint(QtWidgets.QLayout.SizeConstraint.SetNoConstraint)  # the viewport has the size that it is given
        frame.setContentsMargins(0, 0, 0, 0)
        frame.addWidget(self._build(ElementTree.fromstring(description)))
        for container in self._viewport.findChildren(QtWidgets.QWidget, "LayoutContainer"):
            container.show()
        for widget in self._widgets.values():
            widget.setVisible(bool(self._node_of(widget).IsMappedInLayout()))  # shown at last, so that its size is right at once

    def _build(self, element: ElementTree.Element) -> QtWidgets.QWidget:
        """Return the widget of a <layout> or <view> element."""
        if element.tag == "view":
            return self._place(element)
        kind = element.get("type")
        if element.tag != "layout" or kind not in ("horizontal", "vertical"):
            raise NotImplementedError(f"layout element <{element.tag} type={kind}>: the host lays out horizontal and vertical")
        items = element.findall("item")
        widgets = [self._build(item[0]) for item in items]
        if element.get("split") == "true":
            container = QtWidgets.QSplitter(QtCore.Qt.Orientation.Horizontal if kind == "horizontal" else QtCore.Qt.Orientation.Vertical)
            for widget in widgets:
                container.addWidget(widget)
            container.setSizes([int(item.get("splitSize", 500)) for item in items])
        else:
            container = QtWidgets.QWidget()
            box = QtWidgets.QHBoxLayout(container) if kind == "horizontal" else QtWidgets.QVBoxLayout(container)
            box.setContentsMargins(0, 0, 0, 0)
            box.setSpacing(1)
            for widget in widgets:
                box.addWidget(widget, 1)
        container.setObjectName("LayoutContainer")
        return container

    def _place(self, element: ElementTree.Element) -> QtWidgets.QWidget:
        node = self._scene.GetSingletonNode(element.get("singletontag"), element.get("class"))
        widget = self._widgets.get(node.GetID()) if node else None
        if widget is None:
            raise NotImplementedError(f"view of class {element.get('class')}: the host shows {', '.join(WIDGET_CLASSES)}")
        node.SetMappedInLayout(1)
        return widget

    @staticmethod
    def _node_of(widget: QtWidgets.QWidget) -> slicer.vtkMRMLAbstractViewNode:
        return widget._view.node


def picture(manager, width: int, height: int) -> np.ndarray:
    """Return the views as they lie in the layout, (height, width, RGB), 8 bits, first row on top.

    Parameters
    ----------
    manager : qSlicerLayoutManager
        slicer.app.layoutManager().
    width, height : int
        Size of the view area in pixels; the views keep it, as when the user pulls the window larger.
    """
    viewport = unwrap(manager).viewport()
    viewport.resize(width, height)
    image = viewport.grab().toImage().convertToFormat(QtGui.QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    return rows[:, : 3 * width].reshape(height, width, 3).copy()
