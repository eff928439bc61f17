"""Classic series are read with the right values at the right places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicom_phantom import OBLIQUE, Phantom, noise, read_with_itk, save
from SuperResolutionLib.dicom import read_dicom

SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEG2000Lossless,
]
# A permutation with reversed signs: sagittal slices, right-handed like every DICOM image.
SAGITTAL = np.array([[0.0, 0, -1], [1, 0, 0], [0, -1, 0]])


@pytest.mark.parametrize("directions", [np.eye(3), OBLIQUE, SAGITTAL, np.diag([-1.0, -1, 1]), np.diag([1.0, -1, -1])])
def test_geometry_comes_from_positions_and_equals_that_of_itk(tmp_path, directions):
    phantom = Phantom(noise(), directions).write(tmp_path)
    volume = read_dicom(tmp_path)
    np.testing.assert_array_equal(volume.voxels, phantom.stored)
    np.testing.assert_allclose(volume.affine, phantom.affine, atol=1e-6)
    values, affine = read_with_itk(tmp_path)
    np.testing.assert_array_equal(volume.voxels, values)
    np.testing.assert_allclose(volume.affine, affine, atol=1e-3)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name.split(" (")[0])
def test_every_transfer_syntax_gives_the_same_volume(tmp_path, syntax):
    phantom = Phantom(noise(low=-2000, high=2000, dtype=np.int16), syntax=syntax, modality="CT", slope=1, intercept=-24).write(tmp_path)
    volume = read_dicom(tmp_path)
    np.testing.assert_array_equal(volume.voxels, phantom.stored - 24)
    assert volume.voxels.dtype == np.int16


@pytest.mark.parametrize("enhanced", [False, True])
def test_big_endian_values_come_in_native_order(tmp_path, enhanced):
    phantom = Phantom(noise(), syntax=ExplicitVRBigEndian)
    if enhanced:
        save(phantom.enhanced(), tmp_path / "multi", ExplicitVRBigEndian)
    else:
        phantom.write(tmp_path)
    voxels = read_dicom(tmp_path).voxels
    assert voxels.dtype == np.uint16 and voxels.dtype.isnative
    np.testing.assert_array_equal(voxels, phantom.stored)


def test_the_last_position_is_exact_although_positions_are_rounded(tmp_path):
    rounded = Phantom(noise((40, 4, 4)), spacing=(1, 1, 0.6254))

    def edit(image: Dataset, k: int) -> None:
        image.ImagePositionPatient = [round(value, 2) for value in image.ImagePositionPatient]

    replace(rounded, edit=edit).write(tmp_path)
    last = read_dicom(tmp_path).points([0, 0, 39])
    np.testing.assert_allclose(last, np.round(rounded.position(39), 2), atol=1e-9)


def test_spacing_is_kept_apart_from_thickness(tmp_path):
    Phantom(noise(), spacing=(1, 1, 2.0)).write(tmp_path)
    volume = read_dicom(tmp_path)
    assert volume.spacing[2] == pytest.approx(2.0)
    assert volume.slice_thickness == 4.0


def test_headers_are_in_slice_order_and_without_pixels(tmp_path):
    phantom = Phantom(noise()).write(tmp_path)
    headers = read_dicom(tmp_path).headers
    positions = [list(header.ImagePositionPatient) for header in headers]
    np.testing.assert_allclose(positions, [phantom.position(k) for k in range(6)])
    assert not any("PixelData" in header for header in headers)


@pytest.mark.parametrize(
    "stored, slope, intercept, expected",
    [
        (noise(), None, None, np.uint16),
        (noise(), 1, 0, np.uint16),
        (noise(), 1, -1024, np.int16),
        (noise(low=-900, high=900, dtype=np.int16), 1, 0, np.int16),
        (noise(high=65000), 1, 10, np.uint16),
        (noise(high=65000), 1, -1024, np.int32),
        (noise(high=200, dtype=np.uint8), None, None, np.uint8),
        (noise(), 2.5, 0, np.float32),
        (noise(), 1, 0.5, np.float32),
    ],
)
def test_whole_numbers_stay_whole_in_the_smallest_type_that_fits(tmp_path, stored, slope, intercept, expected):
    Phantom(stored, modality="CT", slope=slope, intercept=intercept).write(tmp_path)
    volume = read_dicom(tmp_path)
    assert volume.voxels.dtype == expected
    np.testing.assert_allclose(volume.voxels, stored.astype(float) * (slope or 1) + (intercept or 0))


def test_slope_and_intercept_of_each_slice_are_applied(tmp_path):
    def edit(image: Dataset, k: int) -> None:
        image.RescaleSlope, image.RescaleIntercept = 1 + k / 4, 10 * k

    stored = Phantom(noise(), edit=edit).write(tmp_path).stored
    k = np.arange(6)[:, None, None]
    np.testing.assert_allclose(read_dicom(tmp_path).voxels, stored * (1 + k / 4) + 10 * k, rtol=1e-6)


@pytest.mark.parametrize("signed", [False, True])
def test_unused_high_bits_do_not_change_values(tmp_path, signed):
    values = noise(low=-2048, high=2048, dtype=np.int16) if signed else noise()
    dirty = (values.astype(np.uint16) & 0x0FFF) | (0 if signed else 0xA000)
    Phantom(dirty.astype(values.dtype), bits_stored=12).write(tmp_path)
    np.testing.assert_array_equal(read_dicom(tmp_path).voxels, values)


def test_padding_keeps_its_value(tmp_path):
    def edit(image: Dataset, k: int) -> None:
        image.add_new("PixelPaddingValue", "SS", -2000)

    stored = noise(low=-1000, high=1000, dtype=np.int16)
    stored[:, 0] = -2000
    Phantom(stored, modality="CT", edit=edit).write(tmp_path)
    assert (read_dicom(tmp_path).voxels[:, 0] == -2000).all()


def test_one_file_of_a_classic_series_stands_for_the_series(tmp_path):
    phantom = Phantom(noise()).write(tmp_path)
    replace(phantom, series="1.2.3.5").write(tmp_path / "other")
    for path in (tmp_path / "other").iterdir():
        path.rename(tmp_path / f"other-{path.name}")
    volume = read_dicom(tmp_path / "IM003")
    np.testing.assert_array_equal(volume.voxels, phantom.stored)


def test_files_of_other_kinds_and_subfolders_are_no_obstacle(tmp_path):
    phantom = Phantom(noise()).write(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "IM002").rename(tmp_path / "b" / "IM002")
    (tmp_path / "notes.txt").write_text("no images here, " * 20)
    (tmp_path / "empty").touch()
    np.testing.assert_array_equal(read_dicom(tmp_path).voxels, phantom.stored)
