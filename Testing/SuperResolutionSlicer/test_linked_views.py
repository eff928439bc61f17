import numpy as np
import pytest
import slicer
import slicer.util

from SuperResolutionSlicer.linked_views import OneWindow, scale_to_show, set_scale


@pytest.fixture
def displays(scene):
    """The displays of three volumes with grey windows of their own."""
    nodes = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeDisplayNode") for _ in range(3)]
    for number, node in enumerate(nodes, 1):
        node.SetAutoWindowLevel(False)
        node.SetWindowLevel(100 * number, 50 * number)
    return nodes


def windows_of(displays):
    return [(each.GetWindow(), each.GetLevel()) for each in displays]


def test_linked_volumes_take_the_window_of_the_first_and_then_that_of_whichever_changes(displays):
    window = OneWindow()
    window.link(displays)
    assert windows_of(displays) == 3 * [(100, 50)]
    displays[2].SetWindowLevel(70, 30)
    assert windows_of(displays) == 3 * [(70, 30)]


def test_volumes_that_are_no_longer_linked_keep_windows_of_their_own(displays):
    window = OneWindow()
    window.link(displays)
    window.link(displays[1:])
    displays[0].SetWindowLevel(7, 3)
    assert windows_of(displays) == [(7, 3), (100, 50), (100, 50)]
    window.unlink()
    displays[1].SetWindowLevel(8, 4)
    assert windows_of(displays)[2] == (100, 50)


def test_the_smallest_view_shows_all_of_the_volume_and_the_others_at_its_scale(scene):
    volume = slicer.util.addVolumeFromArray(np.ones((4, 30, 50), np.int16), np.diag([2.0, 1.0, 1.0, 1.0]), "wide")
    plane = np.eye(4)
    plane[:2, 3] = 49, 14.5  # the middle of 100 mm × 30 mm
    views = [slicer.vtkMRMLSliceNode() for _ in range(2)]
    for view, width in zip(views, (400, 200)):
        view.SetDimensions(width, 300, 1)
    scale = scale_to_show(volume, plane, views)
    assert 100 / 200 < scale < 1.05 * 100 / 200
    for view, width in zip(views, (400, 200)):
        set_scale(view, scale)
        assert np.allclose(view.GetFieldOfView()[:2], (scale * width, scale * 300))
