"""Volumes in and out of files: which format a name means, and what no format may bring in."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from .errors import RequestError
from .itk_files import NIFTI_SUFFIXES, read_itk_file, write_itk_file
from .label_maps import refuse_label_map
from .nifti import write_nifti
from .provenance import SPREAD, notes_field
from .volume import Volume
from .whole import all_or_none, check_place, whole_file, whole_folder

WRITTEN_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")
READ_SUFFIXES = (*WRITTEN_SUFFIXES, ".nhdr")

NIFTI_ORTHOGONALITY = 9e-5  # cosine, from 1e-4 on ITK refuses the matrix or puts another in its place


def read_volume(path: str | Path, series: str | None = None, resample: bool = False) -> Volume:
    """Read a volume from a DICOM folder or file, ``.nii``, ``.nii.gz``, ``.nrrd``, ``.nhdr`` or ``.mha``.

    Parameters
    ----------
    path : path
        Other names than those with these endings are taken for DICOM.
    series : str, optional
        SeriesInstanceUID of the DICOM series to read.
    resample : bool
        Interpolate a DICOM series that is uneven or sheared linearly on an even, perpendicular grid (see `read_dicom`), instead of
        refusing it; ``Volume.notes`` says what was done. Other files are even by their format and are read as they are.

    Raises
    ------
    RequestError
        If the file or series cannot be read, is a label map or no single volume in a place that is certain.
    """
    path = Path(path)
    suffix = _suffix(path, READ_SUFFIXES)
    try:
        if path.is_dir() or not suffix:
            # Here and below: whoever works with other files need not wait for pydicom.
            from .dicom.reading import read_dicom

            volume = read_dicom(path, series, resample)
        elif series is not None:
            raise RequestError(f"{path}: series {series} asked of a single volume; accepted with a series is DICOM")
        elif not path.is_file():
            raise RequestError(f"{path}: no such file; accepted are a DICOM folder or file, .nii, .nii.gz, .nrrd, .mha")
        else:
            volume = read_itk_file(path, suffix)
    except OSError as error:
        raise RequestError(f"{path}: cannot be read, {error.strerror or error}; accepted are readable files") from error
    refuse_label_map(volume)
    return volume


def write_volume(volume: Volume, path: str | Path, compress: bool = True) -> None:
    """Write a volume with its provenance; the output appears whole or not at all.

    Parameters
    ----------
    volume : Volume
    path : path
        Ending in ``.nii``, ``.nii.gz``, ``.nrrd`` or ``.mha``, which replaces a file of that name, or without an ending: the folder
        of a new DICOM series, absent or empty.
    compress : bool
        Whether ``.nrrd`` and ``.mha`` are compressed. The other formats are as their ending says, DICOM is never compressed.

    Raises
    ------
    RequestError
        If the ending is another one, the folder is not empty, or the format cannot represent the volume.
    WorkError
        If writing fails: disk full, permission denied.
    """
    write_volumes({Path(path): volume}, compress)


def write_volumes(volumes: Mapping[Path, Volume], compress: bool = True) -> None:
    """Write volumes that belong together; all appear whole or none does.

    Parameters
    ----------
    volumes : mapping from path to Volume
        See `write_volume`. Where the first has no DICOM headers, a new study is made up, and all become series of it.
    compress : bool

    Raises
    ------
    RequestError, WorkError
        As `write_volume`.
    """
    study = next(iter(volumes.values())).headers
    for path, volume in volumes.items():
        check_output(path, volume)
    with ExitStack() as outputs:
        outputs.enter_context(all_or_none(volumes))
        for path, volume in volumes.items():
            suffix = _suffix(path, WRITTEN_SUFFIXES)
            if suffix:
                _fill(volume, outputs.enter_context(whole_file(path)), suffix, compress)
            else:
                from .dicom.template import made_up_study
                from .dicom.writing import write_slices

                study = study or (made_up_study(),)
                write_slices(replace(volume, headers=volume.headers or study), outputs.enter_context(whole_folder(path)))


def _fill(volume: Volume, path: Path, suffix: str, compress: bool) -> None:
    """Write a volume to a file that is not DICOM."""
    made = volume.provenance
    volume = volume.with_voxels(_storable(volume.voxels))
    if suffix in NIFTI_SUFFIXES:
        # The field holds 79 characters.
        remarks = " resampled;" * bool(volume.notes) + f" {SPREAD};" * bool(made and made.quantity == SPREAD)
        described = remarks[1:-1]
        if made:
            described = f"SR x{made.factor} {made.model[: 24 - len(remarks)]} {made.engine_version};{remarks} {made.notice}"
        write_nifti(volume, path, described)
    else:
        write_itk_file(volume, path, made.as_fields() if made else notes_field(volume.notes), compress)


def spread_path(path: str | Path) -> Path:
    """Return where the spread of a result is written: beside it, ``fine.nii.gz`` → ``fine-spread.nii.gz``."""
    path = Path(path)
    if path.name in ("", ".."):
        raise RequestError(f"{path}: no name, so there is none for the spread beside it; accepted is a file or a folder by its name")
    length = len(path.name) - len(_suffix(path, WRITTEN_SUFFIXES))
    return path.with_name(f"{path.name[:length]}-{SPREAD}{path.name[length:]}")


def check_output(path: str | Path, volume: Volume | None = None) -> None:
    """Refuse an output that could not be written, before long work is done for it.

    Parameters
    ----------
    path : path
        As for `write_volume`.
    volume : Volume, optional
        A volume on the same axes as the one to be written: NIfTI and DICOM need them perpendicular.

    Raises
    ------
    RequestError
        Naming the output and what is accepted.
    """
    path = Path(path)
    suffix = _suffix(path, WRITTEN_SUFFIXES)
    if not suffix:
        if path.suffix and not path.is_dir():
            raise RequestError(f"{path}: ending {path.suffix}; accepted are .nii, .nii.gz, .nrrd, .mha, or no ending for a DICOM folder")
        from .dicom.writing import check_dicom_output

        check_dicom_output(path, volume)
        return
    if path.is_dir():
        raise RequestError(f"{path}: is a folder; accepted is the name of a {suffix} file")
    check_place(path)
    if volume is not None and suffix in NIFTI_SUFFIXES and not volume.is_orthogonal(NIFTI_ORTHOGONALITY):
        raise RequestError(f"{path}: the axes of the volume are not perpendicular, NIfTI cannot hold that; accepted is .nrrd")


def _storable(voxels: np.ndarray) -> np.ndarray:
    """Return voxels in native byte order and, if half precision, as single: files know no other."""
    dtype = np.dtype(np.float32) if voxels.dtype == np.float16 else voxels.dtype.newbyteorder("=")
    return voxels.astype(dtype, copy=False)


def _suffix(path: Path, known: tuple[str, ...]) -> str:
    """Return the one of the known endings that a name has, in lower case; empty if none."""
    return next((suffix for suffix in known if path.name.lower().endswith(suffix)), "")
