import json

import pytest

from SuperResolutionLib import benchmark, cli
from SuperResolutionLib.model_zoo import list_upscalers


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(benchmark, "_SHAPE", (4, 16, 16))
    monkeypatch.setattr(benchmark, "_MATRIX", 64)


def test_the_ceiling_comes_first_and_is_measured():
    first = next(benchmark.run_benchmark())
    assert first.matrix_product_float32 > 0 and first.matrix_product_bfloat16 > 0
    assert "GFLOP/s float32" in str(first)


def test_every_upscaler_that_offers_factor_four_is_timed_once():
    _, *timings = benchmark.run_benchmark()
    assert sorted(timing.upscaler for timing in timings) == sorted(info.id for info in list_upscalers() if 4 in info.factors)
    assert all(timing.seconds >= 0 and timing.voxels_per_second > 0 for timing in timings)


def test_the_command_writes_one_json_object_a_line(capsys):
    assert cli.main(["benchmark", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["type"] for line in lines] == ["ceiling"] + ["timing"] * (len(lines) - 1)


def test_where_the_system_does_not_tell_the_peak_memory_it_is_left_out(monkeypatch):
    monkeypatch.setattr(benchmark, "_peak_memory_mb", lambda: None)
    _, timing, *_ = benchmark.run_benchmark()
    assert timing.peak_memory_mb is None and "peak" not in str(timing)
