"""A scan teaches itself: from planes that are finer, outside the slab that it is judged by."""

from dataclasses import replace

import numpy as np
import pytest

from SuperResolutionLib.acquisition import Acquisition
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.own_pairs import OwnPairs, teaching_axes
from SuperResolutionTrainingLib.recipe import Augmentation, DrawnAcquisition, Patches, Recipe, Stage

RECIPE = Recipe(
    id="own",
    title="own",
    network="slice_stack",
    modalities=("MR",),
    stages=(Stage(1, {"l2": 1.0}),),
    acquisitions=(DrawnAcquisition("mean"),),
    patches=Patches(slices=4, plane=8, margin=1, batch=3),
    augmentation=Augmentation(noise=0.0, contrast_changes=0.0),
    seed=5,
)


def volume(spacing, shape=(10, 40, 40)):
    return Volume(np.zeros(shape, np.int16), np.diag([*spacing, 1.0]), "MR", source="knee.nrrd")


@pytest.fixture
def fine():
    """A volume that was made twice as fine along its first axis: 20 slices, of 10 thick ones."""
    return np.random.default_rng(0).random((20, 24, 28), dtype=np.float32)


def test_both_finer_axes_teach():
    assert teaching_axes(volume((1, 1, 4)), "k", 4) == {"i": 1, "j": 1}


def test_voxels_finer_than_wanted_are_averaged():
    assert teaching_axes(volume((0.5, 0.9, 4)), "k", 4) == {"i": 2, "j": 1}


def test_an_axis_that_is_as_coarse_does_not_teach():
    assert teaching_axes(volume((1, 4, 4)), "k", 4) == {"i": 1}


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (volume((1, 1, 1)), "voxels of 1 x 1 x 1 mm"),
        (volume((1, 1, 4), (10, 7, 7)), "long enough"),
        (volume((1, 1, 4), (5, 40, 40)), "5 slices along k; at least 6"),
    ],
)
def test_a_volume_that_cannot_teach_is_refused(of, words):
    with pytest.raises(RequestError, match="knee.nrrd") as caught:
        teaching_axes(of, "k", 4)
    assert words in str(caught.value)


def test_a_batch_depends_on_its_number_alone(fine):
    first, second = (OwnPairs(fine, [(1, 1), (2, 1)], 2, RECIPE) for _ in range(2))
    for side in (0, 1):
        np.testing.assert_array_equal(first.batch(7)[side], second.batch(7)[side])
        assert not np.array_equal(first.batch(7)[side], first.batch(8)[side])


def test_thick_patches_are_what_the_acquisition_makes_of_fine_ones(fine):
    recipe = replace(RECIPE, acquisitions=(DrawnAcquisition("gaussian"),))
    thick, truth, factor = OwnPairs(fine, [(1, 1), (2, 1)], 2, recipe).batch(0)
    assert (thick.shape, truth.shape, factor) == ((3, 4, 8, 8), (3, 8, 8, 8), 2)
    np.testing.assert_allclose(thick[1], Acquisition("gaussian", 2).operator(4)(truth[1], 0), atol=1e-6)


def test_of_two_acquisitions_both_are_drawn_and_judged_by(fine):
    recipe = replace(RECIPE, acquisitions=(DrawnAcquisition("mean"), DrawnAcquisition("gaussian")))
    pairs = OwnPairs(fine, [(1, 1)], 2, recipe)
    means = [
        np.allclose(thick, Acquisition("mean", 2).operator(4)(truth, 0), atol=1e-6)
        for number in range(8)
        for thick, truth in zip(*pairs.batch(number)[:2])
    ]
    assert 0 < sum(means) < len(means)
    assert len(pairs.held_out()) == 2


def test_no_batch_sees_the_slab_that_is_kept_apart(fine):
    marked = fine.copy()
    marked[8:12] = 100  # the two thick slices in the middle
    pairs = OwnPairs(marked, [(1, 1), (2, 1)], 2, RECIPE)
    assert max(pairs.batch(number)[1].max() for number in range(40)) <= 1
    for thick, truth in pairs.held_out():
        assert (truth == 100).all() and truth.shape[0] == 2 * thick.shape[0] and 4 in truth.shape[1:]


def test_averaged_axes_teach_at_the_spacing_that_is_wanted(fine):
    along_rows, along_columns = OwnPairs(fine, [(1, 2), (2, 1)], 2, RECIPE).held_out()
    assert (len(along_rows[1]), len(along_columns[1])) == (12, 28)
    np.testing.assert_allclose(along_rows[1][0], fine[8:12, :2].mean(axis=1), atol=1e-6)
