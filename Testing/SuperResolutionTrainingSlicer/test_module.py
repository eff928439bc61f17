"""The module as Slicer sees it, and together with the other one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import slicer

import host

ALONE = """
import sys
sys.modules["SuperResolutionSlicer"] = None  # as if its folder were not on the path
import host
host.start()
try:
    host.load_module(sys.argv[1])
except ImportError as error:
    print(error)
"""
TRAINS = """
import host, os, sys, time
os.environ["SUPERRESOLUTION_MODELS"] = sys.argv[2] + "/models"
host.start()
import slicer
panel = host.load_module(sys.argv[1])
panel.parent.enter()
panel.ui.dataFolderEdit.currentPath = sys.argv[2]
panel.ui.trainButton.click()
while panel.logic.training.process.pid is None:
    slicer.app.processEvents()
    time.sleep(0.01)
print(panel.logic.training.process.pid, flush=True)
while True:
    slicer.app.processEvents()
    time.sleep(0.01)
"""


@pytest.fixture
def script():
    """The module's file."""
    return Path(__file__).parents[2] / "SuperResolutionTraining" / "SuperResolutionTraining.py"


def test_without_the_other_module_it_says_what_is_missing(script):
    done = subprocess.run([sys.executable, "-c", ALONE, str(script)], capture_output=True, text=True)
    assert "the module SuperResolution is not there; accepted is" in done.stdout, done.stderr


def test_slicer_is_told_of_the_module_it_needs(panel):
    assert slicer.modules.superresolutiontraining.dependencies == ("SuperResolution",)


def test_both_modules_stand_side_by_side(panel, script):
    host.load_module(script.parents[1] / "SuperResolution" / "SuperResolution.py")
    try:
        slicer.modules.SuperResolutionWidget.parent.enter()
        assert host.failures() == []
    finally:
        host.unload_module("SuperResolution")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_slicer_that_is_killed_leaves_no_process_and_a_run_to_resume(script, tmp_path, gone):
    with subprocess.Popen([sys.executable, "-c", TRAINS, str(script), str(tmp_path)], stdout=subprocess.PIPE, text=True) as killed:
        pid = int(killed.stdout.readline())
        killed.kill()
    assert gone(pid)
    assert (tmp_path / "runs" / "my-model" / "slicer-request.json").is_file()
