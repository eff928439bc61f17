"""A blinded folder: what readers get of a study."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import RequestError

FORMAT = 1
STUDY_FILE = "study.json"
VOLUMES = "volumes"
SHARPER, NEARER, STRUCTURES = QUESTIONS = ("sharper", "nearer", "structures")
PLANES = ("axial", "sagittal", "coronal")
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class VolumeFile:
    """A volume of the blinded folder: its token, which is all that may be told about it, and its file."""

    token: str
    path: Path


@dataclass(frozen=True)
class Case:
    """One patient's volumes, all on one grid.

    Attributes
    ----------
    name : str
        Neutral: ``case-01`` and so on.
    candidates : tuple of VolumeFile
        At least two, in the order of their tokens.
    reference : VolumeFile, optional
        Shown in the middle, and known to be the reference.
    planes : tuple of str
        Which to show: of ``axial``, ``sagittal``, ``coronal``.
    questions : tuple of str
        Of ``sharper``, ``nearer``, ``structures``.
    structures : tuple of str
        To be rated, where ``structures`` is asked.
    window : tuple of two float
        Lowest and highest grey value to begin with, for all volumes of the case.
    """

    name: str
    candidates: tuple[VolumeFile, ...]
    reference: VolumeFile | None
    planes: tuple[str, ...]
    questions: tuple[str, ...]
    structures: tuple[str, ...]
    window: tuple[float, float]

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Every two of the candidates, by their places in `candidates`."""
        return tuple(combinations(range(len(self.candidates)), 2))


@dataclass(frozen=True)
class Study:
    """A blinded folder.

    Attributes
    ----------
    folder : Path
    id : str
        16 hexadecimal digits.
    title, instructions : str
        For the reader.
    cases : tuple of Case
    ties : bool
        Whether ``equal`` is an answer to ``sharper`` and ``nearer``.
    commitment : str
        SHA-256 of the key, by which it is recognised in the end.
    """

    folder: Path
    id: str
    title: str
    instructions: str
    cases: tuple[Case, ...]
    ties: bool
    commitment: str


def open_study(folder: str | Path) -> Study:
    """Open a blinded folder.

    Raises
    ------
    RequestError
        If it holds no study of this format, or a volume is missing.
    """
    path = Path(folder) / STUDY_FILE
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(f"{path}: {' '.join(str(error).split())}; accepted is the folder that `study prepare` wrote") from error
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        found = plain.get("format") if isinstance(plain, dict) else None
        raise RequestError(f"{path}: format {found!r}; accepted is {FORMAT}")
    try:
        cases = tuple(_case(each, path.parent / VOLUMES) for each in plain["cases"])
        return Study(path.parent, *(plain[name] for name in ("id", "title", "instructions")), cases, plain["ties"], plain["key_sha256"])
    except (KeyError, TypeError) as error:
        raise RequestError(f"{path}: damaged, {type(error).__name__} {error}; accepted is the file as `study prepare` wrote it") from error


def _case(plain: dict[str, Any], volumes: Path) -> Case:
    def file(token: str) -> VolumeFile:
        path = volumes / f"{token}.nrrd"
        if not _TOKEN.fullmatch(token) or not path.is_file():
            raise RequestError(f"{path}: no such volume of {plain['name']}; accepted is the whole folder that `study prepare` wrote")
        return VolumeFile(token, path)

    lists = {name: tuple(plain[name]) for name in ("planes", "questions", "structures", "window")}
    reference = plain["reference"] and file(plain["reference"])
    return Case(plain["name"], tuple(file(token) for token in plain["candidates"]), reference, **lists)
