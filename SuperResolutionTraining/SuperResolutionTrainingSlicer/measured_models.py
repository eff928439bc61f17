"""The second choice of Evaluate: all models, each made to undo the same thick slices, on a reference or a folder of fine scans."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer

from SuperResolutionSlicer.volume_nodes import reasons_against
from SuperResolutionTrainingLib.comparison_worker import reason_against_factor

from .comparison_nodes import ComparisonNodes
from .comparison_run import Compared, Comparison
from .parameters import SuperResolutionTrainingParameterNode


class MeasuredModels:
    """What is asked and kept of the models that are compared.

    Attributes
    ----------
    widgets, inputs : tuple
        Those that serve this choice alone, and those of them that are left alone while it is being measured.
    nodes : ComparisonNodes or None
        What came of the latest comparison.
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
        self.inputs = (ui.comparisonFolderEdit, ui.comparisonFactorBox, ui.comparisonProfileBox, ui.thickAxisBox)
        labels = (ui.comparisonFolderLabel, ui.comparisonFactorLabel, ui.comparisonProfileLabel, ui.thickAxisLabel)
        self.widgets = (*self.inputs, *labels)
        self.nodes: ComparisonNodes | None = None
        self.said = ("", "")

    def reasons(self, parameters: SuperResolutionTrainingParameterNode) -> list[str]:
        """Return every reason why models cannot be compared."""
        folder, reference = parameters.comparisonFolder, parameters.referenceVolume
        if folder:
            reasons = [] if Path(folder).is_dir() else [f"{folder}: no such folder; select one that is there, or none."]
        else:
            reasons = ["Select a reference, or a folder of fine scans."] if reference is None else reasons_against(reference)
        against = reason_against_factor(parameters.comparisonFactor.value)
        return [*reasons, against] if against else reasons

    def start(
        self,
        parameters: SuperResolutionTrainingParameterNode,
        told: Callable[[int, str], None],
        finished: Callable[[Compared], None],
    ) -> None:
        """Start measuring; RuntimeError if that fails."""
        folder = parameters.comparisonFolder
        wanted = Comparison(
            truth=Path(folder) if folder else parameters.referenceVolume,
            factor=parameters.comparisonFactor.value,
            profile=parameters.comparisonProfile.value,
            axes=parameters.thickAxis.value,
        )
        self._logic.startComparison(wanted, told, finished)

    def keep(self, compared: Compared) -> str:
        """Put the figures into the scene and return what they are, in words."""
        self.nodes = ComparisonNodes(compared.record, compared.title)
        trials = self.nodes.trials
        words = [f"Mean ± standard deviation over {trials} trials." if trials > 1 else "One trial."]
        words.append("Gain: PSNR over that of cubic in the same trial (dB), mean and worst.")
        if self.nodes.marked:
            words.append("* was trained on one of these subjects.")
        if compared.warnings:
            more = f", and {len(compared.warnings) - 1} more (see Details)" if len(compared.warnings) > 1 else ""
            words.append(f"\n{compared.warnings[0]}{more}")
        return " ".join(words)

    def chart(self, parameters: SuperResolutionTrainingParameterNode) -> slicer.vtkMRMLPlotChartNode | None:
        """Return the chart of what is chosen; None if the user has removed it."""
        return self.nodes.chart(parameters.measure, parameters.region)
