import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import picture_psnr, psnr

RANDOM = np.random.default_rng(0)
REFERENCE = RANDOM.integers(0, 256, (5, 9, 11)).astype(np.float32)
REFERENCE.flat[:2] = 0, 255
CANDIDATE = REFERENCE + RANDOM.integers(-20, 20, REFERENCE.shape)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_pictures_of_8_bits_are_measured_one_by_one(axis):
    ours, truth = (np.moveaxis(np.clip(voxels, 0, 255), axis, 0).astype(np.uint8) for voxels in (CANDIDATE, REFERENCE))
    expected = np.mean([peak_signal_noise_ratio(*pair) for pair in zip(truth, ours)])
    assert picture_psnr(CANDIDATE, REFERENCE, axis) == pytest.approx(expected, abs=1e-9)


def test_the_grey_scale_of_the_scan_plays_no_part():
    scaled = [voxels * 16 - 1024 for voxels in (CANDIDATE, REFERENCE)]
    assert picture_psnr(*scaled) == pytest.approx(picture_psnr(CANDIDATE, REFERENCE), abs=1e-9)


def test_two_equal_pictures_count_as_100_db():
    half = REFERENCE.copy()
    half[0] = CANDIDATE[0]
    clipped = (np.clip(voxels, 0, 255) for voxels in (half[0], REFERENCE[0]))
    assert picture_psnr(half, REFERENCE) == pytest.approx((psnr(*clipped, peak=255) + 4 * 100) / 5)
    assert picture_psnr(REFERENCE, REFERENCE) == 100 and psnr(REFERENCE, REFERENCE) == math.inf


def test_a_constant_reference_is_refused():
    with pytest.raises(RequestError, match="everywhere"):
        picture_psnr(REFERENCE, np.zeros_like(REFERENCE))
