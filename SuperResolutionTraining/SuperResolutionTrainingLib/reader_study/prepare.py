"""A study file made into the blinded folder that readers get, and the key that their coordinator keeps."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionLib.version import __version__
from SuperResolutionLib.volume import Volume
from SuperResolutionLib.whole import check_place, whole_file, whole_folder

from ..grid import same_grid
from .blinding import blind
from .study import FORMAT, STRUCTURES, STUDY_FILE, VOLUMES, Study, open_study
from .study_file import CaseEntry, read_study_file

Tell = Callable[[str], None]
FIXED_TIME = 315_532_800  # 1980-01-01, of every file: the order in which they were written is nobody's business
WEAK_SEED = "a seed that was typed can be guessed, and with it the key; leave --seed out for a study that counts"


def prepare(study_file: str | Path, out: str | Path, key: str | Path, seed: int | None = None, tell: Tell = lambda line: None) -> Study:
    """Write the blinded folder and the key.

    Parameters
    ----------
    study_file : path
        See `study_file`.
    out : path
        New or empty folder for the readers; appears whole or not at all.
    key : path
        JSON file that says which token is which method; new, and outside of `out`.
    seed : int, optional
        Of tokens and order; default: 128 random bits. Whoever guesses it, guesses the tokens.
    tell : callable
        Takes lines on the progress, which name methods.

    Raises
    ------
    RequestError
        If the study file is wrong, a volume cannot be read, a candidate is the reference, `out` holds something, or `key` is there already
        or inside of `out`.
    WorkError
        If writing fails.
    """
    out, key = Path(out).resolve(), Path(key).resolve()
    _check_places(out, key)
    study = read_study_file(study_file)
    if seed is not None:
        tell(f"warning: {WEAK_SEED}")
    drawn_from = secrets.token_hex(16) if seed is None else str(seed)
    draw = partial(_draw, drawn_from)
    id = draw("study")[:16]
    order = sorted(range(len(study.cases)), key=lambda number: draw("order", number))
    seen, secret = [], []
    with whole_folder(out) as folder:
        (folder / VOLUMES).mkdir()
        for place, number in enumerate(order, start=1):
            case, name = study.cases[number], f"case-{place:02d}"
            tell(f"{name} of {len(order)}: {case.name}; asked: {', '.join(_asked(case))}")
            tokens = _tokens(case, partial(draw, number))
            window = _write_volumes(case, tokens, int(draw("noise", number), 16), folder / VOLUMES, tell)
            seen.append(_for_readers(case, name, tokens, window))
            secret.append(_for_key(case, name, tokens))
        sealed = _as_bytes(
            {
                "format": FORMAT,
                "superresolution": __version__,
                "study": id,
                "title": study.title,
                "seed": drawn_from,
                "seed_typed": seed is not None,
                "cases": secret,
            }
        )
        public = {"format": FORMAT, "id": id, "title": study.title, "instructions": study.instructions, "ties": study.ties}
        commitment = hashlib.sha256(sealed).hexdigest()
        (folder / STUDY_FILE).write_bytes(_as_bytes(public | {"key_sha256": commitment, "cases": seen}))
        _fix_times(folder)
        with whole_file(key) as half:
            half.write_bytes(sealed)
            half.chmod(0o600)
    return open_study(out)


def _draw(seed: str, *what: object) -> str:
    """Return 32 hexadecimal digits for a purpose, which nobody can tell who does not know the seed."""
    return hmac.new(seed.encode(), json.dumps(what).encode(), "sha256").hexdigest()[:32]


def _tokens(case: CaseEntry, draw: Callable[..., str]) -> dict[str | None, str]:
    """Return the token of each method, and under None that of the reference; names have no part in them."""
    methods = [*case.candidates, *([None] if case.reference else [])]
    return {method: draw("volume", place) for place, method in enumerate(methods)}


def _write_volumes(case: CaseEntry, tokens: dict[str | None, str], noise: int, folder: Path, tell: Tell) -> tuple[float, float]:
    """Write the volumes of a case, all alike, in the order of their tokens; return the window for all of them."""
    volumes = {token: read_volume(_file(case, method)) for method, token in tokens.items()}
    grid = volumes[tokens.get(None, next(iter(volumes)))]
    for method, token in tokens.items():
        if not same_grid(volumes[token], grid):
            tell(f"{_file(case, method)}: not on the grid of {grid.source}; brought there by cubic interpolation, which may cost sharpness")
    blinded, window = blind(volumes, grid, noise, case.window)
    for method, token in tokens.items():
        if None in tokens and method and _alike(blinded[token], blinded[tokens[None]]):
            raise RequestError(
                f"{case.name}: candidate '{method}' is the reference, within two grey values, which readers see; accepted is either of them"
            )
    for token in sorted(blinded):
        write_volume(blinded[token], folder / f"{token}.nrrd", compress=False)
    return window


def _asked(case: CaseEntry) -> list[str]:
    """Return the questions of a case, each structure for itself."""
    preferences = [question for question in case.questions if question != STRUCTURES]
    return [*preferences, *(case.structures if STRUCTURES in case.questions else ())]


def _alike(one: Volume, other: Volume) -> bool:
    """Return whether two blinded volumes differ by no more than their noise."""
    return int(np.abs(one.voxels.astype(np.int32) - other.voxels).max()) <= 2


def _for_readers(case: CaseEntry, name: str, tokens: dict[str | None, str], window: tuple[float, float]) -> dict[str, Any]:
    return {
        "name": name,
        "candidates": sorted(token for method, token in tokens.items() if method is not None),
        "reference": tokens.get(None),
        "planes": case.planes,
        "questions": case.questions,
        "structures": case.structures if STRUCTURES in case.questions else [],
        "window": [round(edge, 2) for edge in window],
    }


def _for_key(case: CaseEntry, name: str, tokens: dict[str | None, str]) -> dict[str, Any]:
    told = {
        token: {"method": method, "file": _file(case, method), "sha256": _sha256(Path(_file(case, method)))}
        for method, token in tokens.items()
    }
    candidates = {token: each for token, each in told.items() if each["method"] is not None}
    return {"case": name, "name": case.name, "candidates": candidates, "reference": case.reference and told[tokens[None]]}


def _file(case: CaseEntry, method: str | None) -> str:
    return case.reference if method is None else case.candidates[method]


def _sha256(path: Path) -> str:
    """Return the hash of a file, or of a DICOM folder: of its files' names and hashes."""
    if path.is_dir():
        lines = [f"{each.relative_to(path).as_posix()} {_sha256(each)}\n" for each in sorted(path.rglob("*")) if each.is_file()]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_places(out: Path, key: Path) -> None:
    if key.is_relative_to(out):
        raise RequestError(f"{key}: inside of {out}, which readers get; accepted is a key elsewhere")
    if key.exists():
        raise RequestError(f"{key}: is there already, and a key is never replaced; accepted is a new file")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise RequestError(f"{out}: exists and is not empty; accepted is a new or empty folder")
    check_place(key)
    check_place(out)


def _as_bytes(plain: dict[str, Any]) -> bytes:
    return (json.dumps(plain, indent=2, ensure_ascii=False) + "\n").encode()


def _fix_times(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (FIXED_TIME, FIXED_TIME))
