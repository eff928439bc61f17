"""Folders of volumes that are compared name by name: one of references, and one of candidates for each way they were made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import READ_SUFFIXES, read_volume
from SuperResolutionLib.volume import Volume

from .comparison_record import state_of
from .subjects import file_subjects

_SUFFIXES = (*READ_SUFFIXES, ".dcm")
_ACCEPTED = f"{', '.join(_SUFFIXES)} and sub-folders of DICOM files"


@dataclass(frozen=True)
class ReferenceTrial:
    """A reference, which the candidates of its name are compared with.

    Attributes
    ----------
    file : str
        Name in the folder of the references.
    subject : str
        Who was scanned, told from the name.
    factor, axis, profile : None
        Nothing is made thick.
    """

    file: str
    subject: str
    factor: None = None
    axis: None = None
    profile: None = None

    @property
    def name(self) -> str:
        """What a line of progress calls it."""
        return name_of(PurePath(self.file))

    def as_dict(self) -> dict[str, Any]:
        """Return what names it in an entry of a record."""
        told = {"file": self.file, "series": "", "subject": self.subject, "modality": None, "coarsen": [1, 1, 1]}
        return told | {"axis": None, "factor": None, "profile": None}

    def load(self, data: Path) -> tuple[Volume | None, Volume]:
        """Read the reference from its folder; there is no thick volume."""
        return None, read_volume(data / self.file)


@dataclass(frozen=True)
class Candidate:
    """A volume that is compared with the reference of its name; its folder counts as a model.

    Attributes
    ----------
    id : str
        Name of the folder.
    path : Path
        Of the volume.
    state : str
        Stands for the states of candidate and reference, so that what changed is measured again.
    """

    id: str
    path: Path
    state: str

    def as_dict(self) -> dict[str, Any]:
        """Return what names it in an entry of a record."""
        return {"model": self.id, "weights_sha256": "", "consistency": None, "files_state": self.state}

    def make(self, pair: ReferenceTrial, thick: None, follow: Callable[[float], None]) -> tuple[Volume, dict[str, Any]]:
        """Read the candidate; nothing is known of how it came about."""
        return read_volume(self.path), {"trained_on": False, "trained_for": None, "seconds": None, "device": "", "precision": ""}


def paired(references: Path, candidates: Sequence[Path], tell: Callable[[str], None]) -> list[tuple[ReferenceTrial, Candidate]]:
    """Return every candidate with its reference, reference by reference.

    Parameters
    ----------
    references : Path
    candidates : sequence of Path
        Folders of different names.
    tell : callable
        Told in one line each which references have no candidate in a folder.

    Raises
    ------
    RequestError
        If a folder is absent or holds no volume, two volumes or folders have one name, or a candidate has no reference.
    """
    truths = _volumes_in(references)
    folders: dict[str, tuple[Path, dict[str, Path]]] = {}
    for folder in candidates:
        name = folder.resolve().name
        if name in folders:
            raise RequestError(f"{folder} and {folders[name][0]}: two folders named '{name}'; accepted are folders of different names")
        folders[name] = folder, _volumes_in(folder)
    for folder, volumes in folders.values():
        if alone := sorted(set(volumes) - set(truths)):
            raise RequestError(f"{folder}: {_listed(alone)} without a reference in {references}; accepted are volumes named as references")
        if lacking := sorted(set(truths) - set(volumes)):
            tell(f"{folder}: no candidate for {_listed(lacking)}")
    subjects = file_subjects(PurePath(path.name) for path in truths.values())
    found = []
    for name, truth in truths.items():
        pair, state = ReferenceTrial(truth.name, subjects[PurePath(truth.name)]), state_of(truth)
        mine = {model: volumes[name].absolute() for model, (_, volumes) in folders.items() if name in volumes}
        found += [(pair, Candidate(model, path, state + state_of(path))) for model, path in mine.items()]
    return found


def name_of(path: PurePath) -> str:
    """Return the name of a file or folder without the ending of a volume."""
    suffix = next((suffix for suffix in _SUFFIXES if path.name.lower().endswith(suffix)), "")
    return path.name[: len(path.name) - len(suffix)]


def _volumes_in(folder: Path) -> dict[str, Path]:
    """Return the volumes of a folder by their names, in order."""
    if not folder.is_dir():
        raise RequestError(f"{folder}: no such folder; accepted are folders of volumes")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not (_holds_files(path) if path.is_dir() else path.name.lower().endswith(_SUFFIXES)):
            continue
        name = name_of(path)
        if name in found:
            raise RequestError(f"{folder}: '{name}' is there twice, {found[name].name} and {path.name}; accepted is one volume of a name")
        found[name] = path
    if not found:
        raise RequestError(f"{folder}: no volume; accepted are {_ACCEPTED}")
    return found


def _holds_files(folder: Path) -> bool:
    return any(path.is_file() for path in folder.iterdir())


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(repr(name) for name in names[:5])}{more}"
