"""The study as its coordinator writes it: a YAML file that lists cases and says which method made which volume.

::

    title: Knees at four times the resolution
    instructions: Look at the cartilage. Scroll through the whole volume before you answer.
    questions: [sharper, nearer, structures]
    cases:
      - name: knee of subject 7
        candidates: {cubic: seven_cubic.nii.gz, fast: seven_fast.nii.gz}
        reference: seven.nii.gz

Files are relative to the study file. `planes`, `questions` and `structures` of a case go before those of the study.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from SuperResolutionLib.errors import RequestError

from ..plain_data import build
from .study import NEARER, PLANES, QUESTIONS, SHARPER, STRUCTURES

# What the knee-MRI thesis had its readers rate.
KNEE_STRUCTURES = ("ACL and PCL", "Patellar cartilage", "Tibial cartilage", "Femoral cartilage", "Meniscus")
INSTRUCTIONS = (
    "Each page shows two images of the same patient, made by different methods. Which method is left and which is right changes from page "
    "to page. Answer every question, even where you see hardly a difference."
)
# A name that can stand in an id, in a table and on paper.
_STRUCTURE = re.compile(r"[^:\s](?:[^:\r\n\t]{0,58}[^:\s])?")


@dataclass(frozen=True)
class CaseEntry:
    """A case of the study file.

    Attributes
    ----------
    name : str
        The coordinator's own name, which goes into the key and the results only.
    candidates : dict of str to str
        Method and file.
    reference : str
        File; empty: none is shown.
    planes, questions, structures : tuple of str
        Empty: those of the study.
    window : tuple of two float
        Lowest and highest grey value of the display to begin with, in the units of the files; empty: chosen from the volumes.
    """

    name: str
    candidates: dict[str, str]
    reference: str = ""
    planes: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    structures: tuple[str, ...] = ()
    window: tuple[float, ...] = ()


@dataclass(frozen=True)
class StudyEntry:
    """The study file.

    Attributes
    ----------
    title, instructions : str
        What readers see; no name of a method may be in it.
    cases : tuple of CaseEntry
    questions : tuple of str
        Of ``sharper``, ``nearer`` (which needs a reference) and ``structures``.
    planes : tuple of str
        Of ``axial``, ``sagittal``, ``coronal``.
    structures : tuple of str
        To be rated 1 to 5.
    ties : bool
        Whether readers may answer ``equal``; otherwise they have to choose.
    """

    title: str
    cases: tuple[CaseEntry, ...]
    instructions: str = INSTRUCTIONS
    questions: tuple[str, ...] = (SHARPER,)
    planes: tuple[str, ...] = PLANES
    structures: tuple[str, ...] = KNEE_STRUCTURES
    ties: bool = False


def read_study_file(path: str | Path) -> StudyEntry:
    """Read and check a study file; in the cases returned, nothing is left to be taken from the study, and files have their full path.

    Raises
    ------
    RequestError
        If it cannot be read, has unknown or missing keys or wrong values, asks what a case cannot answer, or tells readers a method.
    """
    import yaml

    path = Path(path)
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RequestError(f"study {path}: {' '.join(str(error).split())}") from error
    study = build(StudyEntry, plain, str(path))
    if not study.cases:
        raise RequestError(f"{path}: no cases; accepted is at least one")
    cases = tuple(_completed(case, study, path, f"{path}: cases[{number}]") for number, case in enumerate(study.cases))
    study = replace(study, cases=cases)
    _check_names(study, path)
    return study


def _completed(case: CaseEntry, study: StudyEntry, path: Path, where: str) -> CaseEntry:
    lists = {name: getattr(case, name) or getattr(study, name) for name in ("planes", "questions", "structures")}
    case = replace(case, **lists)
    _check_choices(case, where)
    if len(case.candidates) < 2 or not all(isinstance(method, str) and method.strip() for method in case.candidates):
        raise RequestError(f"{where}: candidates {list(case.candidates)}; accepted are at least two, each under the name of its method")
    if NEARER in case.questions and not case.reference:
        raise RequestError(f"{where}: question 'nearer' without a reference; accepted is it with 'reference: FILE', or another question")
    if case.window and not (len(case.window) == 2 and case.window[0] < case.window[1]):
        raise RequestError(f"{where}: window {list(case.window)}; accepted are two numbers, the lower first")
    files = {method: str(path.parent / file) for method, file in case.candidates.items()}
    return replace(case, candidates=files, reference=case.reference and str(path.parent / case.reference))


def _check_choices(case: CaseEntry, where: str) -> None:
    for name, accepted in (("planes", PLANES), ("questions", QUESTIONS)):
        found = getattr(case, name)
        if len(set(found)) < len(found) or not set(found) <= set(accepted):
            raise RequestError(f"{where}: {name} {list(found)}; accepted are {', '.join(accepted)}, each once")
    if STRUCTURES in case.questions:
        names = [name.lower() for name in case.structures]
        wrong = [name for name in case.structures if not _STRUCTURE.fullmatch(name) or names.count(name.lower()) > 1]
        if wrong:
            raise RequestError(f"{where}: structure '{wrong[0]}'; accepted are names of up to 60 characters without a colon, each once")


def _check_names(study: StudyEntry, path: Path) -> None:
    """Refuse equal names of cases, and texts that readers see with the name of a method in them."""
    names = [case.name for case in study.cases]
    if equal := [name for name in names if names.count(name) > 1]:
        raise RequestError(f"{path}: two cases are named '{equal[0]}'; accepted are different names")
    seen = {"title": [study.title], "instructions": [study.instructions], "structures": _structures(study)}
    for method in sorted({method for case in study.cases for method in case.candidates}):
        for what, texts in seen.items():
            if re.search(rf"(?<!\w){re.escape(method)}(?!\w)", "\n".join(texts), re.IGNORECASE):
                raise RequestError(f"{path}: {what} names the method '{method}', which readers would see; accepted are other words")


def _structures(study: StudyEntry) -> Sequence[str]:
    return list(chain.from_iterable(case.structures for case in study.cases))
