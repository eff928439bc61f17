"""An upscaling leaves neither file nor process behind, however it ends, and says in one line what went wrong."""

import errno
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import slicer
import slicer.util

import host
from SuperResolutionSlicer import engine_process, engine_run
from SuperResolutionSlicer.engine_process import Ending, EngineProcess
from SuperResolutionSlicer.self_test import ijk_to_ras, thick_node
from SuperResolutionSlicer.upscaling_run import Told, UpscalingRun

TESTING = Path(__file__).parents[1]
PATH = os.pathsep.join([str(TESTING), str(TESTING.parent / "SuperResolution")])
CUBIC = {"model": "cubic", "factor": 2}
FIELDS = ("model", "factor", "residual_before", "residual_after", "device", "precision", "seconds_total")
REPLY = "import json\nprint(json.dumps({'type': 'result'} | dict.fromkeys(%s, 1)))\n"
RESULT = "import pathlib, sys\npathlib.Path(sys.argv[1]).with_name('result.nrrd').write_bytes(b'no NRRD')\n"
ENDINGS = {
    "failed": (Ending.FAILED, """import sys; print('{"type": "error", "message": "disk full"}'); sys.exit(1)"""),
    "crashed": (Ending.CRASHED, "import os; os.abort()"),
    "killed": (Ending.KILLED, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
    "wordless": (Ending.INVALID, ""),
    "hanging": (Ending.CANCELLED, "import time; time.sleep(60)"),
}

HOST_IN_A_RUN = """
import host
host.start()
import numpy as np, slicer, slicer.util, time
from SuperResolutionSlicer.upscaling_run import UpscalingRun
node = slicer.util.addVolumeFromArray(np.random.default_rng(0).integers(0, 1000, (96, 384, 384), np.int16), name="long")
run = UpscalingRun(node, {"model": "lanczos", "factor": 2}, lambda told: None, print)
run.start()
while run.process.pid is None or not run.temporary.joinpath("input.nrrd").is_file():
    slicer.app.processEvents()
    time.sleep(0.01)
print(run.process.pid, run.temporary, flush=True)
while True:
    slicer.app.processEvents()
    time.sleep(0.01)
"""
HOST_ON_A_FULL_DISK = """
import host
host.start()
import json, resource, slicer, sys, time
panel = host.load_module(sys.argv[1])
panel.parent.enter()
from SuperResolutionSlicer.self_test import thick_node
panel.ui.inputSelector.setCurrentNode(thick_node())
panel.ui.modelBox.setCurrentIndex(panel.ui.modelBox.findData("cubic"))
told = []
for limit in (4000, 16000):  # the input takes 7680 bytes, its result four times as many
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    panel.ui.applyButton.click()
    while panel.logic.running:
        slicer.app.processEvents()
        time.sleep(0.01)
    from pathlib import Path
    told.append([panel.ui.messageLabel.text, panel.ui.applyButton.text, len(list(Path(slicer.app.temporaryPath).iterdir()))])
told.append(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode"))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(json.dumps(told))
"""


class Followed:
    """A run with all that it told."""

    def __init__(self, node, settings=CUBIC, **options):
        self.told, self.finished = [], []
        self.run = UpscalingRun(node, settings, self.told.append, self.finished.append, **options)
        self.run.start()
        self.folder = self.run.temporary

    @property
    def left(self):
        """What is left of the run."""
        return self.run.running, self.run.temporary, self.folder.exists()


NOTHING = (False, None, False)


@pytest.fixture
def follow(scene, wait_until):
    """Start a run, and see it to its end."""

    def start(*arguments, wait=True, **options):
        followed = Followed(*arguments, **options)
        if wait:
            wait_until(lambda: followed.finished)
        return followed

    return start


@pytest.fixture
def instead(engine, monkeypatch):
    """Let a few lines of Python run in the worker's place."""

    def replace(code):
        module = engine(code)
        monkeypatch.setattr(engine_run, "EngineProcess", lambda _, *rest: EngineProcess(module, *rest))

    return replace


@pytest.mark.parametrize("end", ENDINGS)
def test_the_folder_is_gone_and_no_node_is_made_when_a_run_ends_badly(end, follow, instead, scene, wait_until):
    ending, code = ENDINGS[end]
    instead(code)
    followed = follow(thick_node(), wait=False)
    assert followed.folder.is_dir()
    if ending is Ending.CANCELLED:
        followed.run.cancel()
    wait_until(lambda: followed.finished)
    assert [each.outcome.ending for each in followed.finished] == [ending]
    assert followed.left == NOTHING
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 1
    message = followed.finished[0].describe()
    assert message and "\n" not in message


def test_a_run_that_is_done_leaves_its_node_and_nothing_else(follow):
    followed = follow(thick_node())
    (finished,) = followed.finished
    assert finished.outcome.ending is Ending.DONE, finished.describe()
    assert finished.node.GetImageData().GetDimensions() == (24, 20, 16)
    assert finished.describe().startswith("Done in ")
    assert followed.left == NOTHING


def test_an_abandoned_run_leaves_nothing_and_says_nothing(follow, instead):
    instead(ENDINGS["hanging"][1])
    followed = follow(thick_node(), wait=False)
    followed.run.abandon()
    slicer.app.processEvents()
    assert followed.left == NOTHING
    assert followed.finished == []


def test_a_run_whose_process_cannot_be_started_leaves_nothing(follow, monkeypatch):
    monkeypatch.setattr(engine_process, "python_executable", lambda: "/no/such/python")
    node = thick_node()
    finished = []
    run = UpscalingRun(node, CUBIC, lambda told: None, finished.append)
    run.start()
    while not finished:
        slicer.app.processEvents()
    assert finished[0].outcome.ending is Ending.NOT_STARTED
    assert (run.running, run.temporary) == (False, None)


@pytest.mark.parametrize("lacking", ["factor", "precision"])
def test_a_reply_that_lacks_a_field_is_invalid_and_the_field_is_named(lacking, follow, instead):
    instead(RESULT + REPLY % repr([name for name in FIELDS if name != lacking]))
    (finished,) = follow(thick_node()).finished
    assert finished.outcome.ending is Ending.INVALID
    assert finished.describe() == f"the reply of the background process lacks {lacking}"


def test_a_reply_without_its_file_is_invalid(follow, instead):
    instead(REPLY % repr(FIELDS))
    (finished,) = follow(thick_node()).finished
    assert (finished.outcome.ending, finished.node) == (Ending.INVALID, None)
    assert finished.describe() == "the reply of the background process lacks its file"


def test_a_reply_whose_file_cannot_be_loaded_is_invalid_and_leaves_no_node(follow, instead, scene):
    instead(RESULT + REPLY % repr(FIELDS))
    followed = follow(thick_node())
    assert followed.finished[0].outcome.ending is Ending.INVALID
    assert "result.nrrd: the result could not be loaded" in followed.finished[0].describe()
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 1
    assert followed.left == NOTHING
    assert "result.nrrd" in "".join(host.failures())  # what Slicer's own reader said


def test_warnings_of_the_engine_come_with_the_result(follow, instead):
    instead("""print('{"type": "warning", "message": "one"}\\n{"type": "warning", "message": "two"}')\n""" + REPLY % "[]")
    assert follow(thick_node()).finished[0].warnings == ["one", "two"]


def test_progress_only_grows_and_is_told_in_words(follow):
    told = follow(thick_node()).told
    percents = [each.percent for each in told]
    assert percents == sorted(percents) and percents[0] == 0 and percents[-1] == 99
    assert told[0].describe() == "Starting…" and told[-1].describe() == "Loading the result…"
    assert Told(50, "Upscaling", 64.6).describe() == "Upscaling, 1 min 05 s left"
    assert Told(50, "Upscaling", 7.2).describe() == "Upscaling, 7 s left"


def test_adapting_is_asked_for_told_and_reported(follow, instead):
    lines = [
        {"type": "progress", "stage": "adapting", "fraction": 0.5, "seconds_left": 30},
        {"type": "adapted", "message": "'fast' adapted to this volume"},
        {"type": "progress", "stage": "upscaling", "fraction": 0.5},
        {"type": "result", **dict.fromkeys(FIELDS, 1), "device": ""},
    ]
    code = "import json, pathlib, sys\nminutes = json.loads(pathlib.Path(sys.argv[1]).read_text())['adapt_minutes']\n"
    instead(code + f"for line in {lines!r}:\n    print(json.dumps(line | {{'minutes': minutes}}))\n")
    followed = follow(thick_node(), adapt_minutes=2.5)
    assert [(each.percent, each.describe()) for each in followed.told][1:3] == [
        (42, "Adapting to this volume, 30 s left"),
        (84, "Upscaling…"),
    ]
    assert followed.finished[0].adapted == "'fast' adapted to this volume"
    done = replace(followed.finished[0], outcome=replace(followed.finished[0].outcome, ending=Ending.DONE, result=lines[-1]))
    assert done.describe().endswith("of the range. Model 'fast' adapted to this volume.")
    assert '"minutes": 2.5' in followed.finished[0].outcome.log


def test_a_folder_that_cannot_be_made_is_told_in_one_line(scene, monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp")

    monkeypatch.setattr(engine_run.tempfile, "mkdtemp", full)
    run = UpscalingRun(thick_node(), CUBIC, lambda told: None, print)
    with pytest.raises(RuntimeError, match=r"No space left on device: '/tmp'$"):
        run.start()
    assert not run.running


def test_a_node_without_voxels_is_refused_and_leaves_nothing(scene):
    run = UpscalingRun(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"), CUBIC, lambda told: None, print)
    with pytest.raises(RuntimeError, match="empty: has no voxels"):
        run.start()
    assert (run.running, run.temporary) == (False, None)
    assert list(Path(slicer.app.temporaryPath).glob("SuperResolution-*")) == []


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_the_whole_range_of_a_number_type_arrives_unclipped(kind, follow):
    low, high = (0, 65_535) if kind is np.uint16 else (-70_000, 70_000)
    voxels = np.random.default_rng(0).integers(low, high, (6, 12, 14), endpoint=True).astype(kind)
    node = slicer.util.addVolumeFromArray(voxels, np.diag([1.0, 1, 4, 1]), "typed")
    (finished,) = follow(node, {"model": "nearest", "factor": 2}).finished
    result = slicer.util.arrayFromVolume(finished.node)
    assert result.dtype == kind
    np.testing.assert_array_equal(result[::2], voxels)


def test_a_sheared_volume_stays_where_it_is(follow):
    node = thick_node()
    sheared = np.diag([0.7, 0.7, 3.0, 1.0])
    sheared[:2, 2] = 0.6, -0.4  # a tilted gantry
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(sheared))
    (finished,) = follow(node).finished
    assert finished.outcome.ending is Ending.DONE, finished.describe()
    for corner in ((-0.5, -0.5, -0.5), (23.5, 19.5, 7.5)):
        fine = (corner[0], corner[1], (corner[2] + 0.5) * 2 - 0.5, 1)
        np.testing.assert_allclose(ijk_to_ras(finished.node) @ fine, sheared @ (*corner, 1), atol=1e-3)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_slicer_that_is_killed_in_a_run_leaves_neither_process_nor_folder(tmp_path, gone, wait_until):
    environment = os.environ | {"PYTHONPATH": PATH, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", HOST_IN_A_RUN], env=environment, stdout=subprocess.PIPE, text=True) as killed:
        pid, folder = killed.stdout.readline().split()
        assert Path(folder, "input.nrrd").is_file()
        killed.send_signal(signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    assert gone(int(pid))
    assert not Path(folder).exists()


@pytest.mark.skipif(os.name != "posix", reason="limits of a process")
def test_a_full_disk_is_told_in_one_line_and_nothing_is_left(tmp_path):
    environment = os.environ | {"PYTHONPATH": PATH, "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    module = TESTING.parent / "SuperResolution" / "SuperResolution.py"
    command = [sys.executable, "-c", HOST_ON_A_FULL_DISK, str(module)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for_input, for_result, nodes = json.loads(done.stdout.splitlines()[-1])
    assert "input.nrrd: the input could not be written; 1 MB are needed" in for_input[0]
    assert "result.nrrd: not written" in for_result[0]
    for message, button, files in (for_input, for_result):
        assert "\n" not in message
        assert (button, files) == ("Apply", 0)
    assert nodes == 1
