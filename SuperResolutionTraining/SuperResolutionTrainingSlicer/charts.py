"""Figures as nodes of the scene: tables, curves of their columns, charts, and the view that shows a chart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

# Colours that colour-blind readers tell apart (Okabe and Ito, 2008).
PALETTE = ((0.00, 0.45, 0.70), (0.84, 0.37, 0.00), (0.00, 0.62, 0.45), (0.80, 0.47, 0.65), (0.34, 0.71, 0.91), (0.90, 0.62, 0.00))
_SERIES = slicer.vtkMRMLPlotSeriesNode
# For curves that share a colour.
_MARKERS = (_SERIES.MarkerStyleCircle, _SERIES.MarkerStyleSquare, _SERIES.MarkerStyleDiamond, _SERIES.MarkerStyleCross)
_ROOM = 1.4
"""Width of a chart over that of its curves, beside which the legend stands."""


def fill_table(node: slicer.vtkMRMLTableNode, columns: Mapping[str, Sequence[float] | Sequence[str] | np.ndarray]) -> None:
    """Put columns of numbers or texts, by their names, in the place of what a table node holds."""
    table = vtk.vtkTable()
    for name, values in columns.items():
        table.AddColumn(_column(name, values))
    node.SetAndObserveTable(table)


def _column(name: str, values: Sequence[float] | Sequence[str] | np.ndarray) -> vtk.vtkAbstractArray:
    if len(values) and isinstance(values[0], str):
        column = vtk.vtkStringArray()
        for value in values:
            column.InsertNextValue(value)
    else:
        column = numpy_to_vtk(np.asarray(values), deep=True)
    column.SetName(name)
    return column


def add_table(name: str) -> slicer.vtkMRMLTableNode:
    """Return a new, empty table node."""
    return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", slicer.mrmlScene.GenerateUniqueName(name))


def add_curve(
    table: slicer.vtkMRMLTableNode, x: str, y: str, name: str, number: int = 0, dashed: bool = False
) -> slicer.vtkMRMLPlotSeriesNode:
    """Return a new line through two columns of a table; `name` stands in the legend, `number` chooses the colour."""
    series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", name)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(x)
    series.SetYColumnName(y)
    series.SetPlotType(series.PlotTypeScatter)
    series.SetMarkerStyle(series.MarkerStyleNone)
    series.SetLineWidth(2)
    if dashed:
        series.SetLineStyle(series.LineStyleDash)
    series.SetColor(*PALETTE[number % len(PALETTE)])
    return series


def add_chart(title: str, x: str, y: str, series: Iterable[slicer.vtkMRMLPlotSeriesNode]) -> slicer.vtkMRMLPlotChartNode:
    """Return a new chart of some curves with titles for its axes."""
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", slicer.mrmlScene.GenerateUniqueName(title))
    chart.SetTitle(title)
    chart.SetXAxisTitle(x)
    chart.SetYAxisTitle(y)
    for each in series:
        chart.AddAndObservePlotSeriesNodeID(each.GetID())
    return chart


def mark_points(series: slicer.vtkMRMLPlotSeriesNode, number: int, labels: str) -> None:
    """Mark the points of a curve, whose `number` chose its colour, and label them by a column of its table."""
    series.SetMarkerStyle(_MARKERS[number // len(PALETTE) % len(_MARKERS)])
    series.SetLabelColumnName(labels)


def leave_room_for_legend(chart: slicer.vtkMRMLPlotChartNode, lowest: float, highest: float) -> None:
    """Let the legend stand beside the curves, which go from the one x to the other, and not over them."""
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(lowest, lowest + _ROOM * (highest - lowest))


def draw_columns(chart_id: str, columns: Mapping[str, str], title: str, y: str) -> slicer.vtkMRMLPlotChartNode | None:
    """Let a chart draw other columns, by the ID of each series, under other titles; return it, None if the user has removed it."""
    chart = slicer.mrmlScene.GetNodeByID(chart_id)
    if chart is None:
        return None
    for series_id, column in columns.items():
        series = slicer.mrmlScene.GetNodeByID(series_id)
        if series is not None:
            series.SetYColumnName(column)
    chart.SetTitle(title)
    chart.SetYAxisTitle(y)
    return chart


class PlotView:
    """The view that shows a chart, in a layout that has one; there is none where there is no main window."""

    def __init__(self) -> None:
        self._layout_before: int | None = None

    @property
    def shown(self) -> bool:
        """Whether a chart is shown."""
        return self._layout_before is not None

    def show(self, chart: slicer.vtkMRMLPlotChartNode) -> None:
        """Show a chart, and remember the layout before."""
        manager = slicer.app.layoutManager()
        if manager is None:
            return
        if self._layout_before is None:
            self._layout_before = manager.layout
        slicer.modules.plots.logic().ShowChartInLayout(chart)

    def leave(self) -> None:
        """Lead back to the layout before the first chart."""
        manager, before, self._layout_before = slicer.app.layoutManager(), self._layout_before, None
        if manager is not None and before is not None:
            manager.setLayout(before)
