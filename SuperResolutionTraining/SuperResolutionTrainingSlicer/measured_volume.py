"""The first choice of Evaluate: a volume measured against a reference, beside the interpolations that it has to beat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from SuperResolutionSlicer.volume_nodes import reasons_against

from .evaluation_nodes import EvaluationNodes
from .evaluation_run import Evaluated
from .parameters import SuperResolutionTrainingParameterNode


class MeasuredVolume:
    """What is asked and kept of a volume that is measured.

    Attributes
    ----------
    widgets, inputs : tuple
        Those that serve this choice alone, and those of them that are left alone while it is being measured.
    nodes : EvaluationNodes or None
        What came of the latest evaluation.
    said : tuple of str
        What the panel says of it, and in which style.

    Parameters
    ----------
    ui : object
        The panel's widgets by name.
    logic : SuperResolutionTrainingLogic
    """

    def __init__(self, ui: Any, logic: Any) -> None:
        self._logic = logic
        self.inputs = (ui.candidateSelector, ui.thickSelector)
        self.widgets = (*self.inputs, ui.candidateLabel, ui.thickLabel, ui.axisBox)
        self.nodes: EvaluationNodes | None = None
        self.said = ("", "")

    def reasons(self, parameters: SuperResolutionTrainingParameterNode) -> list[str]:
        """Return every reason why this cannot be measured."""
        candidate, reference, thick = parameters.candidateVolume, parameters.referenceVolume, parameters.thickVolume
        reasons = []
        if candidate is None:
            reasons.append("Select a candidate.")
        if reference is None:
            reasons.append("Select a reference.")
        if candidate is not None and candidate is reference:
            reasons.append("The candidate is the reference; select another.")
        if thick is not None and thick in (candidate, reference):
            reasons.append("The thick volume is the candidate or the reference; select another or none.")
        for node in dict.fromkeys(each for each in (candidate, reference, thick) if each is not None):
            reasons += reasons_against(node)
        return reasons

    def start(
        self,
        parameters: SuperResolutionTrainingParameterNode,
        told: Callable[[int, str], None],
        finished: Callable[[Evaluated], None],
    ) -> None:
        """Start measuring; RuntimeError if that fails."""
        self._logic.startEvaluation(parameters.candidateVolume, parameters.referenceVolume, parameters.thickVolume, told, finished)

    def keep(self, evaluated: Evaluated) -> str:
        """Put the figures into the scene and return what they are, in words."""
        self.nodes = EvaluationNodes(evaluated.scores, evaluated.candidate, evaluated.reference)
        return "Mean ± standard deviation over the slices of all three axes, the first and last of each left out."

    def chart(self, parameters: SuperResolutionTrainingParameterNode) -> slicer.vtkMRMLPlotChartNode | None:
        """Return the chart of what is chosen; None if the user has removed it."""
        return self.nodes.chart(parameters.axis, parameters.measure, parameters.region)
