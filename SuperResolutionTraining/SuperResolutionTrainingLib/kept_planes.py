"""The planes that a report shows, kept in small files: those of the truth and the thick volume of a trial, and of each model's result."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import Volume
from SuperResolutionLib.whole import whole_file

from .comparison_record import key_of, place_of
from .pictures import grey_window
from .planes import VIEWS, plane_through

FOLDER = "planes"
_WINDOW = "window"
_TRUTH, _THICK, _RESULT = "truth", "thick", "result"


@dataclass(frozen=True)
class ShownPlane:
    """A plane, ready to be shown.

    Attributes
    ----------
    pixels : ndarray of float32, shape (rows, columns)
        Rows from top to bottom: anterior or superior is up.
    spacing : tuple of float
        Height and width of a pixel in mm.
    """

    pixels: np.ndarray
    spacing: tuple[float, float]


Shown = dict[str, ShownPlane]
"""The planes of a volume by the name of their view: sagittal, coronal, axial."""


@dataclass(frozen=True)
class TrialPlanes:
    """What a report shows of a trial.

    Attributes
    ----------
    window : tuple of float
        The grey values shown black and white, chosen from the truth.
    truth : dict of str to ShownPlane
    thick : dict of str to ShownPlane, or None
        As acquired, with its own pixels over the same field of view; None where a pair has no thick volume.
    models : dict of str to dict of str to ShownPlane
        By the model's name, in the order of the entries; without those whose planes were not kept.
    """

    window: tuple[float, float]
    truth: Shown
    thick: Shown | None
    models: dict[str, Shown]


def shown_planes(volume: Volume, point: np.ndarray) -> Shown:
    """Return the three planes of a volume that pass nearest to a point, LPS mm."""
    planes = {view.name: plane_through(volume, view, point) for view in VIEWS}
    return {name: ShownPlane(_pixels(plane.pixels), _spacing(plane.pixels, plane.extent)) for name, plane in planes.items()}


def names_of(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names of two files in the folder `FOLDER`: of an entry's trial, and of its model in that trial."""
    words = [entry["subject"], entry["axis"], entry["factor"] and f"x{entry['factor']}", entry["profile"]]
    trial = "-".join([*(_plain(word) for word in words if word), _digest(place_of(entry))])
    return f"{trial}.npz", f"{trial}-{_plain(entry['model'])}-{_digest(key_of(entry))}.npz"


def write_trial(folder: Path, name: str, truth: Shown, thick: Shown | None) -> None:
    """Write what the models of a trial have in common, whole or not at all; WorkError if that fails."""
    seen = np.concatenate([plane.pixels.ravel() for plane in truth.values()])
    _write(folder / name, {_TRUTH: truth} | ({_THICK: thick} if thick else {}), {_WINDOW: np.array(grey_window(seen))})


def write_result(folder: Path, name: str, result: Shown) -> None:
    """Write the planes of a model's result, whole or not at all; WorkError if that fails."""
    _write(folder / name, {_RESULT: result}, {})


def read_trial(out: Path, entries: Iterable[Mapping[str, Any]]) -> TrialPlanes | None:
    """Read the planes of one trial.

    Parameters
    ----------
    out : Path
        Folder of the comparison.
    entries : iterable of dict
        Those of the trial.

    Returns
    -------
    TrialPlanes or None
        None where none were kept.

    Raises
    ------
    RequestError
        If a file cannot be read.
    """
    kept = [entry for entry in entries if entry.get("planes")]
    if not kept:
        return None
    shared = _read(out / FOLDER / names_of(kept[0])[0])
    models = {entry["model"]: _named(_read(out / FOLDER / entry["planes"]), _RESULT) for entry in kept}
    low, high = shared[_WINDOW].tolist()
    return TrialPlanes((low, high), _named(shared, _TRUTH), _named(shared, _THICK) or None, models)


def _pixels(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels, np.float32)


def _spacing(pixels: np.ndarray, extent: tuple[float, float, float, float]) -> tuple[float, float]:
    left, right, bottom, top = extent
    return abs(top - bottom) / pixels.shape[0], abs(right - left) / pixels.shape[1]


def _plain(word: object) -> str:
    return re.sub(r"[^\w.]+", "_", str(word))[:60]


def _digest(parts: tuple[Any, ...]) -> str:
    # Names that differ only in what was made plain, or in case, are files of their own.
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:8]


def _write(path: Path, volumes: Mapping[str, Shown], more: Mapping[str, np.ndarray]) -> None:
    arrays = dict(more)
    for name, planes in volumes.items():
        for view, plane in planes.items():
            arrays[f"{name}_{view}"] = plane.pixels
            arrays[f"{name}_{view}_spacing"] = np.array(plane.spacing)
    with whole_file(path) as partial:
        path.parent.mkdir(exist_ok=True)
        np.savez_compressed(partial, **arrays)


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise RequestError(f"{path}: no planes of a comparison ({error}); accepted are those that evaluate --out keeps") from error


def _named(arrays: Mapping[str, np.ndarray], name: str) -> Shown:
    views = [view.name for view in VIEWS if f"{name}_{view.name}" in arrays]
    return {view: ShownPlane(arrays[f"{name}_{view}"], tuple(arrays[f"{name}_{view}_spacing"].tolist())) for view in views}
