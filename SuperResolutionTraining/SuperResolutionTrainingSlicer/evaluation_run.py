"""One evaluation, from volume nodes to figures: writes them, runs the engine, reads its figures, leaves no file behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

from SuperResolutionSlicer.engine_process import Outcome
from SuperResolutionSlicer.volume_files import write_volume_node

from .measuring_run import MeasuringRun


@dataclass(frozen=True)
class Evaluated:
    """What came of an evaluation.

    Attributes
    ----------
    outcome : Outcome
    scores : dict or None
        The figures, as `evaluation_worker.scores_of` describes them, if it is done.
    candidate, reference : str
        Names of the nodes when it began.
    """

    outcome: Outcome
    scores: dict[str, Any] | None
    candidate: str
    reference: str


class EvaluationRun(MeasuringRun):
    """Volume nodes on their way to a table.

    Parameters
    ----------
    volumes : dict of str to vtkMRMLScalarVolumeNode
        ``candidate``, ``reference`` and, where interpolations are to be measured too, the thick ``input``.
    told : callable
        Called with percent and stage from time to time.
    finished : callable
        Called once with an `Evaluated`, unless the run is abandoned.
    """

    worker = "SuperResolutionTrainingLib.evaluation_worker"
    figures = "scores.json"

    def __init__(
        self,
        volumes: dict[str, slicer.vtkMRMLScalarVolumeNode],
        told: Callable[[int, str], None],
        finished: Callable[[Evaluated], None],
    ) -> None:
        super().__init__(told, finished)
        self._volumes = volumes
        self._names = volumes["candidate"].GetName(), volumes["reference"].GetName()

    def _make_request(self) -> dict[str, Any]:
        volumes, self._volumes = self._volumes, {}  # the user may remove them from now on
        files = {role: str(self.temporary / f"{role}.nrrd") for role in volumes}
        for role, node in volumes.items():
            write_volume_node(node, Path(files[role]))
        return files | {"scores": str(self.temporary / self.figures)}

    def _conclude(self, outcome: Outcome) -> Evaluated:
        return Evaluated(*self._read_figures(outcome), *self._names)
