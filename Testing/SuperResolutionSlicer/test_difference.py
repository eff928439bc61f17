import numpy as np
import pytest
import slicer
import slicer.util

from SuperResolutionSlicer.difference import make_difference


@pytest.fixture
def pair(scene):
    """A result and an interpolation on one grid, of a type whose difference does not fit in."""
    rng = np.random.default_rng(1)
    arrays = [rng.integers(0, 60000, (4, 5, 6)).astype(np.uint16) for _ in range(2)]
    return [slicer.util.addVolumeFromArray(array, name=name) for array, name in zip(arrays, ("fast", "cubic"), strict=True)]


def test_the_difference_is_result_minus_interpolation(pair):
    fast, cubic = (slicer.util.arrayFromVolume(node).astype(float) for node in pair)
    assert slicer.util.arrayFromVolume(make_difference(*pair)) == pytest.approx(fast - cubic)


def test_it_has_the_place_and_the_transform_of_the_result(pair):
    result, cubic = pair
    for node in pair:
        node.SetOrigin(1, 2, 3)
        node.SetSpacing(0.5, 0.6, 0.7)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    result.SetAndObserveTransformNodeID(transform.GetID())
    node = make_difference(result, cubic)
    assert (node.GetOrigin(), node.GetSpacing()) == ((1, 2, 3), (0.5, 0.6, 0.7))
    assert node.GetTransformNodeID() == transform.GetID()


def test_it_lies_beside_the_result_under_a_name_that_says_what_it_is(pair):
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(pair[0]), study)
    node = make_difference(*pair)
    assert node.GetName() == "fast − cubic"
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study


def test_zero_is_in_the_middle_of_its_window(pair):
    display = make_difference(*pair).GetDisplayNode()
    assert display.GetLevel() == 0 and not display.GetAutoWindowLevel()
    assert 0 < display.GetWindow() <= 2 * 60000


def test_a_second_difference_of_the_same_two_is_the_same_node(pair):
    node = make_difference(*pair)
    slicer.util.arrayFromVolume(pair[0])[...] = 7
    assert make_difference(*pair) is node
    assert slicer.util.arrayFromVolume(node) == pytest.approx(7.0 - slicer.util.arrayFromVolume(pair[1]))


def test_volumes_on_different_grids_are_refused(pair):
    pair[1].SetOrigin(0, 0, 0.1)
    with pytest.raises(ValueError, match="^cubic: voxels .* accepted is the grid of fast"):
        make_difference(*pair)
