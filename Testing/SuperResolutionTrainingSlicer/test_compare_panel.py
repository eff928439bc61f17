"""The section Evaluate with all models, with a stand-in that answers as the comparison process does."""

import csv
import json
import os
import signal

import numpy as np
import pytest
import slicer

from slicer_fixtures import run_folders
from SuperResolutionLib.model_file import Card
from SuperResolutionTrainingSlicer.comparison_nodes import ComparisonNodes
from SuperResolutionTrainingSlicer.comparison_run import Comparison
from SuperResolutionTrainingSlicer.figures import CONVENTIONS
from SuperResolutionTrainingSlicer.parameters import EvaluationKind, Factor, Measure, Region, SliceProfile, ThickAxis

MEASURES, REGIONS = ("psnr", "ncc", "ssim", "rmse"), ("whole", "foreground")
PSNR = {"cubic": (30.0, 32.0), "own & ours": (31.0, 34.0), "fast": (29.0, 33.0)}
TRAINED = "own & ours"


def entry(model, axis, psnr):
    mean = {"psnr": psnr, "ncc": 0.9, "ssim": 0.8, "rmse": 12.0}
    summary = [
        {"region": region, "along": along, "slices": 9, "mean": mean, "deviation": mean} for region in REGIONS for along in ("ijk", "i")
    ]
    place = {"file": "a.nrrd", "series": "", "subject": "a", "modality": "MR", "coarsen": [1, 1, 1], "axis": axis}
    return place | {"factor": 4, "profile": "mean", "model": model, "trained_on": model == TRAINED, "seconds": 1.5, "summary": summary}


def total(model, region, psnr):
    gains = [None if value is None else value - cubic for value, cubic in zip(psnr, PSNR["cubic"])]
    missing = None in psnr
    mean = {"psnr": None if missing else float(np.mean(psnr)), "ncc": 0.9, "ssim": 0.8, "rmse": 12.0}
    return {
        "model": model, "factor": 4, "profile": "mean", "region": region, "trials": 2, "subjects": 1, "mean": mean,
        "deviation": {"psnr": None if missing else float(np.std(psnr)), "ncc": 0.0, "ssim": 0.0, "rmse": 0.0},
        "gain_db": None if missing else float(np.mean(gains)), "worst_gain_db": None if missing else min(gains),
        "trained_on": model == TRAINED,
    }  # fmt: skip


def record(**changes):
    """Figures of three models in two trials, as the engine writes them."""
    figures = PSNR | changes
    return {
        "conventions": "as in the thesis",
        "models": [total(model, region, psnr) for model, psnr in figures.items() for region in REGIONS],
        "entries": [entry(model, axis, psnr[place]) for place, axis in enumerate("ik") for model, psnr in figures.items()],
    }


ANSWERS = """
import json, os, pathlib, sys, time
request = json.loads(pathlib.Path(sys.argv[1]).read_text())
print(json.dumps({{"type": "started", "pid": os.getpid()}}), flush=True)
print(json.dumps({{"type": "progress", "stage": "measuring a, factor 4 along i, mean: fast", "fraction": 0.5}}), flush=True)
{end}
"""
WRITES = """pathlib.Path(request["record"]).write_text({!r})\nprint('{{"type": "result"}}')"""
HANGS = "time.sleep(60)"


def writes(figures):
    return WRITES.format(json.dumps(figures))


@pytest.fixture
def ui(panel):
    return panel.ui


@pytest.fixture
def compare(panel, ui, heads, engine, monkeypatch, wait_until):
    """Press Evaluate with all models on a volume, or a folder, with a stand-in in the process's place, and wait for the end."""

    def start(end=None, folder=None, wait=True):
        from SuperResolutionSlicer.engine_process import EngineProcess

        module = engine(ANSWERS.format(end=end or writes(record())))
        monkeypatch.setattr("SuperResolutionSlicer.engine_run.EngineProcess", lambda _, *rest: EngineProcess(module, *rest))
        ui.measuredBox.setCurrentIndex(1)
        if folder is None:
            ui.referenceSelector.setCurrentNode(heads(1)[0])
        else:
            ui.comparisonFolderEdit.currentPath = str(folder)
        assert ui.evaluateButton.enabled, ui.evaluateButton.toolTip
        ui.evaluateButton.click()
        assert panel.logic.isEvaluating and ui.evaluateButton.text == "Cancel"
        if wait:
            wait_until(lambda: not panel.logic.isEvaluating)
        else:
            wait_until(lambda: panel.logic.evaluation.process.pid is not None)

    return start


@pytest.fixture
def asked(panel):
    """Return what the panel asked the process for: its request, and the files that were there for it."""

    def read():
        run = panel.logic.evaluation
        request = json.loads((run.temporary / "request.json").read_text())
        return request, sorted(os.listdir(request["data"]))

    return read


def cells(table, *columns):
    names = [table.GetColumnName(column) for column in range(table.GetNumberOfColumns())]
    return [[table.GetCellText(row, names.index(column)) for column in columns] for row in range(table.GetNumberOfRows())]


def values_of(table, column):
    return [table.GetTable().GetValueByName(row, column).ToDouble() for row in range(table.GetNumberOfRows())]


# ---- the question


def test_the_choice_at_the_top_shows_the_widgets_of_each(ui):
    volume = [ui.candidateSelector, ui.candidateLabel, ui.thickSelector, ui.axisBox]
    models = [ui.comparisonFolderEdit, ui.comparisonFactorBox, ui.comparisonProfileLabel, ui.thickAxisBox]
    for index, (shown, hidden) in enumerate(((volume, models), (models, volume))):
        ui.measuredBox.setCurrentIndex(index)
        assert not any(widget.isHidden() for widget in (*shown, ui.referenceSelector))
        assert all(widget.isHidden() for widget in hidden)


def test_the_menus_begin_with_factor_4_of_means_along_every_axis(ui):
    boxes = (ui.comparisonFactorBox, ui.comparisonProfileBox, ui.thickAxisBox)
    assert [box.currentText for box in boxes] == ["×4", "Mean of the fine slices", "Every axis of real resolution"]
    assert [ui.comparisonFactorBox.itemText(row) for row in range(4)] == ["×2", "×3", "×4", "×8"]


def test_evaluate_waits_for_a_volume_or_a_folder(ui, panel, heads, tmp_path):
    ui.measuredBox.setCurrentIndex(1)
    assert not ui.evaluateButton.enabled and "Select a reference, or a folder of fine scans." in ui.evaluateButton.toolTip
    ui.comparisonFolderEdit.currentPath = "/no/such/folder"
    assert "/no/such/folder: no such folder" in ui.evaluateButton.toolTip
    ui.comparisonFolderEdit.currentPath = str(tmp_path)
    assert ui.evaluateButton.enabled and not ui.referenceSelector.enabled
    ui.comparisonFolderEdit.currentPath = ""
    assert not ui.evaluateButton.enabled and ui.referenceSelector.enabled
    assert panel.logic.getParameterNode().comparisonFolder == ""
    ui.referenceSelector.setCurrentNode(heads(1)[0])
    assert ui.evaluateButton.enabled


def test_evaluate_waits_for_a_factor_that_a_model_offers(ui, tmp_path, monkeypatch):
    monkeypatch.setattr(Card, "offered_factors", property(lambda card: (2, 3, 4)))
    ui.measuredBox.setCurrentIndex(1)
    ui.comparisonFolderEdit.currentPath = str(tmp_path)
    ui.comparisonFactorBox.setCurrentIndex(list(Factor).index(Factor.EIGHT))
    assert not ui.evaluateButton.enabled
    assert "factor 8: no model makes one axis finer by it; accepted are the factors of fast (2, 3, 4), or" in ui.evaluateButton.toolTip


@pytest.mark.parametrize(
    ("voxels", "reason"),
    [
        (np.random.default_rng(0).integers(0, 3, (20, 20, 20)).astype(np.int16), "only 3 distinct whole numbers, a label map"),
        (np.random.default_rng(0).normal(size=(1, 20, 20)), "one slice; accepted are volumes of at least two voxels"),
    ],
)
def test_a_reference_that_is_no_fine_scan_is_refused(voxels, reason, ui, scene):
    ui.measuredBox.setCurrentIndex(1)
    ui.referenceSelector.setCurrentNode(slicer.util.addVolumeFromArray(voxels, np.eye(4), "odd"))
    assert not ui.evaluateButton.enabled and reason in ui.evaluateButton.toolTip


def test_the_volume_is_handed_over_under_its_name(panel, compare, asked, heads, ui):
    ui.comparisonFactorBox.setCurrentIndex(list(Factor).index(Factor.TWO))
    ui.comparisonProfileBox.setCurrentIndex(list(SliceProfile).index(SliceProfile.KSPACE))
    ui.thickAxisBox.setCurrentIndex(list(ThickAxis).index(ThickAxis.K))
    compare(HANGS, wait=False)
    request, files = asked()
    assert files == ["head_0.nrrd"]
    assert {name: request[name] for name in ("factor", "profile", "axes")} == {"factor": 2, "profile": "kspace", "axes": "k"}


def test_a_volume_of_a_patient_bears_the_name_that_training_gives_the_patient(panel, heads):
    from SuperResolutionTrainingLib.subjects import without_identity
    from SuperResolutionTrainingSlicer.comparison_run import _subject_of

    (node,) = heads(1)
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Anna")
    hierarchy.SetItemAttribute(patient, "DICOM.PatientID", "4711")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), patient)
    assert _subject_of(node) == without_identity("4711")


def test_the_folder_goes_before_the_volume_and_stays(compare, asked, heads, ui, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "scan.nrrd").write_text("")
    ui.referenceSelector.setCurrentNode(heads(1)[0])
    compare(HANGS, folder=data, wait=False)
    assert asked()[0]["data"] == str(data)
    ui.evaluateButton.click()
    assert (data / "scan.nrrd").exists()


def test_a_folder_that_vanished_is_told_when_evaluate_is_pressed(panel, ui, tmp_path):
    ui.measuredBox.setCurrentIndex(1)
    data = tmp_path / "data"
    data.mkdir()
    ui.comparisonFolderEdit.currentPath = str(data)
    data.rmdir()
    ui.evaluateButton.click()
    assert not panel.logic.isEvaluating and "data: no such folder" in ui.evaluationMessage.text


# ---- the answer


def test_the_table_has_the_best_model_first_and_the_whole_volume_before_the_foreground(panel, compare):
    compare()
    table = panel.evaluate.nodes.table
    assert table.GetName() == "All models on head 0, ×4, mean"
    assert cells(table, "Model", "Voxels", "Trials", "Trained on a subject") == [
        [model, region, "2", trained]
        for region in ("Whole volume", "Foreground")
        for model, trained in ((TRAINED, "yes"), ("cubic", "no"), ("fast", "no"))
    ]
    assert values_of(table, "PSNR (dB)")[:3] == [32.5, 31.0, 31.0]
    assert values_of(table, "± PSNR (dB)")[:3] == [1.5, 1.0, 2.0]
    assert values_of(table, "Gain (dB)")[:3] == [1.5, 0.0, 0.0]
    assert values_of(table, "Worst gain (dB)")[:3] == [1.0, 0.0, -1.0]
    conventions = table.GetAttribute(CONVENTIONS)
    assert "mean and standard deviation over trials" in conventions and "as in the thesis" in conventions


def test_the_panel_shows_the_models_and_marks_the_one_that_was_trained_on_the_subject(ui, compare):
    compare()
    shown = ui.scoresLabel.text
    row = "<td align='right'>&nbsp;32.50 ± 1.50</td><td align='right'>&nbsp;+1.50</td><td align='right'>&nbsp;+1.00</td>"
    assert f"<tr><td>own &amp; ours *</td>{row}" in shown
    assert shown.index("own &amp; ours") < shown.index("cubic") < shown.index("fast")
    assert "<tr><td>fast</td>" in shown
    assert ui.evaluationMessage.text.startswith("Mean ± standard deviation over 2 trials.")
    assert "* was trained on one of these subjects." in ui.evaluationMessage.text
    assert "over trials" in ui.scoresLabel.toolTip


def test_a_model_that_failed_in_a_trial_keeps_its_other_figures_and_so_do_the_others(scene):
    figures = record()
    figures["entries"] = [each for each in figures["entries"] if (each["model"], each["axis"]) != ("fast", "i")]
    nodes = ComparisonNodes(figures, "some models")
    chart = nodes.chart(Measure.PSNR, Region.WHOLE)
    table = chart.GetNthPlotSeriesNode(0).GetTableNode()
    assert np.isnan(values_of(table, "fast PSNR whole")[0]) and values_of(table, "fast PSNR whole")[1] == 1
    assert values_of(table, f"{TRAINED} PSNR whole") == [1, 2]


def test_a_single_trial_has_no_deviation_and_what_does_not_exist_is_a_dash(scene):
    figures = record(**{TRAINED: (None, None)})
    figures["entries"] = [entry for entry in figures["entries"] if entry["axis"] == "k"]
    nodes = ComparisonNodes(figures, "one trial")
    assert nodes.trials == 1
    assert "<td>cubic</td><td align='right'>&nbsp;31.00</td>" in nodes.as_html()
    assert "&nbsp;–</td><td align='right'>&nbsp;–</td><td align='right'>&nbsp;–</td>" in nodes.as_html()
    assert cells(nodes.table, "Model")[2] == [TRAINED], "last"
    assert nodes.chart(Measure.PSNR, Region.WHOLE).GetXAxisTitle() == "thick axis: 1 = K"


def test_the_chart_draws_what_each_model_gains_in_each_trial(panel, compare):
    compare()
    chart = panel.evaluate.nodes.chart(Measure.PSNR, Region.FOREGROUND)
    assert (chart.GetXAxisTitle(), chart.GetYAxisTitle()) == ("thick axis: 1 = I, 2 = K", "PSNR (dB): difference from cubic")
    series = [chart.GetNthPlotSeriesNode(number) for number in range(chart.GetNumberOfPlotSeriesNodes())]
    assert [each.GetName() for each in series] == [TRAINED, "cubic", "fast"]
    table = series[0].GetTableNode()
    assert [values_of(table, each.GetYColumnName()) for each in series] == [[1.0, 2.0], [0.0, 0.0], [-1.0, 1.0]]
    assert cells(table, "scan") == [["a along I"], ["a along K"]]
    assert [each.GetLineStyle() == each.LineStyleDash for each in series] == [False, True, False]
    assert len({tuple(each.GetColor()) for each in series}) == 3
    panel.evaluate.nodes.chart(Measure.NCC, Region.WHOLE)
    assert [each.GetYColumnName() for each in series] == [f"{model} NCC whole" for model in (TRAINED, "cubic", "fast")]


def test_a_plot_view_shows_the_trials_until_another_choice_has_none(views, panel, ui, compare):
    compare()
    before = views.layout
    ui.showChartButton.click()
    chart = views.plotWidget(0).mrmlPlotViewNode().GetPlotChartNode()
    ui.measureBox.setCurrentIndex(2)
    assert chart.GetYAxisTitle() == "SSIM: difference from cubic"
    assert views.plotWidget(0).plotView() is not None and views.layout != before
    ui.measuredBox.setCurrentIndex(0)
    assert views.layout == before and not ui.showChartButton.enabled and ui.scoresLabel.text == ""
    assert ui.evaluationMessage.text == ""
    ui.measuredBox.setCurrentIndex(1)
    assert "own &amp; ours" in ui.scoresLabel.text and "2 trials" in ui.evaluationMessage.text


def test_models_and_trials_are_exported_as_csv(panel, ui, compare, tmp_path):
    compare()
    panel.evaluate.exportTo(tmp_path / "models.csv")
    assert ui.evaluationMessage.text == "Written: models.csv, models-trials.csv"
    with open(tmp_path / "models.csv", newline="", encoding="utf-8") as file:
        assert [row["Model"] for row in csv.DictReader(file)] == [TRAINED, "cubic", "fast"] * 2
    with open(tmp_path / "models-trials.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 2
    assert rows[0] == {
        "Model": "cubic", "File": "a.nrrd", "Subject": "a", "Axis": "i", "Factor": "4", "Profile": "mean", "Seconds": "1.5",
        "Voxels": "Whole volume", "PSNR (dB)": "30.0", "NCC": "0.9", "SSIM": "0.8", "RMSE": "12.0", "Trained on the subject": "no",
    }  # fmt: skip


def test_what_was_left_out_is_told(ui, compare):
    lines = [json.dumps({"type": "warning", "message": f"left out: {name}"}) for name in ("b", "c")]
    compare("".join(f"print({line!r})\n" for line in lines) + writes(record()))
    assert ui.evaluationMessage.text.endswith("\nleft out: b, and 1 more (see Details)")
    assert "left out: c" in ui.evaluationLog.plainText


# ---- other ends


def test_percent_and_what_is_being_measured_are_shown(ui, compare, wait_until):
    compare(HANGS, wait=False)
    wait_until(lambda: ui.evaluationBar.value == 50)
    assert ui.evaluationMessage.text == "Measuring a, factor 4 along i, mean: fast…"
    assert not any(widget.enabled for widget in (ui.measuredBox, ui.referenceSelector, ui.comparisonFolderEdit, ui.comparisonFactorBox))


@pytest.mark.parametrize("end", ["cancelled", "scene closed", "killed"])
def test_however_a_comparison_ends_nothing_is_left(end, panel, ui, scene, compare, gone, wait_until):
    compare(HANGS, wait=False)
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


def test_a_comparison_goes_on_while_the_user_is_elsewhere_and_has_removed_the_volume(panel, scene, compare, wait_until):
    compare("time.sleep(0.3)\n" + writes(record()), wait=False)
    panel.parent.exit()
    for node in list(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")):
        scene.RemoveNode(node)
    wait_until(lambda: not panel.logic.isEvaluating)
    assert panel.evaluate.nodes.table.GetName() == "All models on head 0, ×4, mean"


def test_what_the_process_refuses_is_told_in_the_panel(ui, compare):
    message = "a: 7 slices along k; factor 4 needs at least 8"
    compare(f"""print(json.dumps({{"type": "error", "message": {message!r}, "exit_status": 2}}))\nsys.exit(2)""")
    assert ui.evaluationMessage.text == message and run_folders() == []


def test_an_answer_without_figures_is_told(ui, compare):
    compare("""print('{"type": "result"}')""")
    assert "the figures of the background process cannot be read" in ui.evaluationMessage.text


def test_one_evaluation_at_a_time(panel, compare, heads):
    compare(HANGS, wait=False)
    with pytest.raises(RuntimeError, match="an evaluation is in progress; accepted is one at a time"):
        panel.logic.startComparison(Comparison(heads(1)[0]))
    assert panel.logic.getParameterNode().measured is EvaluationKind.MODELS
