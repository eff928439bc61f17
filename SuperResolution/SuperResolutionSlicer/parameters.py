"""What the panel's state is: saved with the scene, one node for the module."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper

from SuperResolutionLib.interpolation import INTERPOLATIONS

SURFACE_FORMATS = ("STL", "OBJ", "3MF")
MEMORY_LIMIT_MB = 1_000_000
ADAPT_MINUTES = (0.1, 60.0)


class Axis(Enum):
    """The direction that is made finer; values are the engine's."""

    AUTOMATIC = "auto"
    I = "i"
    J = "j"
    K = "k"
    PLANE = "plane"
    ALL = "all"

    def label(self) -> str:
        """Return what the panel shows."""
        return {"auto": "Automatic (largest spacing)", "plane": "In-plane (both)", "all": "All three"}.get(self.value, self.value.upper())


class Precision(Enum):
    """The number type a network runs in; values are the engine's."""

    AUTOMATIC = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"

    def label(self) -> str:
        """Return what the panel shows."""
        return "Automatic" if self is Precision.AUTOMATIC else self.value


@parameterNodeWrapper
class SuperResolutionParameterNode:
    """State of the panel.

    ``model`` is an upscaler's id, empty where none was chosen yet; ``factor`` is 0 then. ``memoryLimit`` is in MiB, 0 for none.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    outputVolume: vtkMRMLScalarVolumeNode
    model: str
    factor: int
    device: str = "auto"
    axis: Axis
    precision: Precision
    memoryLimit: Annotated[int, WithinRange(0, MEMORY_LIMIT_MB)]
    ensemble: bool
    consistency: bool = True
    adapt: bool
    adaptMinutes: Annotated[float, WithinRange(*ADAPT_MINUTES)] = 3.0
    resultVolume: vtkMRMLScalarVolumeNode
    interpolation: Annotated[str, Choice(list(INTERPOLATIONS))] = "cubic"
    threePlanes: bool
    difference: bool
    spread: bool
    segmentation: vtkMRMLSegmentationNode
    surfaceFormat: Annotated[str, Choice(list(SURFACE_FORMATS))] = "STL"
    smoothing: Annotated[float, WithinRange(0, 1)] = 0.5
    decimation: Annotated[float, WithinRange(0, 0.95)]
    oneFile: bool
