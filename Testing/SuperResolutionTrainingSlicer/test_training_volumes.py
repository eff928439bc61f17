"""Loaded volumes become training data without the patient's name."""

import numpy as np
import slicer
import slicer.util

from SuperResolutionLib.files import read_volume
from SuperResolutionTrainingLib.plain_data import build
from SuperResolutionTrainingLib.recipe import Scan
from SuperResolutionTrainingSlicer.training_volumes import subject_of, training_nodes, write_training_volumes


def into_patient(nodes, name):
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), name)
    study = hierarchy.CreateStudyItem(patient, "study")
    for node in nodes:
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), study)


def test_scans_of_one_patient_are_one_subject_and_in_one_split(heads, tmp_path):
    nodes = heads(4)
    into_patient(nodes[2:], "Doe^Jane")
    assert subject_of(nodes[2]) == subject_of(nodes[3]) != subject_of(nodes[0])
    scans = write_training_volumes(nodes, tmp_path)
    assert [scan["subject"] for scan in scans] == ["subject-1", "subject-2", "subject-3", "subject-3"]
    assert [scan["split"] for scan in scans] == ["train", "train", "validation", "validation"]


def test_nothing_that_is_written_names_the_patient(heads, tmp_path):
    nodes = heads(2)
    for node in nodes:
        node.SetName("Doe^Jane 1970-01-01")
    told = str(write_training_volumes(nodes, tmp_path))
    assert "Doe" not in told
    for path in tmp_path.iterdir():
        assert "Doe" not in path.name and b"Doe" not in path.read_bytes()


def test_the_files_hold_the_voxels_in_their_place(heads, tmp_path):
    nodes = heads(2)
    nodes[0].SetSpacing(0.5, 0.5, 2.0)
    nodes[0].SetOrigin(10, -20, 30)
    scans = write_training_volumes(nodes, tmp_path)
    written = read_volume(tmp_path / scans[0]["file"])
    np.testing.assert_array_equal(written.voxels, slicer.util.arrayFromVolume(nodes[0]))
    np.testing.assert_allclose(written.origin, (-10, 20, 30))
    assert [scan["axes"] for scan in scans] == ["ij", "ijk"]


def test_a_recipe_takes_the_scans(heads, tmp_path):
    scans = build(tuple[Scan, ...], write_training_volumes(heads(3), tmp_path), "scans")
    assert [scan.modality for scan in scans] == ["MR"] * 3


def test_label_maps_and_hidden_volumes_are_not_offered(heads):
    shown, hidden = heads(2)
    hidden.SetHideFromEditors(True)
    slicer.util.addVolumeFromArray(np.zeros((3, 3, 3), np.uint8), nodeClassName="vtkMRMLLabelMapVolumeNode")
    assert training_nodes() == [shown]
