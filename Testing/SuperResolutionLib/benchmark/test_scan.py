import numpy as np
import pytest

from SuperResolutionLib.benchmark.scan import SPACING, make_scan


def test_the_scan_is_always_the_same():
    first, second = make_scan((4, 24, 32)), make_scan((4, 24, 32))
    assert np.array_equal(first.voxels, second.voxels)
    assert first.voxels.dtype == np.int16 and first.voxels.shape == (4, 24, 32) and first.spacing == pytest.approx(SPACING)


def test_the_scan_is_a_body_in_air_with_a_range_like_that_of_mr():
    voxels = make_scan((8, 64, 64)).voxels
    assert voxels.min() >= 0 and 700 < voxels.max() < 1200
    corner, centre = voxels[:, :6, :6], voxels[:, 24:40, 24:40]
    assert corner.mean() < 25 and 500 < centre.mean() < 750 and centre.std() > 50
