import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import map_coordinates

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.interpolation import INTERPOLATIONS, interpolation_operator

FACTORS = range(2, 9)
SLICES = 24
BORDER = 6
ITK = {"nearest": sitk.sitkNearestNeighbor, "linear": sitk.sitkLinear, "cubic": sitk.sitkBSpline3, "lanczos": sitk.sitkLanczosWindowedSinc}


@pytest.fixture
def thick():
    return np.random.default_rng(0).normal(size=(SLICES, 3, 4))


def resampled_by_itk(thick, factor, kind):
    """Resample along the first axis onto the finer grid whose edges are those of the thick one."""
    image = sitk.GetImageFromArray(thick)
    size = (thick.shape[2], thick.shape[1], factor * thick.shape[0])
    origin, spacing = (0, 0, (1 / factor - 1) / 2), (1, 1, 1 / factor)
    finer = sitk.Resample(image, size, sitk.Transform(), kind, origin, spacing, image.GetDirection(), 0.0, sitk.sitkFloat64)
    return sitk.GetArrayFromImage(finer)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize(("name", "tolerance"), [("nearest", 1e-5), ("linear", 1e-5), ("cubic", 1e-5), ("lanczos", 0.01)])
def test_each_interpolation_equals_that_of_itk_away_from_the_borders(thick, name, tolerance, factor):
    inside = slice(BORDER * factor, -BORDER * factor)
    fine = interpolation_operator(name, SLICES, factor)(thick, 0)[inside]
    assert np.abs(fine - resampled_by_itk(thick, factor, ITK[name])[inside]).max() <= tolerance * np.ptp(thick)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("slices", [2, 3, 7])
def test_cubic_equals_the_spline_of_scipy_up_to_the_border(slices, factor):
    line = np.random.default_rng(1).normal(size=slices)
    positions = np.clip((np.arange(slices * factor) + 0.5) / factor - 0.5, 0, slices - 1)
    expected = map_coordinates(line, [positions], order=3, mode="mirror")
    np.testing.assert_allclose(interpolation_operator("cubic", slices, factor)(line[:, None, None], 0).ravel(), expected, atol=1e-6)


@pytest.mark.parametrize("name", INTERPOLATIONS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_axis_is_interpolated_alike(thick, name, axis):
    operator = interpolation_operator(name, SLICES, 3)
    np.testing.assert_allclose(operator(np.moveaxis(thick, 0, axis), axis), np.moveaxis(operator(thick, 0), 0, axis), atol=1e-12)


@pytest.mark.parametrize("name", INTERPOLATIONS)
@pytest.mark.parametrize("slices", [1, 2, 5])
@pytest.mark.parametrize("factor", [2, 3, 8])
def test_a_constant_stays_constant_even_a_single_slice(name, slices, factor):
    fine = interpolation_operator(name, slices, factor)(np.full((slices, 2, 2), 7.0), 0)
    assert fine.shape == (slices * factor, 2, 2)
    np.testing.assert_allclose(fine, 7, rtol=1e-6)


@pytest.mark.parametrize("name", INTERPOLATIONS)
def test_odd_factors_keep_the_samples_themselves(thick, name):
    np.testing.assert_allclose(interpolation_operator(name, SLICES, 3)(thick, 0)[1::3], thick, atol=1e-6)


@pytest.mark.parametrize("name", ["linear", "cubic"])
def test_a_ramp_in_millimetres_has_its_values_at_the_new_centres(name):
    spacing, factor = 3.0, 4
    thick = (np.arange(SLICES) + 0.5) * spacing
    fine = interpolation_operator(name, SLICES, factor)(thick[:, None, None], 0).ravel()
    inside = slice(BORDER * factor, -BORDER * factor)
    np.testing.assert_allclose(fine[inside], ((np.arange(SLICES * factor) + 0.5) * spacing / factor)[inside], rtol=2e-3)


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(RequestError, match="interpolation 'quintic': accepted are nearest, linear, cubic, lanczos"):
        interpolation_operator("quintic", 4, 2)
