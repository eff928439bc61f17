import numpy as np
import pytest
from PIL import Image

from SuperResolutionLib.acquisition import Acquisition, degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.samples import PatchSampler, load_scan

PLAIN = {"noise": 0.0, "contrast_changes": 0.0}
WIDE = {"slices": 30, "plane": 40, "margin": 1, "batch": 2}


@pytest.fixture
def make_sampler(make_recipe, scans):
    def make(factors=(2,), cache=None, **changes):
        return PatchSampler(make_recipe(**{"augmentation": PLAIN} | changes), scans, factors, cache)

    return make


def equal(one, other):
    return one[2] == other[2] and np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1])


def test_the_same_number_gives_the_same_batch_in_any_order(make_sampler):
    one, other = (
        make_sampler((2, 3), augmentation={"noise": 0.05, "contrast_changes": 0.5, "blur": {"probability": 0.5}}) for _ in range(2)
    )
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
    sampler = make_sampler((3,), acquisitions=[{"profile": profile}], augmentation={"noise": 0.0, "contrast_changes": contrast_changes})
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
    clean, noisy = (
        make_sampler(augmentation=PLAIN | {"noise": noise}, patches={"slices": 8, "plane": 16, "batch": 20}).batch(0)
        for noise in (0.0, 0.1)
    )
    np.testing.assert_allclose(clean[0][0], Acquisition("mean", 2).operator(8)(clean[1][0], 0), atol=1e-6)
    deviations = (noisy[0] - Acquisition("mean", 2).operator(8)(noisy[1], 1)).std(axis=(1, 2, 3))
    assert 0.04 < deviations.max() < 0.11 and deviations.min() < 0.5 * deviations.max()


def test_changed_contrast_keeps_edges_where_they_are(make_sampler):
    """Every grey value becomes another one, by one rule for the whole patch."""
    plain, bent = (
        make_sampler(augmentation=PLAIN | {"contrast_changes": changes}, patches={"slices": 4, "margin": 1, "plane": 12, "batch": 1})
        for changes in (0.0, 1.0)
    )
    changed = 0
    for number in range(20):
        _, fine, _ = bent.batch(number)
        _, truth, _ = plain.batch(number)
        order = np.argsort(truth, axis=None)
        steps = np.diff(fine.ravel()[order])
        assert (steps >= -1e-6).all() or (steps <= 1e-6).all()
        changed += np.abs(fine - truth).max() > 0.05
    assert changed >= 10


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


def test_cached_scans_give_the_same_batches_as_scans_in_memory(make_sampler, tmp_path):
    plain = make_sampler((2, 3))
    for _ in range(2):
        mapped = make_sampler((2, 3), tmp_path / "cache")
        assert all(equal(plain.batch(number), mapped.batch(number)) for number in range(4))
    assert len([path for path in (tmp_path / "cache").iterdir() if path.is_dir()]) == 1


def test_a_changed_scan_is_read_anew_in_spite_of_the_cache(make_sampler, scans, tmp_path):
    before = make_sampler((2,), tmp_path / "cache").batch(0)
    volume = read_volume(scans / "anna.nii.gz")
    write_volume(Volume(volume.voxels[:, ::-1].copy(), volume.affine), scans / "anna.nii.gz")
    assert not equal(make_sampler((2,), tmp_path / "cache").batch(0), before)


def test_every_patch_has_content_though_most_of_the_scan_is_air(make_sampler, scans):
    voxels = np.zeros((40, 40, 40), np.float32)
    voxels[20:23, 8:11, 30:33] = 1000 * np.random.default_rng(0).random((3, 3, 3))
    voxels[::2, ::2, ::2] += np.random.default_rng(1).random((20, 20, 20))  # so that the range is not a single value
    voxels[30:34, 30:34, 4:8] = 900
    write_volume(Volume(voxels, np.eye(4)), scans / "anna.nii.gz")
    patches = {"slices": 4, "margin": 1, "plane": 8, "batch": 20}
    _, fine, _ = make_sampler(patches=patches).batch(0)
    assert (np.ptp(fine, axis=(1, 2, 3)) > 10 * np.ptp(voxels[:8, :8, :8]) / 1000).all()
    _, tried, _ = make_sampler(patches=patches | {"content": "trial"}).batch(0)
    assert not np.array_equal(fine, tried)


def test_patches_are_left_as_they_lie_where_the_recipe_wants_no_flips(make_sampler, scans):
    """In a ramp of 1 along k, 100 along j and 10000 along i, the steps tell which way a patch lies."""
    k, j, i = np.indices((30, 30, 30))
    write_volume(Volume((k + 100 * j + 10000 * i).astype(np.float32), np.eye(4)), scans / "anna.nii.gz")

    def steps(flips):
        sampler = make_sampler(augmentation=PLAIN | {"flips": flips}, patches={"slices": 4, "margin": 1, "plane": 8, "batch": 40})
        _, fine, _ = sampler.batch(0)
        return {tuple(np.sign(patch[[1, 0, 0], [0, 1, 0], [0, 0, 1]] - patch[0, 0, 0])) for patch in fine}

    assert steps(False) == {(1, 1, 1)} and len(steps(True)) == 8


def test_in_planes_rows_and_columns_are_degraded_and_slices_are_not(make_sampler):
    patches = {"slices": 3, "margin": 1, "plane": 8, "batch": 2}
    thick, fine, factor = make_sampler((3,), task="plane", patches=patches).batch(0)
    assert thick.shape == (2, 3, 8, 8) and fine.shape == (2, 3, 24, 24) and factor == 3
    np.testing.assert_allclose(thick, fine.reshape(2, 3, 8, 3, 8, 3).mean(axis=(3, 5)), atol=1e-5)


def test_planes_are_those_of_two_real_axes(make_recipe, scans, plain_recipe):
    plain_recipe["scans"][0]["axes"] = "ij"
    voxels = np.random.default_rng(0).normal(size=(28, 1, 1)) * np.ones((28, 30, 32))
    write_volume(Volume(voxels.astype(np.float32), np.eye(4)), scans / "anna.nii.gz")
    _, fine, _ = PatchSampler(make_recipe(task="plane"), scans, (2,)).batch(0)
    assert np.ptp(fine, axis=(2, 3)).max() < 1e-6  # constant in every slice: the slices are those along k
    plain_recipe["scans"][0]["axes"] = "k"
    with pytest.raises(RequestError, match="none of the 1 training scans serves task plane; accepted are scans with real resolution"):
        PatchSampler(make_recipe(task="plane"), scans, (2,))


def test_both_tasks_take_turns(make_sampler):
    sampler = make_sampler(task="both")
    shapes = [sampler.batch(number)[1].shape for number in range(4)]
    assert shapes == [(2, 4, 24, 24), (2, 8, 12, 12)] * 2


@pytest.fixture
def pictures(scans, plain_recipe):
    """A picture among the data, and a recipe that names it."""
    pixels = (np.indices((60, 70)).sum(axis=0) * 3 % 200 + np.random.default_rng(0).integers(0, 50, (60, 70))).astype(np.uint8)
    Image.fromarray(pixels).save(scans / "flower.png")
    plain_recipe["scans"] = [{"file": "flower.png", "subject": "flower", "modality": "MR", "axes": "ij"}]
    return scans


def test_a_picture_is_a_single_plane(pictures, make_recipe):
    recipe = make_recipe(task="plane", images=True, augmentation=PLAIN)
    thick, fine, _ = PatchSampler(recipe, pictures, (2,)).batch(0)
    assert thick.shape == (2, 1, 12, 12) and fine.shape == (2, 1, 24, 24)
    np.testing.assert_allclose(thick, fine.reshape(2, 1, 12, 2, 12, 2).mean(axis=(3, 5)), atol=1e-5)


def test_along_one_axis_the_rows_or_columns_of_a_picture_are_the_slices_of_a_single_row(pictures, make_recipe):
    thick, fine, _ = PatchSampler(make_recipe(), pictures, (2,)).batch(0)
    assert thick.shape == (2, 4, 1, 12) and fine.shape == (2, 8, 1, 12)


@pytest.fixture
def pair(scans, plain_recipe):
    """A thick scan of the first subject, and a recipe that names it: noise in it shows where a thick patch comes from."""
    fine = read_volume(scans / "anna.nii.gz")
    thick = degrade(fine.with_voxels(fine.voxels.astype(np.float32)), 2, "k", noise=5, seed=3)
    write_volume(thick, scans / "thick.nii.gz")
    plain_recipe["scans"][0]["thick"] = "thick.nii.gz"
    return thick


@pytest.mark.parametrize("mapped", [False, True])
def test_of_a_real_pair_the_thick_patch_is_the_measured_one(make_sampler, pair, tmp_path, mapped):
    sampler = make_sampler(
        (2,),
        tmp_path / "cache" if mapped else None,
        augmentation=PLAIN | {"flips": False},
        patches={"slices": 4, "plane": 8, "margin": 1, "batch": 6},
    )
    thick, fine, _ = sampler.batch(0)
    assert thick.shape == (6, 4, 8, 8) and fine.shape == (6, 8, 8, 8)
    assert 0.001 < np.abs(thick - fine.reshape(6, 4, 2, 8, 8).mean(axis=2)).std() < 0.02
    windows = np.lib.stride_tricks.sliding_window_view(pair.voxels, (4, 8, 8)).reshape(-1, 256)
    windows = (windows - windows.mean(axis=1, keepdims=True)) / windows.std(axis=1, keepdims=True)
    for patch in thick.reshape(6, -1):
        assert (windows @ ((patch - patch.mean()) / patch.std())).max() / 256 == pytest.approx(1, abs=1e-4)


def test_both_sides_of_a_real_pair_are_turned_and_bent_alike(make_sampler, pair):
    sampler = make_sampler(augmentation={"noise": 0.5, "contrast_changes": 0.0, "blur": {"probability": 1.0}})
    for number in range(8):
        thick, fine, _ = sampler.batch(number)
        assert np.corrcoef(thick.ravel(), fine.reshape(2, 4, 2, 12, 12).mean(axis=2).ravel())[0, 1] > 0.99


def test_a_thick_scan_of_something_else_is_refused(make_sampler, pair, scans):
    write_volume(pair.with_voxels(pair.voxels[::-1].copy()), scans / "thick.nii.gz")
    with pytest.raises(RequestError, match="pair .*thick.nii.gz and .*anna.nii.gz: the degraded thin scan correlates"):
        make_sampler()


def test_more_scans_than_are_held_open_at_once_give_the_same_batches(make_recipe, scans, plain_recipe, tmp_path, monkeypatch):
    names = [f"{name}.nrrd" for name in "abcd"]
    for seed, name in enumerate(names):
        write_volume(Volume(np.random.default_rng(seed).normal(size=(20, 20, 20)), np.eye(4)), scans / name)
    plain_recipe["scans"] = [{"file": name, "subject": name, "modality": "MR"} for name in names]
    plain = PatchSampler(make_recipe(), scans, (2,))
    monkeypatch.setattr("SuperResolutionTrainingLib.samples._OPEN_SOURCES", 2)
    mapped = PatchSampler(make_recipe(), scans, (2,), tmp_path / "cache")
    assert all(equal(plain.batch(number), mapped.batch(number)) for number in range(6))
