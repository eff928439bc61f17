"""Who was scanned, told from a DICOM header or from the name of a file."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath

from pydicom import Dataset

from SuperResolutionLib.files import READ_SUFFIXES

from .images import IMAGE_SUFFIXES

_BIDS = re.compile(r"sub-[A-Za-z0-9]+(?=[_.]|$)")
_SEQUENCE = re.compile(r"(.)[_.-](t1|t2|t2star|pd|flair|dwi|adc|swi|ct|mr|mri|t1w|t2w|t2starw|pdw|t1c|t1ce|t1gd|t1n|t2f)$", re.IGNORECASE)
"""A sequence or modality at the end of a name, which is no part of the subject's."""


def patient_of(header: Dataset) -> str:
    """Return the PatientID of a DICOM image; empty where there is none."""
    return str(header.get("PatientID") or "").strip()


def without_identity(patient: str) -> str:
    """Return a name that stands for a PatientID: subjects are named in model files, which are passed on."""
    return f"patient-{hashlib.sha256(patient.encode()).hexdigest()[:8]}"


def bids_subject(path: PurePath) -> str:
    """Return the ``sub-XX`` of a path whose folders or file are named so (BIDS); empty where there is none."""
    found = [match.group() for part in path.parts if (match := _BIDS.match(part))]
    return found[0] if found else ""


def file_subjects(paths: Iterable[PurePath]) -> dict[PurePath, str]:
    """Return who was scanned in each file, by ``sub-XX`` in its path or else by its name.

    A name counts without its ending and without a sequence at its end: ``anna_T1.nii.gz`` and ``anna_T2.nii.gz`` are of one subject.
    Where files in different folders share names (``anna/T1.nii.gz`` and ``bert/T1.nii.gz``), their outermost folder is the subject.

    Parameters
    ----------
    paths : iterable of PurePath
        Relative to the data folder.
    """
    paths = list(paths)
    shared = {name for name, count in Counter(path.name.lower() for path in paths).items() if count > 1}
    homes = {path.parts[0] for path in paths if path.name.lower() in shared and len(path.parts) > 1}
    return {path: bids_subject(path) or (path.parts[0] if path.parts[0] in homes else _name(path)) for path in paths}


def _name(path: PurePath) -> str:
    """Return the name of a file without known endings."""
    suffix = next((suffix for suffix in (*READ_SUFFIXES, *IMAGE_SUFFIXES) if path.name.lower().endswith(suffix)), "")
    return _SEQUENCE.sub(r"\1", path.name[: len(path.name) - len(suffix)])
