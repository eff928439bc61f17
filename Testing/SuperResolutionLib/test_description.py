import json

import numpy as np
import pytest

from SuperResolutionLib.description import describe_briefly, describe_in_words, describe_volume, slice_plane
from SuperResolutionLib.volume import AXES, Volume


def rotation(degrees, about):
    """Rotate about a patient axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = np.eye(4)
    others = [axis for axis in range(3) if axis != about]
    turned[np.ix_(others, others)] = [[c, -s], [s, c]]
    return turned


def test_a_volume_is_described_in_plain_data(make_volume, oblique_affine):
    volume = make_volume((6, 18, 20), np.int16, modality="MR", slice_thickness=3.0, source="knee.nrrd")
    description = json.loads(json.dumps(describe_volume(volume)))
    assert (description["shape"], description["type"], description["source"]) == ([20, 18, 6], "int16", "knee.nrrd")
    assert description["spacing"] == pytest.approx([0.6, 0.7, 2.8]) and description["origin"] == [-61.7, 43.2, 18.9]
    np.testing.assert_allclose(np.array(description["directions"]) * description["spacing"], oblique_affine[:3, :3])
    assert (description["minimum"], description["maximum"]) == (volume.voxels.min(), volume.voxels.max())
    assert (description["modality"], description["units"], description["slice_thickness"]) == ("MR", "", 3.0)
    assert (description["thick_axis"], description["factor"]) == ("k", 4)


def test_nearly_isotropic_voxels_have_no_default_factor(make_volume):
    assert describe_volume(make_volume(affine=np.diag([1, 1, 1.1, 1])))["factor"] is None


@pytest.mark.parametrize(("axis", "plane"), list(zip(AXES, ("sagittal", "coronal", "axial"))))
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_plane_of_the_slices_is_named_after_the_patient(make_volume, axis, plane, mirrored):
    volume = make_volume(affine=np.diag([-1, 1, -1, 1]) if mirrored else np.eye(4))
    assert slice_plane(volume, axis) == plane


def test_the_plane_follows_the_patient_and_not_the_array():
    affine = np.eye(4)[[2, 0, 1, 3]]
    assert [slice_plane(Volume(np.zeros((2, 2, 2)), affine), axis) for axis in AXES] == ["coronal", "axial", "sagittal"]


@pytest.mark.parametrize(("degrees", "plane"), [(1, "axial"), (10, "oblique axial"), (40, "oblique axial"), (50, "oblique coronal")])
def test_a_tilted_plane_is_called_oblique(make_volume, degrees, plane):
    assert slice_plane(make_volume(affine=rotation(degrees, 0)), "k") == plane


def test_the_words_say_what_a_person_wants_to_know(make_volume):
    volume = make_volume((6, 18, 20), np.int16, affine=np.diag([0.6, 0.7, 2.8, 1]), modality="CT", slice_thickness=3.0, source="knee.nrrd")
    lines = describe_in_words(describe_volume(volume)).splitlines()
    assert lines[0] == "knee.nrrd: CT, 20 x 18 x 6 voxels of int16"
    assert lines[1] == "  axial slices every 2.8 mm along k, 0.6 x 0.7 mm in plane, 3 mm thick"
    assert lines[2] == f"  values {volume.voxels.min()} to {volume.voxels.max()} HU"
    assert lines[3] == "  default factor 4"


def test_the_words_say_where_a_factor_must_be_named(make_volume):
    assert describe_in_words(describe_volume(make_volume(affine=np.eye(4)))).endswith("nearly isotropic: --factor must be named")


def test_a_volume_is_described_in_one_line(make_volume):
    volume = make_volume((6, 18, 20), np.int16, affine=np.diag([0.6, 0.6, 2.8, 1]), modality="MR")
    assert describe_briefly(volume) == "MR, 20 × 18 × 6 voxels, axial slices 2.8 mm, in-plane 0.60 mm"


def test_two_different_spacings_in_plane_are_both_told(make_volume):
    volume = make_volume((6, 18, 20), np.int16, affine=np.diag([3.0, 0.6, 0.75, 1]), modality="CT")
    assert describe_briefly(volume) == "CT, 20 × 18 × 6 voxels, sagittal slices 3.0 mm, in-plane 0.60 × 0.75 mm"
    assert describe_briefly(make_volume(modality="MR")).endswith("oblique axial slices 2.8 mm, in-plane 0.60 × 0.70 mm")


def test_spacings_that_differ_by_rounding_only_are_told_as_one(make_volume):
    assert describe_briefly(make_volume(affine=np.diag([0.9375, 0.93751, 4, 1]))).endswith("in-plane 0.94 mm")


def test_the_voxels_are_not_looked_at_where_the_modality_is_known(make_volume, monkeypatch):
    monkeypatch.setattr(np, "percentile", lambda *_: 1 / 0)
    assert describe_briefly(make_volume(modality="CT")).startswith("CT, ")
    with pytest.raises(ZeroDivisionError):
        describe_briefly(make_volume())
