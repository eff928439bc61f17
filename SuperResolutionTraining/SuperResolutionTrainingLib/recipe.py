"""A training recipe: one YAML file that says what is trained, on what, and how."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from SuperResolutionLib.acquisition import Acquisition
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import AXES


@dataclass(frozen=True)
class Scan:
    """A scan that serves as fine truth.

    Attributes
    ----------
    file : str
        DICOM folder or volume file, relative to the data folder.
    subject : str
        Who was scanned; all scans of a subject are in one split.
    modality : str
        ``MR`` or ``CT``.
    licence : str
        Licence of the scan, copied into the model's card.
    split : str
        ``train`` or ``validation``.
    axes : str
        The axes along which its resolution is real, for example ``ijk``.
    coarsen : tuple of int
        Voxels averaged along i, j, k before use: removes detail that zero filling only pretends.
    weight : float
        How often it is drawn, relative to the others.
    resample : bool
        Put slices at uneven positions onto an even grid, as ``--resample`` does.
    """

    file: str
    subject: str
    modality: str
    licence: str
    split: str = "train"
    axes: str = "ijk"
    coarsen: tuple[int, int, int] = (1, 1, 1)
    weight: float = 1.0
    resample: bool = False


@dataclass(frozen=True)
class DrawnAcquisition:
    """An acquisition model that training pairs are made with, and how often."""

    profile: str
    weight: float = 1.0
    thickness: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class Patches:
    """Size of the training patches in thick voxels; the outermost `margin` of slices, rows and columns is left out of the loss."""

    slices: int = 10
    plane: int = 40
    margin: int = 2
    batch: int = 8


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run; the run is a function of the recipe and the data.

    Attributes
    ----------
    id, title : str
        Name of the model and its one-line description.
    network : str
        Name of the architecture.
    arguments : mapping
        Arguments of the architecture.
    modalities : tuple of str
        What the model is offered for.
    scans : tuple of Scan
        Data; see `Scan`.
    start : str
        Model file whose weights training starts from, relative to the recipe; empty for random ones.
    drawn_factors : tuple of int
        Factors that batches are drawn from; one named twice is drawn twice as often. Empty: those of the network.
    steps, learning_rate, seed
        AdamW with a warm-up and a cosine schedule.
    squared_error_from : float
        Part of the steps after which the loss is the squared instead of the absolute error.
    noise : float
        Largest standard deviation of the noise added to thick patches, in units of the scan's range.
    contrast_changes : float
        Part of the patches whose grey scale is bent.
    validated_factors : tuple of int
        Factors measured for the card.
    """

    id: str
    title: str
    network: str
    arguments: dict[str, Any]
    modalities: tuple[str, ...]
    scans: tuple[Scan, ...]
    acquisitions: tuple[DrawnAcquisition, ...] = (DrawnAcquisition("mean"),)
    patches: Patches = field(default_factory=Patches)
    steps: int = 4000
    learning_rate: float = 2e-3
    squared_error_from: float = 0.8
    noise: float = 0.01
    contrast_changes: float = 0.5
    seed: int = 1
    drawn_factors: tuple[int, ...] = ()
    start: str = ""
    validated_factors: tuple[int, ...] = (2, 4)

    def __post_init__(self) -> None:
        self._check_scans()
        self._check_numbers()

    def _check_scans(self) -> None:
        splits: dict[str, str] = {}
        for scan in self.scans:
            if scan.split not in ("train", "validation"):
                raise RequestError(f"recipe: split '{scan.split}' of {scan.file}: accepted are train, validation")
            if splits.setdefault(scan.subject, scan.split) != scan.split:
                raise RequestError(f"recipe: subject '{scan.subject}' is in both splits; each subject may be in one")
            if not scan.axes or not set(scan.axes) <= set(AXES):
                raise RequestError(f"recipe: axes '{scan.axes}' of {scan.file}: accepted are letters of i, j, k")
            if min(scan.coarsen) < 1 or not scan.weight > 0:
                found = f"coarsen {list(scan.coarsen)} and weight {scan.weight:g} of {scan.file}"
                raise RequestError(f"recipe: {found}: accepted are counts from 1 and weights above 0")
        if "train" not in splits.values():
            raise RequestError("recipe: no scan has split 'train'; at least one is needed")

    def _check_numbers(self) -> None:
        if not self.acquisitions or any(not drawn.weight > 0 for drawn in self.acquisitions):
            raise RequestError("recipe: acquisitions: at least one is needed, each with a weight above 0")
        if self.steps < 1 or not self.learning_rate > 0:
            raise RequestError(f"recipe: steps {self.steps} and learning_rate {self.learning_rate:g}: accepted are positive numbers")
        size, margin = min(self.patches.slices, self.patches.plane), self.patches.margin
        if self.patches.batch < 1 or margin < 0 or size <= 2 * margin:
            raise RequestError(f"recipe: patches of {size} voxels with a margin of {margin}: accepted are margins that leave voxels inside")
        for drawn in self.acquisitions:
            for thickness in drawn.thickness:
                Acquisition(drawn.profile, 2, thickness)

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as plain data, as `recipe_from` takes it."""
        return asdict(self)


def read_recipe(path: str | Path) -> Recipe:
    """Read and validate a recipe.

    Raises
    ------
    RequestError
        If the file cannot be read, is no YAML mapping, or holds an unknown key, a missing key or a value of the wrong type.
    """
    import yaml

    path = Path(path)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RequestError(f"recipe {path}: {' '.join(str(error).split())}") from error
    return recipe_from(data, str(path))


def recipe_from(data: object, where: str = "recipe") -> Recipe:
    """Build a recipe from plain data; see `read_recipe` for the errors."""
    return _build(Recipe, data, where)


def _build(kind: Any, value: Any, where: str) -> Any:
    """Turn plain `value` into `kind`: a dataclass, tuple, dict or scalar type."""
    if is_dataclass(kind):
        return _build_dataclass(kind, value, where)
    origin = typing.get_origin(kind)
    if origin is tuple:
        return _build_tuple(typing.get_args(kind), value, where)
    expected = origin or kind
    if expected is float and type(value) is int:
        return float(value)
    if expected is dict and isinstance(value, Mapping):
        return dict(value)
    if type(value) is not expected:
        raise RequestError(f"{where}: found {value!r}; accepted is a value of type {expected.__name__}")
    return value


def _build_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise RequestError(f"{where}: found {value!r}; accepted is a mapping with the keys of a {kind.__name__}")
    types_of = typing.get_type_hints(kind)
    unknown = sorted(set(value) - set(types_of), key=str)
    if unknown:
        raise RequestError(f"{where}: unknown key '{unknown[0]}'; accepted are {', '.join(types_of)}")
    missing = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING and f.name not in value]
    if missing:
        raise RequestError(f"{where}: key '{missing[0]}' is missing")
    return kind(**{name: _build(types_of[name], item, f"{where}: {name}") for name, item in value.items()})


def _build_tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise RequestError(f"{where}: found {value!r}; accepted is a list")
    if kinds[-1] is types.EllipsisType or kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(value) != len(kinds):
        raise RequestError(f"{where}: found {len(value)} values; accepted are {len(kinds)}")
    return tuple(_build(kind, item, f"{where}[{index}]") for index, (kind, item) in enumerate(zip(kinds, value)))
