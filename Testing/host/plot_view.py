"""Plot views: the chart that a vtkMRMLPlotViewNode names, drawn by VTK. Behaviour follows qMRMLPlotView of Slicer.

The application draws with the same vtkChartXY; the host draws lines and points, and refuses bars.
"""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from PySide6 import QtWidgets
from vtk.util.numpy_support import vtk_to_numpy

from .pythonqt import custom_class
from .view_widgets import _Bar, _Framed, _ViewWidget

FIRST_SIZE = (400, 300)
_SERIES, _PENS = slicer.vtkMRMLPlotSeriesNode, vtk.vtkPen
LINE_STYLES = {
    _SERIES.LineStyleNone: _PENS.NO_PEN,
    _SERIES.LineStyleSolid: _PENS.SOLID_LINE,
    _SERIES.LineStyleDash: _PENS.DASH_LINE,
    _SERIES.LineStyleDot: _PENS.DOT_LINE,
    _SERIES.LineStyleDashDot: _PENS.DASH_DOT_LINE,
    _SERIES.LineStyleDashDotDot: _PENS.DASH_DOT_DOT_LINE,
}
MARKERS = {
    _SERIES.MarkerStyleNone: vtk.vtkPlotPoints.NONE,
    _SERIES.MarkerStyleCross: vtk.vtkPlotPoints.CROSS,
    _SERIES.MarkerStylePlus: vtk.vtkPlotPoints.PLUS,
    _SERIES.MarkerStyleSquare: vtk.vtkPlotPoints.SQUARE,
    _SERIES.MarkerStyleCircle: vtk.vtkPlotPoints.CIRCLE,
    _SERIES.MarkerStyleDiamond: vtk.vtkPlotPoints.DIAMOND,
}


class PlotView:
    """A render window with the chart of a plot view node."""

    def __init__(self, node: slicer.vtkMRMLPlotViewNode) -> None:
        self.node = node
        self._context = vtk.vtkContextView()
        self.window, self.interactor = self._context.GetRenderWindow(), self._context.GetInteractor()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(0)
        self.window.SetSize(*FIRST_SIZE)
        self.chart = vtk.vtkChartXY()
        self._context.GetScene().AddItem(self.chart)
        self._context.GetRenderer().SetBackground(1, 1, 1)

    def resize(self, width: int, height: int) -> None:
        """Give the view another size in pixels."""
        self.window.SetSize(width, height)

    def chart_node(self) -> slicer.vtkMRMLPlotChartNode | None:
        """Return the chart that is shown."""
        return self.node.GetPlotChartNode()

    def render(self) -> None:
        """Draw what the nodes say now."""
        self.chart.ClearPlots()
        node = self.chart_node()
        self.chart.SetTitle(node.GetTitle() or "" if node and node.GetTitleVisibility() else "")
        if node is not None:
            self.chart.SetShowLegend(node.GetLegendVisibility())
            self._show_axis(vtk.vtkAxis.BOTTOM, node.GetXAxisTitle(), None if node.GetXAxisRangeAuto() else node.GetXAxisRange())
            self._show_axis(vtk.vtkAxis.LEFT, node.GetYAxisTitle(), None if node.GetYAxisRangeAuto() else node.GetYAxisRange())
            for index in range(node.GetNumberOfPlotSeriesNodes()):
                self._add(node.GetNthPlotSeriesNode(index))
        self.window.Render()

    def _show_axis(self, place: int, title: str | None, limits: tuple[float, float] | None) -> None:
        axis = self.chart.GetAxis(place)
        axis.SetTitle(title or "")
        axis.SetBehavior(vtk.vtkAxis.AUTO if limits is None else vtk.vtkAxis.FIXED)
        if limits is not None:
            axis.SetUnscaledRange(*limits)

    def _add(self, series: slicer.vtkMRMLPlotSeriesNode) -> None:
        table = series.GetTableNode().GetTable() if series.GetTableNode() else None
        names = series.GetXColumnName(), series.GetYColumnName()
        if table is None or any(table.GetColumnByName(name) is None for name in names) or not table.GetNumberOfRows():
            return
        if series.GetPlotType() != series.PlotTypeScatter:
            raise NotImplementedError(f"{series.GetName()}: plot type {series.GetPlotType()}; the host draws scatter plots")
        plot = self.chart.AddPlot(vtk.vtkChart.LINE)
        plot.SetInputData(table, *names)
        plot.SetLabel(series.GetName())
        plot.SetColorF(*series.GetColor())
        plot.SetWidth(series.GetLineWidth())
        plot.GetPen().SetLineType(LINE_STYLES[series.GetLineStyle()])
        plot.SetMarkerStyle(MARKERS[series.GetMarkerStyle()])

    def picture(self) -> np.ndarray:
        """Return what the view shows now, (height, width, RGB), 8 bits, first row on top."""
        self.render()
        width, height = self.window.GetSize()
        pixels = vtk.vtkUnsignedCharArray()
        self.window.GetPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        return np.flipud(vtk_to_numpy(pixels).reshape(height, width, 3)).copy()

    def close(self) -> None:
        """Let go of the window."""
        self.window.Finalize()


@custom_class
class qMRMLPlotView(_ViewWidget):
    def mrmlPlotViewNode(self) -> slicer.vtkMRMLPlotViewNode:
        return self._view.node


@custom_class
class qMRMLPlotViewControllerWidget(_Bar):
    def __init__(self, view: PlotView, parent: QtWidgets.QWidget) -> None:
        super().__init__(view.node, parent)


@custom_class
class qMRMLPlotWidget(_Framed):
    def __init__(
        self, node: slicer.vtkMRMLPlotViewNode, application_logic: slicer.vtkMRMLApplicationLogic, parent: QtWidgets.QWidget
    ) -> None:
        view = PlotView(node)
        super().__init__(view, qMRMLPlotViewControllerWidget(view, parent), qMRMLPlotView(view, parent), parent)

    def mrmlPlotViewNode(self) -> slicer.vtkMRMLPlotViewNode:
        return self._view.node

    def plotView(self) -> qMRMLPlotView:
        return self._body

    def plotController(self) -> qMRMLPlotViewControllerWidget:
        return self._bar
