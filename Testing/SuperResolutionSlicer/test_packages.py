"""Packages are installed only after the user's consent, in the background, without touching those of Slicer."""

import importlib.metadata
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest
import slicer
import slicer.packaging
from packaging.requirements import Requirement

import host
from SuperResolutionSlicer import package_installation, packages
from SuperResolutionSlicer.packages import REQUIREMENTS, consent_text, install_packages, missing_packages
from SuperResolutionSlicer.self_test import thick_node

TESTING = Path(__file__).parents[1]
TORCH, SAFETENSORS = Requirement("torch>=2.6"), Requirement("safetensors>=0.4.3")
OF_SLICER = {"numpy", "scipy", "simpleitk", "pydicom", "requests", "vtk"}
LOOK_AT_THE_PANEL = """
import host, sys
host.start()
from SuperResolutionSlicer.self_test import thick_node
panel = host.load_module(sys.argv[1])
panel.parent.enter()
panel.ui.inputSelector.setCurrentNode(thick_node())
assert panel.ui.applyButton.enabled, panel.ui.applyButton.toolTip
print(sorted({"torch", "safetensors", "skimage", "matplotlib"} & set(sys.modules)))
"""


class Pip:
    """Stands in for slicer.packaging.pip_install: it only notes what was asked for, and the test says how it goes on."""

    def __init__(self):
        self.calls = []

    def __call__(self, requirements, **options):
        self.calls.append(requirements)
        self.options = options
        self.constraints = Path(options["constraints"]).read_text()

    def say(self, line):
        self.options["logCallback"](line)

    def end(self, status):
        self.options["completedCallback"](status)


@pytest.fixture
def pip(scene, monkeypatch):
    """No package is ever installed here; Slicer's own list of what is installed is not asked."""
    stand_in = Pip()
    monkeypatch.setattr(slicer.packaging, "pip_install", stand_in)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)
    return stand_in


@pytest.fixture
def pytorch_extension(pip, monkeypatch):
    """The PyTorch extension, which notes what it is asked for."""

    class PyTorchUtilsLogic:
        asked = []
        error = None

        def installTorch(self, **options):
            self.asked.append(options)
            if self.error:
                raise self.error

    monkeypatch.setitem(sys.modules, "PyTorchUtils", types.SimpleNamespace(PyTorchUtilsLogic=PyTorchUtilsLogic))
    return PyTorchUtilsLogic


@pytest.fixture
def waiting_panel(panel, pip, monkeypatch):
    """The panel with a network chosen whose packages are missing, and a user who agrees to everything."""
    missing = [TORCH, SAFETENSORS]
    monkeypatch.setattr(package_installation, "missing_packages", lambda names: list(missing))
    panel.missing = missing
    panel.upscaling.packages.askConsent = lambda asked: True
    panel.ui.inputSelector.setCurrentNode(thick_node())
    panel.ui.modelBox.setCurrentIndex(panel.ui.modelBox.findData("fast"))
    return panel


def constraints_files():
    return list(Path(slicer.app.temporaryPath).glob("*-constraints.txt"))


# ---- what is missing, and the consent


def test_the_consent_names_every_package_with_its_size_and_where_it_goes():
    text = consent_text([TORCH, SAFETENSORS, Requirement("unheard-of>=1")])
    assert "torch>=2.6 (up to 2500 MB)" in text
    assert "safetensors>=0.4.3 (up to 1 MB)" in text
    assert "unheard-of>=1 (up to " in text
    assert "Slicer's own Python" in text and "images stay on this machine" in text


def test_every_package_that_can_be_asked_for_has_a_known_size():
    asked = slicer.packaging.load_requirements(REQUIREMENTS)
    assert {each.name for each in asked} <= set(packages._SIZES_MB)


def test_only_what_is_not_installed_is_missing(monkeypatch):
    assert missing_packages() == []
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda each: each.name != "torch")
    assert [each.name for each in missing_packages()] == ["torch"]


def test_packages_of_slicer_are_never_asked_for(pip, monkeypatch):
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda _: False)
    install_packages(missing_packages(None), print, lambda status: None)
    pip.end(0)
    assert {"torch", "safetensors", "pyyaml", "scikit-image"} <= {Requirement(each).name for each in pip.calls[0]}
    assert not OF_SLICER & {Requirement(each).name.lower() for each in pip.calls[0]}


def test_the_panel_imports_nothing_that_may_be_missing():
    path = os.pathsep.join([str(TESTING), str(TESTING.parent / "SuperResolution")])
    command = [sys.executable, "-c", LOOK_AT_THE_PANEL, str(TESTING.parent / "SuperResolution" / "SuperResolution.py")]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


# ---- the installation


def test_the_versions_that_slicer_brings_are_kept_by_a_file_that_goes_away_again(pip):
    ended = []
    install_packages([SAFETENSORS], print, ended.append)
    assert f"numpy=={importlib.metadata.version('numpy')}\n" in pip.constraints
    assert {line.partition("==")[0].lower() for line in pip.constraints.splitlines()} <= OF_SLICER
    assert len(constraints_files()) == 1 and ended == []
    pip.end(7)
    assert constraints_files() == [] and ended == [7]


def test_pip_works_in_the_background_without_a_dialog(pip):
    install_packages([TORCH, SAFETENSORS], print, lambda status: None)
    pip.end(0)
    assert pip.calls == [["torch>=2.6", "safetensors>=0.4.3"]]
    assert (pip.options["blocking"], pip.options["show_progress"]) == (False, False)


def test_a_package_without_readable_metadata_does_not_stop_the_installation(pip, tmp_path, monkeypatch):
    (tmp_path / "leftover-1.0.dist-info").mkdir()  # as an interrupted pip leaves it
    monkeypatch.syspath_prepend(str(tmp_path))
    install_packages([SAFETENSORS], print, lambda status: None)
    pip.end(0)
    assert pip.calls == [["safetensors>=0.4.3"]]


def test_nothing_is_left_if_pip_cannot_be_started(pip, monkeypatch):
    def broken(*_, **__):
        raise FileNotFoundError("no python")

    monkeypatch.setattr(slicer.packaging, "pip_install", broken)
    with pytest.raises(RuntimeError, match="pip could not be started: no python"):
        install_packages([SAFETENSORS], print, pytest.fail)
    assert constraints_files() == []


def test_torch_comes_through_the_pytorch_extension_and_the_rest_through_pip(pip, pytorch_extension):
    lines = []
    install_packages([TORCH, SAFETENSORS], lines.append, lambda status: None)
    assert pytorch_extension.asked == [{"askConfirmation": False, "torchVersionRequirement": ">=2.6"}]
    assert pip.calls == [["safetensors>=0.4.3"]]
    assert "with the PyTorch extension" in lines[0]
    pip.end(0)


def test_without_anything_else_missing_pip_is_not_asked(pip, pytorch_extension):
    ended = []
    install_packages([TORCH], print, ended.append)
    assert (pip.calls, ended) == ([], [0])


# ---- through the panel


def test_the_panel_shows_the_installation_and_starts_the_run_after_it(waiting_panel, pip):
    panel, ui = waiting_panel, waiting_panel.ui
    ui.applyButton.click()
    assert pip.calls == [["torch>=2.6", "safetensors>=0.4.3"]]
    assert not panel.logic.running
    assert not ui.applyButton.enabled and "being installed" in ui.applyButton.toolTip
    assert not ui.modelBox.enabled and not ui.progressBar.isHidden()
    pip.say("Collecting torch")
    assert "Collecting torch" in ui.logText.plainText
    assert ui.stageLabel.text == "Installing packages: Collecting torch"
    panel.missing.clear()
    pip.end(0)
    assert panel.logic.running
    assert ui.applyButton.text == "Cancel"
    assert constraints_files() == []


@pytest.mark.parametrize(("status", "still"), [(1, [TORCH]), (0, [TORCH]), (1, [])])
def test_a_failed_installation_is_told_and_apply_works_again(status, still, waiting_panel, pip):
    panel, ui = waiting_panel, waiting_panel.ui
    ui.applyButton.click()
    panel.missing[:] = still
    pip.end(status)
    assert not panel.logic.running
    assert f"were not installed (status {status})" in ui.messageLabel.text
    assert ("still missing: torch>=2.6" in ui.messageLabel.text) == bool(still)
    assert ui.applyButton.enabled and ui.modelBox.enabled
    assert ui.progressBar.isHidden()


def test_another_installation_in_progress_is_told(waiting_panel, pip, monkeypatch):
    monkeypatch.setattr(slicer.packaging, "isPipInstallInProgress", lambda: True)
    waiting_panel.ui.applyButton.click()
    assert "another installation of Python packages is in progress" in waiting_panel.ui.messageLabel.text
    assert pip.calls == []
    assert waiting_panel.ui.applyButton.enabled


def test_a_pytorch_extension_that_fails_does_not_leave_the_panel_waiting(waiting_panel, pip, pytorch_extension):
    pytorch_extension.error = subprocess.CalledProcessError(1, "ltt install torch")
    waiting_panel.ui.applyButton.click()
    assert "the PyTorch extension could not install torch>=2.6" in waiting_panel.ui.messageLabel.text
    assert waiting_panel.ui.applyButton.enabled
    assert pip.calls == []


def test_a_user_who_declines_is_told_what_is_missing(waiting_panel, pip):
    waiting_panel.upscaling.packages.askConsent = lambda asked: False
    waiting_panel.ui.applyButton.click()
    assert waiting_panel.ui.messageLabel.text == "Not started: torch>=2.6, safetensors>=0.4.3 must be installed first."
    assert pip.calls == []


def test_interpolations_need_no_packages(waiting_panel, pip):
    waiting_panel.ui.modelBox.setCurrentIndex(waiting_panel.ui.modelBox.findData("cubic"))
    waiting_panel.ui.applyButton.click()
    assert waiting_panel.logic.running
    assert pip.calls == []


def test_pip_may_end_after_the_module_was_unloaded(waiting_panel, pip):
    waiting_panel.ui.applyButton.click()
    host.unload_module("SuperResolution")
    pip.say("Collecting torch")
    pip.end(0)
    assert constraints_files() == []
