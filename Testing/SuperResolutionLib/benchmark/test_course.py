"""The course of a whole benchmark, on volumes so small that starting is nearly all of it."""

import shutil

import pytest

from SuperResolutionLib.benchmark import contestants
from SuperResolutionLib.benchmark.contestants import OurUpscaler
from SuperResolutionLib.benchmark.course import Course, run_benchmark
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.model_file import save_model
from SuperResolutionLib.networks import build_network

ARGUMENTS = {"factors": [4], "channels": 8, "layers": 1, "neighbours": 1, "exchanged": 2}


@pytest.fixture(scope="module")
def told():
    """What a benchmark tells."""
    return []


@pytest.fixture(scope="module")
def record(told, tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark")
    card = {"title": "", "modalities": ("MR",), "acquisitions": ("mean",), "engine_version": "0"}
    network = build_network("slice_stack", ARGUMENTS)
    save_model(folder / "tiny.safetensors", network, network="slice_stack", arguments=ARGUMENTS, id="tiny", **card)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contestants, "find_spec", lambda name: None)
        patch.setattr(shutil, "which", lambda name: None)
        patch.setenv("TMPDIR", str(folder))
        patch.setattr("tempfile.tempdir", None)
        course = Course((str(folder / "tiny.safetensors"),), "cpu", 1, volume=(24, 24, 16), sizes=((16, 16, 8),), matrix=64)
        record = run_benchmark(course, "superresolution benchmark", told.append)
    assert [path.name for path in folder.iterdir()] == ["tiny.safetensors"], "something is left behind"
    return record


def test_everything_is_timed_and_missing_peers_are_told(record):
    found = [(timing.contestant, timing.size, bool(timing.seconds), timing.problem.partition(":")[0]) for timing in record.timings]
    assert found == [
        ("tiny", (24, 24, 16), True, ""),
        ("plain_torch", (24, 24, 16), True, ""),
        ("monai", (24, 24, 16), False, "not measured"),
        ("eclare", (16, 16, 8), False, "not measured"),
        ("tiny", (16, 16, 8), True, ""),
    ]


def test_the_stages_of_a_command_fit_into_it(record):
    for timing in record.of("tiny"):
        stages = timing.stages[0]
        assert set(stages) == {"starting", "reading", "network", "checking", "writing"}
        assert min(stages.values()) >= 0 and sum(stages.values()) < timing.seconds[0]
        assert 0 < timing.share_around < 1 and timing.share_of(record.ceiling) > 0 and timing.nanoseconds_a_voxel > 0
        assert timing.voxels_per_second * timing.seconds[0] == pytest.approx(timing.voxels)
        assert timing.peak_memory_mb is None or timing.peak_memory_mb > 50


def test_the_larger_volume_takes_more_operations(record):
    small, large = record.of("tiny")
    assert 0 < small.operations < large.operations


def test_the_machine_and_its_ceiling_are_described(record):
    assert record.machine["cores"] >= 1 and record.machine["torch"] and record.machine["threads"] >= 1
    assert set(record.ceiling.products) == {"float32", "bfloat16"} and min(*record.ceiling.products.values(), record.ceiling.copy) > 0


def test_progress_is_told_before_each_process_and_the_figures_at_the_end(record, told):
    assert [message["type"] for message in told[-6:]] == ["ceiling"] + ["timing"] * 5
    fractions = [message["fraction"] for message in told if message["type"] == "progress"]
    assert fractions == sorted(fractions) and fractions[-1] < 1


def test_what_fails_is_told_and_not_tried_again(monkeypatch):
    monkeypatch.setattr(OurUpscaler, "command", lambda *_: ["python3", "-c", "import os; os.kill(os.getpid(), 9)"])
    course = Course(("nearest",), "cpu", 2, peers=False, volume=(16, 16, 8), sizes=(), matrix=8)
    timing = run_benchmark(course, "", lambda _: None).timings[0]
    assert "killed by signal 9" in timing.problem and not timing.seconds


def test_an_unknown_model_is_refused_before_anything_runs():
    with pytest.raises(RequestError, match="model 'abacus'"):
        run_benchmark(Course(("abacus",)), "", pytest.fail)
