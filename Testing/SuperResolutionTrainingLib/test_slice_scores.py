from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import foreground, ncc, psnr, ssim_map
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.slice_scores import MEASURES, REGIONS, Reference, summarise

K, J, I = np.indices((18, 20, 24))
BALL = np.sqrt((K - 8.5) ** 2 + (J - 9.5) ** 2 + (I - 11.5) ** 2) < 8
VOXELS = gaussian_filter(np.where(BALL, 400.0 + 40 * np.sin(I / 2), 5 * np.cos(J + I)), 1).astype(np.float32)
TRUTH = Volume(VOXELS, np.diag([0.8, 0.9, 1.5, 1]), modality="MR")
NOISY = TRUTH.with_voxels(VOXELS + np.random.default_rng(0).normal(0, 12, VOXELS.shape).astype(np.float32))
PEAK = float(VOXELS.max() - VOXELS.min())


def scores(candidate=NOISY, truth=TRUTH):
    return {(each.region, each.axis): each for each in Reference(truth).score(candidate)}


def test_there_is_a_curve_for_each_region_along_each_axis():
    assert list(scores()) == [(region, axis) for region in REGIONS for axis in "ijk"]
    for each in scores().values():
        assert tuple(each.values) == MEASURES


def test_the_first_and_the_last_slice_of_each_axis_are_left_out():
    found = scores()
    for axis, count in (("i", 24), ("j", 20), ("k", 18)):
        assert found["whole", axis].slices.tolist() == list(range(1, count - 1))
        assert all(len(values) == count - 2 for values in found["whole", axis].values.values())


@pytest.mark.parametrize(("axis", "dimension"), [("i", 2), ("j", 1), ("k", 0)])
@pytest.mark.parametrize("region", REGIONS)
def test_a_slice_is_measured_as_the_metrics_measure_it(axis, dimension, region):
    number = 10
    found = scores()[region, axis]
    candidate, truth, map_, body = (
        np.take(each, [number], dimension) for each in (NOISY.voxels, VOXELS, ssim_map(NOISY.voxels, VOXELS), foreground(VOXELS))
    )
    mask = np.ones_like(body) if region == "whole" else body
    values = {name: curve[number - 1] for name, curve in found.values.items()}
    assert values["psnr"] == pytest.approx(psnr(candidate, truth, mask, peak=PEAK))
    assert values["ncc"] == pytest.approx(ncc(candidate, truth, mask))
    assert values["ssim"] == pytest.approx(map_[mask].mean(), rel=1e-5)
    assert values["rmse"] == pytest.approx(np.sqrt(np.mean((candidate[mask] - truth[mask]) ** 2)), rel=1e-5)


def test_a_slice_without_patient_has_no_figures_in_the_foreground():
    first = scores()["foreground", "i"]
    outside = ~foreground(VOXELS).any(axis=(0, 1))[1:-1]
    assert outside.any()
    for values in first.values.values():
        assert np.isnan(values[outside]).all() and np.isfinite(values[~outside]).all()


def test_equal_slices_have_no_psnr_rather_than_an_infinite_one():
    voxels = NOISY.voxels.copy()
    voxels[5] = VOXELS[5]
    along = scores(TRUTH.with_voxels(voxels))["whole", "k"]
    assert np.isnan(along.values["psnr"][4]) and along.values["rmse"][4] == 0
    assert np.isfinite(np.delete(along.values["psnr"], 4)).all()


def test_a_constant_slice_correlates_with_nothing():
    voxels = VOXELS.copy()
    voxels[5] = 7
    assert np.isnan(scores(TRUTH.with_voxels(voxels))["whole", "k"].values["ncc"][4])


def test_volumes_smaller_than_the_window_have_no_ssim():
    small = Volume(VOXELS[4:12], TRUTH.affine)
    found = scores(small.with_voxels(NOISY.voxels[4:12]), small)
    assert all(np.isnan(each.values["ssim"]).all() for each in found.values())
    assert np.isfinite(found["whole", "k"].values["psnr"]).all()


def test_a_candidate_on_another_grid_is_brought_onto_the_references():
    fine = TRUTH.regridded(np.repeat(VOXELS, 2, axis=0), "k", 0.5)
    assert scores(fine)["whole", "k"].values["ncc"][3:-3].min() > 0.95


def test_where_the_candidate_covers_nothing_there_are_no_figures():
    affine = TRUTH.affine.copy()
    affine[2, 3] += 1.5 * 6
    found = scores(replace(TRUTH, affine=affine))["whole", "k"]
    assert np.isnan(found.values["psnr"][:4]).all() and np.isfinite(found.values["ncc"][7:]).all()


def test_the_summary_is_mean_and_deviation_over_slices():
    found = scores()
    summary = {(each.region, each.along): each for each in summarise(list(found.values()))}
    assert list(summary) == [(region, along) for region in REGIONS for along in ("ijk", "i", "j", "k")]
    along_k = found["whole", "k"].values["psnr"]
    assert summary["whole", "k"].mean["psnr"] == pytest.approx(along_k.mean())
    assert summary["whole", "k"].deviation["psnr"] == pytest.approx(along_k.std())
    every = np.concatenate([found["whole", axis].values["ncc"] for axis in "ijk"])
    assert summary["whole", "ijk"].mean["ncc"] == pytest.approx(every.mean())
    assert summary["whole", "ijk"].slices == len(every) == 22 + 18 + 16


def test_what_no_slice_has_is_no_number_in_the_summary():
    first = next(summarise(Reference(TRUTH).score(TRUTH)))
    assert np.isnan(first.mean["psnr"]) and np.isnan(first.deviation["psnr"])
    assert first.mean["rmse"] == 0


def test_a_reference_of_two_slices_is_refused():
    with pytest.raises(RequestError, match="reference of 24 × 20 × 2 voxels; accepted are at least three slices"):
        Reference(Volume(VOXELS[:2], TRUTH.affine))


def test_a_candidate_with_nan_is_refused():
    voxels = NOISY.voxels.copy()
    voxels[0, 0, 0] = np.nan
    with pytest.raises(RequestError, match="candidate has NaN"):
        Reference(TRUTH).score(TRUTH.with_voxels(voxels))
