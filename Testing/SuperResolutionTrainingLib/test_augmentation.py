import numpy as np
import pytest

from SuperResolutionTrainingLib.augmentation import degraded_further, turned, with_changed_contrast
from SuperResolutionTrainingLib.recipe import Augmentation, Blur

IMPULSE = np.zeros((3, 7, 7), np.float32)
IMPULSE[1, 3, 3] = 1


def blurred(patch, low, high, seed=0):
    return degraded_further(patch, Augmentation(noise=0.0, blur=Blur(1.0, (low, high))), np.random.default_rng(seed))


def test_the_blur_is_a_gaussian_of_three_by_three_pixels_in_the_plane():
    weights = np.exp(-0.5 * (np.array([-1, 0, 1]) / 0.5) ** 2)
    weights /= weights.sum()
    found = blurred(IMPULSE, 0.5, 0.5)
    np.testing.assert_allclose(found[1, 2:5, 2:5], np.outer(weights, weights), atol=1e-6)
    assert found.sum() == pytest.approx(1, abs=1e-6) and not found[[0, 2]].any()


def test_the_blur_keeps_a_constant_patch_and_a_single_row():
    np.testing.assert_allclose(blurred(np.full((2, 1, 5), 3, np.float32), 0.5, 0.5), 3, rtol=1e-6)


def test_the_strength_of_the_blur_is_drawn():
    middles = [blurred(IMPULSE, 0.0, 0.5, seed)[1, 3, 3] for seed in range(40)]
    assert min(middles) < 0.7 and max(middles) > 0.99


def test_as_many_patches_are_blurred_as_the_recipe_says():
    random = np.random.default_rng(0)
    augmentation = Augmentation(noise=0.0, blur=Blur(0.5, (0.5, 0.5)))
    count = sum(degraded_further(IMPULSE, augmentation, random)[1, 3, 3] < 1 for _ in range(200))
    assert 75 < count < 125


def test_patches_are_turned_alike():
    """The mean of fine slices stays the thick slice, however the two are turned."""
    fine = np.random.default_rng(1).normal(size=(8, 5, 5))
    seen = set()
    for seed in range(60):
        one, other = turned([fine, fine.reshape(4, 2, 5, 5).mean(axis=1)], np.random.default_rng(seed))
        np.testing.assert_allclose(one.reshape(4, 2, 5, 5).mean(axis=1), other)
        seen.add(float(one[0, 0, 1]))
    assert len(seen) == 16  # flipped along three axes, or not, and swapped, or not


def test_rows_and_columns_that_differ_in_number_are_not_swapped():
    assert {turned([np.zeros((4, 1, 6))], np.random.default_rng(seed))[0].shape for seed in range(10)} == {(4, 1, 6)}


def test_contrast_is_changed_alike():
    patch = np.linspace(-0.1, 1.1, 50, dtype=np.float32).reshape(2, 5, 5)
    one, other = with_changed_contrast([patch, patch[:, ::-1]], np.random.default_rng(3))
    np.testing.assert_array_equal(one[:, ::-1], other)
    assert one.dtype == np.float32 and np.abs(one - patch).max() > 0.01
