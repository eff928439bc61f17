"""From a DICOM series to a volume."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian

from ..errors import RequestError
from ..volume import Volume
from .frames import Frame, frames_of
from .geometry import stack
from .resampling import resampled
from .series import DicomFile, choose_series

# What pydicom and its decoders raise for pixel data that they cannot read.
_DECODING_ERRORS = (
    OSError,
    EOFError,
    AttributeError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    RuntimeError,
    struct.error,
    zlib.error,
)


def read_dicom(path: str | Path, series: str | None = None, resample: bool = False) -> Volume:
    """Read one DICOM series, classic or enhanced, as a volume.

    Parameters
    ----------
    path : path
        A folder (with subfolders) or a file. A classic file stands for its series in its folder.
    series : str, optional
        SeriesInstanceUID; needed where the folder holds several image volumes.
    resample : bool
        Put a series with missing slices, uneven steps, a sheared gantry or slices beside the line onto an even, perpendicular grid
        by linear interpolation, instead of refusing it. The plane is enlarged to hold all shifted slices; what none of them covers has
        the lowest value of the volume, which for CT is air. ``Volume.notes`` says what was done; an even series is read as without.

    Returns
    -------
    Volume
        Voxels in rescaled units, right-handed: k runs along row × column. Integers where every slope is 1 and every intercept whole
        (the stored type if nothing is added, else the smallest of int16, uint16, int32 that fits), float32 otherwise.
        A resampled slice has the header of the measured slice nearest to it.

    Raises
    ------
    RequestError
        If there is no such series, or it is not one evenly spaced stack of grey images; the message names what was found.
    """
    chosen = choose_series(path, series)
    for file in chosen.files:
        if file.problem:
            raise RequestError(f"{file.path}: {file.problem}; accepted are grey images with pixel data")
    name = f"{path}" if len(chosen.files) == 1 else f"{path}: series {chosen.uid or 'without UID'}"
    stacked = stack([frame for file in chosen.files for frame in frames_of(file)], name, resample)
    frames, affine = stacked.frames, stacked.affine
    thicknesses = {frame.thickness for frame in frames}
    voxels = _rescaled(_stored_values(frames), frames)
    files = list(dict.fromkeys(frame.file for frame in frames))
    if stacked.notes:
        voxels, affine, nearest = resampled(voxels, stacked, name)
        if len(files) == len(frames):
            files = [files[index] for index in nearest]
    return Volume(
        voxels=voxels,
        affine=affine,
        modality=chosen.modality or None,
        slice_thickness=thicknesses.pop() if len(thicknesses) == 1 else None,
        source=str(path),
        headers=tuple(file.header for file in files),
        notes=stacked.notes,
    )


def _stored_values(frames: list[Frame]) -> list[np.ndarray]:
    """Return the stored pixel values of each image."""
    images = {file: _pixels(file) for file in dict.fromkeys(frame.file for frame in frames)}
    return [images[frame.file][frame.index] for frame in frames]


def _pixels(file: DicomFile) -> np.ndarray:
    """Decode a file: array (frames, rows, columns) of stored values."""
    syntax = file.header.file_meta.get("TransferSyntaxUID")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = dcmread(file.path, force=True)
            dataset.file_meta.setdefault("TransferSyntaxUID", ImplicitVRLittleEndian)  # of data sets stored bare
            pixels = dataset.pixel_array
    except _DECODING_ERRORS as error:
        reason = " ".join(str(error).split())[:200]
        encoding = syntax.name if syntax else "stored bare"
        raise RequestError(f"{file.path}: pixel data ({encoding}) cannot be decoded, {reason}; accepted are whole files") from error
    shape = (file.frames, int(file.header.Rows), int(file.header.Columns))
    if pixels.size != np.prod(shape) or pixels.dtype.kind not in "iu":
        found = f"pixel data of shape {pixels.shape} and type {pixels.dtype}"
        raise RequestError(f"{file.path}: {found}; accepted are integers of the shape {shape} that the header states")
    return pixels.reshape(shape)


def _rescaled(stored: list[np.ndarray], frames: list[Frame]) -> np.ndarray:
    """Apply the slope and intercept of each image (PS3.3 C.11.1.1.2); array (k, j, i)."""
    whole = all(frame.slope == 1 and frame.intercept == round(frame.intercept) for frame in frames)
    if not whole:
        voxels = np.empty((len(stored), *stored[0].shape), np.float32)
        for image, frame, out in zip(stored, frames, voxels, strict=True):
            out[:] = image * frame.slope + frame.intercept
        return voxels
    voxels = np.stack(stored)
    if not any(frame.intercept for frame in frames):
        return voxels
    intercepts = np.array([frame.intercept for frame in frames])
    wide = np.int64 if voxels.dtype.itemsize > 2 else np.int32
    if np.abs(intercepts).max() >= 2**30:
        raise RequestError(f"{frames[0].file.path}: RescaleIntercept {np.abs(intercepts).max():.6g}; accepted are values below 2**30")
    voxels = voxels.astype(wide)
    voxels += intercepts.astype(wide)[:, None, None]
    return fitting_integers(voxels)


def fitting_integers(voxels: np.ndarray) -> np.ndarray:
    """Return integers as the first of int16, uint16, int32, uint32 that holds them all, else as they are."""
    low, high = int(voxels.min()), int(voxels.max())
    for kind in (np.int16, np.uint16, np.int32, np.uint32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return voxels.astype(kind, copy=False)
    return voxels
