"""A written series is a new, complete one of the same patient and study, at the same places and with the same values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.uid import CTImageStorage, JPEGBaseline8Bit, MRImageStorage

from dicom_phantom import OBLIQUE, Phantom, noise, read_with_itk, save
from SuperResolutionLib.dicom import read_dicom, write_dicom
from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.provenance import Provenance
from SuperResolutionLib.volume import Volume

MADE = Provenance("mr-fast", "ab" * 32, 2, "k", "mean", "0.2", "0.01", "1.2.3")


@pytest.fixture
def source(tmp_path) -> Volume:
    """An oblique series as read from disk."""
    Phantom(noise(), OBLIQUE).write(tmp_path / "source")
    return read_dicom(tmp_path / "source")


def finer(volume: Volume, axis: str = "k") -> Volume:
    """Return a volume with twice the voxels along an axis."""
    return replace(volume.regridded(np.repeat(volume.voxels, 2, axis="kji".index(axis)), axis, 0.5), provenance=MADE)


def written(volume: Volume, folder) -> list[Dataset]:
    """Write a series and return its images by name."""
    write_dicom(volume, folder)
    return [pydicom.dcmread(path) for path in sorted(folder.iterdir())]


@pytest.mark.parametrize("axis", ["i", "j", "k"])
def test_the_result_is_read_back_the_same_by_us_and_by_itk(tmp_path, source, axis):
    result = finer(source, axis)
    write_dicom(result, tmp_path / "out")
    again = read_dicom(tmp_path / "out")
    np.testing.assert_array_equal(again.voxels, result.voxels)
    assert again.voxels.dtype == result.voxels.dtype
    np.testing.assert_allclose(again.affine, result.affine, atol=1e-6)
    values, affine = read_with_itk(tmp_path / "out")
    np.testing.assert_array_equal(values, result.voxels)
    np.testing.assert_allclose(affine, result.affine, atol=1e-3)


@pytest.mark.parametrize("flipped", [0, 1, 2])
def test_left_handed_volumes_cover_the_same_points_with_the_same_values(tmp_path, flipped):
    affine = Phantom(noise(), OBLIQUE).affine
    affine[:3, flipped] *= -1
    volume = Volume(noise(), affine, "MR")
    write_dicom(volume, tmp_path / "out")
    again = read_dicom(tmp_path / "out")
    assert np.linalg.det(again.affine[:3, :3]) > 0
    np.testing.assert_array_equal(again.voxels, volume.voxels[::-1])
    np.testing.assert_allclose(again.points([3, 4, 0]), volume.points([3, 4, 5]), atol=1e-6)
    np.testing.assert_allclose(again.points([3, 4, 5]), volume.points([3, 4, 0]), atol=1e-6)


def test_an_orientation_rounded_to_four_digits_is_written_as_it_was_read(tmp_path):
    def edit(image: Dataset, k: int) -> None:
        image.ImageOrientationPatient = [round(value, 4) for value in image.ImageOrientationPatient]

    Phantom(noise((40, 4, 4)), OBLIQUE, edit=edit).write(tmp_path / "source")
    source = read_dicom(tmp_path / "source")
    assert not source.is_orthogonal(1e-5)
    write_dicom(source, tmp_path / "out")
    np.testing.assert_allclose(read_dicom(tmp_path / "out").affine, source.affine, atol=1e-6)


@pytest.mark.parametrize(
    "voxels",
    [
        noise(),
        noise(low=-1000, high=3000, dtype=np.int16),
        noise(low=0, high=3000, dtype=np.int16),
        noise(low=-30000, high=35000, dtype=np.int32),
        noise(low=100_000, high=160_000, dtype=np.int32),
        noise(high=255, dtype=np.uint8),
    ],
)
@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_whole_numbers_are_kept_exactly(tmp_path, voxels, modality):
    write_dicom(Volume(voxels, np.eye(4), modality), tmp_path / "out")
    np.testing.assert_array_equal(read_dicom(tmp_path / "out").voxels, voxels)
    np.testing.assert_array_equal(read_with_itk(tmp_path / "out")[0], voxels)


@pytest.mark.parametrize("low, high", [(-1024.3, 3071.7), (0.0, 1e-6), (1e6, 1e6 + 3), (-5.0, 1e9)])
def test_floating_point_numbers_are_kept_to_a_65000th_of_their_range(tmp_path, low, high):
    voxels = np.random.default_rng(0).uniform(low, high, (4, 16, 16))
    write_dicom(Volume(voxels, np.eye(4), "MR"), tmp_path / "out")
    values, _ = read_with_itk(tmp_path / "out")
    assert np.abs(values - voxels).max() < np.ptp(voxels) / 65000


def test_a_constant_volume_is_kept(tmp_path):
    write_dicom(Volume(np.full((3, 4, 5), 2.5), np.eye(4)), tmp_path / "out")
    assert (read_dicom(tmp_path / "out").voxels == 2.5).all()


def test_patient_study_and_frame_of_reference_are_kept_and_the_series_is_new(tmp_path, source):
    images = written(finer(source), tmp_path / "out")
    first = images[0]
    patient = ("PatientName", "PatientID", "PatientBirthDate")
    for keyword in (*patient, "StudyInstanceUID", "StudyDate", "AccessionNumber", "FrameOfReferenceUID"):
        assert first[keyword].value == source.headers[0][keyword].value
    assert str(first.PatientName) == "Müller^Jörg"
    assert {image.SeriesInstanceUID for image in images} == {first.SeriesInstanceUID} != {source.headers[0].SeriesInstanceUID}
    known = {header.SOPInstanceUID for header in source.headers}
    assert len({image.SOPInstanceUID for image in images} - known) == len(images) == 12
    assert (first.SeriesNumber, first.SeriesDescription) == (1006, "T2 thick SR x2 mr-fast")
    assert first.SOPClassUID == first.file_meta.MediaStorageSOPClassUID == MRImageStorage


def test_geometry_attributes_follow_the_affine(tmp_path, source):
    result = finer(finer(source), "j")
    images = written(result, tmp_path / "out")
    assert (images[0].Rows, images[0].Columns) == (20, 12)
    assert [float(value) for value in images[0].PixelSpacing] == pytest.approx([0.375, 0.5])
    assert (float(images[0].SliceThickness), float(images[0].SpacingBetweenSlices)) == pytest.approx((2.0, 1.5))
    for k, image in enumerate(images):
        np.testing.assert_allclose(image.ImagePositionPatient, result.points([0, 0, k]), atol=1e-6)
        assert image.InstanceNumber == k + 1
    locations = [float(image.SliceLocation) for image in images]
    np.testing.assert_allclose(np.diff(locations), 1.5, atol=1e-6)


def test_every_image_says_how_it_was_made(tmp_path, source):
    image = written(finer(source), tmp_path / "out")[3]
    assert list(image.ImageType) == ["DERIVED", "SECONDARY", "AXIAL"]
    assert image.DerivationDescription == MADE.describe()
    assert image.DerivationCodeSequence[0].CodeValue == "113085"
    references = [reference.ReferencedSOPInstanceUID for reference in image.SourceImageSequence]
    assert references == [header.SOPInstanceUID for header in source.headers]
    equipment = image.ContributingEquipmentSequence[-1]
    assert (equipment.Manufacturer, equipment.ManufacturerModelName, equipment.SoftwareVersions) == ("SuperResolution", "mr-fast", "1.2.3")
    assert MADE.model_sha256 in equipment.ContributionDescription and MADE.notice in equipment.ContributionDescription
    assert equipment.PurposeOfReferenceCodeSequence[0].CodeValue == "109103"
    assert image.BurnedInAnnotation == "NO"


def test_what_differs_between_slices_or_is_private_is_not_kept(tmp_path):
    def edit(image: Dataset, k: int) -> None:
        image.EchoTime, image.TriggerTime = 91, 10.0 * k
        image.add_new(0x60003000, "OW", b"\0\0")
        image.LossyImageCompression = "00"

    Phantom(noise(), edit=edit).write(tmp_path / "source")
    image = written(finer(read_dicom(tmp_path / "source")), tmp_path / "out")[0]
    assert image.EchoTime == 91 and image.BodyPartExamined == "KNEE" and image.LossyImageCompression == "00"
    assert "TriggerTime" not in image
    assert not [element.tag for element in image if element.tag.is_private or element.tag.group == 0x6000]


def test_the_headers_of_the_source_are_left_alone(tmp_path, source):
    before = [header.to_json() for header in source.headers]
    write_dicom(finer(source), tmp_path / "out")
    assert [header.to_json() for header in source.headers] == before


def test_a_source_with_lossy_pixels_stays_marked_as_lossy(tmp_path, source):
    source.headers[2].file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    assert written(source, tmp_path / "out")[0].LossyImageCompression == "01"


def test_window_is_that_of_the_source_or_fits_the_values(tmp_path):
    def edit(image: Dataset, k: int) -> None:
        image.WindowCenter, image.WindowWidth = 40, 400 if image.Modality == "CT" else 400 + k

    for modality in ("CT", "MR"):
        Phantom(noise(), modality=modality, edit=edit).write(tmp_path / modality)
    copied = written(read_dicom(tmp_path / "CT"), tmp_path / "a")[0]
    assert (float(copied.WindowCenter), float(copied.WindowWidth)) == (40, 400)
    fitted = written(read_dicom(tmp_path / "MR"), tmp_path / "b")[0]
    assert 1900 < float(fitted.WindowCenter) < 2200 and 3500 < float(fitted.WindowWidth) < 4096


def test_smallest_and_largest_pixel_are_those_of_the_slice(tmp_path):
    voxels = noise(low=-1000, high=1000, dtype=np.int16)
    images = written(Volume(voxels, np.eye(4), "CT"), tmp_path / "out")
    found = [(image.SmallestImagePixelValue, image.LargestImagePixelValue) for image in images]
    assert found == [(plane.min(), plane.max()) for plane in voxels]


@pytest.mark.parametrize("modality, storage", [("MR", MRImageStorage), ("CT", CTImageStorage)])
def test_an_enhanced_source_gives_classic_images(tmp_path, modality, storage):
    (tmp_path / "source").mkdir()
    save(Phantom(noise(), OBLIQUE, modality=modality).enhanced(), tmp_path / "source" / "multi.dcm")
    source = read_dicom(tmp_path / "source")
    before = source.headers[0].to_json()
    image = written(finer(source), tmp_path / "out")[0]
    assert image.SOPClassUID == storage
    enhanced_only = {"NumberOfFrames", "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence", "StackID", "EffectiveEchoTime"}
    assert not enhanced_only & set(image.dir())
    assert (image.RepetitionTime, image.EchoTime, image.FlipAngle) == (4000, 91.25, 120)
    assert image.PatientID == "id 7" and len(image.SourceImageSequence) == 1
    np.testing.assert_allclose(read_dicom(tmp_path / "out").affine, finer(source).affine, atol=1e-6)
    assert source.headers[0].to_json() == before


@pytest.mark.parametrize("modality", [None, "MR", "CT"])
def test_a_volume_without_headers_gets_a_study_of_its_own(tmp_path, modality):
    images = written(Volume(noise(), np.eye(4), modality), tmp_path / "out")
    assert images[0].Modality == (modality or "MR")
    assert images[0].StudyInstanceUID and images[0].FrameOfReferenceUID
    assert images[0].PatientName == "" and images[0].PatientID == "" and images[0].StudyDate == ""
    assert "SourceImageSequence" not in images[0]
    assert images[0].RescaleType == ("HU" if modality == "CT" else "US")


def test_long_descriptions_are_cut_to_what_the_standard_allows(tmp_path, source):
    for header in source.headers:
        header.SeriesDescription = "x" * 64
    made = replace(MADE, model="m" * 70, acquisition="a" * 1100)
    image = written(replace(source, provenance=made), tmp_path / "out")[0]
    assert len(image.SeriesDescription) == 64
    assert len(image.DerivationDescription) == len(image.ContributingEquipmentSequence[-1].ContributionDescription) == 1024


@pytest.mark.filterwarnings("ignore:The value length|Invalid value")
def test_malformed_values_of_the_source_do_not_stop_the_work(tmp_path, source):
    folder = tmp_path / "odd"
    folder.mkdir()
    for header, plane in zip(source.headers, source.voxels, strict=True):
        header.PixelData = plane.tobytes()
        header.add_new("InstitutionName", "LO", "n" * 80)
        header.add_new("PatientAge", "AS", "45")
        header.SeriesNumber = None
        save(header, folder / header.SOPInstanceUID)
    assert written(read_dicom(folder), tmp_path / "out")[0].InstitutionName == "n" * 80


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path, source):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "IM0001.dcm").write_text("mine")
    with pytest.raises(RequestError, match="not empty"):
        write_dicom(source, tmp_path / "out")
    assert [path.read_text() for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_an_empty_folder_is_filled(tmp_path, source):
    (tmp_path / "out").mkdir()
    assert len(written(source, tmp_path / "out")) == 6


def test_axes_that_are_not_perpendicular_are_refused(tmp_path):
    affine = np.eye(4)
    affine[0, 2] = 0.2
    with pytest.raises(RequestError, match="not perpendicular"):
        write_dicom(Volume(noise(), affine, "CT"), tmp_path / "out")


def test_a_modality_without_image_class_is_refused(tmp_path):
    with pytest.raises(RequestError, match="modality US.*CT and MR"):
        write_dicom(Volume(noise(), np.eye(4), "US"), tmp_path / "out")


@pytest.mark.parametrize(
    "failure, expected", [(OSError(28, "No space left on device"), WorkError), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_nothing_is_left_of_a_series_that_fails_half_way(tmp_path, source, monkeypatch, failure, expected):
    save_as, calls = Dataset.save_as, []

    def failing(self, *arguments, **options):
        calls.append(1)
        if len(calls) == 4:
            raise failure
        save_as(self, *arguments, **options)

    monkeypatch.setattr(Dataset, "save_as", failing)
    with pytest.raises(expected):
        write_dicom(source, tmp_path / "out")
    assert len(calls) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
