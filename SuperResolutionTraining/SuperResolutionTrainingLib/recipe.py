"""A training recipe: one YAML file that says what is trained, on what, and how."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from SuperResolutionLib.acquisition import Acquisition
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import AXES

from .losses import loss_names
from .plain_data import build

TASKS = ("axis", "plane", "both")
SCHEDULES = ("cosine", "linear", "constant")
OPTIMISERS = ("adam", "adamw", "muon")
PRECISIONS = ("auto", "float32", "bfloat16")
CONTENTS = ("map", "trial")
SPLITS = ("train", "validation")
UNSTATED = "licence not stated"


@dataclass(frozen=True)
class Scan:
    """A scan that serves as fine truth.

    Attributes
    ----------
    file : str
        DICOM folder, volume file or, in a recipe for images, picture; relative to the data folder.
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
    thick : str
        The really thick scan of the same study, relative to the data folder; empty: thick patches are made by the acquisitions.
    series : str
        UID of the series in a DICOM folder that holds several; empty: the only one.
    """

    file: str
    subject: str
    modality: str
    licence: str = UNSTATED
    split: str = "train"
    axes: str = "ijk"
    coarsen: tuple[int, int, int] = (1, 1, 1)
    weight: float = 1.0
    resample: bool = False
    thick: str = ""
    series: str = ""


@dataclass(frozen=True)
class DrawnAcquisition:
    """An acquisition model that training pairs are made with, and how often."""

    profile: str
    weight: float = 1.0
    thickness: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class Patches:
    """Size of the training patches in thick voxels, and how they are found.

    The outermost `margin` of slices, rows and columns is left out of the loss. `content`: ``map``: patches are drawn around places with
    content, which are looked up once for each scan; ``trial``: anywhere, and again, at most 20 times, while a patch is mostly air.
    """

    slices: int = 10
    plane: int = 40
    margin: int = 2
    batch: int = 8
    content: str = "map"


@dataclass(frozen=True)
class Blur:
    """A Gaussian blur of some thick patches: how often, and the range of its standard deviation in voxels."""

    probability: float = 0.0
    sigma: tuple[float, float] = (0.0, 0.5)


@dataclass(frozen=True)
class Augmentation:
    """How pairs are varied.

    Attributes
    ----------
    flips : bool
        Flip along every axis, and swap rows and columns, each with probability one half.
    noise : float
        Largest standard deviation of the noise added to thick patches, in units of the scan's range.
    contrast_changes : float
        Part of the patches whose grey scale is bent.
    blur : Blur
    """

    flips: bool = True
    noise: float = 0.01
    contrast_changes: float = 0.5
    blur: Blur = field(default_factory=Blur)


@dataclass(frozen=True)
class Stage:
    """A stretch of training.

    Attributes
    ----------
    steps : int
        Its length.
    losses : dict of str to float
        Names of losses (see `losses`) and their weights in the sum.
    learning_rate : float
        Before warm-up and schedule.
    """

    steps: int
    losses: dict[str, float]
    learning_rate: float = 2e-3


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
    task : str
        What training pairs make finer: ``axis`` (one axis), ``plane`` (rows and columns), ``both`` (batches of either kind in turn).
    scans : tuple of Scan
        Data; see `Scan`. Empty: every scan of the data folder, split by subject.
    validation : float
        Where `scans` is empty: the share of subjects kept for validation.
    images : bool
        The data are pictures (PNG, JPEG) rather than scans.
    acquisitions, patches, augmentation
        How pairs are made.
    stages : tuple of Stage
        One after the other.
    schedule : str
        How the learning rate falls over all stages: ``cosine`` or ``linear`` down to 1 %, or ``constant``; after a short warm-up.
    optimiser, weight_decay
        ``adamw``; ``adam`` or ``muon`` (see `muon`), which have no weight decay.
    average : float
        Decay of the exponential moving average of the weights, which then are the model; 0: the last weights are.
    precision : str
        ``float32``, ``bfloat16``, or ``auto``: the faster of them by a trial.
    clip : float
        Largest norm of the gradient; 0: any.
    validate_every : int
        Steps between validations, of which the best by PSNR is kept; 0: none, the last weights are kept.
    patience : int
        Validations without gain after which training stops; 0: never.
    seed : int
        Of weights and batches.
    drawn_factors : tuple of int
        Factors that batches are drawn from; one named twice is drawn twice as often. Empty: those of the network.
    start : str
        Model file whose weights training starts from, relative to the recipe; empty for random ones.
    validated_factors : tuple of int
        Factors measured for the card; empty: those of the network.
    measured_extent : int
        Side in voxels of the cube at the centre of each validation scan that is measured for the card; 0: the whole scan.
    minutes : float
        Time for the training; stages and schedule shrink to it where it is shorter than the steps need. 0: no limit.
    progressive : bool
        Offer the powers of the factors, up to 8, too: the model is then applied repeatedly.
    """

    id: str
    title: str
    network: str
    modalities: tuple[str, ...]
    stages: tuple[Stage, ...]
    arguments: dict[str, Any] = field(default_factory=dict)
    task: str = "axis"
    scans: tuple[Scan, ...] = ()
    validation: float = 0.2
    images: bool = False
    acquisitions: tuple[DrawnAcquisition, ...] = (DrawnAcquisition("mean"),)
    patches: Patches = field(default_factory=Patches)
    augmentation: Augmentation = field(default_factory=Augmentation)
    schedule: str = "cosine"
    optimiser: str = "adamw"
    weight_decay: float = 0.0
    average: float = 0.0
    precision: str = "auto"
    clip: float = 1.0
    validate_every: int = 200
    patience: int = 0
    seed: int = 1
    drawn_factors: tuple[int, ...] = ()
    start: str = ""
    validated_factors: tuple[int, ...] = ()
    measured_extent: int = 0
    minutes: float = 0.0
    progressive: bool = False

    def __post_init__(self) -> None:
        self._check_choices()
        self._check_scans()
        self._check_pairs()
        self._check_stages()
        self._check_numbers()

    @property
    def steps(self) -> int:
        """Steps of all stages together."""
        return sum(stage.steps for stage in self.stages)

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as plain data, as `recipe_from` takes it."""
        return asdict(self)

    def _check_choices(self) -> None:
        choices = {"task": TASKS, "schedule": SCHEDULES, "optimiser": OPTIMISERS, "precision": PRECISIONS}
        for name, accepted in choices.items():
            if getattr(self, name) not in accepted:
                raise RequestError(f"recipe: {name} '{getattr(self, name)}': accepted are {', '.join(accepted)}")
        if self.patches.content not in CONTENTS:
            raise RequestError(f"recipe: patches: content '{self.patches.content}': accepted are {', '.join(CONTENTS)}")
        if self.optimiser != "adamw" and self.weight_decay:
            found = f"weight_decay {self.weight_decay:g} with optimiser {self.optimiser}"
            raise RequestError(f"recipe: {found}: accepted is 0, or optimiser adamw")
        if self.patience and not self.validate_every:
            raise RequestError(
                f"recipe: patience {self.patience} with validate_every 0: accepted is patience 0, or a validate_every from 1"
            )

    def _check_scans(self) -> None:
        splits: dict[str, str] = {}
        for scan in self.scans:
            if scan.split not in SPLITS:
                raise RequestError(f"recipe: split '{scan.split}' of {scan.file}: accepted are {', '.join(SPLITS)}")
            if splits.setdefault(scan.subject, scan.split) != scan.split:
                raise RequestError(f"recipe: subject '{scan.subject}' is in both splits; each subject may be in one")
            if not scan.axes or not set(scan.axes) <= set(AXES):
                raise RequestError(f"recipe: axes '{scan.axes}' of {scan.file}: accepted are letters of i, j, k")
            if min(scan.coarsen) < 1 or not scan.weight > 0:
                found = f"coarsen {list(scan.coarsen)} and weight {scan.weight:g} of {scan.file}"
                raise RequestError(f"recipe: {found}: accepted are counts from 1 and weights above 0")
        if self.scans and "train" not in splits.values():
            raise RequestError("recipe: no scan has split 'train'; at least one is needed")

    def _check_pairs(self) -> None:
        if not self.acquisitions or any(not drawn.weight > 0 for drawn in self.acquisitions):
            raise RequestError("recipe: acquisitions: at least one is needed, each with a weight above 0")
        for drawn in self.acquisitions:
            for thickness in drawn.thickness:
                Acquisition(drawn.profile, 2, thickness)
        # A patch of a single slice, as of a picture, has no margin along slices.
        slices = self.patches.slices if self.patches.slices > 1 else self.patches.plane
        size, margin = min(slices, self.patches.plane), self.patches.margin
        if self.patches.batch < 1 or margin < 0 or size <= 2 * margin:
            raise RequestError(f"recipe: patches of {size} voxels with a margin of {margin}: accepted are margins that leave voxels inside")
        blur = self.augmentation.blur
        if not 0 <= blur.sigma[0] <= blur.sigma[1]:
            raise RequestError(f"recipe: augmentation: blur: sigma {list(blur.sigma)}: accepted are two numbers from 0, the smaller first")

    def _check_stages(self) -> None:
        if not self.stages:
            raise RequestError("recipe: stages: at least one is needed")
        for number, stage in enumerate(self.stages):
            where = f"recipe: stages[{number}]"
            if stage.steps < 1 or not stage.learning_rate > 0:
                found = f"steps {stage.steps} and learning_rate {stage.learning_rate:g}"
                raise RequestError(f"{where}: {found}: accepted are positive numbers")
            unknown = sorted(set(stage.losses) - set(loss_names()), key=str)
            if unknown:
                raise RequestError(f"{where}: loss '{unknown[0]}': accepted are {', '.join(loss_names())}")
            if not stage.losses or min(stage.losses.values()) <= 0:
                raise RequestError(f"{where}: losses {stage.losses}: accepted are losses with weights above 0, at least one")

    def _check_numbers(self) -> None:
        shares = {
            "validation": self.validation,
            "average": self.average,
            "augmentation: contrast_changes": self.augmentation.contrast_changes,
            "augmentation: blur: probability": self.augmentation.blur.probability,
        }
        for name, value in shares.items():
            if not 0 <= value <= 1 or (value == 1 and name in ("validation", "average")):
                below = "from 0 to below 1" if name in ("validation", "average") else "from 0 to 1"
                raise RequestError(f"recipe: {name} {value:g}: accepted are numbers {below}")
        amounts = {name: getattr(self, name) for name in ("weight_decay", "clip", "validate_every", "patience", "minutes", "seed")}
        amounts |= {"augmentation: noise": self.augmentation.noise, "measured_extent": self.measured_extent}
        for name, value in amounts.items():
            if not value >= 0:
                raise RequestError(f"recipe: {name} {value:g}: accepted are numbers from 0")


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
    return build(Recipe, data, where)
