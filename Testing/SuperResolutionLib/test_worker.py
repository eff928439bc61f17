import json
import os
import signal
import subprocess

import numpy as np
import pytest

from SuperResolutionLib import companion, files, upscaling, worker
from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.files import read_volume, write_volume

posix = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")


@pytest.fixture
def request_of(thick, results, tmp_path):
    """Write a request and return its path."""

    def write(output="fine.nrrd", source=thick, entries=None, **settings):
        path = tmp_path / "request.json"
        request = {"input": str(source), "output": str(results / output), "series": None, "settings": settings}
        path.write_text(json.dumps(request | (entries or {})))
        return path

    return write


def lines_of(text):
    """Return the objects on standard output; anything but JSON lines is an error."""
    return [json.loads(line) for line in text.splitlines()]


def failure(capsys, path):
    """Run a request that fails and return its exit status and the message of the last line."""
    status = worker.main([str(path)])
    out, err = capsys.readouterr()
    last = lines_of(out)[-1]
    assert (last["type"], last["exit_status"]) == ("error", status) and "\n" not in last["message"]
    assert "Traceback" not in err
    return status, last["message"]


def test_a_network_tells_its_plan_its_progress_and_its_result(python, request_of, make_model, results):
    model = make_model()
    done = python("-m", "SuperResolutionLib.worker", request_of(model=str(model), factor=2, device="cpu", precision="float32"))
    assert done.returncode == 0, done.stderr
    messages = lines_of(done.stdout)
    stages = [message.get("stage", message["type"]) for message in messages]
    assert list(dict.fromkeys(stages)) == ["reading", "plan", "upscaling", "checking", "writing", "result"]
    plan, result = messages[stages.index("plan")], messages[-1]
    assert (plan["axis"], plan["factor"], plan["shape"], plan["pieces"], plan["views"]) == ("k", 2, [6, 18, 20], 1, 1)
    assert (plan["device"], plan["precision"]) == ("cpu", "float32") and plan["halo"] and plan["piece"] and plan["memory_mb"] >= 0
    for stage in ("reading", "upscaling", "checking", "writing"):
        fractions = [message["fraction"] for message in messages if message.get("stage") == stage]
        assert fractions == sorted(fractions) and fractions[-1] == 1
    assert (result["output"], result["model"], result["shape"]) == (str(results / "fine.nrrd"), "slice_stack", [12, 18, 20])
    assert result["spacing"] == pytest.approx([0.6, 0.7, 1.4]) and result["residual_after"] < 1e-5 < result["residual_before"]
    assert len(result["model_sha256"]) == 64 and 0 < result["seconds"] < result["seconds_total"]
    fine = read_volume(results / "fine.nrrd")
    assert fine.shape == (12, 18, 20) and fine.voxels.dtype == np.int16


def test_an_interpolation_needs_no_torch(python, request_of):
    code = "import sys; from SuperResolutionLib.worker import main; sys.exit(main(sys.argv[1:]) or 9 * ('torch' in sys.modules))"
    done = python("-c", code, request_of(model="cubic"))
    assert done.returncode == 0, done.stderr
    assert lines_of(done.stdout)[-1]["model"] == "cubic"


def test_adapting_without_the_training_library_is_refused_by_its_name(request_of, monkeypatch, capsys):
    def missing(name):
        raise ModuleNotFoundError(f"No module named '{name}'", name="SuperResolutionTrainingLib")

    monkeypatch.setattr(companion, "import_module", missing)
    status, message = failure(capsys, request_of(model="fast", factor=2, entries={"adapt_minutes": 1}))
    assert status == 2 and message.startswith("this needs the Python package 'SuperResolutionTrainingLib'")


def test_a_setting_that_is_not_named_is_left_to_the_engine(request_of, monkeypatch):
    seen = {}
    monkeypatch.setattr(upscaling, "upscale", lambda volume, progress, announce, **settings: seen.update(settings) or 1 / 0)
    worker.main([str(request_of(model="cubic"))])
    assert seen == {"model": "cubic"}


def test_warnings_are_lines_of_their_own(capsys, request_of):
    assert worker.main([str(request_of(model="nearest", factor=5))]) == 0
    (warning,) = [message for message in lines_of(capsys.readouterr().out) if message["type"] == "warning"]
    assert warning["message"].startswith("factor 5:")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", "accepted is a JSON object with input, output, series and settings"),
        ("[1]", "accepted is a JSON object"),
        ("{}", "'input'"),
        ('{"input": "a", "output": "b", "colour": 1}', "'colour'"),
        ('{"input": 1, "output": "b"}', "input and output must be text"),
        ('{"input": "a", "output": "b", "settings": [1]}', "settings an object"),
        (b"\xff\xfe", "accepted is a JSON object"),
        ('{"input": "a", "output": "b", "resample": 1}', "resample 1; accepted are true and false"),
        ('{"input": "a", "output": "b", "compress": "no"}', "compress 'no'; accepted are true and false"),
        ('{"input": "a", "output": "b", "modality": "PT"}', "modality 'PT'; accepted are MR, CT and null"),
        ('{"input": "a", "output": "b", "modality": ["MR"]}', "modality ['MR']; accepted are MR, CT and null"),
        ('{"input": "a", "output": "b", "adapt_minutes": 0}', "adapt_minutes 0; accepted are numbers above 0 and null"),
        ('{"input": "a", "output": "b", "adapt_minutes": true}', "adapt_minutes True; accepted are numbers above 0"),
        ('{"input": "a", "output": "b", "adapt_keep": 1}', "adapt_profile and adapt_keep must be text"),
        ('{"input": "a", "output": "b", "folder": 5}', "folder 5; accepted are the absolute path of a folder and null"),
        ('{"input": "a", "output": "b", "folder": "temporary"}', "folder 'temporary'; accepted are the absolute path"),
        ('{"input": "a", "output": "b", "folder": ""}', "folder ''; accepted are the absolute path"),
    ],
)
def test_what_is_no_request_is_refused(capsys, tmp_path, text, found):
    path = tmp_path / "request.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    status, message = failure(capsys, path)
    assert status == 2 and str(path) in message and found in message


def test_a_request_that_is_not_there_is_refused(capsys, tmp_path):
    assert failure(capsys, tmp_path / "absent.json")[0] == 2
    assert worker.main([]) == 2 and "accepted is one request file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"colour": 1}, "setting 'colour': accepted are model, factor, axis, device, precision, ensemble, memory_mb, consistency"),
        ({"factor": "4"}, "setting 'factor': found '4'; accepted is a value of type int | None"),
        ({"factor": 2.0}, "setting 'factor': found 2.0"),
        ({"model": None}, "setting 'model': found None; accepted is a value of type str"),
        ({"consistency": "no"}, "setting 'consistency': found 'no'; accepted is a value of type bool"),
        ({"memory_mb": [1]}, "setting 'memory_mb': found [1]"),
        ({"model": "edsr", "factor": 2}, "model 'edsr': accepted are"),
        ({"model": "cubic", "factor": 1}, "factor 1:"),
        ({"model": "cubic", "axis": "x"}, "axis 'x':"),
    ],
)
def test_a_wrong_setting_is_refused_and_leaves_nothing(capsys, request_of, results, settings, found):
    status, message = failure(capsys, request_of(**settings))
    assert status == 2 and found in message and list(results.iterdir()) == []


@pytest.mark.parametrize("output", ["fine.tiff", "absent/fine.nrrd"])
def test_an_output_that_could_not_be_written_is_refused_before_anything_is_read(capsys, request_of, output):
    worker.main([str(request_of(output, model="cubic"))])
    (message,) = lines_of(capsys.readouterr().out)
    assert (message["type"], message["exit_status"]) == ("error", 2)


def test_an_output_that_cannot_hold_the_volume_is_refused_before_it_is_upscaled(capsys, request_of, make_volume, oblique_affine, tmp_path):
    shear = np.eye(4)
    shear[0, 2] = 0.3
    write_volume(make_volume(affine=shear @ oblique_affine), tmp_path / "sheared.nrrd")
    worker.main([str(request_of("fine.nii", tmp_path / "sheared.nrrd", model="cubic"))])
    messages = lines_of(capsys.readouterr().out)
    assert messages[-1]["exit_status"] == 2 and "not perpendicular" in messages[-1]["message"]
    assert {message.get("stage", "error") for message in messages} == {"reading", "error"}


def test_work_that_fails_exits_with_one(capsys, request_of, monkeypatch):
    def full(*arguments):
        raise WorkError("fine.nrrd: not written, no space left")

    monkeypatch.setattr(files, "write_volumes", full)
    assert failure(capsys, request_of(model="cubic")) == (1, "fine.nrrd: not written, no space left")


@posix
def test_a_disk_that_is_full_leaves_nothing(python, request_of, results):
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); from SuperResolutionLib.worker import main; "
        "sys.exit(main(sys.argv[1:]))"
    )
    done = python("-c", code, request_of("fine.nii", model="cubic"))
    assert done.returncode == 1 and list(results.iterdir()) == []
    last = lines_of(done.stdout)[-1]
    assert (last["type"], last["exit_status"]) == ("error", 1) and "fine.nii: not written" in last["message"]


def test_a_fault_of_the_engine_still_ends_with_an_error_line(capsys, request_of, results, monkeypatch):
    monkeypatch.setattr(upscaling, "upscale", lambda *given, **settings: 1 / 0)
    assert worker.main([str(request_of(model="cubic"))]) == 1
    out, err = capsys.readouterr()
    assert lines_of(out)[-1] == {"type": "error", "message": "unforeseen ZeroDivisionError: division by zero", "exit_status": 1}
    assert "Traceback" in err and list(results.iterdir()) == []


@posix
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_a_network_runs_leaves_nothing(start_python, make_volume, make_model, request_of, results, tmp_path, number, status):
    """Some hundred pieces of which one is awaited."""
    write_volume(make_volume((64, 192, 192)), tmp_path / "large.nrrd")
    settings = {"model": str(make_model()), "factor": 2, "device": "cpu", "precision": "float32", "ensemble": True, "memory_mb": 80}
    path = request_of("fine.nrrd", tmp_path / "large.nrrd", **settings)
    process = start_python("-m", "SuperResolutionLib.worker", path)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if '"upscaling"' in line:
            break
    assert lines and json.loads(lines[-1]).get("fraction", 1) < 0.2, process.communicate()
    process.send_signal(number)
    rest, errors = process.communicate(timeout=300)
    assert process.returncode == status, errors
    messages = lines_of("".join(lines) + rest)
    assert not {"result", "writing"} & {message.get("stage", message["type"]) for message in messages}
    assert "Traceback" not in errors
    if number == signal.SIGINT:
        assert messages[-1] == {"type": "error", "message": "interrupted", "exit_status": 130}
    assert list(results.iterdir()) == []


ENSEMBLE = {"factor": 2, "device": "cpu", "precision": "float32", "ensemble": True}


@pytest.mark.parametrize(("output", "beside"), [("fine.nii.gz", "fine-spread.nii.gz"), ("fine", "fine-spread")])
def test_with_ensemble_the_spread_is_written_beside_the_result(capsys, request_of, make_model, results, output, beside):
    assert worker.main([str(request_of(output, model=str(make_model()), **ENSEMBLE))]) == 0
    result = lines_of(capsys.readouterr().out)[-1]
    assert result["spread"] == str(results / beside) and {path.name for path in results.iterdir()} == {output, beside}
    fine, spread = read_volume(results / output), read_volume(results / beside)
    np.testing.assert_allclose(spread.affine, fine.affine, atol=1e-4)
    assert spread.shape == fine.shape and 0 < spread.voxels.max() < np.ptp(fine.voxels)


def test_a_spread_that_could_not_be_written_is_refused_before_anything_is_read(capsys, request_of, results):
    (results / "fine-spread").mkdir()
    (results / "fine-spread" / "other").touch()
    status, message = failure(capsys, request_of("fine", model="auto", **ENSEMBLE))
    assert status == 2 and "fine-spread: exists and is not empty" in message


def test_a_spread_never_replaces_the_input(capsys, request_of, thick, make_volume):
    source = thick.with_name("fine-spread.nrrd")
    thick.rename(source)
    status, message = failure(capsys, request_of(str(source.with_name("fine.nrrd")), source, model="auto", **ENSEMBLE))
    assert status == 2 and "fine-spread.nrrd: is the input" in message


def test_an_interpolation_writes_no_spread(capsys, request_of, results):
    assert worker.main([str(request_of(model="cubic", factor=2, ensemble=True))]) == 0
    assert lines_of(capsys.readouterr().out)[-1]["spread"] is None
    assert [path.name for path in results.iterdir()] == ["fine.nrrd"]


@posix
@pytest.mark.parametrize("output", ["fine.nii.gz", "fine.nrrd"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_writing_leaves_a_whole_file_or_none(start_python, request_of, make_volume, results, tmp_path, number, output):
    write_volume(make_volume((20, 160, 160), affine=np.diag([1, 1, 8, 1])), tmp_path / "large.nrrd")
    process = start_python("-m", "SuperResolutionLib.worker", request_of(output, tmp_path / "large.nrrd", model="linear", factor=8))
    for line in process.stdout:
        if '"writing"' in line:
            break
    process.send_signal(number)
    process.communicate(timeout=300)
    left = [path.name for path in results.iterdir()]
    assert left == ([] if process.returncode else [output])
    assert process.returncode in (0, 128 + number)
    if left:
        assert read_volume(results / output).shape == (160, 160, 160)


def test_the_input_is_never_replaced(thick):
    before = thick.read_bytes()
    with pytest.raises(RequestError, match="is the input"):
        worker.run_job(
            worker.Job(str(thick), str(thick.parent / "." / thick.name), settings={"model": "cubic", "factor": 2}), lambda _: None
        )
    assert thick.read_bytes() == before


@pytest.mark.parametrize(("told", "found"), [(None, None), ("MR", "MR"), ("CT", "CT")])
def test_the_modality_that_is_told_is_that_of_the_input(capsys, request_of, make_volume, results, tmp_path, told, found):
    write_volume(make_volume(), tmp_path / "unnamed.nii")
    assert worker.main([str(request_of(source=tmp_path / "unnamed.nii", entries={"modality": told}, model="cubic"))]) == 0
    assert read_volume(results / "fine.nrrd").modality == (found or "MR")
    warnings = [message["message"] for message in lines_of(capsys.readouterr().out) if message["type"] == "warning"]
    assert any("does not say its modality" in warning for warning in warnings) == (told is None)


def test_the_modality_that_is_told_comes_before_that_of_the_file(request_of, thick, results):
    assert read_volume(thick).modality == "MR"
    assert worker.main([str(request_of(entries={"modality": "CT"}, model="cubic"))]) == 0
    assert read_volume(results / "fine.nrrd").modality == "CT"


@pytest.mark.parametrize(("entries", "encoding"), [({}, b"encoding: gzip"), ({"compress": False}, b"encoding: raw")])
def test_a_result_is_compressed_unless_it_is_not_to_be(request_of, results, entries, encoding):
    assert worker.main([str(request_of(entries=entries, model="cubic"))]) == 0
    assert encoding in (results / "fine.nrrd").read_bytes()


@posix
def test_a_worker_with_a_caller_says_first_that_it_started(start_python, request_of, results, tmp_path):
    path = request_of(entries={"folder": str(tmp_path)}, model="cubic")
    process = start_python("-m", "SuperResolutionLib.worker", path, stdin=subprocess.PIPE)
    process.stdin.write("held open\n")
    process.stdin.flush()
    messages = lines_of(process.stdout.read())
    assert messages[0] == {"type": "started", "pid": process.pid} and messages[-1]["type"] == "result"
    assert process.wait(10) == 0 and (results / "fine.nrrd").exists()


def test_a_worker_without_a_folder_says_nothing_of_a_start(capsys, request_of):
    assert worker.main([str(request_of(model="cubic"))]) == 0
    assert "started" not in {message["type"] for message in lines_of(capsys.readouterr().out)}


@posix
def test_a_worker_whose_caller_is_gone_ends_and_removes_the_folder(start_python, make_volume, make_model, request_of, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    write_volume(make_volume((64, 192, 192)), folder / "large.nrrd")
    settings = {"model": str(make_model()), "factor": 2, "device": "cpu", "precision": "float32", "ensemble": True, "memory_mb": 80}
    entries = {"output": str(folder / "fine.nrrd"), "folder": str(folder)}
    path = request_of(source=folder / "large.nrrd", entries=entries, **settings)
    process = start_python("-m", "SuperResolutionLib.worker", path, stdin=subprocess.PIPE)
    process.stdin.write("held open\n")
    process.stdin.flush()
    while '"upscaling"' not in process.stdout.readline():
        assert process.poll() is None, process.stderr.read()
    for pipe in (process.stdin, process.stdout):
        pipe.close()
    assert process.wait(20) == 143 and not folder.exists()
