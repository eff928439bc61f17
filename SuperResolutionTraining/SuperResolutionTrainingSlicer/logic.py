"""What the module offers to scripts, and to its own panel: one training run and one measurement at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from SuperResolutionSlicer.connections import connect

from .comparison_run import Compared, Comparison, ComparisonRun
from .evaluation_run import Evaluated, EvaluationRun
from .parameters import SuperResolutionTrainingParameterNode
from .training_run import Followers, TrainingRun


class SuperResolutionTrainingLogic(ScriptedLoadableModuleLogic):
    """Trains networks, measures volumes and compares models in background processes."""

    def __init__(self) -> None:
        super().__init__()
        self._node: slicer.vtkMRMLScriptedModuleNode | None = None
        self._training: TrainingRun | None = None
        self._evaluation: EvaluationRun | ComparisonRun | None = None
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
    def evaluation(self) -> EvaluationRun | ComparisonRun | None:
        """The latest evaluation of a volume or of all models, if any."""
        return self._evaluation

    @property
    def isTraining(self) -> bool:
        """Whether a network is being trained."""
        return self._training is not None and self._training.running

    @property
    def isEvaluating(self) -> bool:
        """Whether a volume or all models are being measured."""
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
        volumes = {"candidate": candidate, "reference": reference} | ({"input": thick} if thick is not None else {})
        return self._evaluate(EvaluationRun(volumes, told, finished))

    def startComparison(
        self,
        wanted: Comparison,
        told: Callable[[int, str], None] = lambda percent, stage: None,
        finished: Callable[[Compared], None] = lambda _: None,
    ) -> ComparisonRun:
        """Start measuring all models and return at once; see `ComparisonRun` for the parameters.

        Raises
        ------
        RuntimeError
            If an evaluation is in progress, or the volume cannot be written.
        """
        return self._evaluate(ComparisonRun(wanted, told, finished))

    def _evaluate(self, run: EvaluationRun | ComparisonRun) -> EvaluationRun | ComparisonRun:
        if self.isEvaluating:
            raise RuntimeError("an evaluation is in progress; accepted is one at a time: wait for it or cancel it")
        self._evaluation = run
        run.start()
        return run

    def abandon(self) -> None:
        """End what runs, without a word; a training run can be resumed from its folder."""
        for run in (self._training, self._evaluation):
            if run is not None:
                run.abandon()
