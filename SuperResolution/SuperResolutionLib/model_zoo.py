"""What there is to upscale with: the shipped models, the user's own, and the interpolations."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from .errors import RequestError, WorkError
from .interpolation import INTERPOLATIONS
from .model_file import LARGEST_FACTOR, Card, is_checkpoint, read_card
from .whole import whole_file

AUTOMATIC = "auto"
SHIPPED = Path(__file__).parent / "Models"
SAFE_FACTOR = 4
"""Larger factors were judged neither safe nor helpful by readers (Georgescu et al., IEEE Access 2020)."""
_INTERPOLATED_FACTORS = tuple(range(2, LARGEST_FACTOR + 1))
_NO_FILE_NAME = set('<>:"/\\|?*')  # of any system that Slicer runs on


@dataclass(frozen=True)
class UpscalerInfo:
    """What can be said of an upscaler without loading it.

    Attributes
    ----------
    id, title : str
    kind : str
        ``network`` or ``interpolation``.
    factors : tuple of int
    modalities : tuple of str
        Empty: any.
    path : Path, optional
        The model file, for networks.
    card : Card, optional
        Its card.
    problem : str
        Why a file of the user's folder cannot be used; empty if it can.
    """

    id: str
    title: str
    kind: str
    factors: tuple[int, ...]
    modalities: tuple[str, ...] = ()
    path: Path | None = None
    card: Card | None = None
    problem: str = ""

    @property
    def only_planes(self) -> bool:
        """Whether it makes planes finer and nothing else."""
        return self.card is not None and self.card.task == "plane"

    def axis_meant(self, axis: str) -> str:
        """Return what `axis` (see `upscaling.Settings`) means here: ``auto`` is the plane of a model that makes nothing else finer."""
        return "plane" if axis == "auto" and self.only_planes else axis

    def reason_against_axis(self, axis: str) -> str:
        """Return why the upscaler cannot do what `axis` says; empty if it can, be it one axis after the other."""
        fits = self.axis_meant(axis) == "plane" or not self.only_planes
        return "" if fits else f"model '{self.id}' makes planes finer; accepted are auto and plane"


def user_folder() -> Path:
    """Return the folder of the user's own models: ``SUPERRESOLUTION_MODELS``, else below the home folder."""
    named = os.environ.get("SUPERRESOLUTION_MODELS")
    return Path(named) if named else Path.home() / ".superresolution" / "models"


def list_upscalers() -> list[UpscalerInfo]:
    """Return every upscaler: shipped models, the user's, the interpolations. Imports no torch.

    Of the files in a folder those are passed over that are no models and no broken ones: checkpoints, and files that are being written.
    """
    files = [path for folder in (SHIPPED, user_folder()) if folder.is_dir() for path in sorted(folder.glob("*.safetensors"))]
    found = [_describe(path) for path in files if not path.name.startswith(".") and not is_checkpoint(path)]
    baselines = [UpscalerInfo(name, f"{name} interpolation", "interpolation", _INTERPOLATED_FACTORS) for name in INTERPOLATIONS]
    return found + baselines


def _describe(path: Path) -> UpscalerInfo:
    try:
        return _usable(path)
    except RequestError as error:
        return UpscalerInfo(path.stem, "", "network", (), path=path, problem=str(error))


def _usable(path: Path) -> UpscalerInfo:
    card = read_card(path)
    return UpscalerInfo(card.id, card.title, "network", card.offered_factors, card.modalities, path, card)


def reason_against(info: UpscalerInfo, modality: str) -> str:
    """Return why an upscaler does not fit a volume of `modality` (``MR``, ``CT``); empty if it does."""
    if info.problem:
        return info.problem
    if info.modalities and modality not in info.modalities:
        return f"trained on {', '.join(info.modalities)}; this volume is {modality}"
    return ""


def add_model(path: str | Path) -> UpscalerInfo:
    """Check a model file and copy it into the user's own folder.

    Raises
    ------
    RequestError
        If the file is no usable model file, its id is no file name, or another upscaler has it.
    WorkError
        If the copy cannot be written.
    """
    path = Path(path)
    info = _usable(path)
    if set(info.id) & _NO_FILE_NAME or not info.id.isprintable():
        raise RequestError(f"{path}: the id {info.id!r} is no file name; accepted are ids without {' '.join(sorted(_NO_FILE_NAME))}")
    target = user_folder() / f"{info.id}.safetensors"
    taken = [other for other in list_upscalers() if other.id == info.id and other.path != target]
    if taken or info.id == AUTOMATIC:
        owner = (taken[0].path or "an interpolation") if taken else "the choice of the best shipped model"
        raise RequestError(f"{path}: the id '{info.id}' belongs to {owner}; accepted are other ids")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(f"{target.parent}: not made, {error.strerror or error}") from error
    with whole_file(target) as partial:
        shutil.copyfile(path, partial)
    return _usable(target)


def find_upscaler(model: str, modality: str, factor: int, axis: str = "auto") -> UpscalerInfo:
    """Return the upscaler that `model` names.

    Parameters
    ----------
    model : str
        ``auto`` (the shipped model with the largest measured gain for this modality and factor), an id, or the path of a model file.
    modality : str
        ``MR`` or ``CT``.
    factor : int
        Factor wanted.
    axis : str
        What is to become finer, see `upscaling.Settings`.

    Raises
    ------
    RequestError
        If there is none, if it cannot be used, or if it does not offer the factor or the axis.
    """
    if model == AUTOMATIC:
        return _best_shipped(modality, factor, axis)
    info = _named(model)
    if against := info.reason_against_axis(axis):
        raise RequestError(f"axis '{axis}': {against}")
    if factor not in info.factors:
        raise RequestError(f"factor {factor}: model '{info.id}' offers {', '.join(map(str, info.factors))}")
    return info


def axis_meant(model: str, axis: str) -> str:
    """Return what `axis` means with the model that `model` names, see `UpscalerInfo.axis_meant`; the best shipped one is chosen by axis.

    Raises
    ------
    RequestError
        If there is no such model, or it cannot be used.
    """
    return axis if model == AUTOMATIC or axis != "auto" else _named(model).axis_meant(axis)


def _named(model: str) -> UpscalerInfo:
    """Return the upscaler with an id, or of a model file."""
    # A file of the user's takes the place of nothing that was there before.
    own = user_folder()
    listed: dict[str, UpscalerInfo] = {}
    for info in sorted(list_upscalers(), key=lambda info: info.path is not None and info.path.parent == own):
        listed.setdefault(info.id, info)
    if model in listed:
        if listed[model].problem:
            raise RequestError(listed[model].problem)
        return listed[model]
    if os.sep in model or model.endswith(".safetensors") or Path(model).is_file():
        return _usable(Path(model))
    raise RequestError(f"model '{model}': accepted are auto, {', '.join(listed)}, or the path of a model file")


def _best_shipped(modality: str, factor: int, axis: str) -> UpscalerInfo:
    models = [_usable(path) for path in sorted(SHIPPED.glob("*.safetensors"))]
    able = [info for info in models if axis == "plane" or not info.only_planes]
    fitting = [info for info in able if modality in info.modalities and factor in info.factors]
    if not fitting:
        offers = "; ".join(f"{info.id}: {'/'.join(info.modalities)} x{', x'.join(map(str, info.factors))}" for info in models) or "none"
        raise RequestError(f"model auto: no shipped model for {modality} at factor {factor}; shipped are {offers}")
    return max(fitting, key=lambda info: info.card.mean_gain(factor, modality) or 0.0)
