"""One comparison of all models, from a reference volume or a folder of fine scans to figures; leaves no file behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer

from SuperResolutionSlicer.engine_process import Outcome
from SuperResolutionSlicer.volume_files import write_volume_node

from .measuring_run import MeasuringRun

SILENCE_S = 3600
"""Between two pieces of a large network, or two scans of a large folder, passes a fraction of it."""


@dataclass(frozen=True)
class Comparison:
    """What is to be compared on, and how.

    Attributes
    ----------
    truth : vtkMRMLScalarVolumeNode or Path
        The fine volume, or a folder of fine scans.
    factor : int
    profile : str
        The slice profile that scans are made thick with.
    axes : str
        The axes that they are made thick along, one at a time, where their resolution is real.
    """

    truth: slicer.vtkMRMLScalarVolumeNode | Path
    factor: int = 4
    profile: str = "mean"
    axes: str = "ijk"

    @property
    def name(self) -> str:
        """Name of the volume or the folder."""
        return self.truth.name if isinstance(self.truth, Path) else self.truth.GetName()


@dataclass(frozen=True)
class Compared:
    """What came of a comparison.

    Attributes
    ----------
    outcome : Outcome
    record : dict or None
        The figures, as `model_comparison.compare` describes them, if it is done.
    title : str
        What was compared, in a few words.
    warnings : list of str
        What was left out, and why.
    """

    outcome: Outcome
    record: dict[str, Any] | None
    title: str
    warnings: list[str] = field(default_factory=list)


class ComparisonRun(MeasuringRun):
    """A fine volume, or a folder of them, on the way to a table of models.

    Parameters
    ----------
    wanted : Comparison
    told : callable
        Called with percent and stage from time to time.
    finished : callable
        Called once with a `Compared`, unless the run is abandoned.
    """

    worker = "SuperResolutionTrainingLib.comparison_worker"
    figures = "record.json"
    silence_s = SILENCE_S

    def __init__(self, wanted: Comparison, told: Callable[[int, str], None], finished: Callable[[Compared], None]) -> None:
        super().__init__(told, finished)
        self._warnings: list[str] = []
        self._title = f"All models on {wanted.name}, ×{wanted.factor}, {wanted.profile}"
        self._wanted: Comparison | None = wanted

    def _make_request(self) -> dict[str, Any]:
        wanted, self._wanted = self._wanted, None  # the user may remove the volume from now on
        data = wanted.truth
        if not isinstance(data, Path):
            data = self.temporary / "scans"
            data.mkdir()
            write_volume_node(wanted.truth, data / f"{_subject_of(wanted.truth)}.nrrd")
        request = {"data": str(data), "factor": wanted.factor, "profile": wanted.profile, "axes": wanted.axes}
        return request | {"record": str(self.temporary / self.figures)}

    def _received(self, message: dict[str, Any]) -> None:
        super()._received(message)
        if message["type"] == "warning":
            self._warnings.append(str(message.get("message", "")))

    def _conclude(self, outcome: Outcome) -> Compared:
        return Compared(*self._read_figures(outcome), self._title, self._warnings)


def _subject_of(node: slicer.vtkMRMLScalarVolumeNode) -> str:
    """Return the name that training on the same scan gives its subject, so that models which were trained on it can be marked."""
    hierarchy, names = slicer.mrmlScene.GetSubjectHierarchyNode(), slicer.vtkMRMLSubjectHierarchyConstants
    item = hierarchy.GetItemByDataNode(node) if hierarchy else 0
    patient = hierarchy.GetItemAncestorAtLevel(item, names.GetDICOMLevelPatient()) if item else 0
    identity = hierarchy.GetItemAttribute(patient, names.GetDICOMPatientIDAttributeName()).strip() if patient else ""
    if not identity:
        return re.sub(r"[^\w.-]+", "_", node.GetName()).lstrip(".") or "volume"
    from SuperResolutionTrainingLib.subjects import without_identity  # needs packages that the user has agreed to by now

    return without_identity(identity)
