"""The host's plot views show the charts of the scene as the application's do."""

import numpy as np
import pytest
import slicer
from vtk.util.numpy_support import numpy_to_vtk

import host

host.start(views=True)


@pytest.fixture
def chart():
    """A chart of one red line from the lower left to the upper right."""
    slicer.mrmlScene.Clear(0)
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode")
    for name in ("x", "y"):
        column = numpy_to_vtk(np.arange(5.0), deep=True)
        column.SetName(name)
        table.AddColumn(column)
    series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", "line")
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("x")
    series.SetYColumnName("y")
    series.SetPlotType(series.PlotTypeScatter)
    series.SetMarkerStyle(series.MarkerStyleNone)
    series.SetColor(1, 0, 0)
    series.SetLineWidth(4)
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode")
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetLegendVisibility(False)
    yield chart
    slicer.mrmlScene.Clear(0)
    assert host.failures() == []


def red(pixels):
    return (pixels[..., 0] > 150) & (pixels[..., 1] < 100) & (pixels[..., 2] < 100)


def test_a_chart_that_is_shown_brings_a_layout_with_a_plot_and_is_drawn(chart):
    manager = slicer.app.layoutManager()
    before = manager.layout
    slicer.modules.plots.logic().ShowChartInLayout(chart)
    assert manager.layout != before and manager.plotViewCount == 1
    widget = manager.plotWidget(0)
    assert widget.mrmlPlotViewNode().GetPlotChartNodeID() == chart.GetID()
    view = host.pythonqt.unwrap(widget)._view
    view.resize(200, 160)
    rows, columns = np.nonzero(red(view.picture()))
    assert len(rows) > 50
    assert np.corrcoef(rows, columns)[0, 1] < -0.95, "rows count from the top"
    manager.setLayout(before)


def test_an_axis_keeps_the_range_that_the_chart_fixes(chart):
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(0, 8)
    slicer.modules.plots.logic().ShowChartInLayout(chart)
    view = host.pythonqt.unwrap(slicer.app.layoutManager().plotWidget(0))._view
    view.resize(200, 160)
    _, columns = np.nonzero(red(view.picture()))
    assert columns.max() < 150, "the right half is empty"
    chart.SetXAxisRangeAuto(True)
    _, columns = np.nonzero(red(view.picture()))
    assert columns.max() > 170


def test_a_chart_whose_curves_are_gone_is_drawn_empty(chart):
    slicer.modules.plots.logic().ShowChartInLayout(chart)
    slicer.mrmlScene.RemoveNode(slicer.mrmlScene.GetFirstNodeByName("line"))
    view = host.pythonqt.unwrap(slicer.app.layoutManager().plotWidget(0))._view
    assert not red(view.picture()).any()


def test_bars_are_refused(chart):
    slicer.mrmlScene.GetFirstNodeByName("line").SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeBar)
    slicer.modules.plots.logic().ShowChartInLayout(chart)
    view = host.pythonqt.unwrap(slicer.app.layoutManager().plotWidget(0))._view
    with pytest.raises(NotImplementedError, match="the host draws scatter plots"):
        view.render()
