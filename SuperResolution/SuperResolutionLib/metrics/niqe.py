"""Measures of a picture alone that were fitted to photographs: NIQE, Ma's score and the perceptual index, by the package pyiqa."""

from __future__ import annotations

import importlib.util
import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import RequestError
from .pairs import check_finite, value_range

if TYPE_CHECKING:
    from torch.nn import Module

PACKAGE = "pyiqa"
FILES = {"niqe": "niqe_modelparameters.mat", "nrqm": "NRQM_model.mat"}
"""The fitted weights, under the names that pyiqa keeps them by."""
SMALLEST = 96  # pixels: one block of NIQE
BORDER = 4  # pixels that the perceptual index leaves out at each side


def niqe(picture: np.ndarray, black: float, white: float) -> float:
    """Return the natural image quality evaluator of a picture; smaller is more like a photograph.

    Mittal, Soundararajan and Bovik, IEEE Signal Process. Lett. 20, 2013, 209–212, with the authors' weights. It has no mask, and what it
    knows of naturalness comes from photographs.

    Parameters
    ----------
    picture : ndarray, shape (j, i)
        At least 96 × 96 pixels.
    black, white : float
        Intensities that become the grey levels 0 and 255; beyond them it is clipped, as on a screen.

    Raises
    ------
    RequestError
        If pyiqa or its file is not on this machine (nothing is downloaded), or the picture cannot be measured.
    """
    return _score("niqe", _shown(picture, black, white, SMALLEST))


def perceptual_index(picture: np.ndarray, black: float, white: float) -> float:
    """Return the perceptual index of a picture, ((10 − Ma) + NIQE) / 2; smaller is more like a photograph.

    Blau et al., ECCV Workshops 2018 (PIRM challenge), with Ma's score of Ma et al., Comput. Vis. Image Underst. 158, 2017, 1–16, which
    pyiqa calls ``nrqm``; four pixels at each side are left out. It wants at least 104 × 104 pixels; see `niqe` for the rest.
    """
    shown = _shown(picture, black, white, SMALLEST + 2 * BORDER)[BORDER:-BORDER, BORDER:-BORDER]
    return (10 - _score("nrqm", shown) + _score("niqe", shown)) / 2


def _shown(picture: np.ndarray, black: float, white: float, smallest: int) -> np.ndarray:
    """Return the grey values from 0 to 1."""
    check_finite(picture, "picture")
    if picture.ndim != 2 or min(picture.shape) < smallest:
        raise RequestError(f"picture of shape {picture.shape}; accepted are at least {smallest} x {smallest} pixels")
    if not white > black:
        raise RequestError(f"black {black} and white {white}; accepted is a white that is brighter")
    shown = np.clip((picture.astype(np.float64) - black) / (white - black), 0, 1)
    value_range(shown)
    return shown


def _score(name: str, shown: np.ndarray) -> float:
    metric = _metric(name, _weights(name))
    import torch

    # Three equal channels: of a single one pyiqa does not take grey levels up to 255 everywhere.
    value = float(metric(torch.from_numpy(shown.astype(np.float32)).expand(1, 3, -1, -1)))
    if not math.isfinite(value):
        raise RequestError(f"{name} of this picture is {value}; accepted is a picture with texture")
    return value


def _weights(name: str) -> Path:
    """Return the file of weights, so that pyiqa is never asked to fetch it."""
    # Imported by name: it is no requirement of this package, since it comes with dozens of others.
    if importlib.util.find_spec(PACKAGE) is None:
        raise RequestError(f"'{name}': the Python package '{PACKAGE}' is not installed; accepted is one that is, with its {FILES[name]}")
    from torch.hub import get_dir

    path = Path(get_dir()) / PACKAGE / FILES[name]
    if not path.is_file():
        raise RequestError(f"'{name}': its weights are not on this machine; accepted is {PACKAGE}'s {FILES[name]} in {path.parent}")
    return path


@cache
def _metric(name: str, path: Path) -> Module:
    try:
        package = importlib.import_module(PACKAGE)
    except ImportError as error:
        raise RequestError(f"'{name}': the Python package '{PACKAGE}' cannot be imported ({error}); accepted is a whole one") from error
    return package.create_metric(name, device="cpu", pretrained_model_path=str(path))
