from pathlib import Path

import numpy as np
import pytest
import slicer
import slicer.util

import host
from slicer_fixtures import engine, gone, models_of_the_user, run_folders, scene, views, wait_until  # noqa: F401

MODULE = Path(__file__).parents[2] / "SuperResolutionTraining" / "SuperResolutionTraining.py"

# Stands in for the training process: speaks as it does, and looks for the same files, but learns nothing.
TRAINER = """
import json, os, pathlib, sys, time
request = json.loads(pathlib.Path(sys.argv[1]).read_text())
out = pathlib.Path(request["out"])
def say(kind, **entries):
    print(json.dumps({"type": kind, **entries}), flush=True)
say("started", pid=os.getpid())
say("plan", steps=100, first_step=0)
step, paused = 0, False
while not (out / "stop").exists() and step < STEPS:
    if (out / "pause").exists():
        if not paused:
            say("paused", step=step)
        paused = True
    else:
        paused, step = False, step + 1
        say("progress", step=step, steps=100, loss=1 / step, seconds=step, seconds_left=100 - step)
        if step % 2 == 0:
            say("validation", step=step, psnr=30 + step / 100, psnr_cubic=30.0, best=True, preview=None)
    time.sleep(0.02)
"""
FINISHES = (
    "(out / 'made.safetensors').write_bytes(b'')\nsay('result', model=str(out / 'made.safetensors'), gain_db={'2': 1.25}, seconds=75)"
)


@pytest.fixture
def heads(scene):  # noqa: F811
    """Add volumes of noise, each of a patient of its own."""

    def add(count, size=12):
        nodes = []
        for seed in range(count):
            voxels = np.random.default_rng(seed).integers(0, 1000, (size, size, size), np.int16)
            nodes.append(slicer.util.addVolumeFromArray(voxels, np.eye(4), f"head {seed}"))
        return nodes

    return add


@pytest.fixture
def panel(scene, tmp_path):  # noqa: F811
    """The module's panel, opened and entered, with a folder of its own for runs. A test fails if it leaves a temporary folder behind."""
    widget = host.load_module(MODULE)
    widget.parent.enter()
    widget.logic.getParameterNode().runsFolder = str(tmp_path / "runs")
    yield widget
    if hasattr(slicer.modules, "superresolutiontraining"):
        slicer.modules.SuperResolutionTrainingWidget.logic.abandon()
        host.unload_module("SuperResolutionTraining")
    scene.Clear(0)
    assert run_folders() == []


@pytest.fixture
def trainer(engine, monkeypatch):  # noqa: F811
    """Let a stand-in train in the training process's place: for so many steps, and with these lines of Python at its end."""

    def replace(steps=10_000, end=FINISHES):
        from SuperResolutionSlicer.engine_process import EngineProcess

        module = engine(TRAINER.replace("STEPS", str(steps)) + end)
        monkeypatch.setattr("SuperResolutionSlicer.engine_run.EngineProcess", lambda _, *rest: EngineProcess(module, *rest))

    return replace
