"""Widgets of the layout: slice and 3-D views with the bar above them, under the names and with the members that the application shows."""

from __future__ import annotations

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property

from .pythonqt import custom_class
from .views import SliceView, ThreeDView, View


class _ViewWidget(QtWidgets.QWidget):
    """The part of a widget that shows a view; it draws the view whenever Qt paints it."""

    def __init__(self, view: View, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self._view = view

    def renderWindow(self) -> vtk.vtkRenderWindow:
        return self._view.window

    def interactor(self) -> vtk.vtkRenderWindowInteractor:
        return self._view.interactor

    def displayableManagerByClassName(self, name: str) -> vtk.vtkObject | None:
        return self._view.managers.GetDisplayableManagerByClassName(name)

    def forceRender(self) -> None:
        self._view.render()

    def scheduleRender(self) -> None:
        self.update()

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        self._view.resize(max(1, self.width()), max(1, self.height()))

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        pixels = self._view.picture()
        height, width, _ = pixels.shape
        image = QtGui.QImage(pixels.data, width, height, 3 * width, QtGui.QImage.Format.Format_RGB888)
        with QtGui.QPainter(self) as painter:
            painter.drawImage(0, 0, image)


class _Bar(QtWidgets.QWidget):
    """The bar above a view: its label on its colour."""

    def __init__(self, node: slicer.vtkMRMLAbstractViewNode, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self._node = node
        self._label = QtWidgets.QLabel(self)
        self._label.setObjectName("ViewLabel")
        self._label.setMinimumWidth(self._label.fontMetrics().horizontalAdvance("XX"))
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(4, 1, 4, 1)
        layout.addWidget(self._label)
        layout.addStretch(1)
        self.setAutoFillBackground(True)
        self._tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._update)
        self._update()

    def barWidget(self) -> QtWidgets.QWidget:
        return self

    def _update(self, caller: vtk.vtkObject | None = None, event: str = "") -> None:
        self._label.setText(self._node.GetLayoutLabel() or "")
        palette = self.palette()
        palette.setColor(QtGui.QPalette.ColorRole.Window, QtGui.QColor.fromRgbF(*self._node.GetLayoutColor()))
        palette.setColor(QtGui.QPalette.ColorRole.WindowText, QtCore.Qt.GlobalColor.black)
        self.setPalette(palette)

    def _release(self) -> None:
        self._node.RemoveObserver(self._tag)


class _Framed(QtWidgets.QWidget):
    """A bar above a view."""

    def __init__(self, view: View, bar: _Bar, body: _ViewWidget, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self._view, self._bar, self._body = view, bar, body
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(bar)
        layout.addWidget(body, 1)

    def _fit_node(self) -> None:
        """Tell the node its size again: closing a scene resets it."""
        self._body.resizeEvent(None)

    def _release(self) -> None:
        self._bar._release()
        self._view.close()


@custom_class
class qMRMLSliceView(_ViewWidget):
    def mrmlSliceNode(self) -> slicer.vtkMRMLSliceNode:
        return self._view.node


@custom_class
class qMRMLSliceControllerWidget(_Bar):
    def __init__(self, view: SliceView, parent: QtWidgets.QWidget) -> None:
        super().__init__(view.node, parent)
        self._view = view

    def mrmlSliceNode(self) -> slicer.vtkMRMLSliceNode:
        return self._view.node

    def mrmlSliceCompositeNode(self) -> slicer.vtkMRMLSliceCompositeNode:
        return self._view.logic.GetSliceCompositeNode()

    def sliceLogic(self) -> slicer.vtkMRMLSliceLogic:
        return self._view.logic

    def fitSliceToBackground(self) -> None:
        logic = self._view.logic
        logic.StartSliceNodeInteraction(slicer.vtkMRMLSliceNode.ResetFieldOfViewFlag)
        logic.FitSliceToBackground()
        self._view.node.UpdateMatrices()
        logic.EndSliceNodeInteraction()

    def setSliceOffsetValue(self, offset: float) -> None:
        logic = self._view.logic
        logic.StartSliceOffsetInteraction()
        logic.SetSliceOffset(offset)
        logic.EndSliceOffsetInteraction()


@custom_class
class qMRMLSliceWidget(_Framed):
    def __init__(self, node: slicer.vtkMRMLSliceNode, application_logic: slicer.vtkMRMLApplicationLogic, parent: QtWidgets.QWidget) -> None:
        view = SliceView(node, application_logic)
        super().__init__(view, qMRMLSliceControllerWidget(view, parent), qMRMLSliceView(view, parent), parent)

    def mrmlSliceNode(self) -> slicer.vtkMRMLSliceNode:
        return self._view.node

    def mrmlSliceCompositeNode(self) -> slicer.vtkMRMLSliceCompositeNode:
        return self._view.logic.GetSliceCompositeNode()

    def sliceLogic(self) -> slicer.vtkMRMLSliceLogic:
        return self._view.logic

    def sliceController(self) -> qMRMLSliceControllerWidget:
        return self._bar

    def sliceView(self) -> qMRMLSliceView:
        return self._body

    def fitSliceToBackground(self) -> None:
        self._bar.fitSliceToBackground()

    def _orientation(self) -> str:
        return self._view.node.GetOrientation()

    def _set_orientation(self, name: str) -> None:
        self._view.node.SetOrientation(name)

    sliceOrientation = Property(str, _orientation, _set_orientation)


@custom_class
class qMRMLThreeDView(_ViewWidget):
    def mrmlViewNode(self) -> slicer.vtkMRMLViewNode:
        return self._view.node

    def resetFocalPoint(self) -> None:
        self._view.reset_focal_point()

    def resetCamera(self) -> None:
        self._view.reset_camera()


@custom_class
class qMRMLThreeDViewControllerWidget(_Bar):
    def __init__(self, view: ThreeDView, parent: QtWidgets.QWidget) -> None:
        super().__init__(view.node, parent)


@custom_class
class qMRMLThreeDWidget(_Framed):
    def __init__(self, node: slicer.vtkMRMLViewNode, application_logic: slicer.vtkMRMLApplicationLogic, parent: QtWidgets.QWidget) -> None:
        view = ThreeDView(node, application_logic)
        super().__init__(view, qMRMLThreeDViewControllerWidget(view, parent), qMRMLThreeDView(view, parent), parent)

    def mrmlViewNode(self) -> slicer.vtkMRMLViewNode:
        return self._view.node

    def viewLogic(self) -> slicer.vtkMRMLViewLogic:
        return self._view.logic

    def threeDView(self) -> qMRMLThreeDView:
        return self._body

    def threeDController(self) -> qMRMLThreeDViewControllerWidget:
        return self._bar
