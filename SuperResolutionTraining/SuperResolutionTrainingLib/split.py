"""Which subjects are trained on and which are kept for validation, written down beside the run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.whole import whole_file

from .plain_data import build
from .recipe import SPLITS, Scan


def split_by_subject(scans: Sequence[Scan], share: float, seed: int) -> tuple[Scan, ...]:
    """Return the scans with their `split` set; all scans of a subject are in one.

    Parameters
    ----------
    scans : sequence of Scan
    share : float
        Part of the subjects kept for validation, at least one of them and never all; 0: none.
    seed : int
        The split is a function of the subjects' names and the seed: neither order nor number of the scans matters.

    Raises
    ------
    RequestError
        If some are to be kept and there is only one subject.
    """
    subjects = sorted({scan.subject for scan in scans}, key=lambda subject: _rank(subject, seed))
    kept = 0
    if share > 0:
        if len(subjects) < 2:
            raise RequestError(
                f"1 subject ('{subjects[0]}') and validation {share:g}: a subject is in one split only; accepted are two subjects or more, "
                "or validation 0"
            )
        kept = min(max(round(share * len(subjects)), 1), len(subjects) - 1)
    validation = set(subjects[:kept])
    return tuple(replace(scan, split="validation" if scan.subject in validation else "train") for scan in scans)


def _rank(subject: str, seed: int) -> str:
    """Return what subjects are put in order by: a digest, so that another subject changes the place of none of the others."""
    return hashlib.sha256(f"{seed}:{subject}".encode()).hexdigest()


def subjects_by_split(scans: Iterable[Scan]) -> dict[str, list[str]]:
    """Return the names of the subjects of each split."""
    scans = list(scans)
    return {split: sorted({scan.subject for scan in scans if scan.split == split}) for split in SPLITS}


def write_split(path: Path, scans: Sequence[Scan], skipped: Sequence[str] = ()) -> None:
    """Write ``split.json``: the subjects of each split, every scan as it is used, and what was not used.

    Raises
    ------
    WorkError
        If the file cannot be written.
    """
    record = {**subjects_by_split(scans), "scans": [asdict(scan) for scan in scans], "skipped": list(skipped)}
    with whole_file(path) as partial:
        partial.write_text(json.dumps(record, indent=1), encoding="utf-8")


def read_split(path: Path) -> tuple[Scan, ...]:
    """Return the scans of a ``split.json`` with their splits.

    Raises
    ------
    RequestError
        If the file cannot be read or is no such record.
    """
    try:
        record: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(f"{path}: cannot be read, {' '.join(str(error).split())}; accepted is the record of a run") from error
    if not isinstance(record, dict) or "scans" not in record:
        raise RequestError(f"{path}: holds no scans; accepted is the record of a run")
    return build(tuple[Scan, ...], record["scans"], f"{path}: scans")
