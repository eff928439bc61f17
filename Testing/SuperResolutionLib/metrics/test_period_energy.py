import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.acquisition import Acquisition
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.interpolation import interpolation_operator
from SuperResolutionLib.metrics import period_energy

RANDOM = np.random.default_rng(10)
TRUTH = 100 * gaussian_filter(RANDOM.normal(size=(60, 40, 40)), 2) + RANDOM.normal(0, 1, (60, 40, 40))


def remade(name: str, factor: int) -> np.ndarray:
    """The truth, made thick along k and fine again."""
    thick = Acquisition("mean", factor).operator(60 // factor)(TRUTH, 0)
    return interpolation_operator(name, 60 // factor, factor)(thick, 0)


def by_fourier(volume: np.ndarray, period: int) -> float:
    """The definition: coefficients at the period and its harmonics, over a whole number of periods."""
    d = np.abs(np.diff(volume, axis=0)).mean(axis=(1, 2))
    half = period // 2
    weights = np.ones(period) if period % 2 else np.array([0.5, *np.ones(period - 1), 0.5])
    a = np.array([(weights * d[n - half : n - half + len(weights)]).sum() / period for n in range(half, len(d) - half)])
    d = d[half : len(d) - half]
    whole = len(d) // period * period
    d, a = d[:whole], a[:whole]
    harmonics = np.fft.fft(d - a)[whole // period :: whole // period]
    return (np.abs(harmonics) ** 2).sum() / (period - 1) / a.sum() ** 2


@pytest.mark.parametrize("factor", [2, 3, 4, 5])
def test_nearest_neighbour_is_one_and_the_truth_is_next_to_nothing(factor):
    assert period_energy(remade("nearest", factor), factor, 0) == pytest.approx(1, abs=0.02)
    assert period_energy(TRUTH, factor, 0) < 1e-4


def test_smooth_interpolations_leave_less_than_nearest_and_more_than_the_truth():
    assert period_energy(TRUTH, 4, 0) < period_energy(remade("cubic", 4), 4, 0) < 0.2


@pytest.mark.parametrize(("factor", "slices"), [(3, 57), (4, 57), (5, 55)])
def test_agrees_with_the_fourier_transform(factor, slices):
    # So many slices that what the average leaves is a whole number of periods.
    volume = remade("cubic", factor)[:slices]
    assert period_energy(volume, factor, 0) == pytest.approx(by_fourier(volume, factor), rel=0.02)


def test_a_known_ripple_has_the_energy_of_the_formula():
    steps = np.tile([1.0, 1.0, 1.0, 1.4], 12)
    volume = np.concatenate([[0], np.cumsum(steps)])[:, None, None] * np.ones((1, 3, 3))
    assert period_energy(volume, 4, 0) == pytest.approx(np.var([1, 1, 1, 1.4]) / 1.1**2 / 3)


def test_a_trend_is_no_period():
    volume = np.cumsum(1 + 0.1 * np.arange(40.0))[:, None, None] * np.ones((1, 3, 3))
    assert period_energy(volume, 4, 0) == pytest.approx(0, abs=1e-12)


def test_another_period_is_not_counted():
    assert period_energy(remade("nearest", 5), 4, 0) < 0.1


def test_gain_offset_and_the_place_of_the_axis_do_not_matter():
    volume = remade("cubic", 4)
    expected = period_energy(volume, 4, 0)
    assert period_energy(300 - 7 * volume, 4, 0) == pytest.approx(expected)
    assert period_energy(np.moveaxis(volume, 0, 2), 4, 2) == pytest.approx(expected)


def test_unsigned_integers_do_not_wrap():
    volume = np.rint(remade("nearest", 4) - TRUTH.min() + 1)
    assert period_energy(volume.astype(np.uint8), 4, 0) == pytest.approx(period_energy(volume, 4, 0))


def test_only_masked_neighbours_count():
    mask = np.zeros(TRUTH.shape, bool)
    mask[:, :, :20] = True
    mixed = np.where(mask, TRUTH, remade("nearest", 4))
    assert period_energy(mixed, 4, 0, mask) < 1e-3 < 0.1 < period_energy(mixed, 4, 0)
    mask[:10] = False  # slices without any
    assert period_energy(mixed, 4, 0, mask) < 1e-3


@pytest.mark.parametrize(
    ("volume", "period", "mask", "words"),
    [
        (TRUTH[:15], 4, None, "at least 16 in a row"),
        (TRUTH[:1], 4, None, "in 1 slices"),
        (TRUTH[:2], 2, None, "at least 8 in a row"),
        (np.where(TRUTH > 10, np.nan, TRUTH), 4, None, "NaN"),
        (np.ones_like(TRUTH), 4, None, "all equal"),
        (TRUTH > 0, 4, None, "real numbers"),
        (TRUTH[0], 4, None, "axis 0 of an array of shape"),
        (TRUTH, 1, None, "from 2"),
        (TRUTH, 4, np.zeros(TRUTH.shape, bool), "without any voxel"),
    ],
)
def test_what_cannot_be_measured_is_refused(volume, period, mask, words):
    with pytest.raises(RequestError, match=words):
        period_energy(volume, period, 0, mask)


@pytest.mark.parametrize("period", [2, 3, 4, 8])
def test_four_periods_of_slices_are_enough(period):
    assert 0 <= period_energy(TRUTH[: 4 * period], period, 0) < 0.1
