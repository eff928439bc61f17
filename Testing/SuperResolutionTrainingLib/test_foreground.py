import numpy as np

from SuperResolutionTrainingLib.foreground import content_blocks


def test_only_blocks_with_content_are_found():
    voxels = np.zeros((24, 16, 20), np.float32)
    voxels[9, 3, 12] = 5
    voxels[16:24, 8:16, 0:8] = 0.5  # content is contrast, not brightness
    np.testing.assert_array_equal(content_blocks(voxels), [[8, 0, 8]])


def test_without_any_content_all_blocks_are_found():
    assert len(content_blocks(np.zeros((16, 16, 16), np.float32))) == 8


def test_a_picture_has_blocks_of_one_slice():
    voxels = np.zeros((1, 20, 16), np.float32)
    voxels[0, 10, 10] = 1
    np.testing.assert_array_equal(content_blocks(voxels), [[0, 8, 8]])
