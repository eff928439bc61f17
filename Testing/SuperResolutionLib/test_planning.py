import json
import math
import sys

import numpy as np
import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import write_volume
from SuperResolutionLib.planning import expect, make_plan

MEGABYTE = 1 << 20
SHAPES = [(1, 16, 16), (5, 7, 9), (40, 384, 384), (160, 33, 384), (600, 512, 512), (289, 300, 17)]
HALO = (4, 6, 6)


def volumes_mb(shape, factor):
    """Memory of input, result and a spare result in whole MiB."""
    return math.ceil(4 * math.prod(shape) * (1 + 2 * factor) / MEGABYTE)


def test_a_spread_is_one_more_fine_volume():
    plain, more = (make_plan((20, 40, 40), 4, HALO, 800, spread=spread).bytes_needed for spread in (False, True))
    assert more - plain == 4 * 80 * 40 * 40
    for kind, expected in (("network", 4 * 80 * 40 * 40), ("interpolation", 0)):
        plain, more = (expect((20, 40, 40), "k", 4, 2, kind, spread=spread).memory_bytes for spread in (False, True))
        assert more - plain == expected


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("megabytes", [None, 40, 20])
def test_the_pieces_cover_every_voxel_once(shape, megabytes):
    plan = make_plan(shape, 2, HALO, 800, memory_mb=megabytes and volumes_mb(shape, 2) + megabytes)
    along = [sorted({(piece.keep[axis].start, piece.keep[axis].stop) for piece in plan.pieces}) for axis in range(3)]
    for axis, ranges in enumerate(along):
        assert [start for start, _ in ranges] + [shape[axis]] == [0] + [stop for _, stop in ranges]
    assert len(plan.pieces) == math.prod(map(len, along))
    assert len({tuple((part.start, part.stop) for part in piece.keep) for piece in plan.pieces}) == len(plan.pieces)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_piece_reads_its_halo_wherever_there_are_voxels(shape):
    for piece in make_plan(shape, 2, HALO, 800, memory_mb=volumes_mb(shape, 2) + 20).pieces:
        for axis, (read, keep) in enumerate(zip(piece.read, piece.keep)):
            assert read.start == max(0, keep.start - HALO[axis]) and read.stop == min(shape[axis], keep.stop + HALO[axis])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_piece_reads_beyond_the_ends_of_a_volume_as_far_as_that_is_continued(shape):
    for piece in make_plan(shape, 2, HALO, 800, memory_mb=volumes_mb(shape, 2) + 30, continued=(4, 2, 0)).pieces:
        for axis, (read, keep) in enumerate(zip(piece.read, piece.keep)):
            more = (4, 2, 0)[axis]
            assert read.start == max(-more, keep.start - HALO[axis]) and read.stop == min(shape[axis] + more, keep.stop + HALO[axis])


def test_what_is_read_beyond_the_ends_repeats_the_outermost_voxels():
    volume = np.arange(24.0).reshape(2, 3, 4)
    (piece,) = make_plan(volume.shape, 2, (3, 0, 2), 4, continued=(3, 0, 1)).pieces
    np.testing.assert_array_equal(piece.cut(volume), np.pad(volume, [(3, 3), (0, 0), (1, 1)], mode="edge"))
    (piece,) = make_plan(volume.shape, 2, (3, 0, 2), 4).pieces
    np.testing.assert_array_equal(piece.cut(volume), volume)


@pytest.mark.parametrize("factor", [2, 3])
def test_the_kept_part_of_a_result_goes_where_the_piece_lies_in_the_fine_volume(factor):
    """A network that repeats each slice must give back the volume with its slices repeated."""
    thick = np.arange(30 * 24 * 25).reshape(30, 24, 25)
    fine = np.full((30 * factor, 24, 25), -1)
    plan = make_plan(thick.shape, factor, (2, 3, 3), 1200, memory_mb=10)
    assert len(plan.pieces) > 1
    for piece in plan.pieces:
        fine[piece.fine(plan.factors)] = np.repeat(thick[piece.read], factor, axis=0)[piece.inner(plan.factors)]
    np.testing.assert_array_equal(fine, np.repeat(thick, factor, axis=0))


@pytest.mark.parametrize("factor", [2, 3])
def test_in_a_plane_pass_rows_and_columns_become_finer(factor):
    thick = np.arange(5 * 64 * 65).reshape(5, 64, 65)
    fine = np.full((5, 64 * factor, 65 * factor), -1)
    plan = make_plan(thick.shape, factor, (0, 3, 3), 1200, memory_mb=volumes_mb(thick.shape, factor**2) + 2, plane=True)
    assert len(plan.pieces) > 5 and plan.factors == (1, factor, factor) and plan.bytes_needed > 2 * fine.size * 4
    for piece in plan.pieces:
        fine[piece.fine(plan.factors)] = thick[piece.read].repeat(factor, axis=1).repeat(factor, axis=2)[piece.inner(plan.factors)]
    np.testing.assert_array_equal(fine, thick.repeat(factor, axis=1).repeat(factor, axis=2))


def test_slices_that_a_network_takes_one_by_one_are_cut_first_and_down_to_one():
    plan = make_plan((40, 200, 200), 2, (0, 8, 8), 10_000, memory_mb=volumes_mb((40, 200, 200), 4) + 400, plane=True)
    assert plan.size == (1, 200, 200)


def test_an_axis_that_every_piece_would_read_whole_is_left_whole():
    """A reach of hundreds of voxels: small pieces would be computed over and over and need no less memory."""
    plan = make_plan((40, 384, 384), 4, (349, 351, 351), 4 * 768)
    assert plan.size == (40, 384, 384)
    with pytest.raises(RequestError, match="needs at least"):
        make_plan((40, 384, 384), 4, (349, 351, 351), 4 * 768, memory_mb=2000)


def test_a_device_with_more_memory_gets_larger_pieces():
    sizes = [math.prod(make_plan((200, 400, 400), 4, (11, 22, 22), 2000, piece_bytes=gigabytes << 30).size) for gigabytes in (1, 8, 80)]
    assert sizes[0] < sizes[1] < sizes[2] == 200 * 400 * 400


def test_halves_cover_what_the_piece_keeps_and_read_as_far_as_pieces_of_that_size_do():
    plan = make_plan((40, 100, 90), 2, (5, 8, 8), 100, continued=(1, 2, 3))
    (piece,) = plan.pieces
    halves = plan.halves(piece)
    covered = np.zeros(plan.shape, int)
    for half in halves:
        covered[half.keep] += 1
        for axis, (read, keep, reach) in enumerate(zip(half.read, half.keep, plan.halo)):
            assert read.start == max(keep.start - reach, -plan.continued[axis])
            assert read.stop == min(keep.stop + reach, plan.shape[axis] + plan.continued[axis])
    assert len(halves) == 2 and (covered == 1).all()


def test_the_smallest_piece_has_no_halves():
    plan = make_plan((60, 100, 100), 2, (5, 8, 8), 1)
    pieces, levels = plan.pieces, 0
    while halves := plan.halves(pieces[0]):
        pieces, levels = halves, levels + 1
    assert levels > 4 and all(8 <= keep.stop - keep.start <= 16 for keep in pieces[0].keep)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("megabytes", [20, 40, 80, 160])
def test_the_plan_stays_within_the_memory(shape, megabytes):
    limit = volumes_mb(shape, 4) + megabytes
    plan = make_plan(shape, 4, HALO, 800, memory_mb=limit)
    assert plan.bytes_needed <= limit * MEGABYTE
    largest = max(math.prod(part.stop - part.start for part in piece.read) for piece in plan.pieces)
    assert largest * 800 <= megabytes * MEGABYTE


def test_less_memory_means_smaller_pieces():
    sizes = [math.prod(make_plan((60, 200, 200), 2, HALO, 800, memory_mb=limit).size) for limit in (2000, 300, 150, 75)]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == 4


def test_a_volume_that_fits_is_one_piece_without_halo():
    plan = make_plan((5, 7, 9), 2, HALO, 800)
    assert len(plan.pieces) == 1 and plan.work == 5 * 7 * 9
    assert plan.pieces[0].read == plan.pieces[0].keep


def test_without_a_limit_a_piece_takes_at_most_768_mb():
    plan = make_plan((600, 512, 512), 4, HALO, 1000)
    assert plan.bytes_needed <= 768 * MEGABYTE + volumes_mb((600, 512, 512), 4) * MEGABYTE and len(plan.pieces) > 1


def test_the_work_counts_halos_and_views():
    plans = [make_plan((40, 100, 100), 2, (4, 6, 6), 800, views, memory_mb=30) for views in (1, 2)]
    assert plans[1].work == 2 * plans[0].work > 2 * 40 * 100 * 100


@pytest.mark.parametrize("halo", [(1, 12, 12), (12, 1, 1), (0, 20, 3)])
def test_an_axis_at_the_smallest_size_does_not_keep_the_others_from_being_cut(halo):
    """With the memory for a piece of 16 voxels along each axis, there is a plan."""
    piece = math.prod(16 + 2 * reach for reach in halo) * 3000
    plan = make_plan((200, 300, 289), 2, halo, 3000, memory_mb=volumes_mb((200, 300, 289), 2) + math.ceil(piece / MEGABYTE))
    assert min(length for length, reach in zip(plan.size, halo) if reach) >= 8


@pytest.mark.parametrize("limit", [0, 1, 7])
@pytest.mark.parametrize("shape", [(40, 128, 128), (600, 512, 512)])
def test_too_little_memory_is_refused_with_what_is_needed(shape, limit):
    with pytest.raises(RequestError, match=rf"memory {limit} MB: this volume at factor 3 needs at least \d+ MB$") as caught:
        make_plan(shape, 3, HALO, 5000, memory_mb=limit)
    needed = int(str(caught.value).split()[-2])
    assert make_plan(shape, 3, HALO, 5000, memory_mb=needed).bytes_needed <= needed * MEGABYTE
    with pytest.raises(RequestError):
        make_plan(shape, 3, HALO, 5000, memory_mb=needed - 1)


@pytest.mark.parametrize(
    ("axes", "factor", "shape"),
    [("k", 4, (160, 50, 60)), ("j", 2, (40, 100, 60)), ("i", 3, (40, 50, 180)), ("kji", 2, (80, 100, 120)), ("ji", 2, (40, 100, 120))],
)
@pytest.mark.parametrize("voxel_bytes", [1, 2, 4])
def test_the_result_that_is_expected_is_the_one_that_comes(axes, factor, shape, voxel_bytes):
    expected = expect((40, 50, 60), axes, factor, voxel_bytes, "interpolation")
    assert expected.shape == shape and expected.result_bytes == math.prod(shape) * voxel_bytes < expected.memory_bytes


def test_more_memory_is_expected_for_more_voxels_and_for_a_network():
    sizes = [expect((slices, 256, 256), "k", 4, 2, kind).memory_bytes for kind in ("interpolation", "network") for slices in (20, 40, 80)]
    assert sizes == sorted(set(sizes))


def test_a_memory_limit_counts_as_far_as_it_can_be_kept():
    limits = (None, 4000, 600, 400, 1)
    unlimited, high, middle, low, least = (expect((40, 256, 256), "k", 4, 2, memory_mb=limit).memory_bytes for limit in limits)
    assert unlimited == high > middle > low > least
    assert middle - low == 200 * MEGABYTE and least > volumes_mb((40, 256, 256), 4) * MEGABYTE


# A process of its own between test and worker: what a process starts inherits the peak of its parent.
PEAK = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", "SuperResolutionLib.worker", sys.argv[1]], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource module")
@pytest.mark.parametrize(
    ("kind", "shape", "axis", "dtype"),
    [
        ("interpolation", (6, 18, 20), "k", np.int16),
        ("interpolation", (40, 256, 256), "k", np.int16),
        ("interpolation", (32, 96, 96), "all", np.float32),
        ("network", (24, 96, 96), "k", np.int16),
        ("network", (40, 256, 256), "k", np.int16),
    ],
)
def test_the_memory_that_is_expected_is_about_what_a_worker_takes(python, make_volume, make_model, tmp_path, kind, shape, axis, dtype):
    write_volume(make_volume(shape, dtype, modality="MR"), tmp_path / "thick.nrrd", compress=False)
    model = "cubic" if kind == "interpolation" else str(make_model())
    settings = {"model": model, "factor": 3, "axis": axis, "device": "cpu", "precision": "float32"}
    request = {"input": str(tmp_path / "thick.nrrd"), "output": str(tmp_path / "fine.nrrd"), "settings": settings, "compress": False}
    (tmp_path / "request.json").write_text(json.dumps(request))
    done = python("-c", PEAK, tmp_path / "request.json")
    assert done.returncode == 0, done.stderr
    expected = expect(shape, "kji" if axis == "all" else axis, 3, np.dtype(dtype).itemsize, kind).memory_bytes
    assert 0.8 < expected / int(done.stdout) < 3
