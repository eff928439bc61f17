"""What the module offers to scripts, and to its own panel: one training run and one evaluation at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from SuperResolutionSlicer.connections import connect

from .evaluation_run import Evaluated, EvaluationRun
from .parameters import SuperResolutionTrainingParameterNode
from .training_run import Followers, TrainingRun


class SuperResolutionTrainingLogic(ScriptedLoadableModuleLogic):
    """Trains networks and measures volumes in background processes."""

    def __init__(self) -> None:
        super().__init__()
        self._node: slicer.vtkMRMLScriptedModuleNode | None = None
        self._training: TrainingRun | None = None
        self._evaluation: EvaluationRun | None = None
        connect(slicer.app, "aboutToQuit()", self.abandon)

    def getParameterNode(self) -> SuperResolutionTrainingParameterNode:
        """Return the module's parameter node, wrapped."""
        # Held: the garbage collector takes observers for unreachable with a node that only C++ knows, and VTK then calls what is gone.
        self._node = super().getParameterNode()
        return SuperResolutionTrainingParameterNode(self._node)

    @property
    def training(self) -> TrainingRun | None:
        """The latest training run, if any."""
        return self._training

    @property
    def evaluation(self) -> EvaluationRun | None:
        """The latest evaluation, if any."""
        return self._evaluation

    @property
    def isTraining(self) -> bool:
        """Whether a network is being trained."""
        return self._training is not None and self._training.running

    @property
    def isEvaluating(self) -> bool:
        """Whether a volume is being measured."""
        return self._evaluation is not None and self._evaluation.running

    def startTraining(self, folder: Path, request: dict[str, Any], resume: bool, followers: Followers) -> TrainingRun:
        """Start or resume a training run and return at once; see `TrainingRun` for the parameters.

        Raises
        ------
        RuntimeError
            If a network is being trained, or the run's folder cannot be written to.
        """
        if self.isTraining:
            raise RuntimeError("a network is being trained; accepted is one run at a time: wait for it or stop it")
        self._training = TrainingRun(folder, request, resume, followers)
        self._training.start()
        return self._training

    def startEvaluation(
        self,
        candidate: slicer.vtkMRMLScalarVolumeNode,
        reference: slicer.vtkMRMLScalarVolumeNode,
        thick: slicer.vtkMRMLScalarVolumeNode | None = None,
        told: Callable[[int, str], None] = lambda percent, stage: None,
        finished: Callable[[Evaluated], None] = lambda _: None,
    ) -> EvaluationRun:
        """Start measuring a volume against a reference and return at once; see `EvaluationRun` for the parameters.

        Raises
        ------
        RuntimeError
            If an evaluation is in progress, or a volume cannot be written.
        """
        if self.isEvaluating:
            raise RuntimeError("a volume is being evaluated; accepted is one evaluation at a time: wait for it or cancel it")
        volumes = {"candidate": candidate, "reference": reference} | ({"input": thick} if thick is not None else {})
        self._evaluation = EvaluationRun(volumes, told, finished)
        self._evaluation.start()
        return self._evaluation

    def abandon(self) -> None:
        """End what runs, without a word; a training run can be resumed from its folder."""
        for run in (self._training, self._evaluation):
            if run is not None:
                run.abandon()
