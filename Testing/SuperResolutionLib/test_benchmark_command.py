import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from SuperResolutionLib.benchmark import course
from SuperResolutionLib.benchmark.ceiling import Ceiling
from SuperResolutionLib.benchmark.record import Record, read_record
from SuperResolutionLib.cli import main

MACHINE = dict.fromkeys(("cpu", "gpu", "system", "python", "torch", "threads", "load", "memory_gb"), "") | {"cores": 2, "flags": []}


@pytest.fixture
def asked(monkeypatch):
    """Measure nothing, and return the courses that were asked for."""
    courses = []

    def measure(course, command, tell):
        courses.append(course)
        tell({"type": "progress", "message": "nothing", "fraction": 0.0})
        return Record("2026-01-31", command, MACHINE, course.repeats, course.volume, Ceiling("cpu", {"float32": 1.0}, 1.0), ())

    monkeypatch.setattr(course, "run_benchmark", measure)
    return courses


def test_by_default_all_is_measured_three_times_but_the_largest_volume(asked, capsys):
    assert main(["benchmark"]) == 0
    assert asked == [course.Course()]
    printed = capsys.readouterr()
    assert "384x384x40 to 384x384x160 voxels" in printed.out and "nothing" in printed.err


def test_options_choose_what_is_measured_and_the_record_says_which(asked, tmp_path, capsys):
    arguments = [
        "--models",
        "cubic",
        "--device",
        "cpu",
        "--repeats",
        "1",
        "--volume",
        "32x24x16",
        "--sizes",
        "8x8x8",
        "--no-peers",
        "--full",
    ]
    assert main(["benchmark", *arguments, "--out", str(tmp_path / "record.json")]) == 0
    assert asked == [course.Course(("cubic",), "cpu", 1, False, (32, 24, 16), ((8, 8, 8), course.LARGEST))]
    command = read_record(tmp_path / "record.json").command
    assert set(command.split()) == {"superresolution", "benchmark", *arguments} and str(tmp_path) not in command


def test_with_json_the_last_line_is_the_record(asked, capsys):
    assert main(["benchmark", "--json", "--sizes"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["type"] for line in lines] == ["progress", "result"] and lines[-1]["timings"] == []
    assert asked[0].sizes == ()


def test_the_table_of_records_is_printed_without_measuring(asked, tmp_path, capsys):
    path = tmp_path / "record.json"
    assert main(["benchmark", "--out", str(path)]) == 0
    capsys.readouterr()
    assert main(["benchmark", "--table", str(path), str(path)]) == 0
    assert capsys.readouterr().out.count("| runs in |") == 2 and len(asked) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--repeats", "0"], "argument --repeats: 0; accepted are whole numbers from 1"),
        (["--volume", "64"], "size '64': accepted are columns x rows x slices"),
        (["--sizes", "64x64x63"], "size '64x64x63': accepted are"),
        (["--table", "nowhere.json"], "nowhere.json: "),
        (["--out", "nowhere/record.json"], "there is no folder"),
    ],
)
def test_a_wrong_request_is_told_in_one_line(asked, arguments, message, capsys):
    assert main(["benchmark", *arguments]) == 2
    told = capsys.readouterr().err
    assert message in told and len(told.splitlines()) == 1 and not asked


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_benchmark_that_is_terminated_leaves_nothing(start_python, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    chosen = ["--models", "nearest", "--no-peers", "--volume", "16x16x8", "--sizes", "--repeats", "9"]
    process = start_python("-m", "SuperResolutionLib.cli", "benchmark", *chosen)
    while "ceiling" not in (line := process.stderr.readline()):
        assert line, "it ended early"
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143 and not list(tmp_path.iterdir())
    until = time.monotonic() + 20
    while (left := _processes_that_name(tmp_path)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not left


def _processes_that_name(folder):
    return [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(folder) in _text(path)]


def _text(path):
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""  # it has ended since
