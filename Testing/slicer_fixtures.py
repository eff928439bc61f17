"""Fixtures of the tests that run in the host; the conftest of each folder of such tests imports those that it needs."""

import os
import sys
import time
from pathlib import Path

import pytest
import slicer

import host

host.start()  # the modules below import qt

TIMEOUT_S = 60


@pytest.fixture(autouse=True)
def models_of_the_user(tmp_path_factory, monkeypatch):
    """An empty folder in the place of the user's own models."""
    folder = tmp_path_factory.mktemp("models")
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(folder))
    return folder


@pytest.fixture
def scene():
    """The application's scene, empty; a test fails if something went wrong unseen meanwhile."""
    slicer.mrmlScene.Clear(0)
    host.failures()
    yield slicer.mrmlScene
    assert host.failures() == []


@pytest.fixture
def views(scene):
    """The layout manager. A process keeps its views once it has them: what holds without any is tested in a process of its own."""
    host.start(views=True)
    return slicer.app.layoutManager()


@pytest.fixture
def wait_until():
    """Let the application work until something is so."""

    def wait(condition, seconds=TIMEOUT_S):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not so after {seconds} s"
            slicer.app.processEvents()
            time.sleep(0.005)

    return wait


@pytest.fixture
def gone():
    """Tell whether a process has ended, or ends within two seconds."""

    def wait(pid):
        end = time.monotonic() + 2
        while not _has_ended(pid) and time.monotonic() < end:
            time.sleep(0.01)
        return _has_ended(pid)

    return wait


def _has_ended(pid):
    try:
        os.kill(pid, 0)
        # On Linux it may only wait for a parent, which was killed as well, to ask for its status.
        return sys.platform == "linux" and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """Write a module that can be run in the engine's place, and return its name."""
    folder = tmp_path / "engine"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))

    def write(code):
        (folder / "stand_in.py").write_text(code)
        return "stand_in"

    return write


def run_folders():
    """Return the temporary folders of runs that are there."""
    return list(Path(slicer.app.temporaryPath).glob("SuperResolution-*"))
