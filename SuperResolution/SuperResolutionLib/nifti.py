"""The NIfTI header: checks that SimpleITK does not make, and a writer that keeps the matrix exact.

SimpleITK reads files that are cut off without a word, chooses between two orientations that disagree, halves a slight shear when it
writes and does not notice a full disk.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import RequestError
from .gzip_blocks import write_gzip
from .volume import Volume

LABEL_INTENT = 1002
_GZIP_LEVEL = 1  # level 6 takes five times as long for a tenth less
_CHUNK = 1 << 22
_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # NIfTI's world is RAS; the way back is the same
_MILLIMETRES = {1: 1000.0, 3: 0.001}  # of units other than mm: metre, micrometre
_FLOATS = {16: "f4", 64: "f8"}
_DATA_TYPES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768, "i8": 1024, "u8": 1280}


def _layout(itemsize: int, **fields: tuple[int, object]) -> np.dtype:
    """Return the layout of a header from the offset and type of each field."""
    offsets, formats = zip(*fields.values(), strict=True)
    return np.dtype({"names": list(fields), "offsets": offsets, "formats": formats, "itemsize": itemsize})


# nifti1.h and nifti2.h; the fields that matter here.
NIFTI1 = _layout(
    348, sizeof_hdr=(0, "<i4"), regular=(38, "S1"), dim=(40, ("<i2", 8)), intent_code=(68, "<i2"), datatype=(70, "<i2"),
    bitpix=(72, "<i2"), pixdim=(76, ("<f4", 8)), vox_offset=(108, "<f4"), scl_slope=(112, "<f4"), xyzt_units=(123, "u1"),
    descrip=(148, "S80"), qform_code=(252, "<i2"), sform_code=(254, "<i2"), quatern=(256, ("<f4", 3)), qoffset=(268, ("<f4", 3)),
    srow=(280, ("<f4", (3, 4))), magic=(344, "S4"),
)  # fmt: skip
NIFTI2 = _layout(
    540, sizeof_hdr=(0, "<i4"), datatype=(12, "<i2"), bitpix=(14, "<i2"), dim=(16, ("<i8", 8)), vox_offset=(168, "<i8"),
    sform_code=(348, "<i4"), srow=(400, ("<f8", (3, 4))), xyzt_units=(500, "<i4"), intent_code=(504, "<i4"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """What a NIfTI header says beyond what SimpleITK passes on.

    Attributes
    ----------
    intent : int
        intent_code; 1002 is a label map.
    sform : ndarray, shape (4, 4), or None
        Index (i, j, k, 1) → LPS mm as the sform states it; None where sform_code is 0.
    """

    intent: int
    sform: np.ndarray | None


def read_nifti_header(path: Path) -> NiftiHeader:
    """Read the header of a NIfTI-1 or NIfTI-2 file and check that all voxels follow it.

    Raises
    ------
    RequestError
        If the file is not NIfTI, is damaged or cut off, or holds NaN or infinite voxels.
    """
    start, length = _measured(path)
    header = None
    for layout in (NIFTI1, NIFTI2, NIFTI1.newbyteorder(), NIFTI2.newbyteorder()):
        if len(start) >= layout.itemsize:
            candidate = np.frombuffer(start, layout, count=1)[0]
            if candidate["sizeof_hdr"] == layout.itemsize:
                header = candidate
    if header is None:
        raise RequestError(f"{path}: not a NIfTI file; accepted are NIfTI-1 and NIfTI-2 in one file")
    sizes = header["dim"][1 : int(header["dim"][0]) + 1].astype(np.int64)
    expected = int(header["vox_offset"]) + int(np.prod(np.maximum(sizes, 1))) * int(header["bitpix"]) // 8
    if length < expected:
        raise RequestError(f"{path}: cut off, {length} bytes of {expected}; accepted are whole files")
    if int(header["datatype"]) in _FLOATS:
        _refuse_not_finite(path, int(header["vox_offset"]), np.dtype(_FLOATS[int(header["datatype"])]).newbyteorder(_byte_order(header)))
    if header["sform_code"] <= 0:
        return NiftiHeader(int(header["intent_code"]), None)
    sform = np.eye(4)
    sform[:3] = header["srow"] * _MILLIMETRES.get(int(header["xyzt_units"]) & 7, 1.0)
    return NiftiHeader(int(header["intent_code"]), _TO_LPS @ sform)


def _byte_order(header: np.void) -> str:
    """Return the byte order of a header's layout as numpy writes it."""
    return header.dtype["sizeof_hdr"].byteorder


def _refuse_not_finite(path: Path, offset: int, dtype: np.dtype) -> None:
    """Refuse NaN and infinite voxels here, since ITK's reader silently makes them zero."""
    bad = 0
    with gzip.open(path, "rb") if _is_compressed(path) else path.open("rb") as stream:
        stream.read(offset)
        while chunk := stream.read(_CHUNK):
            values = np.frombuffer(chunk[: len(chunk) // dtype.itemsize * dtype.itemsize], dtype)
            bad += values.size - int(np.count_nonzero(np.isfinite(values)))
    if bad:
        raise RequestError(f"{path}: {bad} voxels are NaN or infinite; accepted are finite voxels")


def _is_compressed(path: Path) -> bool:
    """Tell by the first bytes whether a file is compressed by gzip, whatever its name says."""
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _measured(path: Path) -> tuple[bytes, int]:
    """Return the first 540 bytes of a file and its length, both after decompression."""
    try:
        if not _is_compressed(path):
            with path.open("rb") as stream:
                return stream.read(540), path.stat().st_size
        with gzip.open(path, "rb") as stream:
            start = stream.read(540)
            length = len(start)
            while block := stream.read(_CHUNK):
                length += len(block)
            return start, length
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RequestError(f"{path}: damaged or cut off ({error}); accepted are whole files") from error


def write_nifti(volume: Volume, path: Path, described: str) -> None:
    """Write a volume as NIfTI-1, compressed if the name ends in ``.gz``.

    The sform holds the affine in single precision, the qform the same grid as a rotation.

    Parameters
    ----------
    volume : Volume
        With perpendicular axes of any handedness.
    path : Path
        The file, ending in ``.nii`` or ``.nii.gz``.
    described : str
        Text for the field descrip; 79 characters are kept.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    header = _header_of(volume, described)
    voxels = volume.voxels.astype(volume.voxels.dtype.newbyteorder("<"), copy=False)
    preamble = header.tobytes() + bytes(4)  # four zero bytes: no extension follows
    parts = [memoryview(preamble), *(memoryview(np.ascontiguousarray(image)).cast("B") for image in voxels)]
    with path.open("wb") as stream:
        if path.suffix.lower() == ".gz":
            write_gzip(stream, parts, _GZIP_LEVEL)
        else:
            stream.writelines(parts)


def _quaternion(rotation: np.ndarray) -> np.ndarray:
    """Return x, y and z of the unit quaternion with w ≥ 0 that comes nearest to a rotation matrix.

    The eigenvector of the largest eigenvalue of a symmetric matrix: Bar-Itzhack, J. Guid. Control Dyn. 23, 2000. Slight shear does no harm.
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation
    lower = [
        [xx - yy - zz, 0, 0, 0],
        [yx + xy, yy - xx - zz, 0, 0],
        [zx + xz, zy + yz, zz - xx - yy, 0],
        [zy - yz, xz - zx, yx - xy, xx + yy + zz],
    ]
    x, y, z, w = np.linalg.eigh(lower, UPLO="L")[1][:, -1]
    return np.array([x, y, z]) * (-1 if w < 0 else 1)


def _header_of(volume: Volume, described: str) -> np.ndarray:
    """Return the header of a volume."""
    affine = _TO_LPS @ volume.affine
    rotation = affine[:3, :3] / np.asarray(volume.spacing)
    qfac = np.sign(np.linalg.det(rotation))
    quaternion = _quaternion(rotation * [1, 1, qfac])
    header = np.zeros((), NIFTI1)
    header["sizeof_hdr"], header["regular"], header["magic"] = 348, b"r", b"n+1"
    header["dim"] = [3, *volume.shape[::-1], 1, 1, 1, 1]
    header["pixdim"] = [qfac, *volume.spacing, 0, 0, 0, 0]
    header["datatype"] = _DATA_TYPES[volume.voxels.dtype.str[1:]]
    header["bitpix"] = 8 * volume.voxels.dtype.itemsize
    header["vox_offset"], header["scl_slope"], header["xyzt_units"] = 352, 1, 2  # millimetres
    header["qform_code"] = header["sform_code"] = 1  # scanner coordinates
    header["quatern"], header["qoffset"], header["srow"] = quaternion, affine[:3, 3], affine[:3]
    header["descrip"] = described.encode("ascii", "replace")[:79]
    return header
