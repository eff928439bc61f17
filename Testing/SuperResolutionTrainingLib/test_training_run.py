import json
from dataclasses import replace

import numpy as np
import pytest
import yaml
from PIL import Image

from SuperResolutionLib import cli, model_zoo
from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume
from SuperResolutionLib.model_file import load_model, read_card
from SuperResolutionLib.upscaling import upscale
from SuperResolutionLib.version import __version__
from SuperResolutionTrainingLib import training_run
from SuperResolutionTrainingLib.validation import protocol


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
    assert (card.acquisitions, card.engine_version, card.protocol) == (("mean",), __version__, protocol())
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
    assert record["recipe"]["id"] == "tiny" and record["curve"][-1]["step"] == 50
    assert record["quality"] == [dict(entry) for entry in read_card(out / "tiny.safetensors").quality]


def test_nothing_but_model_record_curve_and_checkpoint_is_left(recipe_file, scans, out):
    training_run.run(str(recipe_file()), scans, out)
    kept = {"tiny.safetensors", "tiny.json", "progress.jsonl", "checkpoint.safetensors", "split.json"}
    assert {path.name for path in out.iterdir()} == kept


def test_a_resumed_run_goes_on_with_its_curve_and_its_seconds(recipe_file, scans, out):
    stages = [{"steps": 10**6, "losses": {"l1": 1}}]
    told = []
    training_run.run(str(recipe_file(stages=stages)), scans, out, minutes=0.03, tell=told.append)
    assert told[-1]["type"] == "result" and told[-1]["ended"] == "minutes" and told[-1]["seconds"] == pytest.approx(1.8, abs=0.5)
    before = [json.loads(line) for line in (out / "progress.jsonl").read_text().splitlines()]
    card = read_card(training_run.run(str(recipe_file(stages=stages)), scans, out, resume=True, minutes=0.06))
    points = [json.loads(line) for line in (out / "progress.jsonl").read_text().splitlines()]
    assert points[: len(before)] == before and points[-1]["step"] > before[-1]["step"]
    assert points[-1]["seconds"] == pytest.approx(3.6, abs=0.5) and card.training["seconds"] in (3, 4)


def test_a_subject_of_the_data_folder_is_kept_for_validation_and_written_down(recipe_file, scans, out, plain_recipe):
    del plain_recipe["scans"]
    plain_recipe["measured_extent"] = 12
    told = []
    card = read_card(training_run.run(plain_recipe, scans, out, tell=told.append))
    split = json.loads((out / "split.json").read_text())
    assert card.training["split"] == {name: split[name] for name in ("train", "validation")}
    assert sorted(split["train"] + split["validation"]) == ["anna", "bert"] and len(split["validation"]) == 1
    assert {entry["axis"] for entry in card.quality} == {"i", "j", "k"}
    assert {message["type"] for message in told} >= {"plan", "progress", "measuring", "result"}
    assert "central 12 voxels" in card.protocol


def test_the_card_says_what_code_trained_it_and_how(recipe_file, scans, out, monkeypatch):
    monkeypatch.setattr(training_run, "git_revision", lambda: "0123abcd")
    stages = [{"steps": 3, "losses": {"l1": 1, "ssim": 0.1}, "learning_rate": 0.001}]
    card = read_card(training_run.run(str(recipe_file(stages=stages, progressive=True)), scans, out))
    assert card.training["git_revision"] == "0123abcd" and card.training["stages"] == ["3 steps of l1 + 0.1 ssim, learning rate 0.001"]
    assert card.progressive and card.training["step"] == 3 and card.training["ended"] == "steps"


def test_a_network_for_planes_is_trained_measured_and_taken_by_the_upscaler(recipe_file, scans, out):
    changes = {"network": "srcnn", "arguments": {"factors": [2], "task": "plane", "channels": [4, 4]}, "task": "plane"}
    given = yaml.safe_load(recipe_file(**changes).read_text())
    given["scans"][1]["axes"] = "ij"
    path = training_run.run(given, scans, out)
    (entry,) = read_card(path).quality
    assert (entry["axis"], entry["factor"]) == ("plane", 2) and entry["psnr"] > 0
    thick = degrade(degrade(read_volume(scans / "bert.nii.gz"), 2, "i"), 2, "j")
    assert upscale(replace(thick, affine=np.diag([1, 1, 9, 1.0])), model=str(path), factor=2, axis="plane").volume.shape == (28, 30, 32)


def test_pictures_are_trained_on_as_well(recipe_file, tmp_path, out, plain_recipe):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (6, 6), np.uint8)
        Image.fromarray(pixels).resize((48, 48), Image.Resampling.BICUBIC).save(folder / f"flower{number}.png")
    del plain_recipe["scans"]
    changes = {"images": True, "task": "plane", "network": "srcnn", "arguments": {"factors": [2], "task": "plane", "channels": [4, 4]}}
    path = training_run.run(plain_recipe | changes | {"validate_every": 25}, folder, out)
    (entry,) = read_card(path).quality
    assert entry["axis"] == "plane" and entry["psnr_cubic"] > 20 and 0 < entry["ssim_cubic"] <= 1


def test_every_acquisition_trained_on_is_named_once_the_main_one_first(recipe_file, scans, out):
    drawn = [{"profile": "gaussian"}, {"profile": "mean"}, {"profile": "gaussian", "thickness": [0.8, 0.8]}]
    assert read_card(training_run.run(str(recipe_file(acquisitions=drawn)), scans, out)).acquisitions == ("gaussian", "mean")


def test_training_starts_from_a_model_file_beside_the_recipe(recipe_file, scans, out, tmp_path):
    first = training_run.run(str(recipe_file()), scans, tmp_path)
    again = training_run.run(
        str(recipe_file(start="tiny.safetensors", stages=[{"steps": 1, "losses": {"l1": 1}, "learning_rate": 1e-12}])), scans, out
    )
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


def test_a_folder_that_holds_a_run_is_not_written_over(recipe_file, scans, out, capsys):
    path = training_run.run(str(recipe_file()), scans, out)
    before = path.read_bytes(), (out / "checkpoint.safetensors").read_bytes()
    assert cli.main(["train", str(recipe_file(seed=2)), "--data", str(scans), "--out", str(out)]) == 2
    assert "holds a run already; accepted are another folder, or to resume that run (--resume)" in capsys.readouterr().err
    assert before == (path.read_bytes(), (out / "checkpoint.safetensors").read_bytes())


def test_two_processes_cannot_train_in_one_folder(recipe_file, scans, out):
    second = []

    def start_another(message):
        if message["type"] == "plan":
            with pytest.raises(RequestError, match="another process trains in it; accepted is to wait for that one, or to end it"):
                training_run.run(str(recipe_file()), scans, out)
            second.append("refused")

    training_run.run(str(recipe_file()), scans, out, tell=start_another)
    assert second == ["refused"]
    training_run.run(str(recipe_file()), scans, out, resume=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drawn_factors": [2, 3]}, "recipe: drawn_factors 3 with network 'slice_stack': accepted are 2"),
        ({"validated_factors": [4]}, "recipe: validated_factors 4 with network 'slice_stack': accepted are 2"),
        ({"validated_factors": [3], "progressive": True}, "recipe: validated_factors 3 with network 'slice_stack': accepted are 2, 4, 8"),
    ],
)
def test_a_factor_that_the_network_lacks_is_refused_before_training(recipe_file, scans, out, changes, message):
    with pytest.raises(RequestError, match=message):
        training_run.run(str(recipe_file(**changes)), scans, out)


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


def test_a_run_takes_the_scans_that_another_recipe_lists(recipe_file, plain_recipe, scans, tmp_path, out):
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(plain_recipe | {"id": "other"}))
    cli.main(["train", str(recipe_file(scans=[])), "--scans", str(other), "--data", str(scans), "--out", str(out)])
    split = json.loads((out / "split.json").read_text())
    assert split["train"] == ["anna"] and split["validation"] == ["bert"]
    assert read_card(out / "tiny.safetensors").training["trained_on"] == ["anna.nii.gz (MR, CC0-1.0)"]


def test_a_recipe_without_scans_lends_none(recipe_file, scans, out, capsys):
    assert cli.main(["train", str(recipe_file()), "--scans", "srcnn", "--data", str(scans), "--out", str(out)]) == 2
    assert "recipe 'srcnn': lists no scans; accepted is a recipe that does" in capsys.readouterr().err and not out.exists()
