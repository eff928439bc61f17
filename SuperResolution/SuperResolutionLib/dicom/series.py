"""Finding DICOM images on disk and telling series apart."""

from __future__ import annotations

import struct
import warnings
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.uid import DeflatedExplicitVRLittleEndian, MediaStorageDirectoryStorage

from ..errors import RequestError

# What is stored under these roots is no image (PS3.4 B.5); the object's name is for the message.
_OTHER_OBJECTS = {
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation (label map)",
    "1.2.840.10008.5.1.4.1.1.66.7": "a segmentation (label map)",
    "1.2.840.10008.5.1.4.1.1.66": "raw, registration or surface data",
    "1.2.840.10008.5.1.4.1.1.481": "a radiotherapy object",
    "1.2.840.10008.5.1.4.1.1.88": "a structured report",
    "1.2.840.10008.5.1.4.1.1.11": "a presentation state",
    "1.2.840.10008.5.1.4.1.1.4.2": "a spectrum",
    "1.2.840.10008.5.1.4.1.1.104": "an encapsulated document",
    "1.2.840.10008.5.1.4.1.1.9": "a waveform",
}
_OTHER_MODALITIES = {
    "SEG": "a segmentation (label map)",
    "RTSTRUCT": "a radiotherapy object",
    "RTPLAN": "a radiotherapy object",
    "RTDOSE": "a radiotherapy object",
    "RTRECORD": "a radiotherapy object",
    "SR": "a structured report",
    "PR": "a presentation state",
    "KO": "a key object selection",
    "REG": "a registration",
    "DOC": "an encapsulated document",
}

_BREAKS_OFF = "no pixel data, the file may be cut off"


@dataclass(frozen=True, eq=False)
class DicomFile:
    """One DICOM file: its path, its header without pixels, and why it is no image of a volume (empty if it is one)."""

    path: Path
    header: Dataset
    problem: str

    @property
    def frames(self) -> int:
        """Number of images in the file."""
        return frame_count(self.header)


@dataclass(frozen=True)
class SeriesInfo:
    """What a user needs to choose a series.

    Attributes
    ----------
    uid : str
        SeriesInstanceUID; empty if the files carry none.
    modality, description : str
        Modality and SeriesDescription.
    images : int
        Number of slices or frames.
    problem : str
        Why the series cannot be a volume, as far as headers tell; empty for an image volume.
    files : tuple of DicomFile
        The files in the order of their names.
    """

    uid: str
    modality: str
    description: str
    images: int
    problem: str
    files: tuple[DicomFile, ...] = field(repr=False)

    def __str__(self) -> str:
        note = f", {self.problem}" if self.problem else ""
        return f"{self.uid or 'no UID'} ({self.modality or 'no modality'}, '{self.description}', {self.images} images{note})"


def list_series(path: str | Path) -> list[SeriesInfo]:
    """List the DICOM series in a folder and below it, or the series that a file belongs to.

    Parameters
    ----------
    path : path
        A folder, whose other files are passed over, or a DICOM file. A classic file stands for its series in its folder.

    Returns
    -------
    list of SeriesInfo
        In the order of their first files; empty if a folder holds no DICOM.

    Raises
    ------
    RequestError
        If the path does not exist or is a file but not DICOM.
    """
    path = Path(path)
    if path.is_dir():
        return grouped(_files_below(path))
    chosen = read_header(path) if path.is_file() else None
    if chosen is None:
        found = "not a DICOM image" if path.exists() else "no such file or folder"
        raise RequestError(f"{path}: {found}; accepted are a DICOM folder or file, .nii, .nii.gz, .nrrd, .mha")
    if chosen.problem or chosen.frames > 1:
        return grouped([chosen])
    siblings = (read_header(sibling) for sibling in sorted(path.parent.iterdir()) if sibling.is_file())
    uid = _series_uid(chosen)
    return grouped([file for file in siblings if file is not None and _series_uid(file) == uid])


def choose_series(path: str | Path, wanted: str | None) -> SeriesInfo:
    """Return the series with UID `wanted`, or the only image volume if None. A series alone is returned whatever it holds.

    Raises
    ------
    RequestError
        If there is no such series, none at all, or a choice that is the user's.
    """
    found = list_series(path)
    listing = "; ".join(map(str, found))
    if not found:
        raise RequestError(f"{path}: no DICOM images found; accepted is a folder that holds a series of MR or CT images")
    if wanted is not None:
        matches = [series for series in found if series.uid == wanted]
        if not matches:
            raise RequestError(f"{path}: no series {wanted}; accepted are {listing}")
        return matches[0]
    volumes = [series for series in found if not series.problem]
    candidates = volumes if len(volumes) == 1 else found
    if len(candidates) > 1:
        raise RequestError(f"{path}: {len(found)} series, choose one by its UID: {listing}")
    _refuse_stray_files(found, candidates[0])
    return candidates[0]


def _refuse_stray_files(found: list[SeriesInfo], chosen: SeriesInfo) -> None:
    """Refuse files that break off before their series is named: one of them may be a slice of the chosen series."""
    for series in found:
        if not series.uid and chosen.uid and series.files[0].problem == _BREAKS_OFF:
            raise RequestError(f"{series.files[0].path}: {_BREAKS_OFF}; accepted are whole files, or choose series {chosen.uid} by its UID")


def _files_below(folder: Path) -> list[DicomFile]:
    """Return the DICOM files in a folder and its subfolders, sorted by path."""
    found = (read_header(path) for path in sorted(folder.rglob("*")) if path.is_file())
    return [file for file in found if file is not None]


def read_header(path: Path) -> DicomFile | None:
    """Return a DICOM file without its pixels, None for other files and for DICOMDIR.

    Raises
    ------
    RequestError
        If the file is DICOM with a damaged header.
    """
    bare = False
    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters of a malformed header is judged where it is used
            # Data sets stored bare begin with group 0008; other files without the prefix are not DICOM.
            bare = stream.read(2) == b"\x08\x00"
            stream.seek(0)
            header = dcmread(stream, stop_before_pixels=True, force=bare)
            ended = not stream.read(1)
    except InvalidDicomError:
        return None
    except (OSError, EOFError, ValueError, NotImplementedError, KeyError, struct.error, zlib.error) as error:
        if bare:
            return None
        reason = " ".join(str(error).split())
        raise RequestError(f"{path}: DICOM header cannot be read, {reason}; accepted are whole files") from error
    if bare and "SOPClassUID" not in header and "Modality" not in header:
        return None
    meta = header.file_meta
    if meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
        return None
    deflated = meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian  # is read ahead to its end
    return DicomFile(path, header, _problem_of(header, ended and not deflated))


def _problem_of(header: Dataset, ended: bool) -> str:
    """Tell why a file cannot be an image of a volume; empty if it can. `ended`: nothing follows the header."""
    sop_class, modality = str(header.get("SOPClassUID", "")), str(header.get("Modality", ""))
    for root, name in _OTHER_OBJECTS.items():
        if sop_class == root or sop_class.startswith(root + "."):
            return name
    if modality in _OTHER_MODALITIES:
        return _OTHER_MODALITIES[modality]
    if ended or "Rows" not in header:
        return _BREAKS_OFF
    if frame_count(header) < 1:
        return "a malformed NumberOfFrames"
    colours = str(header.get("PhotometricInterpretation", ""))
    if header.get("SamplesPerPixel", 1) != 1 or not colours.startswith("MONOCHROME"):
        return f"colour images ({colours})"
    return ""


def frame_count(header: Dataset) -> int:
    """Return the number of images in a file, 0 if NumberOfFrames is malformed."""
    try:
        return int(header.get("NumberOfFrames") or 1)
    except (TypeError, ValueError):
        return 0


def _series_uid(file: DicomFile) -> str:
    return str(file.header.get("SeriesInstanceUID") or "")


def grouped(files: list[DicomFile]) -> list[SeriesInfo]:
    """Group files by series, in the order of their first files."""
    groups: dict[str, list[DicomFile]] = {}
    for file in files:
        groups.setdefault(_series_uid(file), []).append(file)
    return [_described(uid, tuple(group)) for uid, group in groups.items()]


def _described(uid: str, files: tuple[DicomFile, ...]) -> SeriesInfo:
    first = files[0].header
    images = sum(file.frames for file in files)
    if all(file.problem for file in files):
        problem = files[0].problem
    elif "LOCALIZER" in (first.get("ImageType") or ()):
        problem = "a localizer"
    else:
        problem = "a single image" if images == 1 else ""
    return SeriesInfo(uid, str(first.get("Modality") or ""), str(first.get("SeriesDescription") or ""), images, problem, files)
