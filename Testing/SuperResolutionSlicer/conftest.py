from pathlib import Path

import pytest
import slicer

import host
from slicer_fixtures import engine, gone, models_of_the_user, run_folders, scene, views, wait_until  # noqa: F401

MODULE = Path(__file__).parents[2] / "SuperResolution" / "SuperResolution.py"


@pytest.fixture
def make_model(models_of_the_user):  # noqa: F811
    """Write a small untrained model for MR among the user's own, or elsewhere, and return its path."""

    def make(name, folder=models_of_the_user, modalities=("MR",), network="sr_dcnn", arguments=None):
        from SuperResolutionLib.model_file import save_model
        from SuperResolutionLib.networks import build_network

        path = folder / f"{name}.safetensors"
        arguments = arguments or {"factors": [2], "channels": [4, 4]}
        card = {"id": name, "title": "untrained", "modalities": modalities, "acquisitions": ("mean",), "engine_version": "0"}
        save_model(path, build_network(network, arguments), network=network, arguments=arguments, **card)
        return path

    return make


@pytest.fixture
def panel(scene):  # noqa: F811
    """The module's panel as the user sees it: opened and entered. A test fails if it leaves a run or a temporary folder behind."""
    widget = host.load_module(MODULE)
    widget.parent.enter()
    yield widget
    if hasattr(slicer.modules, "superresolution"):
        slicer.modules.SuperResolutionWidget.logic.abandon()
        host.unload_module("SuperResolution")
    scene.Clear(0)
    assert run_folders() == []
