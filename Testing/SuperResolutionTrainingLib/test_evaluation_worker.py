import json
import subprocess
import sys

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.files import write_volume
from SuperResolutionLib.upscaling import upscale
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib import evaluation_worker
from SuperResolutionTrainingLib.slice_scores import Reference

WORKER = "SuperResolutionTrainingLib.evaluation_worker"


@pytest.fixture
def request_file(tmp_path):
    """Write a request for a linear interpolation against its truth, with some entries changed, and return its path."""
    blobs = gaussian_filter(np.random.default_rng(0).normal(size=(16, 18, 20)), 2)
    truth = Volume((1000 * (blobs - blobs.min())).astype(np.int16), np.eye(4), modality="MR")
    thick = degrade(truth, 2, "k", "mean")
    volumes = {"reference": truth, "input": thick, "candidate": upscale(thick, model="linear", factor=2).volume}
    for name, volume in volumes.items():
        write_volume(volume, tmp_path / f"{name}.nrrd")

    def write(**changes):
        entries = {name: str(tmp_path / f"{name}.nrrd") for name in volumes} | {"scores": str(tmp_path / "scores.json")}
        path = tmp_path / "request.json"
        path.write_text(json.dumps(entries | changes))
        return path

    return write


def run(path, capsys):
    status = evaluation_worker.main([str(path)])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_figures_of_candidate_and_interpolations_are_written(request_file, tmp_path, capsys):
    status, lines = run(request_file(), capsys)
    assert (status, lines[-1]) == (0, {"type": "result", "scores": str(tmp_path / "scores.json")})
    stages = [line["stage"] for line in lines[:-1]]
    assert stages == ["reading", "candidate", "nearest", "linear", "cubic", "lanczos"]
    fractions = [line["fraction"] for line in lines[:-1]]
    assert fractions == sorted(fractions) and fractions[-1] < 1
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert len(scores["summary"]) == 5 * 2 * 4 and len(scores["curves"]) == 5 * 2 * 3
    of = {row["volume"]: row["mean"] for row in scores["summary"] if (row["region"], row["along"]) == ("whole", "ijk")}
    assert of["candidate"] == of["linear"]
    assert of["lanczos"]["psnr"] > of["nearest"]["psnr"]
    assert "first and the last" in scores["conventions"]


def test_without_the_thick_volume_the_candidate_stands_alone(request_file, tmp_path, capsys):
    status, _ = run(request_file(input=None), capsys)
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert status == 0 and {row["volume"] for row in scores["summary"]} == {"candidate"}


def test_figures_that_do_not_exist_are_null(request_file, tmp_path, capsys):
    path = request_file(candidate=str(tmp_path / "reference.nrrd"), input=None)
    assert run(path, capsys)[0] == 0
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["summary"][0]["mean"]["psnr"] is None
    assert scores["curves"][0]["values"]["psnr"] == [None] * 18


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidate": 3}, "candidate 3; accepted is a path"),
        ({"folder": "here"}, "folder 'here'; accepted are the absolute path"),
        ({"colour": "red"}, "unexpected keyword argument 'colour'"),
        ({"candidate": "/no/such.nrrd"}, "no such file"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(changes, message, request_file, capsys):
    status, lines = run(request_file(**changes), capsys)
    assert status == 2 and lines[-1]["type"] == "error"
    assert message in lines[-1]["message"] and "\n" not in lines[-1]["message"]


def test_an_unforeseen_fault_is_an_error_line_too(request_file, capsys, monkeypatch):
    def fail(*_):
        raise MemoryError("no room")

    monkeypatch.setattr(Reference, "score", fail)
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
