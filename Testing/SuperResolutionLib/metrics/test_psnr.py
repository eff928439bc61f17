import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import psnr

RAMP = np.arange(1001, dtype=np.float32).reshape(7, 11, 13) / 10  # 0 to 100


def test_an_error_of_five_percent_everywhere_is_26_decibels():
    assert psnr(RAMP + 5, RAMP) == pytest.approx(20 * math.log10(20), abs=1e-5)


def test_equal_volumes_are_infinitely_near():
    assert psnr(RAMP, RAMP.copy()) == math.inf


def test_agrees_with_scikit_image():
    noisy = RAMP + np.random.default_rng(1).normal(0, 3, RAMP.shape)
    assert psnr(noisy, RAMP) == pytest.approx(peak_signal_noise_ratio(RAMP.astype(float), noisy, data_range=100))


def test_the_peak_is_the_range_of_the_whole_reference_with_a_mask_too():
    mask = RAMP > 90
    assert psnr(RAMP + 5, RAMP, mask) == pytest.approx(20 * math.log10(20), abs=1e-5)


def test_only_the_masked_voxels_count():
    mask = RAMP > 50
    candidate = np.where(mask, RAMP + 1, RAMP + 30)
    assert psnr(candidate, RAMP, mask) == pytest.approx(40, abs=1e-4)


def test_a_stated_peak_is_used():
    assert psnr(RAMP + 1, RAMP, peak=1000) == pytest.approx(60, abs=1e-4)


def test_unsigned_integers_do_not_wrap():
    reference = np.full((3, 3, 3), 5, np.uint8)
    reference[0, 0, 0] = 15
    candidate = reference.copy()
    candidate[1, 1, 1] = 4
    assert psnr(candidate, reference) == pytest.approx(10 * math.log10(27 * 100))


@pytest.mark.parametrize(
    ("candidate", "options", "words"),
    [
        (RAMP[1:], {}, "shape"),
        (np.where(RAMP == 50, np.nan, RAMP), {}, "NaN"),
        (RAMP, {"mask": np.zeros(RAMP.shape, bool)}, "without any voxel"),
        (RAMP, {"mask": np.ones(RAMP.shape, np.uint8)}, "bool"),
        (RAMP, {"peak": 0.0}, "positive"),
        (RAMP.astype(complex), {}, "real numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused(candidate, options, words):
    with pytest.raises(RequestError, match=words):
        psnr(candidate, RAMP, **options)


def test_a_constant_reference_has_no_peak():
    with pytest.raises(RequestError, match="everywhere"):
        psnr(RAMP, np.ones_like(RAMP))
