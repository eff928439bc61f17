"""Finds the scans of a folder: DICOM series, NIfTI, NRRD and MetaImage files, mixed, or its pictures."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from os.path import commonpath
from pathlib import Path, PurePath

from SuperResolutionLib.dicom.series import DicomFile, SeriesInfo, grouped, read_header
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import READ_SUFFIXES, read_volume
from SuperResolutionLib.upscaling import modality_of
from SuperResolutionLib.volume import AXES, Volume

from .images import is_image, read_image
from .patch_source import value_range
from .recipe import Recipe, Scan
from .split import read_split, split_by_subject, write_split
from .subjects import bids_subject, file_subjects, patient_of, without_identity

SPLIT_FILE = "split.json"

_REAL = 1.5
"""Spacing, in units of the finest, up to which an axis has real resolution."""

Tell = Callable[[str], None]


def _say(line: str) -> None:
    print(line, file=sys.stderr)


@dataclass(frozen=True)
class Finding:
    """What a folder holds: scans of use, and one line for each thing that is of none."""

    scans: tuple[Scan, ...]
    skipped: tuple[str, ...]


def with_scans(recipe: Recipe, data: Path, out: Path, resume: bool = False, tell: Tell = _say) -> Recipe:
    """Return the recipe with its scans: those that it lists, or else all of the data folder, split by subject.

    The split is written into ``split.json`` in the folder of the run; a run that is resumed takes it from there. Of several
    processes, the first calls this before the others, which call it with `resume`.

    Parameters
    ----------
    recipe : Recipe
    data : Path
        Folder of the data.
    out : Path
        Folder of the run; made if absent. If it lies in the data folder, nothing in it is taken for data.
    resume : bool
        Take the scans of ``split.json``.
    tell : callable
        Told in one line each what is skipped; standard error by default.

    Raises
    ------
    RequestError
        If nothing is of use, there are too few subjects to split, or ``split.json`` cannot be read.
    WorkError
        If ``split.json`` cannot be written.
    """
    record = out / SPLIT_FILE
    if resume and not recipe.scans:
        return replace(recipe, scans=read_split(record))
    scans, skipped = recipe.scans, ()
    if not scans:
        find = find_images if recipe.images else find_scans
        found = find(data, recipe.modalities, out, tell)
        scans, skipped = split_by_subject(found.scans, recipe.validation, recipe.seed), found.skipped
    out.mkdir(parents=True, exist_ok=True)
    write_split(record, scans, skipped)
    return replace(recipe, scans=scans)


def find_scans(folder: Path, modalities: Iterable[str], left_out: Path | None = None, tell: Tell = _say) -> Finding:
    """Find every scan in a folder and below it.

    Parameters
    ----------
    folder : Path
    modalities : iterable of str
        Modalities of use; where a file does not say its own, its values do (`modality_of`).
    left_out : Path, optional
        A folder in it that is none of the data.
    tell : callable
        Told in one line each what is skipped: label maps, colours, single slices, damaged files and other modalities.

    Returns
    -------
    Finding
        Scans whose `axes` are those of a spacing (along the slices: or thickness) within 1.5 times the finest. DICOM series whose slices
        are uneven are resampled and serve in their planes alone.

    Raises
    ------
    RequestError
        If nothing is of use.
    """
    skipped = _Skipped(tell)
    files = _without_runs(folder, _files(folder, left_out), skipped)
    volumes = [path for path in files if path.name.lower().endswith(READ_SUFFIXES)]
    headers = [header for path in files if path not in set(volumes) and (header := skipped.unless_read(read_header, path))]
    series = []
    for found in grouped(headers):
        if found.problem:
            skipped.add(f"{found.files[0].path}: series of {found.images} images, {found.problem}; accepted are grey volumes")
        else:
            series.append(found)
    scans = _named(folder, volumes, series, headers)
    scans = [scan for candidate in scans if (scan := skipped.unless_read(_examined, candidate, folder, tuple(modalities)))]
    return _finding(folder, scans, skipped, "scans (DICOM, .nii, .nii.gz, .nrrd, .mha)")


def find_images(folder: Path, modalities: Iterable[str], left_out: Path | None = None, tell: Tell = _say) -> Finding:
    """Find every picture in a folder and below it; see `find_scans`. Each counts as of the first of the modalities.

    Raises
    ------
    RequestError
        If nothing is of use.
    """
    pictures = [path for path in _files(folder, left_out) if is_image(path)]
    subjects = file_subjects(path.relative_to(folder) for path in pictures)
    modality = next(iter(modalities))
    skipped = _Skipped(tell)

    def examined(path: Path) -> Scan:
        value_range(read_image(path))
        place = path.relative_to(folder)
        return Scan(place.as_posix(), subjects[place], modality, axes="ij")

    scans = [scan for path in pictures if (scan := skipped.unless_read(examined, path))]
    return _finding(folder, scans, skipped, "pictures (.png, .jpg)")


def real_axes(volume: Volume) -> str:
    """Return the axes along which resolution is real: spacing within 1.5 times the finest; along k also the slice thickness."""
    lengths = list(volume.spacing)
    lengths[2] = max(lengths[2], volume.slice_thickness or 0)
    return "".join(axis for axis, length in zip(AXES, lengths) if length <= _REAL * min(lengths) * (1 + 1e-6))


class _Skipped:
    """Collects what is of no use, and tells it at once."""

    def __init__(self, tell: Tell) -> None:
        self.lines: list[str] = []
        self._tell = tell

    def add(self, line: str) -> None:
        self.lines.append(line)
        self._tell(f"skipped: {line}")

    def unless_read(self, read: Callable, *arguments: object) -> object:
        """Return what `read` returns, None if it refuses."""
        try:
            return read(*arguments)
        except RequestError as error:
            self.add(str(error))
            return None


def _files(folder: Path, left_out: Path | None) -> list[Path]:
    if not folder.is_dir():
        raise RequestError(f"{folder}: no such folder; accepted is the folder of the training data")
    outside = left_out.resolve() if left_out else None
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in files if not (outside and path.resolve().is_relative_to(outside))]


def _without_runs(folder: Path, files: list[Path], skipped: _Skipped) -> list[Path]:
    """Leave out the folders of other runs: they hold copies of scans, under names that do not tell the subject."""
    runs = [path.parent for path in files if path.name == SPLIT_FILE and path.parent != folder]
    for run in runs:
        skipped.add(f"{run}: the folder of a training run; accepted are folders without {SPLIT_FILE}")
    return [path for path in files if not any(path.is_relative_to(run) for run in runs)]


def _named(folder: Path, volumes: list[Path], series: list[SeriesInfo], headers: list[DicomFile]) -> list[Scan]:
    """Return the candidates with their subjects; modality and axes are not known yet."""
    subjects = file_subjects(path.relative_to(folder) for path in volumes)
    patients = {patient_of(file.header) for file in headers} - {""}
    scans = []
    for place, subject in subjects.items():
        # A converted file may bear the name of the patient whose DICOM is here too.
        scans.append(Scan(place.as_posix(), without_identity(subject) if subject in patients else subject, ""))
    for found in series:
        header = found.files[0].header
        study = str(header.get("StudyInstanceUID") or found.uid)
        patient = patient_of(header)
        place = PurePath(found.files[0].path.relative_to(folder))
        subject = without_identity(patient) if patient else bids_subject(place) or without_identity(study)
        scans.append(Scan(_home(found).relative_to(folder).as_posix(), subject, found.modality, series=found.uid))
    return scans


def _home(series: SeriesInfo) -> Path:
    """Return the folder that all files of a series are in, or the file if it is one."""
    paths = [file.path for file in series.files]
    return paths[0] if len(paths) == 1 else Path(commonpath([path.parent for path in paths]))


def _examined(scan: Scan, folder: Path, modalities: tuple[str, ...]) -> Scan:
    """Read a candidate and return it with its modality and axes; RequestError if it is of no use."""
    path = folder / scan.file
    try:
        volume = read_volume(path, scan.series or None)
    except RequestError:
        if not scan.series:
            raise
        volume = read_volume(path, scan.series, resample=True)
    modality = modality_of(volume)
    if modality not in modalities:
        raise RequestError(f"{path}: modality {modality}; accepted are {', '.join(modalities)}, those of the recipe")
    value_range(volume)
    axes = real_axes(volume)
    if volume.notes:
        # Between the measured slices nothing is real.
        axes = axes.replace("k", "")
    if not axes:
        raise RequestError(f"{path}: no axis of real resolution, its uneven slices are the finest; accepted are even slices")
    return replace(scan, modality=modality, axes=axes, resample=bool(volume.notes))


def _finding(folder: Path, scans: list[Scan], skipped: _Skipped, accepted: str) -> Finding:
    if not scans:
        found = f"nothing of use, {len(skipped.lines)} skipped, the first: {skipped.lines[0]}" if skipped.lines else "nothing of use"
        raise RequestError(f"{folder}: {found}; accepted is a folder that holds {accepted}")
    return Finding(tuple(scans), tuple(skipped.lines))
