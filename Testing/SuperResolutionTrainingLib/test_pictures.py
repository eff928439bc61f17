from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.pictures import comparison_picture
from SuperResolutionTrainingLib.planes import VIEWS, anatomical_axes, plane_through, telling_point

SAGITTAL, CORONAL, AXIAL = VIEWS
TURN = np.array([[0.98, -0.199, 0], [0.199, 0.98, 0], [0, 0, 1]])
ORIENTATIONS = {
    "axial": np.eye(3),
    "sagittal": np.array([[0, 0, -1], [1, 0, 0], [0, -1, 0]]),
    "coronal": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "left-handed": np.diag([-1, 1, -1]) @ np.array([[0, 0, -1], [1, 0, 0], [0, 1, 0]]),
    "oblique": TURN @ np.array([[0, 0, -1], [1, 0, 0], [0, -1, 0]]),
}


def coordinate(directions: np.ndarray, patient_axis: int) -> Volume:
    """A volume whose intensities are the L, P or S coordinate of each voxel."""
    affine = np.eye(4)
    affine[:3, :3] = directions * [0.5, 0.75, 2]
    affine[:3, 3] = [-3, 4, 9]
    k, j, i = np.indices((6, 9, 11))
    volume = Volume(k, affine)
    return volume.with_voxels(volume.points(np.stack([i, j, k], axis=-1))[..., patient_axis])


@pytest.mark.parametrize("name", ORIENTATIONS)
@pytest.mark.parametrize(("view", "right", "down"), [(SAGITTAL, (1, 1), (2, -1)), (CORONAL, (0, 1), (2, -1)), (AXIAL, (0, 1), (1, 1))])
def test_anterior_and_superior_are_up_and_the_patients_right_is_at_the_left(name, view, right, down):
    for (axis, sense), dimension in ((right, 1), (down, 0)):
        volume = coordinate(ORIENTATIONS[name], axis)
        pixels = plane_through(volume, view, volume.points(np.array([5, 4, 3]))).pixels
        assert (np.diff(pixels, axis=dimension) * sense > 0).all()


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_the_plane_passes_through_the_point(name):
    volume = coordinate(ORIENTATIONS[name], 0)
    pixels = plane_through(volume, SAGITTAL, volume.points(np.array([5, 4, 3]))).pixels
    assert volume.voxels[3, 4, 5] in pixels


def test_the_extent_is_the_physical_size_of_the_plane():
    volume = coordinate(ORIENTATIONS["sagittal"], 0)  # i runs backwards, j downwards, k to the right
    left, right, bottom, top = plane_through(volume, SAGITTAL, volume.origin).extent
    assert right - left == pytest.approx(11 * 0.5) and abs(top - bottom) == pytest.approx(9 * 0.75)
    left, right, bottom, top = plane_through(volume, CORONAL, volume.origin).extent
    assert right - left == pytest.approx(6 * 2)


def test_thick_and_fine_planes_of_one_field_of_view_have_one_extent():
    fine = coordinate(ORIENTATIONS["oblique"], 0)
    thick = fine.regridded(fine.voxels.reshape(3, 2, 9, 11).mean(axis=1), "k", 2)
    assert plane_through(thick, AXIAL, fine.origin).extent == pytest.approx(plane_through(fine, AXIAL, fine.origin).extent)


def test_axes_are_named_after_the_patient_axis_that_they_are_nearest_to():
    assert anatomical_axes(coordinate(ORIENTATIONS["oblique"], 0)) == (2, 0, 1)
    assert anatomical_axes(coordinate(ORIENTATIONS["axial"], 0)) == (0, 1, 2)


def test_the_telling_point_lies_where_the_detail_is():
    voxels = np.zeros((30, 30, 30))
    voxels[12:15, 16:19, 14:17] = np.random.default_rng(0).uniform(1, 2, (3, 3, 3))
    assert telling_point(Volume(voxels, np.eye(4))) == pytest.approx([15, 17, 13], abs=2)


@pytest.fixture
def scene() -> tuple[Volume, Volume, Volume]:
    truth = coordinate(ORIENTATIONS["oblique"], 2)
    truth = truth.with_voxels(100 + 50 * np.sin(truth.voxels) + np.random.default_rng(0).normal(0, 5, truth.shape))
    thick = truth.regridded(truth.voxels.reshape(3, 2, 9, 11).mean(axis=1), "k", 2)
    repeated = truth.with_voxels(np.repeat(thick.voxels, 2, axis=0))
    return thick, repeated, truth


def test_the_picture_is_one_png_of_fit_size(tmp_path, scene):
    thick, repeated, truth = scene
    comparison_picture(tmp_path / "picture.png", thick, {"cubic": repeated, "network": truth}, truth)
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]
    pixels = imread(tmp_path / "picture.png")
    assert 1600 <= pixels.shape[1] <= 2400 and 400 <= pixels.shape[0] <= 2400


def test_no_difference_is_shown_black(tmp_path, scene):
    _, repeated, truth = scene
    comparison_picture(tmp_path / "picture.png", None, {"a": repeated, "b": truth}, truth)
    pixels = imread(tmp_path / "picture.png")[..., :3]
    rows = slice(80, pixels.shape[0] - 150)
    columns = pixels.shape[1] // 5
    wrong, right = (pixels[rows, n * columns + columns // 4 : (n + 1) * columns - columns // 4] for n in (3, 4))
    assert wrong.max() > 0.5 and right.max() < 0.1


def test_a_candidate_on_another_grid_is_brought_onto_the_truth_s(tmp_path, scene):
    thick, _, truth = scene
    comparison_picture(tmp_path / "picture.png", thick, {"thick": thick, "moved": replace(truth, affine=truth.affine)}, truth)
    assert (tmp_path / "picture.png").stat().st_size > 10_000
