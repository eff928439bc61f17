import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import convolve2d

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import vif

RANDOM = np.random.default_rng(8)
REFERENCE = gaussian_filter(RANDOM.normal(size=(3, 48, 52)), (0, 1.5, 1.5)) * 600
CANDIDATE = gaussian_filter(REFERENCE, (0, 1, 1)) + RANDOM.normal(0, 3, REFERENCE.shape)


def sums(candidate, reference):
    """Information in candidate and reference, as the paper defines it, by two-dimensional convolutions."""
    seen = there = 0.0
    for scale in (1, 2, 3, 4):
        width = 2 ** (5 - scale) + 1
        x = np.arange(width) - width // 2
        window = np.exp(-(x[:, None] ** 2 + x[None, :] ** 2) / (2 * (width / 5) ** 2))
        window /= window.sum()

        def mean(array, window=window):
            return convolve2d(array, window, mode="valid")

        if scale > 1:
            candidate, reference = mean(candidate)[::2, ::2], mean(reference)[::2, ::2]
        variance_c = mean(candidate**2) - mean(candidate) ** 2
        variance_r = mean(reference**2) - mean(reference) ** 2
        covariance = mean(candidate * reference) - mean(candidate) * mean(reference)
        gain = np.where(covariance > 0, covariance / variance_r, 0)
        noise = variance_c - gain * covariance
        seen += np.log2(1 + gain**2 * variance_r / (noise + 2)).sum()
        there += np.log2(1 + variance_r / 2).sum()
    return seen, there


def grey(array):
    return (array - REFERENCE.min()) * 255 / np.ptp(REFERENCE)


def test_agrees_with_the_definition_slice_by_slice():
    for candidate, reference in zip(CANDIDATE, REFERENCE):
        seen, there = sums(grey(candidate), grey(reference))
        assert vif(candidate, reference, data_range=np.ptp(REFERENCE)) == pytest.approx(seen / there, rel=1e-6)


def test_in_a_volume_the_information_of_all_slices_is_summed():
    both = np.array([sums(grey(c), grey(r)) for c, r in zip(CANDIDATE, REFERENCE)]).sum(axis=0)
    assert vif(CANDIDATE, REFERENCE) == pytest.approx(both[0] / both[1], rel=1e-6)


def test_the_axis_is_the_one_that_slices_are_stacked_along():
    turned = [np.moveaxis(array, 0, 2) for array in (CANDIDATE, REFERENCE)]
    assert vif(*turned, axis=2) == pytest.approx(vif(CANDIDATE, REFERENCE))


def test_equal_volumes_have_all_the_information():
    whole = np.rint(REFERENCE).astype(np.int16)
    assert vif(whole, whole) == pytest.approx(1)


def test_a_shift_loses_nothing_and_more_contrast_counts_above_one():
    assert vif(REFERENCE + 50, REFERENCE) == pytest.approx(1)
    assert vif(1.5 * REFERENCE, REFERENCE) > 1.01


def test_rescaling_both_changes_nothing():
    assert vif(20 * CANDIDATE - 1000, 20 * REFERENCE - 1000) == pytest.approx(vif(CANDIDATE, REFERENCE))


def test_a_constant_candidate_has_none_and_an_empty_slice_counts_for_nothing():
    assert vif(np.zeros_like(REFERENCE), REFERENCE) == 0
    air = np.zeros((2, *REFERENCE.shape[1:]))
    with_air = vif(np.concatenate([CANDIDATE, air]), np.concatenate([REFERENCE, air]), data_range=np.ptp(REFERENCE))
    assert math.isclose(with_air, vif(CANDIDATE, REFERENCE), rel_tol=1e-6)


@pytest.mark.parametrize(
    ("candidate", "reference", "options", "words"),
    [
        (CANDIDATE[:, 1:], REFERENCE, {}, "shape"),
        (CANDIDATE[:, :40], REFERENCE[:, :40], {}, "at least 41 pixels"),
        (CANDIDATE, REFERENCE, {"axis": 1}, "at least 41 pixels"),
        (CANDIDATE, REFERENCE, {"axis": 3}, "accepted is axis 0, 1 or 2"),
        (np.where(CANDIDATE > 100, np.inf, CANDIDATE), REFERENCE, {}, "NaN or infinite"),
        (CANDIDATE, np.ones_like(REFERENCE), {}, "everywhere"),
        (CANDIDATE, np.ones_like(REFERENCE) * [[[1]], [[2]], [[3]]], {}, "constant within every slice"),
        (CANDIDATE, REFERENCE, {"data_range": 0}, "positive"),
        (CANDIDATE > 0, REFERENCE, {}, "real numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused(candidate, reference, options, words):
    with pytest.raises(RequestError, match=words):
        vif(candidate, reference, **options)
