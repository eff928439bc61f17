import numpy as np
import pytest

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.baselines import baselines, factor_between
from SuperResolutionTrainingLib.grid import same_grid

VOXELS = np.random.default_rng(0).integers(0, 1000, (12, 16, 20)).astype(np.int16)
FINE = Volume(VOXELS, np.diag([0.8, 0.9, 1.0, 1]), modality="MR", source="fine")


def stored_otherwise(volume: Volume) -> Volume:
    """Return the volume with its axes in another order and one of them reversed."""
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = volume.shape[2] - 1
    return Volume(volume.voxels[:, :, ::-1].transpose(1, 2, 0), volume.affine @ flip @ np.eye(4)[[1, 2, 0, 3]].T, modality="MR")


@pytest.mark.parametrize("axis", ["i", "j", "k"])
def test_the_factor_is_that_of_the_axis_that_is_finer(axis):
    assert factor_between(degrade(FINE, 4, axis, "mean"), FINE) == (axis, 4)


def test_axes_stored_in_another_order_do_not_matter():
    assert factor_between(degrade(FINE, 2, "k", "mean"), stored_otherwise(FINE)) == ("k", 2)


def test_all_three_axes_may_be_finer_alike():
    thick = degrade(degrade(degrade(FINE, 2, "i", "mean"), 2, "j", "mean"), 2, "k", "mean")
    assert factor_between(thick, FINE) == ("all", 2)


def test_volumes_that_are_not_finer_along_one_axis_are_refused_with_what_was_found():
    uneven = degrade(degrade(FINE, 2, "i", "mean"), 4, "k", "mean")
    for thick, found in ((FINE, "1 along i, 1 along j, 1 along k"), (uneven, "2 along i, 1 along j, 4 along k")):
        with pytest.raises(RequestError, match=f"longer than the candidate's by {found}; accepted is 2 to 8"):
            factor_between(thick, FINE)
    with pytest.raises(RequestError, match="12 along k"):
        factor_between(degrade(FINE, 12, "k", "mean"), FINE)


def test_every_interpolation_lies_on_the_grid_of_the_candidate():
    made = dict(baselines(degrade(FINE, 4, "k", "mean"), FINE))
    assert list(made) == ["nearest", "linear", "cubic", "lanczos"]
    assert all(same_grid(volume, FINE) for volume in made.values())
    np.testing.assert_array_equal(made["nearest"].voxels[0], made["nearest"].voxels[3])
