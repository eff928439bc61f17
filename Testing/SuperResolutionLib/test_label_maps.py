"""Segmentations are told from images by their values."""

import numpy as np
import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import write_volume
from SuperResolutionLib.label_maps import refuse_label_map
from SuperResolutionLib.volume import Volume

SUFFIXES = [".nii", ".nii.gz", ".nrrd", ".mha"]


def labels(count, shape=(16, 16, 16)):
    return (np.arange(np.prod(shape)).reshape(shape) % count).astype(np.uint8)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_of_few_values_is_refused_as_a_label_map(tmp_path, suffix, refusal):
    write_volume(Volume(labels(32), np.eye(4)), tmp_path / f"a{suffix}")
    assert "only 32 distinct whole numbers, a label map" in refusal(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32])
def test_a_volume_that_is_not_in_a_file_is_refused_by_its_name(dtype):
    with pytest.raises(RequestError, match="^knee: only 5 distinct whole numbers"):
        refuse_label_map(Volume(labels(5).astype(dtype), np.eye(4), source="knee"))


@pytest.mark.parametrize("voxels", [labels(33), labels(32, (15, 16, 17)), labels(5).astype(np.float32)])
def test_a_volume_of_many_values_or_few_voxels_or_fractions_is_no_label_map(voxels):
    refuse_label_map(Volume(voxels, np.eye(4)))


def test_values_that_only_a_few_slices_hold_are_counted():
    voxels = np.zeros((40, 16, 16), np.int16)
    voxels[33] = np.arange(256).reshape(16, 16)
    refuse_label_map(Volume(voxels, np.eye(4)))
