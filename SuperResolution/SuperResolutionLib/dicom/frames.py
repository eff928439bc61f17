"""One view of the images in classic files (one each) and in enhanced files (many each)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydicom import Dataset

from ..errors import RequestError
from .series import DicomFile, frame_count


@dataclass(frozen=True, eq=False)
class Frame:
    """One two-dimensional image with what places it in the patient (PS3.3 C.7.6.2) and scales it (C.11.1).

    Attributes
    ----------
    file : DicomFile
        Where it is stored.
    index : int
        Number of the frame in the file, from 0.
    attributes : Dataset
        The header that holds for this image alone: the file's own, or for enhanced files its functional groups joined.
    shape : tuple of int
        Rows and columns.
    position : ndarray, shape (3,)
        Centre of the first pixel, LPS mm.
    row, column : ndarray, shape (3,)
        Unit vectors along increasing column index and increasing row index.
    spacing : tuple of float
        Distance of neighbouring pixels along `row` and along `column` in mm.
    thickness : float or None
        Nominal slice thickness in mm.
    slope, intercept : float
        Stored value → value.
    """

    file: DicomFile
    index: int
    attributes: Dataset
    shape: tuple[int, int]
    position: np.ndarray
    row: np.ndarray
    column: np.ndarray
    spacing: tuple[float, float]
    thickness: float | None
    slope: float
    intercept: float

    @property
    def name(self) -> str:
        """File name, and the frame's number from 1 where the file has several."""
        return self.file.path.name + (f" frame {self.index + 1}" if self.file.frames > 1 else "")

    @property
    def normal(self) -> np.ndarray:
        """Unit vector across the image, so that row, column and normal are right-handed."""
        return np.cross(self.row, self.column)


def frames_of(file: DicomFile) -> list[Frame]:
    """Return the images of a file.

    Raises
    ------
    RequestError
        If an attribute that places or scales an image is missing or malformed.
    """
    flat = frame_attributes(file.header)
    if len(flat) != file.frames:
        raise RequestError(f"{file.path}: {len(flat)} functional groups for {file.frames} frames; accepted is one for each")
    return [_frame(file, index, attributes) for index, attributes in enumerate(flat)]


def frame_attributes(header: Dataset) -> list[Dataset]:
    """Return one flat header for each image: functional groups (PS3.3 C.7.6.16) are joined to what holds for the whole file.

    A classic header is returned as it is.
    """
    per_frame = header.get("PerFrameFunctionalGroupsSequence")
    shared = header.get("SharedFunctionalGroupsSequence")
    if not per_frame and not shared:
        return [header] * frame_count(header)
    whole = Dataset()
    for element in header:
        if element.keyword not in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence", "NumberOfFrames"):
            whole.add(element)
    if shared:
        _join(whole, shared[0])
    frames = []
    for groups in per_frame or [Dataset()] * frame_count(header):
        frame = Dataset()
        frame.update(whole)
        _join(frame, groups)
        frames.append(frame)
    return frames


def _join(target: Dataset, groups: Dataset) -> None:
    """Add what the items of functional groups hold to `target`, without groups that are private or have several items."""
    for group in groups:
        if group.VR == "SQ" and not group.tag.is_private and len(group.value) == 1:
            target.update({element.tag: element for element in group.value[0] if not element.tag.is_private})


def _frame(file: DicomFile, index: int, attributes: Dataset) -> Frame:
    orientation = _numbers(file, attributes, "ImageOrientationPatient", 6)
    row, column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if not np.allclose(lengths, 1, atol=1e-3) or abs(row @ column) > 1e-3:
        raise RequestError(f"{file.path}: ImageOrientationPatient {orientation.tolist()}; accepted are two perpendicular unit vectors")
    down, across = _numbers(file, attributes, "PixelSpacing", 2)
    if min(down, across) <= 0:
        raise RequestError(f"{file.path}: PixelSpacing {down}, {across}; accepted are positive distances in mm")
    if attributes.get("ModalityLUTSequence"):
        raise RequestError(f"{file.path}: values given by a ModalityLUTSequence; accepted are RescaleSlope and RescaleIntercept")
    thickness = _number(file, attributes, "SliceThickness", 0.0)
    return Frame(
        file=file,
        index=index,
        attributes=attributes,
        shape=(int(file.header.Rows), int(file.header.Columns)),
        position=_numbers(file, attributes, "ImagePositionPatient", 3),
        row=row / lengths[0],
        column=column / lengths[1],
        spacing=(float(across), float(down)),
        thickness=thickness if thickness > 0 else None,
        slope=_number(file, attributes, "RescaleSlope", 1.0),
        intercept=_number(file, attributes, "RescaleIntercept", 0.0),
    )


def _numbers(file: DicomFile, attributes: Dataset, keyword: str, count: int) -> np.ndarray:
    """Return a required attribute of `count` numbers."""
    try:
        value = attributes.get(keyword)
        numbers = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        value, numbers = "malformed", np.empty(0)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        found = "is missing" if value in (None, "") else f"is {value}"
        raise RequestError(f"{file.path}: {keyword} {found}; accepted are {count} numbers")
    return numbers


def _number(file: DicomFile, attributes: Dataset, keyword: str, default: float) -> float:
    """Return an optional attribute of one number."""
    try:
        value = attributes.get(keyword)
        number = default if value in (None, "") else float(value)
    except (TypeError, ValueError):
        value, number = "malformed", np.nan
    if not np.isfinite(number):
        raise RequestError(f"{file.path}: {keyword} is {value}; accepted is one number")
    return number
