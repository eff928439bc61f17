import numpy as np
import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.pairs import Pair
from SuperResolutionTrainingLib.patch_source import PatchSource, cut, source_of, source_of_pair


def test_values_are_scaled_to_the_range_of_the_scan():
    voxels = np.random.default_rng(0).uniform(-500, 1500, (30, 30, 30))
    fine = source_of(Volume(voxels, np.eye(4))).fine
    np.testing.assert_allclose(fine, (voxels + 490) / 1986, atol=0.01)  # 0.5 % lie below 0, 0.2 % above 1
    assert fine.dtype == np.float32


def test_both_sides_of_a_pair_are_scaled_alike():
    fine = np.random.default_rng(0).normal(300, 50, (16, 8, 8)).astype(np.float32)
    thick = fine.reshape(4, 4, 8, 8).mean(axis=1)
    source = source_of_pair(Pair(Volume(thick, np.eye(4)), Volume(fine, np.eye(4)), "k", 4, 1.0, 1.0))
    np.testing.assert_allclose(source.thick, source.fine.reshape(4, 4, 8, 8).mean(axis=1), atol=1e-5)
    assert source.thick_axis == 0


def test_a_scan_without_contrast_is_refused():
    with pytest.raises(RequestError, match="a.nii: constant voxels of value 7"):
        source_of(Volume(np.full((8, 8, 8), 7.0), np.eye(4), source="a.nii"))


def test_voxels_that_are_no_numbers_are_refused_wherever_they_are():
    voxels = np.random.default_rng(0).normal(size=(8, 8, 8))
    voxels[3, 3, 3] = np.inf
    with pytest.raises(RequestError, match="a.nii: 1 voxels are NaN or infinite"):
        source_of(Volume(voxels, np.eye(4), source="a.nii"))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_patch_holds_the_place_with_content_and_lies_inside_the_scan(axis):
    voxels = np.zeros((40, 48, 56), np.float32)
    voxels[17:21, 34:38, 41:45] = 1
    source = PatchSource(voxels, np.array([[16, 32, 40]], np.int32))
    order = [axis, *(other for other in range(3) if other != axis)]
    random = np.random.default_rng(0)
    drawn = np.array([source.start_with_content(axis, (8, 10, 12), random) for _ in range(300)])
    for column, wanted in enumerate((8, 10, 12)):
        first = (16, 32, 40)[order[column]]
        assert drawn[:, column].min() >= max(first - wanted + 1, 0)
        assert drawn[:, column].max() <= min(first + 7, voxels.shape[order[column]] - wanted)
        assert len(np.unique(drawn[:, column])) > 10


def test_a_patch_longer_than_the_scan_begins_at_its_start():
    source = PatchSource(np.zeros((4, 4, 4), np.float32), np.zeros((1, 3), np.int32))
    assert source.start_with_content(0, (9, 9, 9), np.random.default_rng(0)) == [0, 0, 0]


def test_what_a_scan_lacks_is_filled_by_its_outermost_voxels_but_a_single_slice_stays_single():
    voxels = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    patch = cut(voxels, (0, 0, 1), (5, 3, 3))
    np.testing.assert_array_equal(patch, [[[1, 2, 2], [4, 5, 5], [4, 5, 5]]])
