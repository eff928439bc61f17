"""NIfTI, NRRD and MetaImage files through SimpleITK, its silences and its chatter replaced by one line each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from .errors import RequestError
from .nifti import LABEL_INTENT, read_nifti_header
from .volume import Volume

NIFTI_SUFFIXES = (".nii", ".nii.gz")
# As far as single precision and rounded voxel sizes let two statements of one orientation differ, mm.
_ORIENTATION_TOLERANCE = 0.1
_MODALITIES = {"MR": "MR", "CT": "CT", "MET_MOD_MR": "MR", "MET_MOD_CT": "CT"}


def read_itk_file(path: Path, suffix: str) -> Volume:
    """Read a file of `suffix` ``.nii``, ``.nii.gz``, ``.nrrd``, ``.nhdr`` or ``.mha``.

    Raises
    ------
    RequestError
        If the file is damaged, says that it is a label map, or holds no grey three-dimensional image in a place that is certain.
    """
    header = read_nifti_header(path) if suffix in NIFTI_SUFFIXES else None
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        with _quiet():
            reader.ReadImageInformation()
            _check_kind(path, reader)
            image = reader.Execute()
    except RuntimeError as error:
        raise RequestError(f"{path}: cannot be read, {last_line(error)}; accepted are whole files") from error
    fields = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    if (header and header.intent == LABEL_INTENT) or path.name.lower().endswith((".seg.nrrd", ".seg.nhdr")) or "Segment0_ID" in fields:
        raise RequestError(f"{path}: a segmentation (label map); accepted are intensity images")
    affine = _affine_of(image)
    if header and header.sform is not None:
        _check_orientation(path, affine, header.sform, image.GetSize())
        affine = header.sform
    stated = next((value for key, value in fields.items() if key.lower() == "modality" and value in _MODALITIES), "")
    return Volume(
        voxels=_narrowed(sitk.GetArrayFromImage(image)),
        affine=affine,
        modality=_MODALITIES.get(stated),
        slice_thickness=_thickness(fields.get("slice_thickness", "")),
        source=str(path),
    )


def write_itk_file(volume: Volume, path: Path, fields: dict[str, str], compress: bool = True) -> None:
    """Write a volume as ``.nrrd`` or ``.mha`` with text fields in its header.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    image = sitk.GetImageFromArray(volume.voxels)
    image.SetOrigin(volume.origin.tolist())
    image.SetSpacing(volume.spacing)
    image.SetDirection(volume.directions.ravel().tolist())
    if volume.modality:
        fields = {**fields, "modality": volume.modality}
    if volume.slice_thickness:
        fields = {**fields, "slice_thickness": repr(float(volume.slice_thickness))}
    for key, value in fields.items():
        image.SetMetaData(key, value)
    writer = sitk.ImageFileWriter()
    writer.SetFileName(str(path))
    writer.SetUseCompression(compress)
    writer.SetCompressionLevel(2)  # 384x384x160 of noise in 0.8 s; higher levels gain hardly anything
    try:
        with _quiet():
            writer.Execute(image)
    except RuntimeError as error:
        raise OSError(last_line(error)) from error


def last_line(error: Exception) -> str:
    """Return the last line of a message, which in ITK's says what happened; the lines before say where in its source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what ITK's libraries print on the process's standard error from the user: the exceptions say it again."""
    try:
        kept = os.dup(2)
    except OSError:  # an application without standard error
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _check_kind(path: Path, reader: sitk.ImageFileReader) -> None:
    """Refuse what is not one grey volume, before its voxels are read."""
    sizes, components = reader.GetSize(), reader.GetNumberOfComponents()
    found = "x".join(map(str, sizes))
    if components != 1:
        raise RequestError(f"{path}: {components} values in each voxel (colour, vectors or complex numbers); accepted is one number")
    if len(sizes) != 3:
        raise RequestError(f"{path}: {len(sizes)} axes ({found}), a time series or a picture; accepted are three axes")
    if 1 in sizes:
        raise RequestError(f"{path}: one slice ({found}); accepted are volumes of at least two voxels along each axis")


def _affine_of(image: sitk.Image) -> np.ndarray:
    """Return index (i, j, k, 1) → LPS mm."""
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return affine


def _check_orientation(path: Path, affine: np.ndarray, sform: np.ndarray, sizes: tuple[int, ...]) -> None:
    """Refuse a NIfTI file that SimpleITK, and so 3D Slicer, puts elsewhere than its sform says."""
    corners = np.array([[i, j, k, 1] for i in (0, sizes[0] - 1) for j in (0, sizes[1] - 1) for k in (0, sizes[2] - 1)], dtype=float)
    apart = np.linalg.norm(corners @ (affine - sform).T, axis=1).max()
    if not apart <= _ORIENTATION_TOLERANCE:
        raise RequestError(
            f"{path}: sform and qform or voxel sizes place the volume up to {apart:.3g} mm apart (sheared, rescaled or two orientations); "
            "accepted are files in which they agree, or with qform_code 0 and perpendicular axes"
        )


def _narrowed(voxels: np.ndarray) -> np.ndarray:
    """Return 64-bit integers as 32-bit ones where all fit, other types as they are."""
    if voxels.dtype.kind in "iu" and voxels.dtype.itemsize == 8:
        low, high = int(voxels.min()), int(voxels.max())
        for kind in (np.int16, np.uint16, np.int32, np.uint32):
            if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
                return voxels.astype(kind)
    return voxels


def _thickness(text: str) -> float | None:
    """Return a slice thickness in mm from a header field."""
    try:
        thickness = float(text)
    except ValueError:
        return None
    return thickness if 0 < thickness < np.inf else None
