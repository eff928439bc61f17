from dataclasses import replace

import numpy as np
import pytest
from pydicom import Dataset

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.pairs import align


def field(points):
    """A smooth pattern in patient space, LPS mm."""
    x, y, z = np.moveaxis(points, -1, 0)
    return 400 + 100 * np.sin(x / 4 + 1) * np.cos(y / 5) + 90 * np.sin(z / 3.5 + x / 9) + 3 * z


def seen_at(shape, affine, source=""):
    volume = Volume(np.zeros(shape, np.float32), affine, source=source)
    k, j, i = np.indices(shape)
    return volume.with_voxels(field(volume.points(np.stack([i, j, k], axis=-1))).astype(np.float32))


def grid(origin=(0, 0, 0), spacing=(1, 1, 1), rotation=None):
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if rotation is None else rotation) * spacing
    affine[:3, 3] = origin
    return affine


THIN = seen_at((48, 24, 26), grid((-11, 5, 30)), "thin.nii")
THICK = replace(degrade(THIN, 4, "k"), source="thick.nii")


def test_the_truth_of_a_pair_is_the_thin_scan_itself_where_the_grids_fit():
    pair = align(THICK, THIN, 4)
    assert (pair.axis, pair.factor, pair.overlap) == ("k", 4, 1.0) and pair.correlation > 0.999999
    np.testing.assert_allclose(pair.fine.voxels, THIN.voxels, atol=0.02)
    np.testing.assert_allclose(pair.fine.affine, THIN.affine, atol=1e-9)
    np.testing.assert_array_equal(pair.thick.voxels, THICK.voxels)


def test_a_thin_scan_on_another_grid_is_interpolated_at_the_right_places():
    """Shifted by parts of a voxel, of other spacing: what counts is where in the patient a voxel is."""
    thin = seen_at((60, 32, 40), grid((-12.3, 3.6, 28.7), (0.8, 0.9, 0.9)))
    pair = align(THICK, thin, 4)
    truth = seen_at(pair.fine.shape, pair.fine.affine).voxels
    inner = (slice(2, -2),) * 3
    assert np.abs(pair.fine.voxels - truth)[inner].max() < 3 and pair.correlation > 0.999
    assert pair.fine.shape[0] == 4 * pair.thick.shape[0]


@pytest.mark.parametrize("turn", ["flipped", "sagittal"])
def test_a_thin_scan_with_its_axes_in_another_order_gives_the_same_pair(turn):
    shape = THIN.shape
    if turn == "flipped":
        change = np.diag([-1.0, 1, -1, 1])
        change[:3, 3] = (shape[2] - 1, 0, shape[0] - 1)
        thin = Volume(THIN.voxels[::-1, :, ::-1], THIN.affine @ change)
    else:
        thin = Volume(np.transpose(THIN.voxels, (2, 0, 1)), THIN.affine[:, [1, 2, 0, 3]])
    np.testing.assert_allclose(align(THICK, thin, 4).fine.voxels, THIN.voxels, atol=0.02)


def test_a_finer_thin_scan_is_averaged_over_the_voxels_of_the_truth():
    pair = align(THICK, THIN, 2)
    np.testing.assert_allclose(pair.fine.voxels, degrade(THIN, 2, "k").voxels, atol=0.02)


def test_only_what_the_thin_scan_covers_is_kept():
    part = Volume(THIN.voxels[6:44, :, 3:], THIN.affine @ grid((3, 0, 6)), source="thin.nii")
    pair = align(THICK, part, 4)
    assert pair.thick.shape == (9, 24, 23) and pair.overlap == pytest.approx(9 / 12 * 23 / 26)
    np.testing.assert_array_equal(pair.thick.voxels, THICK.voxels[2:11, :, 3:])
    np.testing.assert_allclose(pair.fine.voxels, THIN.voxels[8:44, :, 3:], atol=0.02)
    np.testing.assert_allclose(pair.thick.points([-0.5, -0.5, -0.5]), pair.fine.points([-0.5, -0.5, -0.5]), atol=1e-9)


def test_the_truth_takes_the_units_of_the_thick_scan():
    pair = align(THICK.with_voxels(0.25 * THICK.voxels - 80), THIN, 4)
    np.testing.assert_allclose(pair.fine.voxels, 0.25 * THIN.voxels - 80, atol=0.02)


def test_scans_that_overlap_little_are_refused():
    away = Volume(THIN.voxels, grid((-11, 5, 62)), source="thin.nii")
    with pytest.raises(RequestError, match="pair thick.nii and thin.nii: the thin scan covers 33% of the thick one; .* at least 50%"):
        align(THICK, away, 4)


def test_scans_that_are_tilted_against_each_other_are_refused():
    angle = np.radians(3)
    rotation = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    with pytest.raises(RequestError, match="tilted by 3.0 degrees against each other"):
        align(THICK, seen_at(THIN.shape, grid((-11, 5, 30), rotation=rotation)), 4)


def test_scans_of_different_things_are_refused_with_their_correlation():
    noise = THIN.with_voxels(np.random.default_rng(0).normal(size=THIN.shape).astype(np.float32))
    with pytest.raises(RequestError, match=r"correlates with the thick one by -?0\.\d{3}; accepted is from 0.95"):
        align(THICK, noise, 4)


def test_scans_that_fit_better_a_fine_slice_away_are_refused():
    moved = Volume(THIN.voxels, THIN.affine @ grid((0, 0, 1)))
    with pytest.raises(RequestError, match="when moved by a fine slice, by 0.9"):
        align(THICK, moved, 4)


def test_a_thin_scan_too_coarse_for_the_factor_is_refused():
    with pytest.raises(RequestError, match="factor 8 asks for 0.5 mm along k, the thin scan has 1 mm"):
        align(THICK, THIN, 8)


def test_scans_in_different_frames_of_reference_are_refused():
    one, other = Dataset(), Dataset()
    one.FrameOfReferenceUID, other.FrameOfReferenceUID = "1.2.3", "1.2.4"
    with pytest.raises(RequestError, match="frames of reference 1.2.3 and 1.2.4"):
        align(replace(THICK, headers=(one,)), replace(THIN, headers=(other,)), 4)
    assert align(replace(THICK, headers=(one,)), replace(THIN, headers=(one,)), 4)
