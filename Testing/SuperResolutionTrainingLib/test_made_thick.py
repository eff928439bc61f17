import numpy as np
import pytest

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.upscaling import upscale
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.made_thick import axes_of, how_made, make_fine, make_thick

FINE = Volume(np.random.default_rng(0).normal(size=(9, 10, 12)).astype(np.float32), np.diag([1.0, 1, 2, 1]))


@pytest.mark.parametrize(("axes", "part"), [("k", np.s_[:8]), ("j", np.s_[:, :10]), ("ik", np.s_[:8, :, :12])])
def test_the_truth_is_what_whole_thick_slices_cover(axes, part):
    thick, truth = make_thick(FINE, 2, axes, "mean")
    assert np.array_equal(truth.voxels, FINE.voxels[part]) and np.array_equal(truth.affine, FINE.affine)
    expected = FINE
    for axis in axes:
        expected = degrade(expected, 2, axis, "mean")
    assert np.array_equal(thick.voxels, expected.voxels) and np.array_equal(thick.affine, expected.affine)


def test_too_few_slices_are_refused():
    with pytest.raises(RequestError):
        make_thick(FINE, 10, "k", "mean")


@pytest.mark.parametrize("axes", ["k", "ij", "ijk"])
def test_factor_and_axes_are_told_from_two_volumes(axes):
    thick, truth = make_thick(FINE, 3, axes, "mean")
    assert how_made(thick, truth) == (3, axes)


@pytest.mark.parametrize("shape", [(9, 10, 12), (4, 10, 12), (3, 5, 12), (18, 10, 12)])
def test_volumes_that_no_whole_factor_leads_between_are_refused(shape):
    thick = Volume(np.zeros(shape, np.float32), np.eye(4))
    with pytest.raises(RequestError, match="accepted is one of N times fewer along some axes"):
        how_made(thick, FINE)


@pytest.mark.parametrize(("axis", "axes"), [("j", ("j",)), ("plane", ("i", "j")), ("all", ("i", "j", "k"))])
@pytest.mark.parametrize("spacing", [(1, 1, 2), (1, 3, 1)])
def test_what_was_made_thick_is_made_fine_where_it_was_whatever_the_spacing(axis, axes, spacing):
    assert axes_of(axis) == axes
    thick, truth = make_thick(Volume(FINE.voxels, np.diag([*spacing, 1.0])), 2, axes, "mean")
    fine = make_fine(thick, axis, 2, model="cubic").volume
    assert fine.shape == truth.shape and np.allclose(fine.affine, truth.affine)
    expected = thick
    for each in axes:
        expected = upscale(expected, model="cubic", axis=each, factor=2).volume
    assert np.allclose(fine.voxels, expected.voxels, atol=1e-5)
