"""The section Train, with a stand-in that speaks as the training process does."""

import json
import os
import shutil
import signal
import sys

import pytest
import slicer

import host
from slicer_fixtures import run_folders
from SuperResolutionLib.errors import WorkError
from SuperResolutionSlicer import device_menu
from SuperResolutionSlicer.engine_process import EngineProcess
from SuperResolutionTrainingSlicer.run_folders import RESULT, unfinished_runs
from SuperResolutionTrainingSlicer.training_run import Told

ENDS_WELL = "say('result', model='m', gain_db={}, seconds=1)"
FAILS = """say("error", message="no scan has real resolution along k", exit_status=2); sys.exit(2)"""


@pytest.fixture
def ui(panel):
    return panel.ui


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def train(panel, ui, tmp_path, trainer, wait_until):
    """Press Train on a folder, and wait until training has begun."""

    def start(*arguments, **options):
        trainer(*arguments, **options)
        ui.dataFolderEdit.currentPath = str(tmp_path)
        assert ui.trainButton.enabled, ui.trainButton.toolTip
        ui.trainButton.click()
        wait_until(lambda: panel.logic.training.began or not panel.logic.isTraining)
        return panel.logic.training.process.pid

    return start


@pytest.fixture
def added(monkeypatch):
    """Accept whatever was trained, and tell what it was."""
    from types import SimpleNamespace

    paths = []

    def add(path):
        paths.append(path)
        return SimpleNamespace(id="my-model")

    monkeypatch.setattr("SuperResolutionTrainingSlicer.training_run.add_model", add)
    return paths


@pytest.fixture
def modules_as_before():
    """A reloaded module brings its packages anew; the tests that follow go on with those that they have imported."""
    before = dict(sys.modules)
    yield
    for name in [name for name in sys.modules if name.startswith("SuperResolution")]:
        del sys.modules[name]
    sys.modules.update({name: module for name, module in before.items() if name.startswith("SuperResolution")})


def test_progress_loss_and_remaining_time_are_shown(ui, train, wait_until):
    train()
    wait_until(lambda: ui.progressBar.value >= 5)
    assert "Training, step" in ui.stageLabel.text and "loss" in ui.stageLabel.text and "min" in ui.stageLabel.text
    assert "PSNR 30." in ui.messageLabel.text and "the best so far" in ui.messageLabel.text
    assert not ui.progressBar.isHidden()
    assert not any(widget.enabled for widget in (ui.dataGroup, ui.recipeGroup, ui.advancedSection, ui.resumeButton))


def test_the_curves_grow_in_the_scene(panel, ui, train, added, wait_until):
    train(steps=6)
    wait_until(lambda: not panel.logic.isTraining)
    loss, psnr = (panel.train.curves.chart(kind) for kind in ("loss", "psnr"))
    table = loss.GetNthPlotSeriesNode(0).GetTableNode()
    assert [table.GetTable().GetValueByName(row, "step").ToDouble() for row in range(6)] == [1, 2, 3, 4, 5, 6]
    assert [psnr.GetNthPlotSeriesNode(each).GetName() for each in (0, 1)] == ["my-model", "cubic"]
    assert psnr.GetNthPlotSeriesNode(1).GetTableNode().GetNumberOfRows() == 3


def test_the_model_is_added_and_the_gain_told(panel, ui, train, runs, added, wait_until):
    train(steps=3)
    wait_until(lambda: not panel.logic.isTraining)
    assert ui.messageLabel.text == "Trained in 1 min 15 s; model 'my-model' is among your models. Gain over cubic: ×2 +1.25 dB."
    assert added == [str(runs / "my-model" / "made.safetensors")]
    assert json.loads((runs / "my-model" / RESULT).read_text())["seconds"] == 75
    assert unfinished_runs(runs) == []


def test_a_model_that_cannot_be_added_is_told_and_the_run_stays(panel, ui, train, runs, wait_until):
    train(steps=3)  # what the stand-in leaves is no model
    wait_until(lambda: not panel.logic.isTraining)
    assert "the model was trained, but could not be added: " in ui.messageLabel.text
    assert [run.folder.name for run in unfinished_runs(runs)] == ["my-model"]


def test_a_paused_run_waits_and_goes_on(panel, ui, train, runs, wait_until):
    train()
    ui.pauseButton.click()
    assert (runs / "my-model" / "pause").is_file()
    wait_until(lambda: '"paused"' in panel.logic.training.log)
    for _ in range(20):
        slicer.app.processEvents()
    assert (ui.stageLabel.text, ui.pauseButton.text) == ("Paused", "Continue")
    value = ui.progressBar.value
    ui.pauseButton.click()
    wait_until(lambda: ui.progressBar.value > value)
    assert ui.pauseButton.text == "Pause"


def test_stop_and_keep_the_best_works_while_paused(panel, ui, train, added, wait_until):
    train()
    ui.pauseButton.click()
    ui.keepBestButton.click()
    assert not ui.keepBestButton.enabled and not ui.pauseButton.enabled
    wait_until(lambda: not panel.logic.isTraining)
    assert "is among your models" in ui.messageLabel.text


def test_before_training_has_begun_it_cannot_be_paused(panel, ui, tmp_path, engine, trainer):
    trainer()
    ui.dataFolderEdit.currentPath = str(tmp_path)
    ui.trainButton.click()
    assert ui.trainButton.text == "Stop"
    assert not ui.pauseButton.enabled and not ui.keepBestButton.enabled


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_killed_process_is_told_and_the_run_can_go_on(panel, ui, train, wait_until):
    os.kill(train(), signal.SIGKILL)
    wait_until(lambda: not panel.logic.isTraining)
    assert "memory ran out" in ui.messageLabel.text
    assert (ui.unfinishedBox.currentText, ui.resumeButton.enabled) == ("my-model (from the start)", True)
    assert ui.trainButton.text == "Train"


def test_an_error_of_the_engine_is_shown_with_details(panel, ui, train, wait_until):
    train(steps=1, end=FAILS)
    wait_until(lambda: not panel.logic.isTraining)
    assert ui.messageLabel.text == "no scan has real resolution along k"
    assert '"plan"' in ui.logText.plainText


def test_the_first_notes_are_shown_whatever_the_end_and_all_are_in_the_details(panel, ui, train, wait_until):
    train(steps=1, end=f"[say('warning', message=f'skipped: scan {{n}}') for n in range(100)]\n{FAILS}")
    wait_until(lambda: not panel.logic.isTraining)
    lines = ui.messageLabel.text.splitlines()
    assert lines[:2] == ["no scan has real resolution along k", "Note: skipped: scan 0"]
    assert lines[6:] == ["… and 95 more, see Details."] and "skipped: scan 99" in ui.logText.plainText


def test_a_model_that_was_added_is_told_though_its_run_cannot_be_marked(panel, ui, train, added, wait_until, monkeypatch):
    def full(*_):
        raise WorkError("disk full")

    monkeypatch.setattr("SuperResolutionTrainingSlicer.training_run.write_result", full)
    train(steps=1)
    wait_until(lambda: not panel.logic.isTraining)
    assert "model 'my-model' is among your models" in ui.messageLabel.text
    assert "Note: the run stays among those that can be resumed: disk full" in ui.messageLabel.text


def test_a_run_whose_folder_is_gone_says_so_when_it_is_steered(ui, train, runs):
    train()
    shutil.rmtree(runs)
    for button in (ui.keepBestButton, ui.pauseButton):
        ui.messageLabel.text = ""
        button.click()
        assert f"{runs / 'my-model'}: cannot be written to, No such file or directory" in ui.messageLabel.text
    assert (ui.pauseButton.text, ui.keepBestButton.enabled) == ("Pause", True)


def test_a_pause_that_comes_too_late_does_not_hide_the_measuring(ui, panel, train, added, wait_until):
    late = "while not (out / 'pause').exists():\n    time.sleep(0.01)\nsay('measuring', message='anna')\ntime.sleep(0.5)\n"
    train(steps=1, end=late + ENDS_WELL)
    ui.pauseButton.click()
    wait_until(lambda: "Measuring" in ui.stageLabel.text)
    assert (ui.pauseButton.text, ui.pauseButton.enabled) == ("Pause", False)
    wait_until(lambda: not panel.logic.isTraining)


def test_a_scene_that_is_read_meanwhile_leaves_the_curves(panel, ui, scene, train, wait_until):
    train()
    curves = panel.train.curves
    scene.StartState(scene.ImportState)
    scene.EndState(scene.ImportState)
    assert panel.train.curves is curves and panel.logic.isTraining
    value = ui.progressBar.value
    wait_until(lambda: ui.progressBar.value > value)


def test_a_scene_closed_while_packages_are_installed_starts_nothing(panel, ui, scene, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(panel.train.packages, "ensure", lambda then, refused: asked.append(then))
    ui.dataFolderEdit.currentPath = str(tmp_path)
    ui.trainButton.click()
    scene.Clear(0)
    asked[0]()
    assert "Select a folder of fine scans." in ui.messageLabel.text and not panel.logic.isTraining


def test_a_name_that_differs_from_a_models_by_its_case_is_refused(ui, tmp_path):
    ui.dataFolderEdit.currentPath = str(tmp_path)
    ui.nameEdit.text = "Fast"
    assert "There is a model 'fast' already" in ui.trainButton.toolTip


@pytest.mark.parametrize(
    ("seconds", "words"), [(59, "59 s"), (3599, "59 min 59 s"), (86399, "23 h 59 min"), (7 * 86400 - 3600, "6 d 23 h")]
)
def test_durations_are_told_in_their_two_largest_units(seconds, words):
    assert f", {words} left" in Told(0, "Training,", 1, 0.5, seconds).describe()


@pytest.mark.parametrize("end", ["stopped", "scene closed", "reloaded", "unloaded"])
def test_however_a_run_ends_no_process_is_left_and_it_can_be_resumed(
    end, panel, ui, scene, train, runs, gone, wait_until, modules_as_before
):
    pid = train()
    if end == "stopped":
        ui.trainButton.click()
        wait_until(lambda: not panel.logic.isTraining)
        assert ui.messageLabel.text == "Stopped; the run can be resumed below."
    elif end == "scene closed":
        scene.Clear(0)
        assert not panel.logic.isTraining
    elif end == "reloaded":
        panel.onReload()
        assert type(slicer.modules.SuperResolutionTrainingWidget) is not type(panel)
        assert slicer.modules.SuperResolutionTrainingWidget.ui.unfinishedBox.count == 1
    else:
        host.unload_module("SuperResolutionTraining")
    assert gone(pid)
    assert [run.folder.name for run in unfinished_runs(runs)] == ["my-model"]
    assert run_folders() == []


def test_a_resumed_run_is_asked_for_the_same_and_recalls_its_curve(panel, ui, train, runs, wait_until):
    train()
    ui.trainButton.click()
    wait_until(lambda: not panel.logic.isTraining)
    (runs / "my-model" / "checkpoint.safetensors").touch()
    points = [{"type": "progress", "step": step, "steps": 100, "loss": 0.5, "seconds": step, "seconds_left": 1} for step in (91, 92)]
    (runs / "my-model" / "progress.jsonl").write_text("".join(f"{json.dumps(point)}\n" for point in points) + "{}\n7\n{")
    asked = (runs / "my-model" / "slicer-request.json").read_text()
    panel.parent.enter()
    ui.resumeButton.click()

    def steps():
        panel.train.curves.draw()
        table = panel.train.curves.chart("loss").GetNthPlotSeriesNode(0).GetTableNode().GetTable()
        return [table.GetValueByName(row, "step").ToDouble() for row in range(table.GetNumberOfRows())]

    assert steps() == [91, 92]
    # The stand-in begins at step 1: what comes again takes the place of what was there.
    wait_until(lambda: steps()[:2] == [1, 2] and 91 not in steps())
    assert (runs / "my-model" / "slicer-request.json").read_text() == asked


def test_training_goes_on_in_another_module(panel, train, ui, wait_until):
    train()
    panel.parent.exit()
    value = ui.progressBar.value
    wait_until(lambda: ui.progressBar.value > value)


def test_a_plot_view_shows_the_curve_and_the_layout_before_comes_back(views, panel, ui, train):
    before = views.layout
    train()
    assert views.layout != before and views.plotViewCount == 1
    shown = views.plotWidget(0).mrmlPlotViewNode()
    assert shown.GetPlotChartNodeID() == panel.train.curves.chart("loss").GetID()
    ui.curveBox.setCurrentIndex(1)
    assert shown.GetPlotChartNodeID() == panel.train.curves.chart("psnr").GetID()
    ui.showCurvesButton.click()
    assert views.layout == before


def test_volumes_that_cannot_be_written_leave_no_run(panel, ui, heads, runs, monkeypatch):
    heads(2)
    ui.sourceBox.currentIndex = 1
    for row in range(2):
        ui.volumesList.item(row).setCheckState(2)

    def full(*_):
        raise RuntimeError("disk full")

    monkeypatch.setattr("SuperResolutionTrainingSlicer.training_volumes.write_volume_node", full)
    ui.trainButton.click()
    assert ui.messageLabel.text == "disk full"
    assert not (runs / "my-model").exists() and not panel.logic.isTraining


def test_a_run_folder_that_cannot_be_made_is_told_and_leaves_nothing(panel, ui, runs, tmp_path):
    ui.dataFolderEdit.currentPath = str(tmp_path)
    runs.write_text("no folder")
    ui.trainButton.click()
    assert str(runs / "my-model") in ui.messageLabel.text and "\n" not in ui.messageLabel.text
    assert not panel.logic.isTraining and run_folders() == []


def test_a_run_that_cannot_be_started_leaves_neither_folder_nor_curves(panel, ui, heads, runs, monkeypatch):
    heads(2)
    ui.sourceBox.currentIndex = 1
    for row in range(2):
        ui.volumesList.item(row).setCheckState(2)

    def full(*_):
        raise WorkError("disk full")

    monkeypatch.setattr("SuperResolutionTrainingSlicer.training_run.write_request", full)
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    ui.trainButton.click()
    assert ui.messageLabel.text == "disk full" and not (runs / "my-model").exists()
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes
    assert ui.trainButton.enabled, ui.trainButton.toolTip


def test_a_second_run_is_refused(panel, train, tmp_path):
    train()
    with pytest.raises(RuntimeError, match="one run at a time"):
        panel.logic.startTraining(tmp_path, {}, False, None)


# ---- devices


def devices(ui):
    return [(ui.deviceBox.itemData(index), ui.deviceBox.itemText(index)) for index in range(ui.deviceBox.count)]


def test_gpus_are_shown_by_name_and_the_chosen_one_trains(panel, ui, engine, monkeypatch, tmp_path, wait_until):
    gpus = """{"id": "cuda:0", "name": "Big GPU"}, {"id": "cuda:1", "name": "Small GPU"}, {"id": "cpu", "name": "CPU"}"""
    module = engine(f"""print('{{"type": "result", "devices": [{gpus}]}}')""")
    monkeypatch.setattr(device_menu, "EngineProcess", lambda _, *rest: EngineProcess(module, *rest))
    asked = []
    monkeypatch.setattr(panel.logic, "startTraining", lambda folder, request, *_: asked.append(request["device"]))
    assert devices(ui) == [("auto", "Automatic"), ("cpu", "CPU")]
    ui.dataFolderEdit.currentPath = str(tmp_path)
    ui.trainButton.click()
    ui.advancedSection.collapsed = False
    wait_until(lambda: len(devices(ui)) == 4)
    assert devices(ui)[:2] == [("auto", "Automatic (Big GPU)"), ("cuda:0", "Big GPU")]
    ui.deviceBox.setCurrentIndex(ui.deviceBox.findData("cuda:1"))
    ui.trainButton.click()
    assert asked == ["auto", "cuda:1"]


def test_a_device_of_another_machine_is_named(panel, ui):
    panel.logic.getParameterNode().device = "cuda:7"
    assert ui.deviceBox.currentText == "cuda:7 (not found here)"


def test_a_panel_that_is_closed_asks_for_no_devices_any_more(panel, ui, engine, monkeypatch, gone, wait_until):
    module = engine("""import os, time; print(f'{{"type": "started", "pid": {os.getpid()}}}', flush=True); time.sleep(100)""")
    started = []
    monkeypatch.setattr(device_menu, "EngineProcess", lambda _, *rest: started.append(EngineProcess(module, *rest)) or started[-1])
    ui.advancedSection.collapsed = False
    wait_until(lambda: started[0].pid is not None)
    host.unload_module("SuperResolutionTraining")
    assert gone(started[0].pid)
