import multiprocessing
import os
import time

import numpy as np
import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib.cached_volume import cache_source, open_source
from SuperResolutionTrainingLib.patch_source import PatchSource


def source(value=1.0, thick=None):
    return PatchSource(np.full((4, 5, 6), value, np.float32), np.zeros((1, 3), np.int32), thick)


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "scan.nii"
    path.write_text("voxels")
    return path


def fail():
    raise AssertionError("made again")


def entries(cache):
    return [path for path in cache.iterdir() if path.is_dir()]


def test_a_source_is_made_once_and_then_mapped_from_its_files(tmp_path, scan):
    cache = tmp_path / "run" / "cache"
    made = cache_source(cache, "scan", [scan], lambda: source(thick=np.ones((2, 5, 6), np.float32)))
    opened = open_source(cache_source(cache, "scan", [scan], fail))
    assert isinstance(opened.fine, np.memmap) and not opened.fine.flags.writeable
    np.testing.assert_array_equal(opened.fine, source().fine)
    assert opened.thick.shape == (2, 5, 6) and entries(cache) == [made]


def test_without_a_thick_side_there_is_none(tmp_path, scan):
    assert open_source(cache_source(tmp_path / "cache", "scan", [scan], source)).thick is None


def test_a_changed_scan_is_read_anew_and_its_old_voxels_are_removed(tmp_path, scan):
    cache = tmp_path / "cache"
    old = cache_source(cache, "scan", [scan], source)
    other = cache_source(cache, "other", [scan], source)
    os.utime(scan, ns=(1, 1))
    new = cache_source(cache, "scan", [scan], lambda: source(2.0))
    assert open_source(new).fine[0, 0, 0] == 2 and not old.exists()
    assert sorted(entries(cache)) == sorted([new, other])


def test_a_folder_changes_with_any_file_in_it(tmp_path):
    series = tmp_path / "series"
    series.mkdir()
    (series / "1.dcm").write_text("one")
    before = cache_source(tmp_path / "cache", "series", [series], source)
    (series / "2.dcm").write_text("two")
    assert cache_source(tmp_path / "cache", "series", [series], source) != before


def test_what_could_not_be_made_leaves_nothing(tmp_path, scan):
    def refuse():
        raise RequestError("scan.nii: constant voxels")

    with pytest.raises(RequestError):
        cache_source(tmp_path / "cache", "scan", [scan], refuse)
    assert not entries(tmp_path / "cache")


def test_what_a_killed_process_left_is_removed(tmp_path, scan):
    (tmp_path / "cache" / ".0123-scan").mkdir(parents=True)
    made = cache_source(tmp_path / "cache", "scan", [scan], source)
    assert entries(tmp_path / "cache") == [made]


def _ask(cache, scan, count):
    def make():
        with count.get_lock():
            count.value += 1
        time.sleep(0.3)
        return source()

    assert open_source(cache_source(cache, "scan", [scan], make)).fine.shape == (4, 5, 6)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes share what the test makes")
def test_several_processes_make_a_source_once(tmp_path, scan):
    context = multiprocessing.get_context("fork")
    count = context.Value("i", 0)
    processes = [context.Process(target=_ask, args=(tmp_path / "cache", scan, count)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(20)
    assert [process.exitcode for process in processes] == [0, 0, 0] and count.value == 1
