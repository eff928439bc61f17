import json
import subprocess
import sys

import numpy as np
import pytest

from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionLib.model_file import save_model
from SuperResolutionLib.networks import build_network
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib import comparison_worker, contestants, model_comparison

WORKER = "SuperResolutionTrainingLib.comparison_worker"
INTERPOLATIONS = {"nearest", "linear", "cubic", "lanczos"}


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch):
    """The user's folder with one model, which makes thick slices finer by 2 and was trained on anna."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(folder))
    arguments = {"factors": [2], "channels": 8}
    card = {"id": "own", "title": "random", "modalities": ("MR",), "acquisitions": ("mean",), "engine_version": "0"}
    network, training = build_network("slice_stack", arguments), {"split": {"train": ["anna"], "validation": []}}
    save_model(folder / "own.safetensors", network, network="slice_stack", arguments=arguments, training=training, **card)
    return folder


@pytest.fixture
def request_file(scans, tmp_path):
    """Write a request for the scans along k at factor 2, with some entries changed, and return its path."""

    def write(**changes):
        path = tmp_path / "request.json"
        entries = {"data": str(scans), "record": str(tmp_path / "record.json"), "factor": 2, "axes": "k"}
        path.write_text(json.dumps(entries | changes))
        return path

    return write


def run(path, capsys):
    status = comparison_worker.main([str(path)])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def of_type(lines, kind):
    return [line for line in lines if line["type"] == kind]


def test_every_model_and_interpolation_is_measured_on_every_scan(request_file, tmp_path, capsys):
    status, lines = run(request_file(), capsys)
    assert (status, lines[-1]) == (0, {"type": "result", "record": str(tmp_path / "record.json")})
    record = json.loads((tmp_path / "record.json").read_text())
    assert {row["model"] for row in record["models"]} == INTERPOLATIONS | {"fast", "own"}
    assert {(entry["subject"], entry["axis"]) for entry in record["entries"]} == {("anna", "k"), ("bert", "k")}
    assert {entry["model"] for entry in record["entries"] if entry["trained_on"]} == {"own"}
    assert "first and the last" in record["conventions"]


def test_progress_says_what_is_measured_and_only_grows(request_file, capsys):
    _, lines = run(request_file(), capsys)
    told = of_type(lines, "progress")
    assert told[0] == {"type": "progress", "stage": "reading the scans", "fraction": 0.0}
    stages = list(dict.fromkeys(line["stage"] for line in told))
    assert stages[1:3] == ["measuring anna, factor 2 along k, mean: cubic", "measuring anna, factor 2 along k, mean: fast"]
    assert len(stages) == 1 + 2 * 6
    fractions = [line["fraction"] for line in told]
    assert fractions == sorted(fractions) and fractions[-1] <= 1
    within = [line["fraction"] for line in told if line["stage"] == stages[2]]
    assert within[0] == pytest.approx(1 / 12, abs=1e-3) and within[-1] == pytest.approx(2 / 12, abs=1e-3)


def test_every_axis_of_real_resolution_is_made_thick_with_the_profile_asked_for(request_file, scans, tmp_path, capsys, monkeypatch):
    (scans / "bert.nii.gz").unlink()
    asked = []
    monkeypatch.setattr(model_comparison, "compare", lambda models, trials, *_, **__: asked.extend(trials) or {})
    assert run(request_file(axes="ijk", profile="gaussian"), capsys)[0] == 0
    assert [(trial.axis, trial.factor, trial.profile) for trial in asked] == [(axis, 2, "gaussian") for axis in "ijk"]


def test_a_scan_too_short_for_the_factor_is_left_out_and_told(request_file, scans, capsys):
    shorten(scans, "bert", slices=7)
    (scans / "notes.txt.nrrd").write_text("no volume")
    status, lines = run(request_file(factor=4, axes="k"), capsys)
    left_out = [line["message"] for line in of_type(lines, "warning")]
    assert status == 0 and left_out[1:] == ["left out: bert: 7 slices along k; factor 4 needs at least 8"]
    assert "notes.txt.nrrd" in left_out[0]
    assert all("bert" not in line["stage"] for line in of_type(lines, "progress"))


def shorten(scans, name, slices):
    volume = read_volume(scans / f"{name}.nii.gz")
    write_volume(Volume(volume.voxels[:slices], np.eye(4)), scans / f"{name}.nii.gz")


def test_a_model_that_fails_is_told_and_costs_no_other_its_figures(request_file, tmp_path, capsys, monkeypatch):
    make = contestants.Contestant.make

    def fails(self, *rest):
        if self.id == "own":
            raise MemoryError("no room")
        return make(self, *rest)

    monkeypatch.setattr(contestants.Contestant, "make", fails)
    status, lines = run(request_file(), capsys)
    record = json.loads((tmp_path / "record.json").read_text())
    assert status == 0 and {row["model"] for row in record["models"]} == INTERPOLATIONS | {"fast"}
    told = [line["message"] for line in of_type(lines, "warning")]
    assert told == [f"failed: {name}, factor 2 along k, mean: own: unforeseen MemoryError: no room" for name in ("anna", "bert")]


def test_where_every_scan_is_too_short_nothing_is_measured(request_file, scans, capsys):
    shorten(scans, "anna", slices=7)
    shorten(scans, "bert", slices=2)
    status, lines = run(request_file(factor=4), capsys)
    expected = "anna: 7 slices along k; factor 4 needs at least 8; likewise 1 more"
    assert (status, lines[-1]["message"]) == (2, expected)


def test_without_a_model_for_the_factor_interpolations_are_not_compared_alone(request_file, models, capsys):
    status, lines = run(request_file(factor=16), capsys)
    assert status == 2 and len(lines) == 1
    assert lines[-1]["message"].startswith("factor 16: no model makes one axis finer by it; accepted are the factors of fast (")
    assert lines[-1]["message"].endswith(f"own (2), or another model in {models}")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": 3}, "data 3; accepted are the path of a folder"),
        ({"data": "/no/such/folder"}, "/no/such/folder: no such folder"),
        ({"factor": 2.5}, "factor 2.5; accepted are whole numbers from 2"),
        ({"factor": True}, "factor True; accepted are whole numbers from 2"),
        ({"profile": "flat"}, "profile 'flat'; accepted are mean, gaussian"),
        ({"profile": ["mean"]}, "profile ['mean']; accepted are mean, gaussian"),
        ({"axes": "x"}, "axes 'x'; accepted are some of i, j, k"),
        ({"axes": ""}, "axes ''; accepted are some of i, j, k"),
        ({"folder": "here"}, "folder 'here'; accepted are the absolute path"),
        ({"colour": "red"}, "unexpected keyword argument 'colour'"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(changes, message, request_file, capsys):
    status, lines = run(request_file(**changes), capsys)
    assert status == 2 and lines[-1]["type"] == "error"
    assert message in lines[-1]["message"] and "\n" not in lines[-1]["message"]


def test_an_empty_folder_is_refused(request_file, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    status, lines = run(request_file(data=str(tmp_path / "empty")), capsys)
    assert status == 2 and "empty: nothing of use; accepted is a folder that holds scans" in lines[-1]["message"]


def test_an_unforeseen_fault_is_an_error_line_too(request_file, capsys, monkeypatch):
    def fail(*_, **__):
        raise MemoryError("no room")

    monkeypatch.setattr(model_comparison, "compare", fail)
    status, lines = run(request_file(), capsys)
    assert (status, lines[-1]["message"]) == (1, "unforeseen MemoryError: no room")


def test_as_a_process_it_leaves_with_its_caller(request_file, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    path = request_file(folder=str(folder))
    process = subprocess.Popen([sys.executable, "-m", WORKER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write("held open\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline()) == {"type": "started", "pid": process.pid}
    process.stdin.close()
    assert process.wait(20) == 143
    assert not folder.exists()
    process.stdout.close()
