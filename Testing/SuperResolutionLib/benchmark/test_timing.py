import json

import pytest

from SuperResolutionLib.benchmark.ceiling import Ceiling
from SuperResolutionLib.benchmark.timing import Timing, flatness


def test_figures_follow_from_what_was_measured(make_timing):
    timing = make_timing(seconds=(10.0, 12.0, 20.0), stages=({"network": 8.0}, {"network": 9.0}, {"network": 10.0}))
    assert timing.median_seconds == 12 and timing.network_seconds == 9
    assert timing.voxels_per_second == 384 * 384 * 160 / 12
    assert timing.share_around == pytest.approx(0.25)
    assert timing.nanoseconds_a_voxel is None, "nothing is known of starting"


def test_the_cost_of_a_voxel_leaves_starting_out(make_timing):
    assert make_timing(size=(100, 100, 100)).nanoseconds_a_voxel == pytest.approx(9e9 / 1e6)


def test_the_share_of_the_ceiling_is_that_of_the_same_device_and_precision(make_timing):
    ceiling = Ceiling("cpu", {"float32": 100.0, "bfloat16": 200.0}, 10.0)
    assert make_timing().share_of(ceiling) == pytest.approx(960e9 / 8 / 200e9)
    assert make_timing(precision="float32").share_of(ceiling) == pytest.approx(960e9 / 8 / 100e9)
    assert make_timing(precision="float16").share_of(ceiling) is None
    assert make_timing(device="cuda:0").share_of(ceiling) is None
    assert make_timing(operations=None).share_of(ceiling) is None


def test_a_timing_without_figures_has_none(make_timing):
    timing = Timing("monai", "peer", "", (8, 8, 8), problem="not measured")
    assert (timing.median_seconds, timing.voxels_per_second, timing.network_seconds, timing.share_around) == (None,) * 4


def test_a_timing_survives_json(make_timing):
    for timing in (make_timing(), Timing("eclare", "peer", "", (8, 8, 8), problem="not measured")):
        assert Timing.from_dict(json.loads(json.dumps(timing.as_dict()))) == timing


def test_flatness_is_the_largest_over_the_smallest_cost(make_timing):
    timings = [make_timing(size=size) for size in ((10, 10, 10), (10, 10, 20), (10, 10, 15))]
    assert flatness(timings) == pytest.approx(2)
    assert flatness(timings[:1]) is None


def test_the_better_of_two_ceilings():
    first, second = Ceiling("cpu", {"float32": 100.0, "bfloat16": 210.0}, 10.0), Ceiling("cpu", {"float32": 110.0, "bfloat16": 200.0}, 9.0)
    assert first.or_better(second) == second.or_better(first) == Ceiling("cpu", {"float32": 110.0, "bfloat16": 210.0}, 10.0)
