import json
import os
import signal
import subprocess
import sys
import time

import pytest

from SuperResolutionTrainingLib import worker


@pytest.fixture
def write_request(tmp_path, scans, plain_recipe):
    """Write a request for the tiny recipe with some entries changed; an entry of None is left out."""

    def write(**changes):
        plain_recipe["scans"][0]["axes"] = "k"
        request = {"recipe": plain_recipe, "data": str(scans), "out": str(tmp_path / "run")} | changes
        path = tmp_path / "request.json"
        path.write_text(json.dumps({name: value for name, value in request.items() if value is not None}))
        return str(path)

    return write


def lines_of(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_run_is_told_from_plan_to_result(write_request, plain_recipe, capsys, tmp_path):
    assert worker.main([write_request(recipe=plain_recipe | {"validate_every": 25})]) == 0
    told = lines_of(capsys)
    kinds = [message["type"] for message in told]
    assert set(kinds) == {"plan", "progress", "validation", "measuring", "result"} and kinds[-1] == "result"
    plan, result = (next(message for message in told if message["type"] == kind) for kind in ("plan", "result"))
    assert (plan["network"], plan["steps"], plan["train"], plan["validation"], plan["processes"]) == (
        "slice_stack",
        50,
        ["anna"],
        ["bert"],
        1,
    )
    assert result["model"] == str(tmp_path / "run" / "tiny.safetensors") and set(result["gain_db"]) == {"2"} and result["quality"]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"data": None}, "accepted is a JSON object with recipe, data and out"),
        ({"colour": 1}, "colour"),
        ({"recipe": 5}, "recipe 5; accepted are a name, a path and a recipe as an object"),
        ({"resume": "yes"}, "resume 'yes'; accepted are true and false"),
        ({"minutes": -1}, "minutes -1; accepted are numbers from 0 and null"),
        ({"minutes": True}, "minutes True"),
        ({"device": 0}, "device 0"),
        ({"folder": "here"}, "folder 'here'; accepted are the absolute path of a folder and null"),
        ({"recipe": "no-such"}, "recipe 'no-such': no such file"),
        ({"recipe": {"id": "x"}}, "recipe: key 'title' is missing"),
        ({"resume": True}, "no checkpoint to resume from"),
        ({"device": "abacus"}, "device 'abacus': accepted are auto, cpu, cuda, mps"),
    ],
)
def test_a_request_that_cannot_be_is_refused_in_one_line(write_request, capsys, changes, found, tmp_path):
    assert worker.main([write_request(**changes)]) == 2
    (message,) = lines_of(capsys)
    assert (message["type"], message["exit_status"]) == ("error", 2) and found in message["message"] and "\n" not in message["message"]
    assert not (tmp_path / "run" / "tiny.safetensors").exists()


@pytest.mark.parametrize("arguments", [[], ["absent.json"], ["one", "two"]])
def test_other_arguments_than_a_request_are_refused(capsys, arguments):
    assert worker.main(arguments) == 2
    (message,) = lines_of(capsys)
    assert message["type"] == "error"


def test_a_fault_of_ours_is_still_told_in_a_last_line(write_request, capsys, monkeypatch):
    def fault(job):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(worker, "run_job", fault)
    assert worker.main([write_request()]) == 1
    assert lines_of(capsys)[-1] == {"type": "error", "message": "unforeseen ZeroDivisionError: oh", "exit_status": 1}


def start(request):
    return subprocess.Popen(
        [sys.executable, "-m", "SuperResolutionTrainingLib.worker", request],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def wait_for(process, kind):
    for line in process.stdout:
        message = json.loads(line)
        if message["type"] == kind:
            return message
    raise AssertionError(f"the worker ended with {process.wait()} before '{kind}'")


def test_files_in_the_runs_folder_pause_and_stop_it(write_request, plain_recipe, tmp_path):
    endless = plain_recipe | {"stages": [{"steps": 10**7, "losses": {"l1": 1}}]}
    with start(write_request(recipe=endless)) as process:
        wait_for(process, "progress")
        (tmp_path / "run" / "pause").touch()
        step = wait_for(process, "paused")["step"]
        time.sleep(0.5)
        (tmp_path / "run" / "pause").unlink()
        assert wait_for(process, "resumed")["step"] == step
        (tmp_path / "run" / "stop").touch()
        result = wait_for(process, "result")
    assert process.returncode == 0 and result["ended"] == "stop" and result["steps"] >= step
    assert not (tmp_path / "run" / "stop").exists() and (tmp_path / "run" / "tiny.safetensors").is_file()


def test_a_worker_ends_with_its_caller_and_leaves_the_run_to_be_resumed(write_request, plain_recipe, tmp_path):
    endless = plain_recipe | {"stages": [{"steps": 10**7, "losses": {"l1": 1}}], "validate_every": 20}
    folder = tmp_path / "of the caller"
    folder.mkdir()
    with start(write_request(recipe=endless, folder=str(folder))) as process:
        process.stdin.write("\n")
        process.stdin.flush()
        assert wait_for(process, "started")["pid"] == process.pid
        wait_for(process, "validation")
        wait_for(process, "progress")
        process.stdin.close()
        assert process.wait(20) == 143
    assert not folder.exists() and (tmp_path / "run" / "checkpoint.safetensors").is_file()
    assert not [path for path in (tmp_path / "run").iterdir() if path.name.startswith(".")]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals of this kind")
def test_a_terminated_worker_leaves_no_half_file(write_request, plain_recipe, tmp_path):
    endless = plain_recipe | {"stages": [{"steps": 10**7, "losses": {"l1": 1}}], "validate_every": 5}
    with start(write_request(recipe=endless)) as process:
        wait_for(process, "validation")
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        assert process.wait(20) == 143
    assert not [path for path in (tmp_path / "run").rglob(".*")]
