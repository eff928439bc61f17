"""What the panel's state is: saved with the scene, one node for the module."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

MINUTES, STEPS = (1, 7 * 24 * 60), (1, 10_000_000)
_PROFILES = {
    "mean": "Mean of the fine slices",
    "gaussian": "Gaussian, as wide as the slice",
    "cubic": "Cubic, as image tools resize",
    "kspace": "k-space cut off, as in 3-D scans",
}


class Source(Enum):
    """Where the fine scans come from."""

    FOLDER = "folder"
    VOLUMES = "volumes"

    def label(self) -> str:
        """Return what the panel shows."""
        return {"folder": "A folder of scans", "volumes": "Loaded volumes"}[self.value]


class Profile(Enum):
    """The slice profile that thick volumes are made with; values are the engine's."""

    RECIPE = "recipe"
    MEAN = "mean"
    GAUSSIAN = "gaussian"
    CUBIC = "cubic"
    KSPACE = "kspace"

    def label(self) -> str:
        """Return what the panel shows."""
        return {"recipe": "As in the recipe", **_PROFILES}[self.value]


class SliceProfile(Enum):
    """The slice profile that scans are made thick with; values are the engine's."""

    MEAN = "mean"
    GAUSSIAN = "gaussian"
    KSPACE = "kspace"
    CUBIC = "cubic"

    def label(self) -> str:
        """Return what the panel shows."""
        return _PROFILES[self.value]


class Factor(Enum):
    """How many fine slices a thick one is made of."""

    TWO = 2
    THREE = 3
    FOUR = 4
    EIGHT = 8

    def label(self) -> str:
        """Return what the panel shows."""
        return f"×{self.value}"


class ThickAxis(Enum):
    """The axes that a scan is made thick along, one at a time; values are the engine's."""

    EVERY = "ijk"
    I = "i"
    J = "j"
    K = "k"

    def label(self) -> str:
        """Return what the panel shows."""
        return "Every axis of real resolution" if self is ThickAxis.EVERY else self.name


class EvaluationKind(Enum):
    """What is measured."""

    VOLUME = "volume"
    MODELS = "models"

    def label(self) -> str:
        """Return what the panel shows."""
        return {"volume": "A volume", "models": "All models"}[self.value]


class Budget(Enum):
    """What ends the training."""

    MINUTES = "minutes"
    STEPS = "steps"
    RECIPE = "recipe"

    def label(self) -> str:
        """Return what the panel shows."""
        return {"minutes": "Minutes", "steps": "Steps", "recipe": "As in the recipe"}[self.value]


class Measure(Enum):
    """What is drawn for every slice; values are the engine's."""

    PSNR = "psnr"
    NCC = "ncc"
    SSIM = "ssim"
    RMSE = "rmse"

    def label(self) -> str:
        """Return what the panel and the tables show."""
        return "PSNR (dB)" if self is Measure.PSNR else self.name


class Region(Enum):
    """The voxels that count; values are the engine's."""

    WHOLE = "whole"
    FOREGROUND = "foreground"

    def label(self) -> str:
        """Return what the panel shows."""
        return {"whole": "Whole volume", "foreground": "Foreground"}[self.value]


class Axis(Enum):
    """The axis that the slices of a curve are stacked along; values are the engine's."""

    I = "i"
    J = "j"
    K = "k"

    def label(self) -> str:
        """Return what the panel shows."""
        return self.name


@parameterNodeWrapper
class SuperResolutionTrainingParameterNode:
    """State of the panel.

    ``recipe`` is a recipe's name; ``factor`` is 0 for all factors of the recipe; ``runsFolder`` is empty for the user's own;
    ``comparisonFolder`` is empty for the reference volume.
    """

    source: Source
    dataFolder: str
    recipe: str = "fast"
    factor: int
    profile: Profile
    budget: Budget
    minutes: Annotated[int, WithinRange(*MINUTES)] = 30
    steps: Annotated[int, WithinRange(*STEPS)] = 5000
    device: str = "auto"
    modelName: str = "my-model"
    runsFolder: str
    measured: EvaluationKind
    candidateVolume: vtkMRMLScalarVolumeNode
    referenceVolume: vtkMRMLScalarVolumeNode
    thickVolume: vtkMRMLScalarVolumeNode
    comparisonFolder: str
    comparisonFactor: Factor = Factor.FOUR
    comparisonProfile: SliceProfile
    thickAxis: ThickAxis
    measure: Measure
    region: Region
    axis: Axis
