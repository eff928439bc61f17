import json

import numpy as np
import pytest
import yaml

from SuperResolutionLib import cli
from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.model_file import save_model
from SuperResolutionLib.networks import build_network
from SuperResolutionLib.upscaling import upscale
from SuperResolutionTrainingLib import model_comparison
from SuperResolutionTrainingLib.comparison_record import FILE
from SuperResolutionTrainingLib.model_comparison import RECORD, Trial, compare, format_comparison, models_for, trials_of
from SuperResolutionTrainingLib.recipe import Scan
from SuperResolutionTrainingLib.samples import load_scan
from SuperResolutionTrainingLib.slice_scores import Reference, summarise

SCAN = Scan("bert.nii.gz", "bert", "MR", split="validation")
TRIAL = Trial(SCAN, "k", 2, "mean")


@pytest.fixture
def model(tmp_path):
    """Write a network's model file and return its path."""

    def write(name="own", network="slice_stack", trained_on=(), **arguments):
        arguments = {"factors": [2], "channels": 8} | arguments
        card = {"id": name, "title": "random", "modalities": ("MR",), "acquisitions": ("mean",), "engine_version": "0"}
        training = {"split": {"train": list(trained_on), "validation": []}}
        path = tmp_path / f"{name}.safetensors"
        save_model(path, build_network(network, arguments), network=network, arguments=arguments, training=training, **card)
        return str(path)

    return write


def test_every_model_is_measured_in_every_trial_and_cubic_always_among_them(scans, model):
    record = compare(["linear", model()], trials_of([SCAN], "jk", [2], ["mean"]), scans)
    assert [(entry["axis"], entry["model"]) for entry in record["entries"]] == [
        (axis, name) for axis in "jk" for name in ("cubic", "linear", "own")
    ]
    assert {(row["model"], row["region"], row["trials"]) for row in record["models"]} == {
        (name, region, 2) for name in ("cubic", "linear", "own") for region in ("whole", "foreground")
    }


def test_the_figures_are_those_of_the_upscaled_volume_slice_by_slice(scans):
    truth = load_scan(SCAN, scans)
    fine = upscale(degrade(truth, 2, "k"), model="linear", factor=2, axis="k").volume
    expected = {(each.region, each.along): each for each in summarise(Reference(truth).score(fine))}
    entry = compare(["linear"], [TRIAL], scans)["entries"][1]
    for found in entry["summary"]:
        assert found["mean"] == pytest.approx(expected[found["region"], found["along"]].mean)
    row = next(row for row in compare(["linear"], [TRIAL], scans)["models"] if row["model"] == "linear" and row["region"] == "whole")
    assert row["mean"]["psnr"] == pytest.approx(expected["whole", "ijk"].mean["psnr"]) and row["gain_db"] == row["worst_gain_db"] < 0


def test_slices_that_no_whole_thick_slice_covers_are_left_out(scans):
    """28 slices at factor 3 are nine thick ones: 27."""
    entry = compare([], [Trial(SCAN, "k", 3, "mean")], scans)["entries"][0]
    assert next(each["slices"] for each in entry["summary"] if each["along"] == "k") == 25


def test_a_model_says_where_it_was_trained_on_the_subject(scans, model):
    record = compare([model(trained_on=["bert"])], [TRIAL], scans)
    assert [entry["trained_on"] for entry in record["entries"]] == [False, True]
    assert "trained on some of these subjects" in format_comparison(record)


def test_what_was_measured_is_not_measured_again(scans, tmp_path, monkeypatch):
    first = compare(["linear"], [TRIAL], scans, tmp_path / "out")
    told = []
    again = compare(
        ["linear", "nearest"], [TRIAL, Trial(SCAN, "j", 2, "mean")], scans, tmp_path / "out", tell=lambda fraction, line: told.append(line)
    )
    assert [line.split(": ")[1] for line in told] == ["nearest", "cubic", "linear", "nearest"]
    assert again["entries"][:2] == first["entries"]
    monkeypatch.setattr(model_comparison, "upscale", None)
    assert compare(["linear"], [TRIAL], scans, tmp_path / "out") == first
    assert json.loads((tmp_path / "out" / RECORD).read_text()) == first


def test_a_line_that_a_killed_process_left_half_is_measured_again(scans, tmp_path):
    first = compare(["linear"], [TRIAL], scans, tmp_path)
    lines = (tmp_path / FILE).read_text().splitlines()
    (tmp_path / FILE).write_text(lines[0] + "\n" + lines[1][:100])
    told = []
    again = compare(["linear"], [TRIAL], scans, tmp_path, tell=lambda fraction, line: told.append(line))
    assert [line.split(": ")[1] for line in told] == ["linear"] and again["models"] == first["models"]
    assert len((tmp_path / FILE).read_text().splitlines()) == 2


def test_a_model_whose_weights_changed_is_measured_again(scans, tmp_path, model):
    compare([model()], [TRIAL], scans, tmp_path / "out")
    told = []
    compare([model(channels=4)], [TRIAL], scans, tmp_path / "out", tell=lambda fraction, line: told.append(line))
    assert [line.split(": ")[1] for line in told] == ["own"]


def test_networks_can_be_measured_without_the_projection_onto_the_measurement(scans, model, tmp_path):
    thick = degrade(load_scan(SCAN, scans), 2, "k")
    own = model(network="sr_dcnn", channels=[4])
    for consistency in (True, False):
        fine = upscale(thick, model=own, factor=2, axis="k", consistency=consistency, precision="float32").volume
        expected = next(summarise(Reference(load_scan(SCAN, scans)).score(fine))).mean["psnr"]
        entry = compare([own], [TRIAL], scans, tmp_path / "out", consistency=consistency, precision="float32")["entries"][1]
        assert entry["consistency"] is consistency and entry["summary"][0]["mean"]["psnr"] == pytest.approx(expected)


def test_mean_and_deviation_are_over_the_trials(scans):
    trials = trials_of([Scan("anna.nii.gz", "anna", "MR"), SCAN], "k", [2], ["mean"])
    record = compare([], trials, scans)
    values = [next(each["mean"]["psnr"] for each in entry["summary"]) for entry in record["entries"]]
    row = next(row for row in record["models"] if row["region"] == "whole")
    assert (row["trials"], row["subjects"]) == (2, 2)
    assert (row["mean"]["psnr"], row["deviation"]["psnr"]) == pytest.approx((np.mean(values), np.std(values)))


def test_models_that_cannot_do_it_are_refused_before_anything_is_measured(scans, model):
    for path, message in (
        (
            model("own", "sr_dcnn", channels=[4], factors=[3]),
            r"model 'own' makes factors 3; accepted are models for one axis and factors \[2\]",
        ),
        (model("flat", "srcnn", channels=[4, 4], task="plane"), "model 'flat' makes planes only"),
    ):
        with pytest.raises(RequestError, match=message):
            compare([path], [TRIAL], scans)


def test_two_models_of_one_id_are_refused(scans, model, tmp_path):
    one = model("own")
    (tmp_path / "copy.safetensors").write_bytes((tmp_path / "own.safetensors").read_bytes())
    with pytest.raises(RequestError, match="two models have the id 'own'; accepted are models of different ids"):
        compare([one, str(tmp_path / "copy.safetensors")], [TRIAL], scans)


def test_without_real_resolution_along_the_axes_there_is_no_trial():
    with pytest.raises(RequestError, match="no scan has real resolution along k; accepted are scans of fine spacing"):
        trials_of([Scan("bert.nii.gz", "bert", "MR", axes="ij")], "k", [2], ["mean"])


def test_a_folder_that_cannot_be_written_is_named(scans, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError, match="file/out"):
        compare([], [TRIAL], scans, tmp_path / "file" / "out")


def test_all_that_make_one_axis_finer_by_the_factors_are_compared_by_default(model, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(tmp_path))
    model("mine")
    model("flat", "srcnn", channels=[4, 4], task="plane")
    assert "mine" in models_for([2]) and "mine" not in models_for([2, 3]) and "flat" not in models_for([2])
    assert {"fast", "cubic", "lanczos"} <= set(models_for([2, 4]))


def test_the_command_compares_on_the_validation_scans_of_a_recipe(scans, plain_recipe, tmp_path, capsys):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(plain_recipe))
    options = ["--data", scans, "--scans", recipe, "--models", "linear", "--factors", 2, "--out", tmp_path / "out"]
    assert cli.main(["evaluate", *map(str, options), "--json"]) == 0
    *told, result = map(json.loads, capsys.readouterr().out.splitlines())
    assert [line["stage"] for line in told] == [f"bert, factor 2 along k, mean: {name}" for name in ("cubic", "linear")]
    assert [line["fraction"] for line in told] == [0, 0.5]
    assert result == {"type": "result"} | json.loads((tmp_path / "out" / RECORD).read_text())
    assert cli.main(["evaluate", *map(str, options)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[3].split()[0] == "cubic" and table[4].split()[0] == "linear" and "PSNR in dB: peak" in table[-1]


def test_the_command_takes_every_scan_of_a_folder(scans, capsys):
    assert cli.main(["evaluate", "--data", str(scans), "--models", "nearest", "--factors", "2", "--axes", "j"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert told == [f"{name}, factor 2 along j, mean: {model}" for name in ("anna", "bert") for model in ("cubic", "nearest")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "evaluate needs CANDIDATE and REFERENCE, or --data"),
        (["a.nii"], "evaluate needs CANDIDATE and REFERENCE, or --data"),
        (["a.nii", "b.nii", "--data", "SCANS"], "--data goes with neither CANDIDATE nor --report"),
        (["--data", "SCANS", "--scans", "srcnn"], "recipe 'srcnn': lists no scans"),
        (["--data", "SCANS", "--models", "absent.safetensors"], "absent.safetensors"),
        (["--data", "absent"], "absent: no such folder"),
    ],
)
def test_what_cannot_be_compared_is_refused(scans, capsys, options, message):
    assert cli.main(["evaluate", *[str(scans) if option == "SCANS" else option for option in options]]) == 2
    assert message in capsys.readouterr().err
