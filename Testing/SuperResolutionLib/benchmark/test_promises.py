import pytest

from SuperResolutionLib.benchmark.promises import judge

SECONDS, CEILING, AROUND, MEMORY, FLAT = range(5)
STAGES = {"starting": 1.0, "network": 8.0}


def kept(record, which):
    return judge(record)[which].kept


def test_seconds_count_on_two_cores_without_a_gpu_and_on_the_volume_promised(make_record, make_timing):
    record = make_record(make_timing())
    assert kept(record, SECONDS) is False and "NOT KEPT" in str(judge(record)[SECONDS])
    swift = make_timing(seconds=(8.0,))
    assert kept(make_record(swift), SECONDS) is True
    assert kept(make_record(swift, machine=record.machine | {"cores": 16}), SECONDS) is None
    assert kept(make_record(make_timing(seconds=(8.0,), device="cuda:0")), SECONDS) is None
    assert kept(make_record(make_timing(seconds=(8.0,), size=(64, 64, 64)), volume=(64, 64, 64)), SECONDS) is None


@pytest.mark.parametrize(("operations", "expected"), [(960 * 10**9, True), (640 * 10**9, False), (None, None)])
def test_half_of_the_ceiling(make_record, make_timing, operations, expected):
    assert kept(make_record(make_timing(operations=operations)), CEILING) is expected


@pytest.mark.parametrize(("network", "expected"), [(8.1, True), (7.9, False)])
def test_time_around_the_network(make_record, make_timing, network, expected):
    assert kept(make_record(make_timing(stages=(STAGES | {"network": network},))), AROUND) is expected


def test_memory_is_judged_in_the_size_that_comes_nearest_to_its_limit(make_record, make_timing):
    small, usual = make_timing(size=(64, 64, 64), peak_memory_mb=600), make_timing(peak_memory_mb=734)
    assert kept(make_record(small, usual), MEMORY) is True
    promise = judge(make_record(make_timing(size=(64, 64, 64), peak_memory_mb=602), usual))[MEMORY]
    assert promise.kept is False and promise.found == "602 of 602 MB for 64x64x64"
    assert kept(make_record(make_timing(peak_memory_mb=None)), MEMORY) is None


def test_flatness_needs_the_whole_range_to_be_kept_and_a_part_to_be_broken(make_record, make_timing):
    usual = make_timing()

    def sized(size, share):
        seconds = 1 + 9 * size[0] * size[1] * size[2] / usual.voxels * share
        return make_timing(size=size, seconds=(seconds,), stages=({"starting": 1.0, "network": seconds / 2},))

    assert kept(make_record(usual), FLAT) is None
    assert kept(make_record(usual, sized((64, 64, 64), 1.2)), FLAT) is None
    assert kept(make_record(usual, sized((64, 64, 64), 1.3)), FLAT) is False
    assert kept(make_record(usual, sized((64, 64, 64), 1.2), sized((512, 512, 600), 1.0)), FLAT) is True


def test_nothing_is_judged_where_the_default_model_was_not_measured(make_record, make_timing):
    assert judge(make_record(make_timing(contestant="cubic"))) == []
    assert judge(make_record(make_timing(seconds=(), problem="killed"))) == []


def test_what_a_machine_cannot_measure_is_not_judged(make_record, make_timing):
    assert kept(make_record(make_timing(stages=({},))), AROUND) is None
