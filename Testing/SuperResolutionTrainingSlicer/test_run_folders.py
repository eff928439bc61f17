"""Runs are found again after Slicer was closed."""

import os

from SuperResolutionTrainingLib.checkpoint import FILE
from SuperResolutionTrainingSlicer.run_folders import (
    CHECKPOINT,
    REQUEST,
    default_runs_folder,
    reasons_against_folder,
    unfinished_runs,
    write_request,
    write_result,
)

ASKED = {"recipe": {"id": "a"}, "data": "/scans", "minutes": 3}


def make_run(folder, name, age=0):
    (folder / name).mkdir(parents=True)
    write_request(folder / name, ASKED)
    path = folder / name / REQUEST
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - age))
    return folder / name


def test_runs_without_a_result_are_unfinished_the_latest_first(tmp_path):
    make_run(tmp_path, "older", age=100)
    make_run(tmp_path, "newer")
    write_result(make_run(tmp_path, "done"), {"model": "done.safetensors"})
    assert [run.folder.name for run in unfinished_runs(tmp_path)] == ["newer", "older"]
    assert unfinished_runs(tmp_path)[0].request == ASKED


def test_a_run_without_a_checkpoint_starts_anew_and_says_so(tmp_path):
    folder = make_run(tmp_path, "early")
    (run,) = unfinished_runs(tmp_path)
    assert (run.resumable, run.label()) == (False, "early (from the start)")
    (folder / CHECKPOINT).touch()
    assert (run.resumable, run.label()) == (True, "early")


def test_the_checkpoint_is_the_trainers():
    assert CHECKPOINT == FILE


def test_damaged_requests_and_other_folders_are_passed_over(tmp_path):
    (make_run(tmp_path, "damaged") / REQUEST).write_text("{")
    (make_run(tmp_path, "other") / REQUEST).write_text("[]")
    (tmp_path / "nothing").mkdir()
    assert unfinished_runs(tmp_path) == []
    assert unfinished_runs(tmp_path / "absent") == []


def test_a_run_starts_in_a_folder_that_is_absent_or_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    assert reasons_against_folder(tmp_path / "empty") == reasons_against_folder(tmp_path / "absent" / "run") == []
    (reason,) = reasons_against_folder(make_run(tmp_path, "taken"))
    assert "taken: holds a run already; resume it below if it is unfinished" in reason
    (reason,) = reasons_against_folder(tmp_path / "file" / "run")
    assert "cannot be used, Not a directory; choose another name, or another folder of runs" in reason


def test_runs_lie_beside_the_users_models(tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(tmp_path / "models"))
    assert default_runs_folder() == tmp_path / "runs"
