from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import AXES, Volume, array_axis


def test_the_axes_i_j_k_are_the_array_axes_2_1_0():
    assert [array_axis(axis) for axis in AXES] == [2, 1, 0]
    with pytest.raises(RequestError, match="axis 'x': accepted are i, j, k"):
        array_axis("x")


def test_spacing_origin_and_directions_come_from_the_affine(make_volume, oblique_affine):
    volume = make_volume()
    assert volume.spacing == pytest.approx((0.6, 0.7, 2.8))
    np.testing.assert_array_equal(volume.origin, [-61.7, 43.2, 18.9])
    np.testing.assert_allclose(volume.directions * volume.spacing, oblique_affine[:3, :3])
    np.testing.assert_allclose(np.linalg.norm(volume.directions, axis=0), 1)


def test_points_follow_the_affine_for_any_number_of_indices(make_volume, oblique_affine):
    volume = make_volume()
    indices = np.random.default_rng(0).normal(size=(4, 5, 3))
    homogeneous = np.concatenate([indices, np.ones((4, 5, 1))], axis=-1)
    np.testing.assert_allclose(volume.points(indices), (homogeneous @ oblique_affine.T)[..., :3])


@pytest.mark.parametrize(
    ("spacing", "axis"), [((3, 1, 1), "i"), ((1, 3, 1), "j"), ((1, 1, 3), "k"), ((1, 1, 1), "k"), ((2, 2, 1), "j"), ((1.00001, 1, 1), "k")]
)
def test_the_thick_axis_has_the_largest_spacing_and_is_the_last_of_equals(spacing, axis):
    assert Volume(np.zeros((2, 2, 2)), np.diag([*spacing, 1])).thick_axis == axis


def test_only_ct_has_hounsfield_units(make_volume):
    assert make_volume(modality="CT").units == "HU"
    assert make_volume(modality="MR").units == make_volume().units == ""


def test_a_sheared_volume_is_not_orthogonal(make_volume, oblique_affine):
    assert make_volume().is_orthogonal()
    shear = np.eye(4)
    shear[0, 2] = 0.01
    assert not make_volume(affine=shear @ oblique_affine).is_orthogonal()


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("ratio", [1 / 4, 1 / 3, 2, 3])
def test_another_grid_has_its_edges_at_the_same_place_of_the_patient(make_volume, axis, ratio):
    volume = make_volume((6, 12, 18))
    shape = [round(n / ratio) if array_axis(axis) == a else n for a, n in enumerate(volume.shape)]
    other = volume.regridded(np.zeros(shape), axis, ratio)
    for corner in np.ndindex(2, 2, 2):
        edges = [np.array(corner) * v.shape[::-1] - 0.5 for v in (volume, other)]
        np.testing.assert_allclose(other.points(edges[1]), volume.points(edges[0]), atol=1e-9)


def test_only_another_grid_along_k_changes_the_slice_thickness(make_volume):
    volume = make_volume(slice_thickness=3.0)
    assert volume.regridded(volume.voxels, "k", 0.5).slice_thickness == 1.5
    assert volume.regridded(volume.voxels, "i", 0.5).slice_thickness == 3.0
    assert replace(volume, slice_thickness=None).regridded(volume.voxels, "k", 2).slice_thickness is None


def test_a_volume_is_a_value(make_volume):
    volume = make_volume(modality="MR", source="knee.nrrd")
    with pytest.raises(FrozenInstanceError):
        volume.voxels = volume.voxels * 2
    with pytest.raises(ValueError, match="read-only"):
        volume.affine[0, 0] = 5
    doubled = volume.with_voxels(volume.voxels * 2)
    assert (doubled.modality, doubled.source) == ("MR", "knee.nrrd") and doubled.voxels.max() == 2 * volume.voxels.max()


def test_the_callers_affine_can_change_without_changing_the_volume(oblique_affine):
    volume = Volume(np.zeros((2, 2, 2)), oblique_affine)
    oblique_affine[0, 3] = 1e6
    assert volume.origin[0] == -61.7


def test_new_voxels_must_have_the_shape_of_the_old(make_volume):
    with pytest.raises(RequestError, match=r"\(2, 2, 2\); accepted is \(6, 18, 20\)"):
        make_volume().with_voxels(np.zeros((2, 2, 2)))


@pytest.mark.parametrize(
    ("voxels", "found"),
    [
        (np.zeros((2, 2)), "shape"),
        (np.zeros((2, 0, 2)), "shape"),
        (np.zeros((2, 2, 2, 3)), "shape"),
        (np.zeros((2, 2, 2), complex), "type complex128"),
        (np.zeros((2, 2, 2), bool), "type bool"),
        (np.full((2, 2, 2), "a"), "type <U1"),
    ],
)
def test_voxels_that_are_no_real_volume_are_refused(voxels, found):
    with pytest.raises(RequestError, match=f"^knee.nrrd: .*{found}.*accepted"):
        Volume(voxels, np.eye(4), source="knee.nrrd")


@pytest.mark.parametrize(
    ("affine", "accepted"),
    [
        (np.eye(3), "4x4"),
        (np.diag([1, 1, np.nan, 1]), "finite"),
        (np.diag([1, 1, 1, 2]), "0 0 0 1"),
        (np.diag([1, 1, 0, 1]), "three independent axes"),
    ],
)
def test_an_affine_that_maps_to_no_place_is_refused(affine, accepted):
    with pytest.raises(RequestError, match=f"^knee.nrrd: .*{accepted}"):
        Volume(np.zeros((2, 2, 2)), affine, source="knee.nrrd")
