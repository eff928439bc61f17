"""The engine sees a volume node as it is: its voxels, its place in LPS, what DICOM says of it; what it cannot take is refused."""

import numpy as np
import pytest
import slicer
import slicer.util
import vtk

from SuperResolutionLib.errors import RequestError
from SuperResolutionSlicer.volume_nodes import reasons_against, stated_modality, volume_of

NOISE = np.random.default_rng(0).integers(0, 1000, (6, 10, 12))


def add(voxels=NOISE, kind=np.int16, to_ras=None):
    """Add a volume node named knee."""
    return slicer.util.addVolumeFromArray(np.asarray(voxels).astype(kind), to_ras, "knee")


def set_dicom_modality(node, modality):
    """Say the modality where Slicer's DICOM import does."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    hierarchy.SetItemAttribute(hierarchy.GetItemByDataNode(node), "DICOM.Modality", modality)


def test_the_voxels_are_a_view_and_their_place_is_in_lps(scene):
    sheared = np.array([[0.7, 0.1, 0.6, 10], [0, -0.7, -0.4, 20], [0.1, 0, 3.0, 30], [0, 0, 0, 1]])
    node = add(to_ras=sheared)
    volume = volume_of(node)
    assert volume.shape == (6, 10, 12) and volume.source == "knee"
    assert np.shares_memory(volume.voxels, slicer.util.arrayFromVolume(node))
    np.testing.assert_allclose(volume.affine, np.diag([-1, -1, 1, 1]) @ sheared, atol=1e-9)
    np.testing.assert_allclose(volume.points((3, 4, 5)), (np.array([-1, -1, 1]) * (sheared @ (3, 4, 5, 1))[:3]), atol=1e-9)


def test_a_transform_above_the_volume_does_not_move_its_voxels(scene):
    node = add()
    before = volume_of(node).affine
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.diag([-1.0, -1, 1, 1])))
    node.SetAndObserveTransformNodeID(transform.GetID())
    np.testing.assert_array_equal(volume_of(node).affine, before)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_numbers_of_every_usual_type_are_accepted(kind, scene):
    node = add(kind=kind)
    assert reasons_against(node) == []
    assert volume_of(node).voxels.dtype == kind


def test_the_modality_is_the_one_of_the_dicom_series(scene):
    node = add()
    assert stated_modality(node) is None
    set_dicom_modality(node, "CT")
    assert stated_modality(node) == volume_of(node).modality == "CT"


def test_the_modality_is_else_the_one_of_the_file(scene):
    node = add()
    node.SetAttribute("modality", "MR")
    assert stated_modality(node) == "MR"
    set_dicom_modality(node, "CT")
    assert stated_modality(node) == "CT"


def test_a_modality_that_the_engine_does_not_know_is_not_stated(scene):
    node = add()
    set_dicom_modality(node, "PT")
    assert stated_modality(node) is None


def test_colours_are_refused(scene):
    node = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photo")
    image = vtk.vtkImageData()
    image.SetDimensions(4, 4, 4)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    node.SetAndObserveImageData(image)
    assert reasons_against(node) == ["photo: 3 values in each voxel; accepted is one number"]
    with pytest.raises(RequestError, match="photo: 3 values"):
        volume_of(node)


def test_a_node_without_voxels_is_refused(scene):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    assert reasons_against(node) == ["empty: has no voxels; accepted are volumes with an image"]
    node.SetAndObserveImageData(vtk.vtkImageData())
    assert reasons_against(node) == ["empty: has no voxels; accepted are volumes with an image"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_single_voxel_that_is_no_finite_number_is_found(value, scene):
    holed = NOISE.astype(np.float32)
    holed[3, 4, 5] = value
    assert reasons_against(add(holed, np.float32)) == ["knee: holds NaN or infinite voxels; accepted are finite voxels"]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_single_slice_is_refused_whichever_way_it_lies(axis, scene):
    (reason,) = reasons_against(add(NOISE.take([0], axis)))
    assert reason == "knee: one slice; accepted are volumes of at least two voxels along each axis"


def test_every_reason_is_given(scene):
    flat = np.full((1, 8, 9), np.nan, np.float32)
    assert [reason.split("; ")[0] for reason in reasons_against(add(flat, np.float32))] == [
        "knee: one slice",
        "knee: holds NaN or infinite voxels",
    ]


def test_axes_that_lie_in_one_plane_are_refused(scene):
    flat = np.diag([1.0, 1, 1, 1])
    flat[:3, 2] = 1, 1, 0
    (reason,) = reasons_against(add(to_ras=flat))
    assert "knee: affine" in reason and "singular" in reason
