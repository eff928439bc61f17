import json

import numpy as np
import pytest
import yaml

from SuperResolutionLib import cli, model_zoo
from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume
from SuperResolutionLib.model_file import load_model, read_card
from SuperResolutionLib.upscaling import upscale
from SuperResolutionLib.version import __version__
from SuperResolutionTrainingLib import training_run
from SuperResolutionTrainingLib.validation import PROTOCOL


@pytest.fixture
def recipe_file(plain_recipe, tmp_path):
    """Write the recipe with some entries changed."""

    def write(**changes):
        path = tmp_path / "recipe.yaml"
        path.write_text(yaml.safe_dump(plain_recipe | changes))
        return path

    return write


@pytest.fixture
def out(tmp_path):
    return tmp_path / "new" / "run"


def test_a_recipe_becomes_a_model_that_says_all_about_itself(recipe_file, scans, out):
    path = training_run.run(str(recipe_file()), scans, out)
    assert path == out / "tiny.safetensors"
    card = read_card(path)
    assert (card.id, card.title, card.network, card.factors, card.modalities) == ("tiny", "a test's network", "slice_stack", (2,), ("MR",))
    assert (card.acquisitions, card.engine_version, card.protocol) == (("mean",), __version__, PROTOCOL)
    assert card.training["trained_on"] == ["anna.nii.gz (MR, CC0-1.0)"] and card.training["measured_on"] == ["bert.nii.gz (MR, CC-BY-4.0)"]
    assert card.training["steps"] == 50 and card.training["date"] and card.training["machine"]
    (entry,) = card.quality
    assert (entry["subject"], entry["modality"], entry["factor"], entry["axis"], entry["profile"]) == ("bert", "MR", 2, "k", "mean")
    assert card.mean_gain(2) == pytest.approx(entry["psnr"] - entry["psnr_cubic"])


def test_the_model_is_taken_by_every_door(recipe_file, scans, out, monkeypatch, capsys):
    path = training_run.run(str(recipe_file()), scans, out)
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(out))
    listed = {info.id: info for info in model_zoo.list_upscalers()}
    assert listed["tiny"].problem == "" and listed["tiny"].path == path
    thick = degrade(read_volume(scans / "bert.nii.gz"), 2, "k")
    assert upscale(thick, model="tiny", factor=2, axis="k").volume.shape == (28, 30, 32)
    assert cli.main(["models"]) == 0 and "a test's network (over cubic: x2" in capsys.readouterr().out


def test_the_record_holds_recipe_curve_and_quality(recipe_file, scans, out):
    training_run.run(str(recipe_file()), scans, out)
    record = json.loads((out / "tiny.json").read_text())
    assert record["recipe"]["id"] == "tiny" and [point["step"] for point in record["curve"]] == [50]
    assert record["quality"] == [dict(entry) for entry in read_card(out / "tiny.safetensors").quality]


def test_nothing_but_model_record_curve_and_checkpoint_is_left(recipe_file, scans, out):
    training_run.run(str(recipe_file()), scans, out)
    assert {path.name for path in out.iterdir()} == {"tiny.safetensors", "tiny.json", "progress.jsonl", "checkpoint.pt"}


def test_a_resumed_run_adds_its_seconds_to_those_before(recipe_file, scans, out):
    training_run.run(str(recipe_file()), scans, out)
    point = json.loads((out / "progress.jsonl").read_text())
    (out / "progress.jsonl").write_text(json.dumps(point | {"seconds": 1000.0}) + "\n")
    card = read_card(training_run.run(str(recipe_file()), scans, out, resume=True))
    assert card.training["seconds"] == 1000


def test_every_acquisition_trained_on_is_named_once_the_main_one_first(recipe_file, scans, out):
    drawn = [{"profile": "gaussian"}, {"profile": "mean"}, {"profile": "gaussian", "thickness": [0.8, 0.8]}]
    assert read_card(training_run.run(str(recipe_file(acquisitions=drawn, steps=5)), scans, out)).acquisitions == ("gaussian", "mean")


def test_training_starts_from_a_model_file_beside_the_recipe(recipe_file, scans, out, tmp_path):
    first = training_run.run(str(recipe_file()), scans, tmp_path)
    again = training_run.run(str(recipe_file(start="tiny.safetensors", steps=1, learning_rate=1e-12)), scans, out)
    weights = [load_model(path).network.state_dict() for path in (first, again)]
    for name in weights[0]:
        np.testing.assert_allclose(weights[1][name].numpy(), weights[0][name].numpy(), atol=1e-6)


def test_a_finished_run_is_resumed_to_the_same_model(recipe_file, scans, out):
    path = training_run.run(str(recipe_file()), scans, out)
    before = read_card(path)
    path.unlink()
    after = read_card(training_run.run(str(recipe_file()), scans, out, resume=True))
    assert (after.weights_sha256, after.quality) == (before.weights_sha256, before.quality)


def test_the_command_line_trains_and_tells_how_far_it_is(recipe_file, scans, out, capsys):
    assert cli.main(["train", str(recipe_file()), "--data", str(scans), "--out", str(out)]) == 0
    assert "step 50 of 50, loss 0." in capsys.readouterr().err and (out / "tiny.safetensors").is_file()


def test_resuming_nothing_is_refused_and_leaves_nothing(recipe_file, scans, out):
    with pytest.raises(RequestError, match="no checkpoint to resume from"):
        training_run.run(str(recipe_file()), scans, out, resume=True)
    assert not out.exists()


def test_a_data_folder_that_is_not_there_is_refused(recipe_file, tmp_path, out):
    with pytest.raises(RequestError, match="absent: no such folder; accepted is the folder of the recipe's scans"):
        training_run.run(str(recipe_file()), tmp_path / "absent", out)
    assert not out.exists()


def test_an_unknown_recipe_is_refused_with_those_that_are_shipped(scans, out):
    with pytest.raises(RequestError, match=r"recipe 'no-such': no such file; accepted are a YAML file or a shipped recipe \("):
        training_run.run("no-such", scans, out)


@pytest.mark.parametrize("change", [{"network": "unet"}, {"arguments": {"depth": 3}}])
def test_a_network_that_cannot_be_built_is_refused(recipe_file, scans, out, change):
    with pytest.raises(RequestError, match="network '"):
        training_run.run(str(recipe_file(**change)), scans, out)
