"""A slice profile is told by the detail that it leaves, or not at all."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.acquisition import Acquisition
from SuperResolutionTrainingLib.slice_profile import FEWEST_SLICES, estimate_profile

FACTOR = 3


@pytest.fixture(scope="module")
def blobs():
    """A volume whose detail is alike along all axes."""
    random = np.random.default_rng(0)
    return (gaussian_filter(random.normal(size=(96, 96, 96)), 2) > 0.02).astype(np.float32)


def thick(voxels, profile, slices=32):
    return Acquisition(profile, FACTOR).operator(slices)(voxels[: slices * FACTOR], 0)


@pytest.mark.parametrize("profile", ["mean", "gaussian"])
def test_the_profile_that_was_used_is_found(blobs, profile):
    assert estimate_profile(thick(blobs, profile), [(1, FACTOR), (2, FACTOR)]) == (profile,)


def test_noise_of_the_scan_does_not_make_a_gaussian_of_a_mean(blobs):
    measured = thick(blobs, "mean")
    noisy = measured + np.random.default_rng(1).normal(0, 0.05, measured.shape)
    assert estimate_profile(noisy, [(1, FACTOR), (2, FACTOR)]) != ("gaussian",)


def test_too_few_slices_tell_nothing(blobs):
    assert estimate_profile(thick(blobs, "gaussian", FEWEST_SLICES - 1), [(1, FACTOR)]) == ("mean", "gaussian")
    assert estimate_profile(thick(blobs, "gaussian")[:, :40, :40], [(1, FACTOR), (2, FACTOR)]) == ("mean", "gaussian")
