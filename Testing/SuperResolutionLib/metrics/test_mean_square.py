import numpy as np
import pytest
from skimage.metrics import mean_squared_error

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import mse, rmse

REFERENCE = np.random.default_rng(6).normal(100, 20, (5, 6, 7))


def test_a_shift_of_three_is_an_error_of_nine():
    assert mse(REFERENCE + 3, REFERENCE) == pytest.approx(9)
    assert rmse(REFERENCE + 3, REFERENCE) == pytest.approx(3)


def test_agrees_with_scikit_image():
    candidate = REFERENCE * 1.1
    assert mse(candidate, REFERENCE) == pytest.approx(mean_squared_error(REFERENCE, candidate))


def test_equal_volumes_have_no_error_be_they_constant_or_one_slice():
    assert rmse(np.full((1, 4, 4), 7), np.full((1, 4, 4), 7)) == 0


def test_only_the_masked_voxels_count():
    mask = REFERENCE > 100
    assert rmse(np.where(mask, REFERENCE + 2, 0), REFERENCE, mask) == pytest.approx(2)


def test_unsigned_integers_do_not_wrap():
    assert mse(np.full((2, 2, 2), 1, np.uint8), np.full((2, 2, 2), 3, np.uint8)) == 4


@pytest.mark.parametrize(
    ("candidate", "mask", "words"),
    [
        (REFERENCE[1:], None, "shape"),
        (np.where(REFERENCE > 110, np.nan, REFERENCE), None, "NaN"),
        (REFERENCE > 100, None, "real numbers"),
        (REFERENCE, np.zeros(REFERENCE.shape, bool), "without any voxel"),
    ],
)
def test_what_cannot_be_compared_is_refused(candidate, mask, words):
    with pytest.raises(RequestError, match=words):
        mse(candidate, REFERENCE, mask)
