import numpy as np
import pytest

from SuperResolutionLib import consistency
from SuperResolutionLib.acquisition import PROFILES, Acquisition
from SuperResolutionLib.consistency import measurement_residual, project

FACTOR, SLICES = 3, 6


@pytest.fixture
def pair():
    random = np.random.default_rng(0)
    return random.normal(size=(FACTOR * SLICES, 7, 5)).astype(np.float32), random.normal(size=(SLICES, 7, 5)).astype(np.float32)


@pytest.mark.parametrize("profile", PROFILES)
def test_what_degrades_to_the_input_has_no_residual(pair, profile):
    fine, _ = pair
    acquisition = Acquisition(profile, FACTOR)
    assert measurement_residual(fine, acquisition.operator(SLICES)(fine, 0), acquisition) < 1e-7


def test_the_residual_is_the_root_mean_square_over_the_range_of_the_input(pair):
    fine, _ = pair
    acquisition = Acquisition("mean", FACTOR)
    thick = acquisition.operator(SLICES)(fine, 0)
    thick[0, 0, 0] += 30
    expected = 30 / np.sqrt(thick.size) / np.ptp(thick)
    assert measurement_residual(fine, thick, acquisition) == pytest.approx(expected, rel=1e-4)


def test_a_constant_input_has_a_residual_in_its_own_units():
    fine, thick = np.full((4, 2, 2), 5.0, np.float32), np.full((2, 2, 2), 3.0, np.float32)
    assert measurement_residual(fine, thick, Acquisition("mean", 2)) == pytest.approx(2)


@pytest.mark.parametrize("profile", PROFILES)
def test_after_projection_the_result_degrades_to_the_input(pair, profile):
    fine, thick = pair
    acquisition = Acquisition(profile, FACTOR)
    assert measurement_residual(fine, thick, acquisition) > 0.1
    project(fine, thick, acquisition)
    assert measurement_residual(fine, thick, acquisition) < 1e-6


def test_projection_changes_no_more_than_it_must(pair):
    """Nothing that the acquisition cannot see: for means, every fine slice of a thick one changes alike."""
    fine, thick = pair
    before = fine.copy()
    project(fine, thick, Acquisition("mean", FACTOR))
    change = (fine - before).reshape(SLICES, FACTOR, 7, 5)
    np.testing.assert_allclose(change, np.repeat(change[:, :1], FACTOR, axis=1), atol=1e-6)


@pytest.mark.parametrize("profile", PROFILES)
def test_projecting_twice_is_projecting_once(pair, profile):
    fine, thick = pair
    acquisition = Acquisition(profile, FACTOR)
    project(fine, thick, acquisition)
    once = fine.copy()
    project(fine, thick, acquisition)
    np.testing.assert_allclose(fine, once, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32, np.float64])
def test_the_input_may_be_of_any_number_type(pair, dtype):
    fine, thick = pair
    thick = (100 * thick + 500).astype(dtype)
    project(fine, thick, Acquisition("gaussian", FACTOR))
    assert measurement_residual(fine, thick, Acquisition("gaussian", FACTOR)) < 1e-6


def test_work_in_blocks_gives_what_work_at_once_gives(pair, monkeypatch):
    fine, thick = pair
    at_once, acquisition = fine.copy(), Acquisition("mean", FACTOR)
    residual = measurement_residual(fine, thick, acquisition)
    project(at_once, thick, acquisition)
    monkeypatch.setattr(consistency, "_BLOCK_BYTES", 1)
    assert measurement_residual(fine, thick, acquisition) == pytest.approx(residual, rel=1e-6)
    project(fine, thick, acquisition)
    np.testing.assert_allclose(fine, at_once, atol=1e-6)


# Two axes at once, as a network for planes makes them finer.


@pytest.fixture
def planes():
    random = np.random.default_rng(0)
    return random.normal(size=(4, FACTOR * 6, FACTOR * 5)).astype(np.float32), random.normal(size=(4, 6, 5)).astype(np.float32)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("blocks", [1, 1 << 30])
def test_over_two_axes_the_result_degrades_to_the_input(planes, profile, blocks, monkeypatch):
    monkeypatch.setattr(consistency, "_BLOCK_BYTES", blocks)
    fine, thick = planes
    acquisition = Acquisition(profile, FACTOR)
    assert measurement_residual(fine, thick, acquisition, (1, 2)) > 0.1
    project(fine, thick, acquisition, (1, 2))
    assert measurement_residual(fine, thick, acquisition, (1, 2)) < 1e-6
    again = acquisition.operator(5)(acquisition.operator(6)(fine, 1), 2)
    np.testing.assert_allclose(again, thick, atol=1e-5)


def test_over_two_axes_projection_is_that_of_the_kronecker_product(planes):
    """The smallest change, as the pseudo-inverse of the whole matrix finds it."""
    fine, thick = planes
    acquisition = Acquisition("gaussian", FACTOR)
    whole = np.kron(acquisition.operator(6).matrix, acquisition.operator(5).matrix)
    expected = [x + (np.linalg.pinv(whole) @ (y.ravel() - whole @ x.ravel())).reshape(x.shape) for x, y in zip(fine.astype(float), thick)]
    project(fine, thick, acquisition, (1, 2))
    np.testing.assert_allclose(fine, expected, atol=1e-4)


def test_over_two_axes_means_change_every_voxel_of_a_square_alike(planes):
    fine, thick = planes
    before = fine.copy()
    project(fine, thick, Acquisition("mean", FACTOR), (1, 2))
    change = (fine - before).reshape(4, 6, FACTOR, 5, FACTOR)
    np.testing.assert_allclose(change, np.broadcast_to(change[:, :, :1, :, :1], change.shape), atol=1e-6)
