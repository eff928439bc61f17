from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.reader_study import blinding
from SuperResolutionTrainingLib.reader_study.blinding import FEWEST_LEVELS, LEVELS

TRUTH = 500 + 2000 * gaussian_filter(np.random.default_rng(0).normal(size=(24, 26, 28)), 1.5)
WHOLE = Volume(np.rint(TRUTH).astype(np.int16), np.eye(4), modality="MR", slice_thickness=3.0, source="whole.nrrd")
FLOATING = Volume(gaussian_filter(TRUTH, 0.8).astype(np.float32), np.eye(4), source="floating.nrrd")


def blind(volumes, grid, noise=5, window=()):
    return blinding.blind(volumes, grid, noise, window)


def moved(volume: Volume, slices: float) -> Volume:
    affine = volume.affine.copy()
    affine[2, 3] += slices
    return replace(volume, affine=affine)


def test_volumes_come_out_alike_in_everything_but_the_picture():
    found, window = blind({"a": WHOLE, "b": FLOATING}, WHOLE)
    for volume in found.values():
        assert volume.voxels.dtype == np.int16 and np.array_equal(volume.affine, WHOLE.affine)
        assert (volume.modality, volume.slice_thickness, volume.source, volume.provenance) == (None, None, "", None)
    assert window[0] < window[1]


def test_the_picture_stays_what_it_was():
    found, _ = blind({"a": WHOLE, "b": FLOATING}, WHOLE)
    for name, volume in (("a", WHOLE), ("b", FLOATING)):
        assert np.corrcoef(found[name].voxels.ravel(), volume.voxels.ravel())[0, 1] > 0.999


def test_all_have_the_same_range_where_the_window_lets_it():
    low = FLOATING.with_voxels(FLOATING.voxels.clip(300) - 100)
    found, window = blind({"a": WHOLE, "b": low}, WHOLE, window=(550.0, 560.0))
    assert all(np.ptp([end(volume.voxels) for volume in found.values()]) <= 1 for end in (np.min, np.max))  # 1: the noise
    assert window[1] - window[0] == pytest.approx(10)


def test_what_the_window_shows_is_never_cut():
    dark = FLOATING.with_voxels(FLOATING.voxels * 0.5)
    low, high = float(WHOLE.voxels.min()), float(WHOLE.voxels.max())
    found, window = blind({"a": WHOLE, "b": dark}, WHOLE, window=(low, high))
    assert found["a"].voxels.max() >= window[1] - 2
    assert (found["a"].voxels >= window[1] - 2).sum() <= (WHOLE.voxels >= WHOLE.voxels.max() - 4).sum()


@pytest.mark.parametrize(("levels", "slope"), [(1000, 1), (6000, 1), (40_000, 1), (1000, 0.1), (6000, 0.3)])
def test_integers_leave_no_gaps_that_tell_them_from_floats(levels, slope):
    random = np.random.default_rng(0)
    integers = random.integers(0, levels, (60, 60, 60), dtype=np.int32)
    # As a file with a slope is read.
    whole = Volume(integers if slope == 1 else (integers * slope).astype(np.float32), np.eye(4))
    floating = whole.with_voxels(random.uniform(0, slope * (levels - 1), (60, 60, 60)).astype(np.float32))
    found, _ = blind({"a": whole, "b": floating}, whole)
    for volume in found.values():
        counts = np.bincount(volume.voxels.ravel() - volume.voxels.min())[2:-2]
        # Equally frequent but for chance: the variance of counts is their mean. A comb, or two teeth in every third cell, is far from it.
        assert counts.var() / counts.mean() < 1.3
        assert len(counts) <= LEVELS


def test_volumes_of_eight_bits_leave_no_gaps_though_others_have_a_smaller_range():
    random = np.random.default_rng(0)
    eight = Volume(random.integers(0, 256, (60, 60, 60)).astype(np.uint8), np.eye(4))
    floating = eight.with_voxels(random.uniform(20, 200, (60, 60, 60)).astype(np.float32))
    found, _ = blind({"a": eight, "b": floating}, eight)
    codes = np.unique(found["a"].voxels)
    assert len(codes) >= FEWEST_LEVELS and np.ptp(codes) == len(codes) - 1


def test_even_numbers_that_rounding_favoured_tell_nothing():
    """Cubic interpolation of integers gives many halves, which are rounded to even numbers: 51.5 % of the voxels of a brain."""
    random = np.random.default_rng(0)
    # Quarters of integers, as of an interpolation by weights of 1/4 and 3/4.
    halves = random.integers(0, 1600, (60, 60, 60)) / 4
    cubic = Volume(np.rint(halves).astype(np.int16), np.eye(4))
    other = cubic.with_voxels(random.integers(0, 400, (60, 60, 60)).astype(np.int16))
    assert (cubic.voxels % 2 == 0).mean() > 0.6
    found, _ = blind({"a": cubic, "b": other}, cubic)
    for volume in found.values():
        # Four standard deviations of chance.
        assert abs((volume.voxels % 2 == 0).mean() - 0.5) < 4 * 0.5 / np.sqrt(volume.voxels.size)


def test_the_noise_is_that_of_its_seed_and_different_in_each_volume():
    volumes = {"a": WHOLE, "b": WHOLE.with_voxels(WHOLE.voxels.copy())}
    (one, _), (again, _), (other, _) = (blind(volumes, WHOLE, noise) for noise in (1, 1, 2))
    assert np.array_equal(one["a"].voxels, again["a"].voxels)
    assert not np.array_equal(one["a"].voxels, other["a"].voxels)
    assert not np.array_equal(one["a"].voxels, one["b"].voxels)
    turned, _ = blind(dict(reversed(volumes.items())), WHOLE, 1)
    assert np.array_equal(one["a"].voxels, turned["a"].voxels)  # the order of the methods has no part in it


def test_hounsfield_units_stay_hounsfield_units():
    scan = WHOLE.with_voxels((WHOLE.voxels - 1000).astype(np.int16))
    found, window = blind({"a": scan, "b": FLOATING.with_voxels(FLOATING.voxels - 1000)}, scan, window=(-800.0, -300.0))
    inside = (scan.voxels > -800) & (scan.voxels < -300)
    assert np.abs(found["a"].voxels[inside] - scan.voxels[inside]).max() == 1  # the noise
    assert found["a"].voxels[inside].mean() == pytest.approx(scan.voxels[inside].mean(), abs=0.1)
    assert window == (-800, -300)


def test_where_one_has_no_values_none_has():
    found, _ = blind({"a": WHOLE, "b": moved(FLOATING, 6)}, WHOLE)
    assert all(np.ptp(volume.voxels[:6]) == 0 for volume in found.values())
    assert np.array_equal(found["a"].voxels[:6], found["b"].voxels[:6])
    assert all(np.ptp(volume.voxels[6]) > 0 for volume in found.values())


def test_nan_is_refused_by_the_name_of_its_file():
    broken = FLOATING.voxels.copy()
    broken[3, 3, 3] = np.nan
    with pytest.raises(RequestError, match="floating.nrrd: NaN"):
        blind({"a": WHOLE, "b": FLOATING.with_voxels(broken)}, WHOLE)


def test_volumes_that_do_not_overlap_are_refused():
    with pytest.raises(RequestError, match="floating.nrrd: candidate lies beside"):
        blind({"a": WHOLE, "b": moved(FLOATING, 500)}, WHOLE)


def test_a_case_that_shows_nothing_is_refused():
    flat = WHOLE.with_voxels(np.full(WHOLE.shape, 4, np.int16))
    with pytest.raises(RequestError, match="constant"):
        blind({"a": flat, "b": flat}, flat)
