import numpy as np
import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import ncc

NOISE = np.random.default_rng(3).normal(100, 20, (6, 7, 8))


def test_offset_and_scale_do_not_matter():
    assert ncc(3 * NOISE - 1000, NOISE) == pytest.approx(1)


def test_an_inverted_image_gives_minus_one():
    assert ncc(-NOISE, NOISE) == pytest.approx(-1)


def test_patterns_at_right_angles_give_zero():
    k, j, _ = np.indices((4, 4, 4))
    assert ncc((-1.0) ** k, (-1.0) ** j) == pytest.approx(0)


def test_agrees_with_numpy_s_correlation_coefficient():
    other = NOISE + np.random.default_rng(4).normal(0, 15, NOISE.shape)
    assert ncc(other, NOISE) == pytest.approx(np.corrcoef(other.ravel(), NOISE.ravel())[0, 1])


def test_only_the_masked_voxels_count():
    mask = np.zeros(NOISE.shape, bool)
    mask[:3] = True
    candidate = np.where(mask, NOISE, 0)
    assert ncc(candidate, NOISE, mask) == pytest.approx(1)
    assert ncc(candidate, NOISE) < 0.9


def test_integers_are_compared_as_numbers():
    assert ncc(np.arange(1000, dtype=np.uint8).reshape(10, 10, 10), np.arange(1000, dtype=np.uint8).reshape(10, 10, 10)) == pytest.approx(1)


@pytest.mark.parametrize("pair", [(np.ones_like(NOISE), NOISE), (NOISE, np.ones_like(NOISE))])
def test_a_constant_volume_correlates_with_nothing(pair):
    with pytest.raises(RequestError, match="is 1 wherever"):
        ncc(*pair)


def test_other_shapes_and_nan_are_refused():
    with pytest.raises(RequestError, match="shape"):
        ncc(NOISE[:, 1:], NOISE)
    with pytest.raises(RequestError, match="NaN"):
        ncc(NOISE, np.where(NOISE > 110, np.inf, NOISE))
