"""Adapting a model to one thick scan: it learns from the scan, and where that does not help it stays what it was."""

import json

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from SuperResolutionLib import cli
from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionLib.metrics import psnr
from SuperResolutionLib.model_file import load_model, read_card, save_model
from SuperResolutionLib.model_zoo import find_upscaler
from SuperResolutionLib.networks import build_network
from SuperResolutionLib.upscaling import Settings, upscale
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib import self_supervision
from SuperResolutionTrainingLib.self_supervision import adapt

FACTOR = 2


@pytest.fixture(autouse=True)
def one_place_for_models(tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(tmp_path / "models"))


@pytest.fixture(autouse=True)
def quick_learning(monkeypatch):
    """A network that knows nothing yet may learn faster than one that is only refined."""
    monkeypatch.setattr(self_supervision, "_LEARNING_RATE", 0.03)


@pytest.fixture(scope="module")
def truth():
    """Blobs with sharp edges, 1 mm voxels."""
    blobs = gaussian_filter(np.random.default_rng(0).normal(size=(32, 40, 44)), 1.5)
    return Volume((100 + 800 * (blobs > 0)).astype(np.float32), np.eye(4), "MR", source="blobs.nrrd")


@pytest.fixture
def thick(truth):
    return degrade(truth, FACTOR, "k", "mean")


@pytest.fixture
def base(tmp_path):
    """A model that does what cubic interpolation does: its network is not trained."""
    torch.manual_seed(0)
    arguments = {"factors": [FACTOR], "channels": 12, "layers": 2, "neighbours": 1, "exchanged": 2}
    path = tmp_path / "base.safetensors"
    network = build_network("slice_stack", arguments)
    card = {"id": "base", "title": "untrained", "modalities": ("MR",), "acquisitions": ("mean",), "engine_version": "0"}
    save_model(path, network, network="slice_stack", arguments=arguments, training={"trained_on": ["nothing"]}, **card)
    return path


@pytest.fixture
def fit(thick, base, tmp_path):
    """Adapt the base model to the thick volume in some steps."""

    def run(name="adapted", volume=thick, steps=40, minutes=1.0, model=base, axis="k", factor=FACTOR, device="cpu", **options):
        settings = Settings(model=str(model), factor=factor, axis=axis, device=device, precision="float32")
        return adapt(volume, tmp_path / f"{name}.safetensors", settings, minutes=minutes, steps=steps, **{"profile": "mean"} | options)

    return run


def test_a_model_learns_the_thick_axis_from_the_planes(fit, thick, truth, base):
    adapted = fit()
    quality = {
        model: psnr(upscale(thick, model=str(model), factor=FACTOR, axis="k", precision="float32").volume.voxels, truth.voxels)
        for model in (base, adapted.path)
    }
    assert adapted.share > 0 and adapted.gain_db > 0.05 and adapted.steps == 40
    assert quality[adapted.path] > quality[base] + 0.05
    assert "'base' adapted to this volume (40 steps" in adapted.describe() and f"{adapted.gain_db:+.2f} dB" in adapted.describe()


def test_the_model_file_says_what_it_is(fit, base):
    adapted = fit(profile="gaussian", steps=3)
    card = read_card(adapted.path)
    assert (card.id, card.acquisitions, card.modalities) == ("base adapted to this volume", ("gaussian",), ("MR",))
    assert card.training["adapted_from"] == "base" and card.training["adapted_from_sha256"] == load_model(base).sha256
    assert card.training["trained_on"] == ["one volume, blobs.nrrd, from 'base'", "nothing"] and card.quality == ()


def test_models_that_are_kept_in_one_folder_are_told_apart_by_their_names(fit, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(tmp_path))
    for name in ("anna", "bert"):
        fit(name, steps=1)
    found = {name: find_upscaler(name, "MR", FACTOR) for name in ("anna", "bert")}
    assert [info.path.name for info in found.values()] == ["anna.safetensors", "bert.safetensors"]
    assert {info.card.training["adapted_from"] for info in found.values()} == {"base"}


def test_the_same_steps_give_the_same_model(fit):
    first, second, other = fit("first", steps=5), fit("second", steps=5), fit("other", steps=5, seed=2)
    digests = [read_card(adapted.path).weights_sha256 for adapted in (first, second, other)]
    assert digests[0] == digests[1] != digests[2]


def test_weights_that_do_not_help_are_not_taken(fit, base, monkeypatch):
    def spoil(network, *_):
        with torch.no_grad():
            for weight in network.parameters():
                weight.normal_(0, 1)
        return 1

    monkeypatch.setattr(self_supervision, "_fit", spoil)
    adapted = fit()
    assert (adapted.share, adapted.gain_db) == (0, 0) and "did not help" in adapted.describe()
    assert read_card(adapted.path).weights_sha256 == read_card(base).weights_sha256


def test_a_loss_that_is_not_a_number_ends_the_fit_with_sound_weights(fit, monkeypatch):
    real = self_supervision.OwnPairs.batch

    def batch(pairs, number):
        thick, fine, factor = real(pairs, number)
        return thick * (np.nan if number >= 4 else 1), fine, factor

    monkeypatch.setattr(self_supervision.OwnPairs, "batch", batch)
    adapted = fit()
    assert adapted.steps == 4
    assert all(bool(weight.isfinite().all()) for weight in load_model(adapted.path).network.parameters())


def test_time_ends_the_fit_and_is_told(fit):
    told = []
    adapted = fit(minutes=0.05, steps=None, progress=told.append)
    assert adapted.steps > 0 and adapted.seconds < 20
    assert {state.stage for state in told} == {"adapting"} and told[-1].fraction == 1
    fractions = [state.fraction for state in told]
    assert fractions == sorted(fractions) and all(state.seconds_left >= 0 for state in told)


def test_the_thick_axis_may_be_any(fit, truth):
    assert fit(volume=degrade(truth, FACTOR, "i", "mean"), axis="auto", factor=None, steps=2).steps == 2


def test_an_estimate_that_fails_makes_the_model_fit_both_profiles(fit):
    adapted = fit(profile="auto", steps=2)
    assert read_card(adapted.path).acquisitions == adapted.profiles and adapted.profiles[0] in ("mean", "gaussian")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "cubic"}, "model 'cubic': interpolation; accepted"),
        ({"axis": "all"}, "axis 'all': a volume teaches one thick axis"),
        ({"axis": "i"}, "voxels of 1 x 1 x 2 mm"),
        ({"minutes": 0.0}, "minutes above 0"),
        ({"profile": "cubic"}, "profile 'cubic'"),
        ({"factor": 3}, "factor 3: model 'base' offers 2"),
        ({"name": "absent/model"}, "there is no folder"),
        ({"volume": Volume(np.ones((8, 16, 16)), np.diag([1, 1, 2, 1]), "MR")}, "constant voxels"),
    ],
)
def test_what_cannot_be_adapted_is_refused(fit, options, words):
    with pytest.raises(RequestError) as caught:
        fit(**options)
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("axis", ["auto", "k"])
def test_a_model_for_planes_cannot_be_adapted(fit, tmp_path, axis):
    path, arguments = tmp_path / "planes.safetensors", {"factors": [FACTOR], "channels": [4, 4], "kernels": [5, 3, 3], "task": "plane"}
    card = {"id": "planes", "title": "untrained", "modalities": ("MR",), "acquisitions": ("mean",), "engine_version": "0"}
    save_model(path, build_network("srcnn", arguments), network="srcnn", arguments=arguments, **card)
    with pytest.raises(RequestError, match="model 'planes': of task plane for x2; accepted for adapting are networks that make one axis 2"):
        fit(model=path, axis=axis)


def test_the_command_adapts_and_upscales_and_leaves_nothing_else(tmp_path, thick, base, capsys, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    write_volume(thick, tmp_path / "thick.nrrd")
    keep, out = tmp_path / "kept.safetensors", tmp_path / "fine.nrrd"
    command = ["adapt", str(tmp_path / "thick.nrrd"), str(out), "--model", str(base), "--minutes", "0.02", "--device", "cpu"]
    assert cli.main([*command, "--json", "--keep", str(keep)]) == 0
    messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    stages = list(dict.fromkeys(message.get("stage", message["type"]) for message in messages))
    assert stages == ["reading", "adapting", "adapted", "plan", "upscaling", "checking", "writing", "result"]
    assert messages[-1]["model"] == "kept"
    assert messages[-1]["model_sha256"] == load_model(keep).sha256
    assert read_volume(out).shape == (32, 40, 44) and list((tmp_path / "temporary").iterdir()) == []
    assert cli.main([*command, "--minutes", "0"]) == 2 and "--minutes" in capsys.readouterr().err
