import json
import os
import signal
from dataclasses import asdict

import numpy as np
import pytest

from SuperResolutionLib import cli, companion, files, model_zoo, upscaling
from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import WorkError
from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionLib.upscaling import Settings
from SuperResolutionLib.version import __version__

COMMANDS = ["models", "info", "upscale", "adapt", "degrade", "evaluate", "study", "reproduce", "train", "import", "benchmark", "demo"]
posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture
def run(capsys):
    """Run a command in this process and return its exit status, standard output and standard error."""

    def command(*arguments):
        capsys.readouterr()
        status = cli.main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return command


def only_line(err):
    """Return the one line with which a command failed."""
    (line,) = err.splitlines()
    assert line.startswith("superresolution: ")
    return line


def without_torch(python, *arguments):
    code = (
        "import sys; from SuperResolutionLib.cli import main\n"
        "try: status = main(sys.argv[1:])\n"
        "except SystemExit as end: status = end.code\n"
        "sys.exit(status or 9 * ('torch' in sys.modules))"
    )
    done = python("-c", code, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["models"], ["models", "--json"], ["upscale", "--help"], ["train", "--help"]])
def test_help_and_listing_models_need_no_torch(python, models_of_the_user, make_model, arguments):
    make_model(path=models_of_the_user / "mine.safetensors")
    out = without_torch(python, *arguments)
    assert "usage: superresolution" in out or "mine" in out


def test_info_degrade_and_interpolation_need_no_torch(python, thick, results):
    assert "thick.nrrd: MR" in without_torch(python, "info", thick)
    without_torch(python, "degrade", thick, results / "thicker.nrrd", "--factor", 2)
    assert "thick" in without_torch(python, "upscale", thick, results / "thick-again.nrrd", "--model", "cubic")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys, command):
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0 and f"usage: superresolution {command}" in capsys.readouterr().out


def test_the_help_lists_every_command_and_the_version_is_that_of_the_engine(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.splitlines() if line.startswith("    ") and line[4] != " "] == COMMANDS
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"superresolution {__version__}\n"


def test_the_defaults_of_upscale_are_those_of_the_settings(run, monkeypatch):
    jobs = []
    monkeypatch.setattr(cli, "run_job", lambda job, emit: jobs.append(job))
    run("upscale", "in.nrrd", "out.nrrd", "--json")
    (job,) = jobs
    assert (job.input, job.output, job.series, job.settings) == ("in.nrrd", "out.nrrd", None, asdict(Settings()))


def test_every_option_of_upscale_reaches_the_engine(run, monkeypatch):
    jobs = []
    monkeypatch.setattr(cli, "run_job", lambda job, emit: jobs.append(job))
    options = "--model m --factor 3 --axis j --series 1.2 --device cpu --precision float32 --ensemble --memory 7 --no-consistency --json"
    run("upscale", "in", "out", *options.split())
    assert jobs[0].series == "1.2"
    assert Settings(**jobs[0].settings) == Settings("m", 3, "j", "cpu", "float32", ensemble=True, memory_mb=7, consistency=False)


def test_upscale_says_in_one_line_what_it_made(run, thick, results):
    status, out, err = run("upscale", thick, results / "fine.nrrd", "--model", "cubic")
    assert status == 0 and len(out.splitlines()) == 1
    assert out.startswith(f"{results / 'fine.nrrd'}: 20 x 18 x 24 voxels of 0.6 x 0.7 x 0.7 mm, x4 along k by cubic in ")
    assert "\n" not in err.strip() and read_volume(results / "fine.nrrd").shape == (24, 18, 20)


def test_upscale_by_a_network_shows_its_plan_on_standard_error(python, thick, results, make_model):
    options = ["--model", make_model(), "--factor", 2, "--device", "cpu", "--precision", "float32", "--axis", "i"]
    done = python("-m", "SuperResolutionLib.cli", "upscale", thick, results / "fine.mha", *options)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1 and "x2 along i by slice_stack" in done.stdout
    assert "1 piece(s) of [20, 6, 18] on cpu in float32" in done.stderr
    assert read_volume(results / "fine.mha").shape == (6, 18, 40)


def test_upscale_names_the_spread_of_an_ensemble(run, thick, results, make_model):
    options = ["--model", make_model(), "--factor", 2, "--device", "cpu", "--precision", "float32"]
    assert "; spread" not in run("upscale", thick, results / "alone.nrrd", *options)[1]
    status, out, _ = run("upscale", thick, results / "fine.nrrd", *options, "--ensemble")
    assert status == 0 and out.endswith(f"; spread of the ensemble: {results / 'fine-spread.nrrd'}\n")


def test_with_json_standard_output_is_json_lines_and_nothing_else(python, thick, results, make_model):
    done = python("-m", "SuperResolutionLib.cli", "upscale", thick, results / "fine.nrrd", "--model", make_model(), "--factor", 2, "--json")
    assert done.returncode == 0 and done.stderr == ""
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert {message["type"] for message in messages} == {"progress", "plan", "result"} and messages[-1]["type"] == "result"


def test_warnings_go_to_standard_error(run, thick, results):
    status, out, err = run("upscale", thick, results / "fine.nrrd", "--model", "nearest", "--factor", 6)
    assert status == 0 and "warning: factor 6: factors above 4 are experimental" in err and "warning:" not in out


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["upscale", "THICK"], "OUTPUT"),
        (["upscale", "THICK", "OUT/f.nrrd", "--axis", "x"], "--axis: invalid choice: 'x'"),
        (["upscale", "THICK", "OUT/f.nrrd", "--factor", "two"], "--factor: invalid int value: 'two'"),
        (["upscale", "THICK", "OUT/f.nrrd", "--fac", "2"], "--fac"),
        (["upscale", "THICK", "OUT/f.nrrd", "--factor", "1"], "factor 1: accepted"),
        (["upscale", "THICK", "OUT/f.nrrd", "--model", "edsr"], "model 'edsr': accepted"),
        (["upscale", "THICK", "OUT/f.tiff", "--model", "cubic"], "ending .tiff; accepted"),
        (["upscale", "OUT/absent.nrrd", "OUT/f.nrrd"], "absent.nrrd: no such file; accepted"),
        (["info", "OUT/absent.nrrd"], "absent.nrrd: no such file"),
        (["degrade", "THICK", "OUT/f.nrrd", "--factor", "4"], "at least 8 are needed"),
        (["degrade", "THICK", "OUT/f.nrrd", "--factor", "2", "--profile", "box"], "invalid choice: 'box'"),
        (["degrade", "THICK", "OUT/f.nrrd"], "--factor"),
        (["evaluate", "THICK", "OUT/absent.nrrd"], "absent.nrrd: no such file"),
        (["train", "OUT/absent.yaml", "--data", "OUT", "--out", "OUT/run"], "absent.yaml"),
        (["sharpen"], "sharpen"),
        ([], "COMMAND"),
    ],
)
def test_a_wrong_request_is_told_in_one_line_and_leaves_nothing(run, thick, results, arguments, found):
    status, out, err = run(*(argument.replace("THICK", str(thick)).replace("OUT/", f"{results}/") for argument in arguments))
    assert status == 2 and out == "" and found in only_line(err[err.rfind("superresolution: ") :]) and "Traceback" not in err
    assert list(results.iterdir()) == []


def test_a_wrong_request_in_a_process_of_its_own_exits_with_two(python, results):
    done = python("-m", "SuperResolutionLib.cli", "info", results / "absent.nrrd")
    assert done.returncode == 2 and done.stdout == "" and "absent.nrrd: no such file" in only_line(done.stderr)


@pytest.mark.parametrize("arguments", ["info absent.nrrd --json", "upscale absent.nrrd fine.nrrd --json", "models --json --x"])
def test_with_json_an_error_is_an_object_too(run, results, monkeypatch, arguments):
    monkeypatch.chdir(results)
    status, out, err = run(*arguments.split())
    last = json.loads(out.splitlines()[-1])
    assert (last["type"], last["exit_status"]) == ("error", status) and status == 2
    assert only_line(err) == f"superresolution: {last['message']}"


def test_work_that_fails_exits_with_one(run, thick, results, monkeypatch):
    def full(*arguments):
        raise WorkError("fine.nrrd: not written, no space left")

    monkeypatch.setattr(files, "write_volume", full)
    status, out, err = run("degrade", thick, results / "fine.nrrd", "--factor", 2)
    assert (status, out, err) == (1, "", "superresolution: fine.nrrd: not written, no space left\n")


def test_memory_that_runs_out_is_told_with_what_may_help(run, thick, results, monkeypatch):
    def full(*arguments):
        raise MemoryError

    monkeypatch.setattr(upscaling, "interpolation_operator", full)
    status, _, err = run("upscale", thick, results / "fine.nrrd", "--model", "cubic")
    assert status == 1 and "not enough memory; a lower --memory" in err and "Traceback" not in err


def test_a_traceback_is_shown_only_with_debug(run, monkeypatch):
    monkeypatch.setattr(model_zoo, "list_upscalers", lambda: 1 / 0)
    status, out, err = run("models")
    assert status == 1 and "unforeseen ZeroDivisionError: division by zero; --debug shows where" in only_line(err)
    assert "Traceback" in run("models", "--debug")[2]
    assert "Traceback" in run("info", "absent.nrrd", "--debug")[2]


def test_models_are_listed_one_a_line_with_what_is_wrong_with_them(run, models_of_the_user, make_model):
    quality = ({"modality": "MR", "factor": 2, "psnr": 31.5, "psnr_cubic": 30.0},)
    make_model(path=models_of_the_user / "mine.safetensors", quality=quality, modalities=("MR", "CT"))
    (models_of_the_user / "broken.safetensors").write_bytes(b"?")
    status, out, _ = run("models")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert status == 0 and "MR/CT   x2, x3" in lines["mine"] and "random weights (over cubic: x2 +1.50 dB)" in lines["mine"]
    assert "broken.safetensors: damaged" in lines["broken"] and "any" in lines["cubic"]
    listed = {entry["id"]: entry for entry in map(json.loads, run("models", "--json")[1].splitlines())}
    assert set(listed) == set(lines) >= {"mine", "broken", "nearest", "linear", "cubic", "lanczos"}
    assert listed["mine"]["gain_db"] == {"2": 1.5} and listed["mine"]["factors"] == [2, 3] and listed["mine"]["problem"] == ""
    assert (listed["mine"]["kind"], listed["cubic"]["kind"]) == ("network", "interpolation") and listed["broken"]["problem"]


def test_info_describes_a_volume_in_words_or_json(run, thick):
    status, out, _ = run("info", thick)
    assert status == 0 and out.splitlines()[0] == f"{thick}: MR, 20 x 18 x 6 voxels of int16"
    described = json.loads(run("info", thick, "--json")[1])
    assert described["shape"] == [20, 18, 6] and described["factor"] == 4


@pytest.mark.parametrize("profile", ["mean", "gaussian", "cubic", "kspace"])
def test_degrade_makes_the_thick_volume(run, thick, results, profile):
    status, _, _ = run("degrade", thick, results / "thicker.nrrd", "--factor", 3, "--axis", "j", "--profile", profile)
    expected = degrade(read_volume(thick), 3, "j", profile)
    written = read_volume(results / "thicker.nrrd")
    assert status == 0 and written.shape == (6, 6, 20)
    np.testing.assert_array_equal(written.voxels, expected.voxels)
    np.testing.assert_allclose(written.affine, expected.affine, atol=1e-6)


def test_evaluate_compares_with_the_reference(run, thick, results):
    for name in ("nearest", "cubic"):
        run("upscale", thick, results / f"{name}.nrrd", "--model", name, "--factor", 2)
    status, out, _ = run("evaluate", results / "nearest.nrrd", results / "cubic.nrrd", "--json")
    assert status == 0 and len(out.splitlines()) == 1 and json.loads(out)


def test_a_command_whose_library_is_missing_names_it(run, thick, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named '{name}'", name="SuperResolutionTrainingLib")

    monkeypatch.setattr(companion, "import_module", missing)
    status, _, err = run("evaluate", thick, thick)
    assert status == 2 and "needs the Python package 'SuperResolutionTrainingLib', which is not installed" in only_line(err)


@posix
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_mid_run_leaves_nothing(start_python, make_volume, make_model, results, tmp_path, number, status):
    write_volume(make_volume((64, 192, 192)), tmp_path / "large.nrrd")
    options = ["--model", make_model(), "--factor", 2, "--device", "cpu", "--precision", "float32", "--ensemble", "--memory", 80, "--json"]
    process = start_python("-m", "SuperResolutionLib.cli", "upscale", tmp_path / "large.nrrd", results / "fine.nii.gz", *options)
    for line in process.stdout:
        if '"upscaling"' in line:
            break
    process.send_signal(number)
    rest, err = process.communicate(timeout=300)
    assert process.returncode == status and "Traceback" not in err and '"result"' not in rest
    assert err == ("superresolution: interrupted\n" if number == signal.SIGINT else "")
    assert list(results.iterdir()) == []


@posix
@pytest.mark.parametrize("arguments", [["models"], ["models", "--json"]])
def test_a_reader_that_goes_away_is_no_error_to_talk_about(start_python, arguments):
    process = start_python("-m", "SuperResolutionLib.cli", *arguments)
    process.stdout.close()
    assert process.stderr.read() == "" and process.wait(timeout=300) == 1
