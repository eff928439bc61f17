"""DICOM series of known content, for tests: classic and enhanced, in any transfer syntax, as awkward as real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import gdcm
import numpy as np
import SimpleITK as sitk
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    MRImageStorage,
    generate_uid,
)
from scipy.spatial.transform import Rotation

OBLIQUE = Rotation.from_euler("xyz", [12.3, -34.5, 67.8], degrees=True).as_matrix()
SHAPE = (6, 10, 12)
_ENCODED_BY_GDCM = {
    JPEGLosslessSV1: gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    JPEG2000Lossless: gdcm.TransferSyntax.JPEG2000Lossless,
}

Edit = Callable[[Dataset, int], None]


def nothing(dataset: Dataset, index: int) -> None:
    """Leave an image as it is."""


def noise(shape: tuple[int, int, int] = SHAPE, low: int = 0, high: int = 4096, dtype: type = np.uint16) -> np.ndarray:
    """Return stored values in k, j, i order, none like the other."""
    return np.random.default_rng(0).integers(low, high, shape).astype(dtype)


@dataclass(frozen=True)
class Phantom:
    """A series to be written. `edit` changes the image (or functional groups) of each slice, counted from the lowest along the normal."""

    stored: np.ndarray
    directions: np.ndarray = field(default_factory=lambda: np.eye(3))
    spacing: tuple[float, float, float] = (0.5, 0.75, 3.0)
    origin: tuple[float, float, float] = (-101.25, 42.5, -310.75)
    modality: str = "MR"
    slope: float | None = None
    intercept: float | None = None
    bits_stored: int | None = None
    syntax: UID = ExplicitVRLittleEndian
    series: str = "1.2.3.4"
    description: str = "T2 thick"
    edit: Edit = nothing

    @property
    def affine(self) -> np.ndarray:
        """Index (i, j, k, 1) → LPS mm."""
        affine = np.eye(4)
        affine[:3, :3] = self.directions * self.spacing
        affine[:3, 3] = self.origin
        return affine

    def position(self, k: float) -> list[float]:
        """ImagePositionPatient of slice k."""
        return [float(f"{value:.9g}") for value in self.affine[:3] @ [0, 0, k, 1]]

    @property
    def orientation(self) -> list[float]:
        """ImageOrientationPatient."""
        return [float(f"{value:.12g}") for value in self.directions[:, :2].T.ravel()]

    def write(self, folder: Path) -> Phantom:
        """Write classic files, their names without ending and in no order."""
        folder.mkdir(parents=True, exist_ok=True)
        for k in range(len(self.stored)):
            save(self.classic(k), folder / self.file_name(k), self.syntax)
        return self

    def file_name(self, k: int) -> str:
        """Name of the classic file of slice k."""
        return f"IM{np.random.default_rng(1).permutation(len(self.stored))[k]:03d}"

    def classic(self, k: int) -> Dataset:
        """Return the classic image of slice k; InstanceNumber and SliceLocation are misleading on purpose."""
        image = self._header(MRImageStorage if self.modality == "MR" else CTImageStorage)
        image.ImagePositionPatient, image.ImageOrientationPatient = self.position(k), self.orientation
        image.PixelSpacing, image.SliceThickness = [self.spacing[1], self.spacing[0]], 4.0
        image.InstanceNumber, image.SliceLocation = (7 * k) % len(self.stored), -50.0 * k
        if self.slope is not None:
            image.RescaleSlope, image.RescaleIntercept = self.slope, self.intercept
        image.PixelData = self._bytes(self.stored[k])
        self.edit(image, k)
        return image

    def enhanced(self, scale_in_frames: bool = False) -> Dataset:
        """Return one multi-frame image; its frames are in no order."""
        image = self._header(EnhancedMRImageStorage if self.modality == "MR" else EnhancedCTImageStorage)
        order = np.random.default_rng(2).permutation(len(self.stored))
        image.NumberOfFrames = len(order)
        image.SharedFunctionalGroupsSequence = [Dataset()]
        shared = image.SharedFunctionalGroupsSequence[0]
        shared.PixelMeasuresSequence = [item(PixelSpacing=[self.spacing[1], self.spacing[0]], SliceThickness=4.0)]
        shared.PlaneOrientationSequence = [item(ImageOrientationPatient=self.orientation)]
        shared.MREchoSequence = [item(EffectiveEchoTime=91.25)]
        shared.MRTimingAndRelatedParametersSequence = [item(RepetitionTime=4000, FlipAngle=120)]
        scale = item(RescaleSlope=self.slope or 1, RescaleIntercept=self.intercept or 0, RescaleType="US")
        if not scale_in_frames:
            shared.PixelValueTransformationSequence = [scale]
        image.PerFrameFunctionalGroupsSequence = [Dataset() for _ in order]
        for k, groups in zip(order, image.PerFrameFunctionalGroupsSequence, strict=True):
            groups.PlanePositionSequence = [item(ImagePositionPatient=self.position(k))]
            groups.FrameContentSequence = [item(StackID="1", InStackPositionNumber=int(k) + 1)]
            if scale_in_frames:
                own = item(RescaleSlope=scale.RescaleSlope, RescaleIntercept=scale.RescaleIntercept + k)
                groups.PixelValueTransformationSequence = [own]
            self.edit(groups, int(k))
        image.PixelData = self._bytes(self.stored[order])
        return image

    def moved(self, k: int, *shift: float) -> Phantom:
        """Return the series with slice k shifted by millimetres."""

        def edit(image: Dataset, index: int) -> None:
            if index == k:
                image.ImagePositionPatient = (np.array(self.position(k)) + shift).tolist()

        return replace(self, edit=edit)

    def _header(self, sop_class: UID) -> Dataset:
        image = Dataset()
        image.SpecificCharacterSet = "ISO_IR 100"
        image.SOPClassUID, image.SOPInstanceUID = sop_class, generate_uid()
        image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = "1.2.3", self.series, "1.2.9"
        image.PatientName, image.PatientID, image.StudyID = "Müller^Jörg", "id 7", "study 5"
        image.StudyDate, image.StudyTime, image.AccessionNumber = "20200102", "030405", "acc 3"
        image.PatientBirthDate, image.PatientSex, image.ReferringPhysicianName = "19700101", "M", "Dr^Who"
        image.Modality, image.SeriesDescription, image.SeriesNumber = self.modality, self.description, 6
        image.Manufacturer, image.ImageType = "Maker", ["ORIGINAL", "PRIMARY", "AXIAL"]
        image.BodyPartExamined, image.PatientPosition = "KNEE", "HFS"
        image.Rows, image.Columns = self.stored.shape[1:]
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.BitsAllocated = 8 * self.stored.dtype.itemsize
        image.BitsStored = self.bits_stored or image.BitsAllocated
        image.HighBit = image.BitsStored - 1
        image.PixelRepresentation = int(self.stored.dtype.kind == "i")
        block = image.private_block(0x0029, "MAKER HEADER", create=True)
        block.add_new(0x10, "LO", "secret of the maker")
        return image

    def _bytes(self, stored: np.ndarray) -> bytes:
        order = ">" if self.syntax == ExplicitVRBigEndian else "<"
        return stored.astype(stored.dtype.newbyteorder(order)).tobytes()


def item(**attributes: object) -> Dataset:
    """Return the item of a sequence."""
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def save(image: Dataset, path: Path, syntax: UID = ExplicitVRLittleEndian) -> None:
    """Write an image in a transfer syntax."""
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = syntax if not syntax.is_compressed or syntax.is_deflated else ExplicitVRLittleEndian
    image["PixelData"].VR = "OW"
    if syntax in _ENCODED_BY_GDCM:
        image.save_as(path, enforce_file_format=True)
        _compress_with_gdcm(path, _ENCODED_BY_GDCM[syntax])
        return
    if syntax.is_compressed and not syntax.is_deflated:
        image.compress(syntax, generate_instance_uid=False)
    image.save_as(path, enforce_file_format=True)


def _compress_with_gdcm(path: Path, syntax: int) -> None:
    """Compress a file in place, where pydicom cannot or needs more packages."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


def read_with_itk(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return values (k, j, i) and affine of a series as SimpleITK, and with it 3D Slicer, reads them."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image), affine
