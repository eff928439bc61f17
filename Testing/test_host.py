"""The headless host loads a module as the application does, and tells what the application would only have printed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import host

TESTING = Path(__file__).parent

MODULE = """
import qt
import slicer
import vtk
from slicer.ScriptedLoadableModule import *


class Probe(ScriptedLoadableModule):
    def __init__(self, parent):
        super().__init__(parent)
        parent.title = "A probe"


class ProbeWidget(ScriptedLoadableModuleWidget):
    def setup(self):
        super().setup()
        self.logic = ProbeLogic()
        self.cleanedUp = False
        self.button = qt.QPushButton("Go")
        self.layout.addWidget(self.button)

    def cleanup(self):
        self.cleanedUp = True


class ProbeLogic(ScriptedLoadableModuleLogic):
    pass


class ProbeTest(ScriptedLoadableModuleTest):
    def setUp(self):
        slicer.mrmlScene.Clear()

    def test_that_passes(self):
        self.assertTrue(slicer.app.testingEnabled())
"""

FAILING_TEST = """
    def test_that_fails_unseen(self):
        button = slicer.modules.ProbeWidget.button
        button.clicked.connect(lambda: 1 / 0)
        button.click()
"""


@pytest.fixture(scope="module", autouse=True)
def application():
    host.start()


@pytest.fixture
def scene():
    import slicer

    slicer.mrmlScene.Clear()
    host.failures()
    yield slicer.mrmlScene
    slicer.mrmlScene.Clear()


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "Probe.py"
    file.write_text(MODULE)
    return file


@pytest.fixture
def widget(path):
    yield host.load_module(path)
    host.unload_module("Probe")


def run_host(path: Path, *options: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(TESTING)}
    command = [sys.executable, "-m", "host", str(path), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_a_loaded_module_is_among_the_modules_with_its_panel(widget):
    import slicer

    assert slicer.modules.probe.title == "A probe"
    assert slicer.modules.ProbeWidget is widget
    assert slicer.util.getModuleLogic("Probe") is widget.logic


def test_a_module_cannot_be_loaded_twice(widget, path):
    with pytest.raises(ValueError, match="already"):
        host.load_module(path)


def test_an_unloaded_module_has_cleaned_up_and_is_gone(path):
    import slicer

    widget = host.load_module(path)
    host.unload_module("Probe")
    assert widget.cleanedUp
    assert not hasattr(slicer.modules, "probe")


def test_an_exception_in_a_slot_is_a_failure(widget):
    widget.button.clicked.connect(lambda: 1 / 0)
    widget.button.click()
    assert host.failures() == ["ZeroDivisionError: division by zero"]
    assert host.failures() == []


def test_a_misspelt_signal_is_a_failure(widget):
    assert widget.button.connect("clickd()", print) is False
    assert len(host.failures()) == 1


def test_an_exception_in_an_observer_is_a_failure(scene):
    import vtk

    node = scene.AddNewNodeByClass("vtkMRMLTextNode")
    node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: 1 / 0)
    node.Modified()
    assert host.failures() == ["ZeroDivisionError: division by zero"]


def test_a_vtk_error_is_a_failure(scene):
    assert scene.AddNewNodeByClass("vtkMRMLNope") is None
    assert "vtkMRMLNope" in "".join(host.failures())


def test_reading_and_writing_a_volume_gives_no_failure(scene, tmp_path):
    import slicer

    volume = slicer.util.addVolumeFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4), name="v")
    for ending in ("nrrd", "nii.gz", "mha"):
        assert slicer.util.saveNode(volume, str(tmp_path / f"a.{ending}"))
        read = slicer.util.loadVolume(str(tmp_path / f"a.{ending}"))
        assert np.array_equal(slicer.util.arrayFromVolume(read), slicer.util.arrayFromVolume(volume))
    assert host.failures() == []


def test_nothing_is_installed():
    import slicer.packaging

    with pytest.raises(NotImplementedError, match="installs no packages"):
        slicer.util.pip_install("anything")
    assert slicer.packaging.pip_ensure("no-such-package-x") is None


def test_python_slicer_is_the_same_environment():
    command = ["PythonSlicer", "-c", "import sys; print(sys.prefix)"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == sys.prefix


def test_sample_data_sources_are_kept_once():
    import SampleData
    import slicer

    for _ in range(2):
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category="Knees", sampleName="knee", uris="https://example.org/k.nrrd", fileNames="k.nrrd", nodeNames="k", checksums="SHA256:0"
        )
    assert [source.uris for source in slicer.modules.sampleDataSources["Knees"]] == [["https://example.org/k.nrrd"]]


def test_self_tests_that_pass_end_with_status_0(path):
    process = run_host(path)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "ok   Probe: test_that_passes" in process.stdout.splitlines()


def test_a_self_test_that_fails_unseen_ends_with_status_1(path):
    path.write_text(MODULE + FAILING_TEST)
    process = run_host(path)
    assert process.returncode == 1
    assert "FAIL Probe: test_that_fails_unseen" in process.stdout.splitlines()
    assert "ZeroDivisionError: division by zero" in process.stdout
