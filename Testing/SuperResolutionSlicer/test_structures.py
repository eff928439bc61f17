import numpy as np
import pytest
import slicer
import slicer.util

from SuperResolutionSlicer import crosshair
from SuperResolutionSlicer.structures import KNEE, Structures

PLACE = (11.0, -22.5, 33.0)


@pytest.fixture
def structures(scene):
    return Structures()


def count_lists() -> int:
    return slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode")


def test_the_list_starts_with_the_structures_of_the_knee_and_leaves_the_scene_alone(structures):
    assert structures.names() == list(KNEE)
    assert structures.position("ACL") is None
    assert count_lists() == 0


def test_the_place_of_the_crosshair_is_stored_for_one_name(structures):
    crosshair.put_at(PLACE)
    assert structures.store("PCL") == PLACE
    assert structures.position("PCL") == pytest.approx(PLACE)
    assert structures.position("ACL") is None
    assert count_lists() == 1 and structures.names() == list(KNEE)


def test_jumping_brings_the_structure_to_the_middle_of_every_view(views, structures):
    crosshair.put_at(PLACE)
    structures.store("Meniscus")
    crosshair.put_at((0, 0, 0))
    assert structures.jump("Meniscus") is True
    assert crosshair.position() == pytest.approx(PLACE)
    for name in views.sliceViewNames():
        node = views.sliceWidget(name).mrmlSliceNode()
        width, height, _ = node.GetDimensions()
        middle = slicer.util.arrayFromVTKMatrix(node.GetXYToRAS()) @ [width / 2, height / 2, 0, 1]
        assert middle[:3] == pytest.approx(PLACE, abs=1e-6)


def test_without_a_place_there_is_nowhere_to_jump(structures):
    crosshair.put_at(PLACE)
    assert structures.jump("ACL") is False
    assert crosshair.position() == PLACE


def test_names_are_added_renamed_and_removed(structures):
    crosshair.put_at(PLACE)
    structures.store("ACL")
    structures.add(" Popliteus ")
    structures.rename("ACL", "Anterior cruciate ligament")
    structures.remove("PCL")
    assert structures.names() == ["Anterior cruciate ligament", *KNEE[2:], "Popliteus"]
    assert structures.position("Anterior cruciate ligament") == pytest.approx(PLACE)
    assert structures.position("Popliteus") is None


def test_all_names_can_go_without_the_knee_coming_back(structures):
    for name in KNEE:
        structures.remove(name)
    assert Structures().names() == []


@pytest.mark.parametrize("name", ["", "  ", "PCL"])
def test_a_name_must_be_there_once(structures, name):
    for change in (structures.add, lambda new: structures.rename("ACL", new)):
        with pytest.raises(ValueError, match="neither empty nor in the list"):
            change(name)
    assert structures.names() == list(KNEE)


def test_a_name_that_is_not_in_the_list_is_refused(structures):
    for do in (structures.store, structures.jump, structures.remove, structures.position):
        with pytest.raises(ValueError, match="structure 'Patella': accepted are ACL, PCL"):
            do("Patella")


def test_the_list_is_saved_with_the_scene_places_or_not(structures, tmp_path):
    crosshair.put_at(PLACE)
    structures.store("ACL")
    structures.add("Popliteus")
    assert slicer.app.applicationLogic().SaveSceneToSlicerDataBundleDirectory(str(tmp_path), None)
    slicer.mrmlScene.Clear(0)
    assert structures.names() == list(KNEE)
    slicer.mrmlScene.SetURL(str(next(tmp_path.glob("*.mrml"))))
    assert slicer.mrmlScene.Connect()
    assert structures.names() == [*KNEE, "Popliteus"]
    assert np.allclose(structures.position("ACL"), PLACE) and structures.position("Popliteus") is None


def test_other_point_lists_are_not_touched(structures):
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "mine")
    structures.add("Popliteus")
    assert other.GetNumberOfControlPoints() == 0 and structures.node is not other
