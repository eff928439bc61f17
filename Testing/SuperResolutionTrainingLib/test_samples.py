import numpy as np
import pytest

from SuperResolutionLib.acquisition import Acquisition
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.samples import PatchSampler, load_scan

WIDE = {"slices": 30, "plane": 40, "margin": 1, "batch": 2}


@pytest.fixture
def make_sampler(make_recipe, scans):
    def make(factors=(2,), **changes):
        return PatchSampler(make_recipe(**changes), scans, factors)

    return make


def equal(one, other):
    return one[2] == other[2] and np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1])


def test_the_same_number_gives_the_same_batch_in_any_order(make_sampler):
    one, other = (make_sampler((2, 3), noise=0.05, contrast_changes=0.5) for _ in range(2))
    forwards = [one.batch(number) for number in range(6)]
    backwards = [other.batch(number) for number in reversed(range(6))][::-1]
    assert all(equal(*pair) for pair in zip(forwards, backwards))
    assert not equal(forwards[0], forwards[1]) and {batch[2] for batch in forwards} == {2, 3}


def test_another_seed_gives_other_batches(make_sampler):
    assert not equal(make_sampler(seed=1).batch(0), make_sampler(seed=2).batch(0))


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("patches", [{"slices": 4, "margin": 1, "plane": 12, "batch": 3}, WIDE])
def test_a_batch_has_the_shape_that_the_recipe_says_even_where_a_scan_is_short(make_sampler, factor, patches):
    thick, fine, drawn = make_sampler((factor,), patches=patches).batch(0)
    assert drawn == factor and thick.dtype == fine.dtype == np.float32
    assert thick.shape == (patches["batch"], patches["slices"], patches["plane"], patches["plane"])
    assert fine.shape == (patches["batch"], factor * patches["slices"], patches["plane"], patches["plane"])


@pytest.mark.parametrize("profile", ["mean", "gaussian", "cubic", "kspace"])
@pytest.mark.parametrize("contrast_changes", [0.0, 1.0])
def test_without_noise_the_truth_degrades_to_the_thick_patch(make_sampler, profile, contrast_changes):
    sampler = make_sampler((3,), acquisitions=[{"profile": profile}], contrast_changes=contrast_changes)
    operator = Acquisition(profile, 3).operator(4)
    for number in range(4):
        thick, fine, _ = sampler.batch(number)
        np.testing.assert_allclose(thick, operator(fine, 1), atol=1e-6)


def test_the_thickness_is_drawn_from_its_range(make_sampler):
    sampler = make_sampler((4,), acquisitions=[{"profile": "mean", "thickness": [0.5, 1.5]}])
    thick, fine, _ = sampler.batch(0)
    candidates = np.linspace(0.5, 1.5, 101)
    apart = [np.abs(Acquisition("mean", 4, thickness).operator(4)(fine, 1) - thick).max(axis=(1, 2, 3)) for thickness in candidates]
    best = candidates[np.argmin(apart, axis=0)]
    assert np.min(apart, axis=0).max() < 0.02 and best[0] != best[1]


def test_every_acquisition_is_drawn_as_often_as_its_weight_says(make_sampler):
    drawn = [{"profile": "mean", "weight": 3}, {"profile": "kspace"}]
    sampler = make_sampler(acquisitions=drawn, patches={"slices": 4, "margin": 1, "plane": 8, "batch": 50})
    thick, fine, _ = sampler.batch(0)
    by_mean = np.abs(Acquisition("mean", 2).operator(4)(fine, 1) - thick).max(axis=(1, 2, 3)) < 1e-5
    assert 25 < by_mean.sum() < 48


def test_noise_is_added_to_the_thick_patch_alone_and_no_more_than_the_recipe_says(make_sampler):
    clean, noisy = (make_sampler(noise=noise, patches={"slices": 8, "plane": 16, "batch": 20}).batch(0) for noise in (0.0, 0.1))
    np.testing.assert_allclose(clean[0][0], Acquisition("mean", 2).operator(8)(clean[1][0], 0), atol=1e-6)
    deviations = (noisy[0] - Acquisition("mean", 2).operator(8)(noisy[1], 1)).std(axis=(1, 2, 3))
    assert 0.04 < deviations.max() < 0.11 and deviations.min() < 0.5 * deviations.max()


def test_changed_contrast_keeps_edges_where_they_are(make_sampler):
    """Every grey value becomes another one, by one rule for the whole patch."""
    plain, bent = (
        make_sampler(contrast_changes=changes, patches={"slices": 4, "margin": 1, "plane": 12, "batch": 1}) for changes in (0.0, 1.0)
    )
    changed = 0
    for number in range(6):
        _, fine, _ = bent.batch(number)
        _, truth, _ = plain.batch(number)
        order = np.argsort(truth, axis=None)
        steps = np.diff(fine.ravel()[order])
        assert (steps >= -1e-6).all() or (steps <= 1e-6).all()
        changed += np.abs(fine - truth).max() > 0.05
    assert changed >= 4


def test_patches_come_from_the_training_scans_alone(make_sampler, scans):
    volume = read_volume(scans / "bert.nii.gz")
    write_volume(Volume((volume.voxels - 5000).astype(np.int16), volume.affine), scans / "bert.nii.gz")
    before = make_sampler().batch(0)
    (scans / "bert.nii.gz").unlink()
    assert equal(make_sampler().batch(0), before)


def test_intensities_are_scaled_to_the_range_of_the_scan(make_sampler):
    _, fine, _ = make_sampler(patches={"slices": 16, "plane": 32, "batch": 4}).batch(0)
    assert fine.min() == pytest.approx(0, abs=0.1) and fine.max() == pytest.approx(1, abs=0.1)


def test_only_axes_of_real_resolution_become_thick(make_recipe, scans, plain_recipe):
    """A scan that is constant along k but for its axes would give constant patches along j and i alone."""
    voxels = np.broadcast_to(np.random.default_rng(0).normal(size=(1, 30, 32)) * 100, (28, 30, 32)).astype(np.float32)
    write_volume(Volume(voxels, np.eye(4)), scans / "anna.nii.gz")
    for axes, constant in (("k", True), ("i", False), ("j", False)):
        plain_recipe["scans"][0]["axes"] = axes
        _, fine, _ = PatchSampler(make_recipe(), scans, (2,)).batch(0)
        assert (np.ptp(fine, axis=1).max() < 1e-6) == constant


def test_a_scan_is_averaged_as_the_recipe_says_with_its_edges_in_place(make_recipe, scans, plain_recipe):
    plain_recipe["scans"][0]["coarsen"] = [3, 1, 2]
    fine, coarse = read_volume(scans / "anna.nii.gz"), load_scan(make_recipe().scans[0], scans)
    assert coarse.shape == (14, 30, 10) and coarse.voxels.dtype == np.float32
    assert coarse.voxels[1, 4, 2] == pytest.approx(fine.voxels[2:4, 4, 6:9].mean(), rel=1e-5)
    np.testing.assert_allclose(coarse.points([-0.5, -0.5, -0.5]), fine.points([-0.5, -0.5, -0.5]), atol=1e-5)
    assert coarse.spacing == pytest.approx((3, 1, 2))


def test_a_scan_without_contrast_is_refused(make_sampler, scans):
    write_volume(Volume(np.full((8, 8, 8), 7, np.float32), np.eye(4)), scans / "anna.nii.gz")
    with pytest.raises(RequestError, match="anna.nii.gz: constant voxels of value 7"):
        make_sampler()


def test_a_scan_that_is_not_there_is_refused(make_sampler, scans):
    (scans / "anna.nii.gz").unlink()
    with pytest.raises(RequestError, match="anna.nii.gz: no such file"):
        make_sampler()
