"""The section Evaluate, with a stand-in that answers as the evaluation process does."""

import csv
import json
import os
import signal

import pytest
import slicer

from slicer_fixtures import run_folders
from SuperResolutionTrainingSlicer.parameters import Axis, Measure, Region

MEASURES, REGIONS = ("psnr", "ncc", "ssim", "rmse"), ("whole", "foreground")
VOLUMES = ("candidate", "cubic")


def figures(missing=False):
    """Figures of two volumes: the candidate's are 1, 2, 3, 4 (PSNR to RMSE), cubic's ten times as large."""
    summary, curves = [], []
    for scale, volume in zip((1, 10), VOLUMES):
        for region in REGIONS:
            mean = {name: None if missing else float(scale * number) for number, name in enumerate(MEASURES, 1)}
            for along in ("ijk", "i", "j", "k"):
                summary.append({"volume": volume, "region": region, "along": along, "slices": 3, "mean": mean, "deviation": mean})
            for axis in "ijk":
                values = {name: [scale * number, None, scale * number] for number, name in enumerate(MEASURES, 1)}
                curves.append({"volume": volume, "region": region, "axis": axis, "slices": [1, 2, 3], "values": values})
    return {"conventions": "as in the thesis", "summary": summary, "curves": curves}


ANSWERS = """
import json, os, pathlib, sys, time
request = json.loads(pathlib.Path(sys.argv[1]).read_text())
print(json.dumps({{"type": "started", "pid": os.getpid()}}), flush=True)
print(json.dumps({{"type": "progress", "stage": "candidate", "fraction": 0.5}}), flush=True)
assert all(pathlib.Path(request[role]).is_file() for role in {roles})
{end}
"""
WRITES = """pathlib.Path(request["scores"]).write_text({!r})\nprint('{{"type": "result"}}')"""
HANGS = "time.sleep(60)"


@pytest.fixture
def ui(panel):
    return panel.ui


@pytest.fixture
def evaluate(panel, ui, heads, engine, monkeypatch, wait_until):
    """Press Evaluate on two volumes with a stand-in in the process's place, and wait for the end."""

    def start(end=None, roles=("candidate", "reference"), wait=True, thick=False):
        from SuperResolutionSlicer.engine_process import EngineProcess

        module = engine(ANSWERS.format(roles=roles, end=end or WRITES.format(json.dumps(figures()))))
        monkeypatch.setattr("SuperResolutionSlicer.engine_run.EngineProcess", lambda _, *rest: EngineProcess(module, *rest))
        candidate, reference, input_ = heads(3)
        ui.candidateSelector.setCurrentNode(candidate)
        ui.referenceSelector.setCurrentNode(reference)
        ui.thickSelector.setCurrentNode(input_ if thick else None)
        assert ui.evaluateButton.enabled, ui.evaluateButton.toolTip
        ui.evaluateButton.click()
        assert panel.logic.isEvaluating and ui.evaluateButton.text == "Cancel"
        if wait:
            wait_until(lambda: not panel.logic.isEvaluating)
        else:
            wait_until(lambda: panel.logic.evaluation.process.pid is not None)

    return start


def cells(table, *columns):
    return [[table.GetCellText(row, column) for column in columns] for row in range(table.GetNumberOfRows())]


def values_of(table, column):
    return [table.GetTable().GetValueByName(row, column).ToDouble() for row in range(table.GetNumberOfRows())]


def test_the_table_has_what_is_looked_for_first_in_its_first_rows(panel, evaluate):
    evaluate()
    table = panel.evaluate.nodes.table
    rows = cells(table, 0, 1, 2)
    assert rows[:2] == [["head 0", "Whole volume", "I, J, K"], ["cubic", "Whole volume", "I, J, K"]]
    assert len(rows) == 2 * 2 * 4
    assert [table.GetColumnName(column) for column in range(4, 8)] == ["PSNR (dB)", "± PSNR (dB)", "NCC", "± NCC"]
    assert table.GetTable().GetValueByName(1, "RMSE").ToDouble() == 40
    assert table.GetName() == "head 0 against head 1"


def test_the_panel_shows_mean_and_deviation(ui, evaluate):
    evaluate()
    assert "<td>candidate</td><td align='right'>&nbsp;1.00 ± 1.00</td>" in ui.scoresLabel.text
    assert ui.scoresLabel.toolTip == "<p>as in the thesis</p>"


def test_figures_that_do_not_exist_are_dashes_and_no_numbers(panel, ui, evaluate):
    evaluate(WRITES.format(json.dumps(figures(missing=True))))
    assert "&nbsp;–" in ui.scoresLabel.text
    assert panel.evaluate.nodes.table.GetCellText(0, 4) == "nan"


@pytest.mark.parametrize(("axis", "measure", "region"), [(Axis.I, Measure.SSIM, Region.WHOLE), (Axis.K, Measure.RMSE, Region.FOREGROUND)])
def test_the_chart_draws_what_is_chosen(axis, measure, region, panel, evaluate):
    evaluate()
    chart = panel.evaluate.nodes.chart(axis, measure, region)
    first, second = chart.GetNthPlotSeriesNode(0), chart.GetNthPlotSeriesNode(1)
    assert (first.GetName(), second.GetName()) == ("head 0", "cubic")
    assert second.GetYColumnName() == f"cubic {measure.name} {region.value}"
    table = second.GetTableNode().GetTable()
    number = 10 * (list(Measure).index(measure) + 1)
    values = [table.GetValueByName(row, second.GetYColumnName()).ToDouble() for row in range(3)]
    assert values[::2] == [number, number] and values[1] != values[1]
    assert chart.GetYAxisTitle() == measure.label()


def test_the_legend_stands_beside_the_curves(panel, evaluate):
    evaluate()
    chart = panel.evaluate.nodes.chart(Axis.I, Measure.PSNR, Region.WHOLE)
    slices = values_of(chart.GetNthPlotSeriesNode(0).GetTableNode(), "slice")
    lowest, highest = chart.GetXAxisRange()
    assert lowest < slices[0] and highest > slices[-1] + 0.25 * (slices[-1] - slices[0]) and not chart.GetXAxisRangeAuto()


def test_a_plot_view_shows_the_slices_and_follows_the_menus(views, panel, ui, evaluate):
    evaluate()
    before = views.layout
    ui.showChartButton.click()
    shown = views.plotWidget(0).mrmlPlotViewNode()
    assert shown.GetPlotChartNode().GetXAxisTitle() == "slice along I"
    ui.axisBox.setCurrentIndex(2)
    ui.measureBox.setCurrentIndex(1)
    assert (shown.GetPlotChartNode().GetXAxisTitle(), shown.GetPlotChartNode().GetYAxisTitle()) == ("slice along K", "NCC")
    ui.showChartButton.click()
    assert views.layout == before


def test_means_and_slices_are_exported_as_csv(panel, ui, evaluate, tmp_path):
    evaluate()
    panel.evaluate.exportTo(tmp_path / "figures.csv")
    assert ui.evaluationMessage.text == "Written: figures.csv, figures-slices.csv"
    with open(tmp_path / "figures-slices.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 3 * 3
    assert rows[0] == {
        "Volume": "head 0", "Voxels": "Whole volume", "Axis": "I", "Slice": "1",
        "PSNR (dB)": "1.0", "NCC": "2.0", "SSIM": "3.0", "RMSE": "4.0",
    }  # fmt: skip
    panel.evaluate.exportTo(tmp_path / "no" / "figures.csv")
    assert "not written" in ui.evaluationMessage.text


def test_charts_that_the_user_removed_are_told(panel, ui, scene, evaluate):
    evaluate()
    for node in list(slicer.util.getNodesByClass("vtkMRMLPlotChartNode")):
        scene.RemoveNode(node)
    ui.showChartButton.click()
    assert ui.evaluationMessage.text == "The chart was removed from the scene; evaluate again."


@pytest.mark.parametrize("end", ["cancelled", "scene closed", "killed"])
def test_however_an_evaluation_ends_nothing_is_left(end, panel, ui, scene, evaluate, gone, wait_until):
    evaluate(HANGS, wait=False)
    pid = panel.logic.evaluation.process.pid
    if end == "scene closed":
        scene.Clear(0)
    elif end == "killed":
        os.kill(pid, signal.SIGKILL)
    else:
        ui.evaluateButton.click()
    wait_until(lambda: not panel.logic.isEvaluating)
    assert gone(pid) and run_folders() == []
    assert ui.evaluateButton.text == "Evaluate"
    assert panel.evaluate.nodes is None


def test_an_answer_without_figures_is_told(ui, evaluate):
    evaluate("""print('{"type": "result"}')""")
    assert "the figures of the background process cannot be read" in ui.evaluationMessage.text


def test_the_thick_volume_is_handed_over(evaluate, ui):
    evaluate(roles=("candidate", "reference", "input"), thick=True)
    assert "Mean ±" in ui.evaluationMessage.text


def test_a_thick_volume_that_is_the_candidate_is_refused(ui, heads):
    first, second = heads(2)
    ui.candidateSelector.setCurrentNode(first)
    ui.referenceSelector.setCurrentNode(second)
    ui.thickSelector.setCurrentNode(first)
    assert not ui.evaluateButton.enabled
    assert "The thick volume is the candidate" in ui.evaluateButton.toolTip


def test_figures_arrive_although_the_volumes_were_removed(panel, ui, scene, evaluate, wait_until):
    evaluate(wait=False)
    for node in list(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")):
        scene.RemoveNode(node)
    wait_until(lambda: not panel.logic.isEvaluating)
    assert panel.evaluate.nodes.table.GetName() == "head 0 against head 1"
