"""What is no evenly spaced stack of parallel images is refused, and the message says where."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydicom import Dataset

from dicom_phantom import OBLIQUE, Phantom, noise
from SuperResolutionLib.dicom import read_dicom
from SuperResolutionLib.errors import RequestError


def refusal(folder, phantom: Phantom) -> str:
    """Write a series and return the one line with which it is refused."""
    phantom.write(folder)
    with pytest.raises(RequestError) as caught:
        read_dicom(folder)
    message = str(caught.value)
    assert "\n" not in message and "accepted" in message and str(folder) in message
    return message


def upright(edit=None, **changes) -> Phantom:
    phantom = Phantom(noise(), spacing=(1, 1, 3.0), origin=(0, 0, 100.0), **changes)
    return replace(phantom, edit=edit) if edit else phantom


def without(phantom: Phantom, folder, *lost: int) -> str:
    """Write a series without some slices and return the refusal."""
    phantom.write(folder)
    for k in lost:
        (folder / phantom.file_name(k)).unlink()
    with pytest.raises(RequestError) as caught:
        read_dicom(folder)
    return str(caught.value)


def test_a_missing_slice_is_refused_and_named(tmp_path):
    assert "missing slice at 106.000 mm" in without(upright(), tmp_path, 2)


def test_several_missing_slices_are_named_each(tmp_path):
    phantom = replace(upright(), stored=noise((12, 4, 4)))
    assert "missing slice at 106.000, 118.000, 121.000 mm" in without(phantom, tmp_path, 2, 6, 7)


def test_uneven_steps_are_refused_and_named(tmp_path):
    message = refusal(tmp_path, upright().moved(5, 0, 0, 1.0))
    assert "4 mm between 112.000 and 116.000, elsewhere 3 mm" in message


def test_a_slice_slightly_off_its_place_is_refused(tmp_path):
    assert "uneven steps" in refusal(tmp_path, upright().moved(2, 0, 0, 0.05))


def test_rounding_of_positions_is_tolerated(tmp_path):
    upright().moved(2, 0.004, -0.004, 0.005).write(tmp_path)
    assert read_dicom(tmp_path).spacing[2] == pytest.approx(3.0)


def test_a_slow_drift_of_the_steps_is_refused(tmp_path):
    def edit(image: Dataset, k: int) -> None:
        image.ImagePositionPatient = [0, 0, 3.0 * k if k < 20 else 60 + 3.025 * (k - 20)]

    assert "off the even line" in refusal(tmp_path, replace(upright(edit), stored=noise((40, 4, 4))))


def test_two_images_at_one_place_are_refused_and_their_difference_named(tmp_path):
    def edit(image: Dataset, k: int) -> None:
        image.ImagePositionPatient = [0, 0, 3.0 * (k // 2)]
        image.EchoTime = [10, 80][k % 2]

    message = refusal(tmp_path, upright(edit))
    assert "3 such pairs, at 0.000, 3.000, 6.000 mm" in message and "EchoTime" in message and "several echoes, phases" in message


def test_the_same_slice_twice_is_refused(tmp_path):
    assert "the same image twice?" in refusal(tmp_path, upright().moved(3, 0, 0, -3.0))


@pytest.mark.parametrize("directions", [np.eye(3), OBLIQUE], ids=["axial", "oblique"])
def test_a_tilted_gantry_is_refused_with_its_angle(tmp_path, directions):
    def edit(image: Dataset, k: int) -> None:
        image.ImagePositionPatient = (directions @ [0, 3 * k * np.tan(np.radians(15)), 3.0 * k]).tolist()
        image.GantryDetectorTilt = -15

    message = refusal(tmp_path, upright(edit, directions=directions, modality="CT"))
    assert "tilt of 15.00 degrees" in message and "GantryDetectorTilt is -15" in message


def test_a_slice_shifted_sideways_is_refused(tmp_path):
    assert "1.000 mm off the even line" in refusal(tmp_path, upright().moved(2, 1.0, 0, 0))


def test_slices_of_different_size_are_refused(tmp_path):
    def edit(image: Dataset, k: int) -> None:
        if k == 4:
            image.Rows = 9

    assert "differ in size" in refusal(tmp_path, upright(edit))


def test_slices_of_different_orientation_are_refused(tmp_path):
    def edit(image: Dataset, k: int) -> None:
        if k == 4:
            image.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]

    assert "differ in orientation, their normals by 90.000 degrees" in refusal(tmp_path, upright(edit))


def test_slices_of_different_pixel_spacing_are_refused(tmp_path):
    def edit(image: Dataset, k: int) -> None:
        if k == 4:
            image.PixelSpacing = [1, 1.01]

    assert "differ in pixel spacing" in refusal(tmp_path, upright(edit))


def test_one_slice_is_refused(tmp_path):
    assert "one slice" in refusal(tmp_path, replace(upright(), stored=noise((1, 4, 4))))


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_a_slice_that_does_not_say_where_it_is_is_refused(tmp_path, keyword):
    def edit(image: Dataset, k: int) -> None:
        if k == 1:
            delattr(image, keyword)

    message = refusal(tmp_path, upright(edit))
    assert f"{keyword} is missing" in message and "IM" in message


def test_an_orientation_that_is_none_is_refused(tmp_path):
    def edit(image: Dataset, k: int) -> None:
        image.ImageOrientationPatient = [1, 0, 0, 1, 0, 0]

    assert "perpendicular unit vectors" in refusal(tmp_path, upright(edit))


def test_a_lookup_table_of_values_is_refused(tmp_path):
    def edit(image: Dataset, k: int) -> None:
        image.ModalityLUTSequence = [Dataset()]

    assert "ModalityLUTSequence" in refusal(tmp_path, upright(edit))
