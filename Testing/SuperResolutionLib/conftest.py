"""Small volumes and small models with random weights, on which all that the engine promises can be checked in a moment."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionLib.volume import Volume

ENGINE = Path(__file__).parents[2] / "SuperResolution"
NETWORKS = {
    "deep_resolve": {"factors": [2, 3], "channels": 4, "layers": 3},
    "improved_srcnn": {"factors": [2, 3], "channels": 4, "kernels": [3, 3, 5, 3], "link": 5},
    "rrdb": {"factors": [2], "channels": 4, "growth": 2, "blocks": 1},
    "slice_stack": {"factors": [2, 3], "channels": 8, "layers": 1, "neighbours": 1, "exchanged": 2},
    "slice_volume": {"factors": [2, 3], "channels": 6, "blocks": 2},
    "sr_dcnn": {"factors": [2], "channels": [4, 4]},
    "sr_dcnn_3d": {"factors": [2], "channels": [4, 4]},
    "srcnn": {"factors": [2, 3], "channels": [4, 4], "kernels": [5, 3, 3]},
    "srcnn_3d": {"factors": [2, 3], "channels": [4, 4]},
    "two_stage": {"factors": [2], "channels": 4},
}
"""Arguments of every network that make it small."""


def small(name):
    """Return the arguments that make a network small."""
    assert name in NETWORKS, f"{name}: add arguments that make it small to NETWORKS in {__file__}"
    return NETWORKS[name]


def environment():
    """Return the environment of a process with the engine on its path and output buffered as usual."""
    return os.environ | {"PYTHONPATH": str(ENGINE), "PYTHONUNBUFFERED": ""}


@pytest.fixture(autouse=True)
def models_of_the_user(tmp_path_factory, monkeypatch):
    """An empty folder in the place of the user's own models."""
    folder = tmp_path_factory.mktemp("models")
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(folder))
    return folder


@pytest.fixture(autouse=True)
def signals_as_before():
    """The doors change what SIGTERM does; the next test finds it unchanged."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def thick(make_volume, tmp_path):
    """Path of a small thick MR volume."""
    path = tmp_path / "thick.nrrd"
    write_volume(make_volume(dtype=np.int16, modality="MR"), path)
    return path


@pytest.fixture
def results(tmp_path):
    """An empty folder for outputs."""
    folder = tmp_path / "results"
    folder.mkdir()
    return folder


@pytest.fixture
def oblique_affine():
    """Three different spacings along oblique axes, left-handed."""
    directions, _ = np.linalg.qr(np.array([[1.0, 0.2, -0.3], [-0.1, 1.0, 0.25], [0.3, -0.2, 1.0]]))
    if np.linalg.det(directions) > 0:
        directions[:, 2] *= -1
    affine = np.eye(4)
    affine[:3, :3] = directions * [0.6, 0.7, 2.8]
    affine[:3, 3] = [-61.7, 43.2, 18.9]
    return affine


@pytest.fixture
def make_volume(oblique_affine):
    """Make a volume of smooth noise with values around 0 to 1000."""

    def make(shape=(6, 18, 20), dtype=np.float32, seed=0, **attributes):
        noise = np.random.default_rng(seed).normal(size=(shape[0], shape[1] + 2, shape[2] + 2))
        smooth = sum(noise[:, r : r + shape[1], c : c + shape[2]] for r in range(3) for c in range(3))
        return Volume((500 + 80 * smooth).astype(dtype), attributes.pop("affine", oblique_affine), **attributes)

    return make


@pytest.fixture
def refusal():
    """Read a file that is refused and return the one line that says so."""

    def read(path, series=None):
        with pytest.raises(RequestError) as caught:
            read_volume(path, series)
        message = str(caught.value)
        assert "\n" not in message and "accepted" in message and str(path) in message
        return message

    return read


@pytest.fixture
def make_network():
    """Build a network whose weights are all random, the last layer's too."""

    def make(name="slice_stack", seed=0, **arguments):
        import torch

        from SuperResolutionLib.networks import build_network

        network = build_network(name, small(name) | arguments)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weight in network.parameters():
                fan = weight[0].numel() if weight.ndim > 1 else 4
                weight.copy_(torch.randn(weight.shape, generator=generator) / fan**0.5)
        return network.eval()

    return make


@pytest.fixture
def make_model(make_network, tmp_path):
    """Write a model file and return its path."""

    def make(name="slice_stack", path=None, arguments=None, seed=0, **card):
        from SuperResolutionLib.model_file import save_model

        path = path or tmp_path / f"{name}.safetensors"
        told = {"id": path.stem, "title": "random weights", "modalities": ("MR",), "acquisitions": ("mean",), "engine_version": "0"} | card
        arguments = small(name) | (arguments or {})
        save_model(path, make_network(name, seed, **arguments), network=name, arguments=arguments, **told)
        return path

    return make


@pytest.fixture
def python():
    """Run Python in a process of its own with the engine on its path, and return what became of it."""

    def run(*arguments):
        return subprocess.run([sys.executable, *map(str, arguments)], env=environment(), capture_output=True, text=True, timeout=300)

    return run


@pytest.fixture
def start_python():
    """Start Python in a process of its own with the engine on its path; what still runs at the end of the test is killed."""
    started = []

    def start(*arguments, **options):
        # A process started in the background of a shell ignores SIGINT, and would hand that down.
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler), **options,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            if process.poll() is None:
                process.kill()
