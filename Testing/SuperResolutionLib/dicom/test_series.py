"""The right series is found, or the user is told which there are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from dicom_phantom import Phantom, item, noise, save
from SuperResolutionLib.dicom import list_series, read_dicom
from SuperResolutionLib.errors import RequestError


def refusal(path, series=None) -> str:
    """Return the message with which a series is refused."""
    with pytest.raises(RequestError) as caught:
        read_dicom(path, series)
    message = str(caught.value)
    assert "\n" not in message and ("accepted" in message or "choose one" in message)
    return message


def test_several_series_are_listed_and_none_is_taken(tmp_path):
    Phantom(noise(), series="1.5", description="T1").write(tmp_path / "a")
    Phantom(noise(), series="1.6", modality="CT", description="Bone").write(tmp_path / "b")
    message = refusal(tmp_path)
    assert "1.5 (MR, 'T1', 6 images)" in message and "1.6 (CT, 'Bone', 6 images)" in message


def test_a_series_is_chosen_by_its_uid(tmp_path):
    Phantom(noise(), series="1.5").write(tmp_path / "a")
    wanted = Phantom(noise() + 1, series="1.6", modality="CT").write(tmp_path / "b")
    np.testing.assert_array_equal(read_dicom(tmp_path, "1.6").voxels, wanted.stored)


def test_an_unknown_uid_is_answered_with_the_known_ones(tmp_path):
    Phantom(noise(), series="1.5").write(tmp_path)
    message = refusal(tmp_path, "1.7")
    assert "no series 1.7" in message and "1.5 (MR" in message


def test_the_only_image_volume_is_taken_among_other_objects(tmp_path):
    def localizer(image: Dataset, k: int) -> None:
        image.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]

    def report(image: Dataset, k: int) -> None:
        image.Modality, image.SOPClassUID = "SR", "1.2.840.10008.5.1.4.1.1.88.33"

    volume = Phantom(noise(), series="1.5").write(tmp_path / "a")
    Phantom(noise((3, 4, 4)), series="1.6", edit=localizer).write(tmp_path / "b")
    Phantom(noise((1, 4, 4)), series="1.7").write(tmp_path / "c")
    Phantom(noise((2, 4, 4)), series="1.8", edit=report).write(tmp_path / "d")
    np.testing.assert_array_equal(read_dicom(tmp_path).voxels, volume.stored)
    assert sorted(series.problem for series in list_series(tmp_path)) == ["", "a localizer", "a single image", "a structured report"]


def test_a_series_without_uids_is_a_series(tmp_path):
    def anonymous(image: Dataset, k: int) -> None:
        image.SeriesInstanceUID = image.StudyInstanceUID = ""

    phantom = Phantom(noise(), edit=anonymous).write(tmp_path)
    np.testing.assert_array_equal(read_dicom(tmp_path).voxels, phantom.stored)


def test_data_sets_stored_bare_are_read(tmp_path):
    phantom = Phantom(noise(), syntax=ImplicitVRLittleEndian).write(tmp_path)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        path.write_bytes(content[content.index(b"\x08\x00\x05\x00") :])
    (tmp_path / "other").write_bytes(b"\x08\x00" + bytes(range(256)) * 8)
    np.testing.assert_array_equal(read_dicom(tmp_path).voxels, phantom.stored)


def test_a_dicomdir_is_passed_over(tmp_path):
    phantom = Phantom(noise()).write(tmp_path)
    directory = replace(phantom, stored=phantom.stored[:1]).classic(0)
    directory.SOPClassUID = "1.2.840.10008.1.3.10"
    save(directory, tmp_path / "DICOMDIR", ExplicitVRLittleEndian)
    np.testing.assert_array_equal(read_dicom(tmp_path).voxels, phantom.stored)


def test_an_empty_folder_is_refused(tmp_path):
    assert "no DICOM images found" in refusal(tmp_path)


def test_a_missing_path_is_refused(tmp_path):
    assert "no such file or folder" in refusal(tmp_path / "nowhere")


def test_a_file_that_is_not_dicom_is_refused(tmp_path):
    (tmp_path / "notes").write_text("not an image " * 100)
    assert "not a DICOM image" in refusal(tmp_path / "notes")


@pytest.mark.parametrize(
    "modality, sop_class, name",
    [
        ("SEG", "1.2.840.10008.5.1.4.1.1.66.4", r"segmentation \(label map\)"),
        ("RTSTRUCT", "1.2.840.10008.5.1.4.1.1.481.3", "radiotherapy"),
        ("MR", "1.2.840.10008.5.1.4.1.1.66", "raw"),
        ("SR", "", "structured report"),
    ],
)
def test_an_object_that_is_no_image_is_refused_by_its_kind(tmp_path, modality, sop_class, name):
    def edit(image: Dataset, k: int) -> None:
        image.Modality, image.SOPClassUID = modality, sop_class
        del image.Rows

    image = Phantom(noise((1, 4, 4)), edit=edit).classic(0)
    image.file_meta = item(TransferSyntaxUID=ExplicitVRLittleEndian)
    image.SOPClassUID = sop_class or "1.2.3"
    save(image, tmp_path / "object.dcm")
    with pytest.raises(RequestError, match=name):
        read_dicom(tmp_path / "object.dcm")


@pytest.mark.parametrize("colours, samples", [("RGB", 3), ("PALETTE COLOR", 1)])
def test_colours_are_refused(tmp_path, colours, samples):
    def edit(image: Dataset, k: int) -> None:
        image.PhotometricInterpretation, image.SamplesPerPixel = colours, samples

    Phantom(noise(), edit=edit).write(tmp_path)
    assert f"colour images ({colours})" in refusal(tmp_path)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless], ids=["raw", "rle", "jpeg2000"])
@pytest.mark.parametrize("kept", [0.5, 0.95])
def test_a_slice_with_pixels_cut_off_is_refused_and_named(tmp_path, syntax, kept):
    Phantom(noise((6, 64, 64)), syntax=syntax).write(tmp_path)
    cut_off(tmp_path / "IM004", kept)
    assert "IM004" in refusal(tmp_path)


@pytest.mark.parametrize("kept", [0.06, 0.11])
def test_a_last_slice_cut_off_in_its_header_is_not_overlooked(tmp_path, kept):
    last = Phantom(noise((6, 64, 64))).write(tmp_path).file_name(5)
    cut_off(tmp_path / last, kept)
    assert last in refusal(tmp_path)


def cut_off(path, kept: float) -> None:
    """Keep a part of a file."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
