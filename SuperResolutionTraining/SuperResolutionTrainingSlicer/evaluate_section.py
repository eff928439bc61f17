"""The second section of the panel: a volume is measured, or all models are; progress, the table, its chart and its export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt

from SuperResolutionLib.errors import SuperResolutionError
from SuperResolutionSlicer.connections import connect
from SuperResolutionSlicer.engine_process import Ending
from SuperResolutionSlicer.package_installation import PackageInstallation

from .charts import PlotView
from .comparison_nodes import ComparisonNodes
from .comparison_run import Compared
from .evaluation_nodes import EvaluationNodes
from .evaluation_run import Evaluated
from .measured_models import MeasuredModels
from .measured_volume import MeasuredVolume
from .parameters import EvaluationKind, SuperResolutionTrainingParameterNode

_ERROR, _PLAIN = "color: #c0392b;", ""
_NOTHING = ("", _PLAIN)


class EvaluateSection:
    """Keeps the widgets of the section and the parameter node in step, and starts evaluations.

    Parameters
    ----------
    ui : object
        The panel's widgets by name.
    logic : SuperResolutionTrainingLogic
    """

    def __init__(self, ui: Any, logic: Any) -> None:
        self.ui, self.logic = ui, logic
        self.packages = PackageInstallation(self._pip_said)
        self._choices = {EvaluationKind.VOLUME: MeasuredVolume(ui, logic), EvaluationKind.MODELS: MeasuredModels(ui, logic)}
        self._running: MeasuredVolume | MeasuredModels | None = None
        self._view = PlotView()
        self._parameters: SuperResolutionTrainingParameterNode | None = None
        connect(ui.comparisonFolderEdit, "currentPathChanged(QString)", self._folder_chosen)
        # A line that was emptied says nothing but this.
        connect(ui.comparisonFolderEdit, "validInputChanged(bool)", self._folder_chosen)
        connect(ui.evaluateButton, "clicked()", self._evaluate_or_cancel)
        connect(ui.showChartButton, "toggled(bool)", self._show_or_hide)
        connect(ui.exportButton, "clicked()", self._pick_file)

    @property
    def nodes(self) -> EvaluationNodes | ComparisonNodes | None:
        """What came of the latest measurement of what is chosen, if any."""
        return self._chosen.nodes

    @property
    def _chosen(self) -> MeasuredVolume | MeasuredModels:
        return self._choices[EvaluationKind.VOLUME if self._parameters is None else self._parameters.measured]

    def setParameterNode(self, parameters: SuperResolutionTrainingParameterNode | None) -> None:
        """Show another state, or none while the scene is being closed."""
        self._parameters = parameters
        if parameters is None:
            for choice in self._choices.values():
                choice.nodes, choice.said = None, _NOTHING
        self.update()

    def close(self) -> None:
        """Lead back to the layout before."""
        self.packages.forget()
        self._view.leave()

    def update(self) -> None:
        """Bring all widgets in step with the parameter node."""
        running, reasons = self.logic.isEvaluating, self._reasons()
        button = self.ui.evaluateButton
        button.text = "Cancel" if running else "Evaluate"
        button.enabled = running or not reasons
        tip = "Stop measuring." if running else "Measure in the background."
        button.toolTip = "\n".join(reasons) if reasons and not running else tip
        busy = running or self.packages.running
        self._show_choice(busy)
        self.ui.evaluationBar.visible = busy
        self._show_result()

    def _show_choice(self, busy: bool) -> None:
        """Show the widgets of what is chosen, which are left alone while it is being measured."""
        for choice in self._choices.values():
            for widget in choice.widgets:
                widget.visible = choice is self._chosen
            for widget in choice.inputs:
                widget.enabled = not busy
        self.ui.measuredBox.enabled = not busy
        folder = "" if self._parameters is None else self._parameters.comparisonFolder
        if self.ui.comparisonFolderEdit.currentPath != folder:
            self.ui.comparisonFolderEdit.currentPath = folder
        by_folder = bool(folder) and self._chosen is self._choices[EvaluationKind.MODELS]
        self.ui.referenceSelector.enabled = not busy and not by_folder

    def _show_result(self) -> None:
        nodes = self.nodes
        self.ui.evaluationMessage.text, self.ui.evaluationMessage.styleSheet = self._chosen.said
        self.ui.scoresLabel.text = nodes.as_html() if nodes is not None else ""
        self.ui.scoresLabel.toolTip = nodes.conventions if nodes is not None else ""
        for widget in (self.ui.measureBox, self.ui.regionBox, self.ui.axisBox, self.ui.showChartButton, self.ui.exportButton):
            widget.enabled = nodes is not None
        if nodes is None:
            self.ui.showChartButton.checked = False
        elif self._view.shown:
            self._show_chart()

    def _reasons(self) -> list[str]:
        """Return every reason why Evaluate cannot work."""
        if self._parameters is None:
            return ["The scene is being closed."]
        reasons = self._chosen.reasons(self._parameters)
        if self.packages.running:
            reasons.append("Python packages are being installed.")
        return reasons

    def _folder_chosen(self, _: str | bool) -> None:
        if self._parameters is not None:
            self._parameters.comparisonFolder = self.ui.comparisonFolderEdit.currentPath

    def _evaluate_or_cancel(self) -> None:
        if self.logic.isEvaluating:
            self.logic.evaluation.cancel()
            return
        # The selectors may have moved on to another node since the button was enabled.
        reasons = self._reasons()
        if reasons:
            self._say("\n".join(reasons), _ERROR)
        else:
            self.packages.ensure(self._start, lambda reason: self._say(reason, _ERROR))
        self.update()

    def _start(self) -> None:
        self.ui.evaluationBar.setRange(0, 100)
        self._say("")
        self._running = self._chosen
        try:
            self._running.start(self._parameters, self._told, self._finished)
        except RuntimeError as error:
            self._say(str(error), _ERROR)
        self.update()

    def _told(self, percent: int, stage: str) -> None:
        self.ui.evaluationBar.value = percent
        self._say(f"{stage[:1].upper()}{stage[1:]}…")

    def _finished(self, finished: Evaluated | Compared) -> None:
        ending = finished.outcome.ending
        self.ui.evaluationLog.plainText = finished.outcome.log
        if ending is Ending.DONE:
            self._say(self._running.keep(finished))
        elif ending is Ending.CANCELLED:
            self._say("Cancelled.")
        else:
            self._say(finished.outcome.message, _ERROR)
        self.update()

    def _pip_said(self, line: str) -> None:
        self.ui.evaluationBar.setRange(0, 0 if self.packages.running else 100)
        if line:
            self.ui.evaluationLog.appendPlainText(line)
            self._say(f"Installing packages: {line[:100]}")
        self.update()

    # ---- what came of it

    def _show_or_hide(self, shown: bool) -> None:
        if shown:
            self._show_chart()
        else:
            self._view.leave()

    def _show_chart(self) -> None:
        if self.nodes is None or self._parameters is None:
            return
        chart = self._chosen.chart(self._parameters)
        if chart is None:
            self._say("The chart was removed from the scene; evaluate again.", _ERROR)
        else:
            self._view.show(chart)

    def _pick_file(self) -> None:
        name = qt.QFileDialog.getSaveFileName(self.ui.SuperResolutionTraining, "Export", "evaluation.csv", "Tables (*.csv)")
        if name:
            self.exportTo(Path(name))

    def exportTo(self, path: Path) -> None:
        """Write the table, and what it sums up, as CSV files; what went wrong is shown in the panel."""
        try:
            written = self.nodes.write_csv(path.with_suffix(".csv"))
        except SuperResolutionError as error:
            self._say(str(error), _ERROR)
            return
        self._say(f"Written: {', '.join(each.name for each in written)}")

    def _say(self, text: str, style: str = _PLAIN) -> None:
        self._chosen.said = (text, style)
        self.ui.evaluationMessage.text, self.ui.evaluationMessage.styleSheet = text, style
