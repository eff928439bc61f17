"""From a volume to a new, derived DICOM series of classic single-frame images."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import format_number_as_ds

from ..errors import RequestError
from ..provenance import SPREAD
from ..volume import Volume
from ..whole import check_place, whole_folder
from .template import derived_template, storage_class

_ORTHOGONALITY = 1e-3  # cosine: rounded orientations that were read can be written


def write_dicom(volume: Volume, folder: str | Path) -> None:
    """Write a volume as one new DICOM series in the study it came from: one file for each slice along k.

    Integers that fit 16 bits are stored as they are (slope 1, intercept 0, or the smallest value as intercept where only the span fits);
    other values are stored with 65536 levels from the smallest to the largest. RescaleSlope, RescaleIntercept and RescaleType
    are written for MR too, which its image class permits as an extension: readers then see the units of the input.

    Parameters
    ----------
    volume : Volume
        With perpendicular axes of any handedness. Patient, study and frame of reference are taken from its headers.
    folder : path
        Absent or empty; it is filled whole or not at all.

    Raises
    ------
    RequestError
        If the folder holds something, the axes are not perpendicular, a value is not finite or the modality has no image class.
    WorkError
        If the files cannot be written.
    """
    folder = Path(folder)
    check_dicom_output(folder, volume)
    with whole_folder(folder) as partial:
        write_slices(volume, partial)


def write_slices(volume: Volume, folder: Path) -> None:
    """Write the files of `write_dicom` into a folder that is there."""
    storage = _Storage.of(volume)
    template = derived_template(volume)
    _place(template, volume)
    _scale(template, volume, storage)
    # Old headers hold values that the standard no longer allows; they are passed on as they are.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(volume.shape[0]):
            content = BytesIO()
            _slice(template, volume, storage, k).save_as(content, enforce_file_format=True)
            (folder / f"IM{k + 1:04d}.dcm").write_bytes(content.getbuffer())


def check_dicom_output(folder: Path, volume: Volume | None = None) -> None:
    """Refuse a folder that holds something, and a volume that a series of images cannot represent."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RequestError(f"{folder}: exists and is not empty; accepted for a DICOM series is a new or an empty folder")
    if folder.is_mount():
        raise RequestError(f"{folder}: is a mount point, which cannot be replaced whole; accepted is a new folder in it")
    check_place(folder)
    if volume is None:
        return
    storage_class(volume)
    if not volume.is_orthogonal(_ORTHOGONALITY):
        raise RequestError(f"{folder}: the axes of the volume are not perpendicular, DICOM slices cannot hold that; accepted is .nrrd")


@dataclass(frozen=True)
class _Storage:
    """How values are stored in 16 bits: value = stored × slope + intercept."""

    dtype: type
    slope: float
    intercept: float

    @staticmethod
    def of(volume: Volume) -> _Storage:
        """Choose the storage that keeps the values of a volume."""
        low, high = volume.voxels.min(), volume.voxels.max()
        if not (np.isfinite(low) and np.isfinite(high)):
            raise RequestError(f"{volume.source or 'volume'}: values that are not finite; accepted are numbers")
        if volume.voxels.dtype.kind in "iu":
            low, high = int(low), int(high)
            # The volume's own sign first, so that its type is the same when it is read again.
            for dtype in (np.int16, np.uint16) if volume.voxels.dtype.kind == "i" else (np.uint16, np.int16):
                if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
                    return _Storage(dtype, 1.0, 0.0)
            if high - low <= 65535:
                return _Storage(np.uint16, 1.0, float(low))
        # Rounded to what a decimal string of 16 characters holds before anything is computed with it.
        slope = float(format_number_as_ds((float(high) - float(low)) / 65535)) or 1.0
        return _Storage(np.uint16, slope, float(format_number_as_ds(float(low))))

    def stored(self, values: np.ndarray) -> np.ndarray:
        """Return values as they are stored."""
        if self.slope == 1 and values.dtype.kind in "iu":
            return (values.astype(np.int64) - int(self.intercept)).astype(self.dtype)
        stored = np.rint((values.astype(np.float64) - self.intercept) / self.slope)
        return np.clip(stored, np.iinfo(self.dtype).min, np.iinfo(self.dtype).max).astype(self.dtype)


def _place(template: Dataset, volume: Volume) -> None:
    """Set what the slices share of their geometry (PS3.3 C.7.6.2)."""
    across, down, step = volume.spacing
    template.Rows, template.Columns = volume.shape[1:]
    template.PixelSpacing = _decimals([down, across])
    template.ImageOrientationPatient = _decimals(volume.directions[:, :2].T.ravel())
    template.SliceThickness = _decimals([volume.slice_thickness or step])[0]
    template.SpacingBetweenSlices = _decimals([step])[0]


def _scale(template: Dataset, volume: Volume, storage: _Storage) -> None:
    """Set how stored values become values and grey levels (PS3.3 C.7.6.3, C.11.1, C.11.2)."""
    template.SamplesPerPixel = 1
    template.PhotometricInterpretation = template.get("PhotometricInterpretation") or "MONOCHROME2"
    template.BitsAllocated, template.BitsStored, template.HighBit = 16, 16, 15
    template.PixelRepresentation = int(storage.dtype == np.int16)
    template.RescaleIntercept, template.RescaleSlope = _decimals([storage.intercept, storage.slope])
    template.RescaleType = "HU" if volume.modality == "CT" else template.get("RescaleType") or "US"
    # The source's window is no use for a spread.
    spread = volume.provenance is not None and volume.provenance.quantity == SPREAD
    if spread or "WindowCenter" not in template or "WindowWidth" not in template:
        sample = volume.voxels[:: max(1, volume.shape[0] // 32), ::4, ::4]
        low, high = np.percentile(sample, [1, 99])
        template.WindowCenter, template.WindowWidth = _decimals([(low + high) / 2, max(high - low, storage.slope if spread else 1)])
        if "WindowCenterWidthExplanation" in template:
            del template.WindowCenterWidthExplanation


def _slice(template: Dataset, volume: Volume, storage: _Storage, k: int) -> Dataset:
    """Return the image of one slice."""
    image = Dataset()
    image.update(template)
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPInstanceUID = generate_uid()
    image.InstanceNumber = k + 1
    position = volume.points([0, 0, k])
    image.ImagePositionPatient = _decimals(position)
    normal = np.cross(volume.directions[:, 0], volume.directions[:, 1])
    image.SliceLocation = _decimals([position @ normal])[0]
    stored = storage.stored(volume.voxels[k])
    kind = "SS" if storage.dtype == np.int16 else "US"
    image.add_new("SmallestImagePixelValue", kind, int(stored.min()))
    image.add_new("LargestImagePixelValue", kind, int(stored.max()))
    image.add_new("PixelData", "OW", stored.astype(stored.dtype.newbyteorder("<")).tobytes())
    return image


def _decimals(numbers: np.ndarray | list[float]) -> list[str]:
    """Write numbers as decimal strings of at most 16 characters (PS3.5 6.2, DS)."""
    return [format_number_as_ds(float(number)) for number in numbers]
