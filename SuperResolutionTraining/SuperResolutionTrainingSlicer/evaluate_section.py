"""The second section of the panel: a volume measured against a reference, beside the interpolations that it has to beat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt

from SuperResolutionLib.errors import SuperResolutionError
from SuperResolutionSlicer.connections import connect
from SuperResolutionSlicer.engine_process import Ending
from SuperResolutionSlicer.package_installation import PackageInstallation
from SuperResolutionSlicer.volume_nodes import reasons_against

from .charts import PlotView
from .evaluation_nodes import EvaluationNodes
from .evaluation_run import Evaluated
from .parameters import SuperResolutionTrainingParameterNode

_ERROR, _PLAIN = "color: #c0392b;", ""


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
        self.nodes: EvaluationNodes | None = None
        self._view = PlotView()
        self._parameters: SuperResolutionTrainingParameterNode | None = None
        connect(ui.evaluateButton, "clicked()", self._evaluate_or_cancel)
        connect(ui.showSlicesButton, "toggled(bool)", self._show_or_hide)
        connect(ui.exportButton, "clicked()", self._pick_file)

    def setParameterNode(self, parameters: SuperResolutionTrainingParameterNode | None) -> None:
        """Show another state, or none while the scene is being closed."""
        self._parameters = parameters
        if parameters is None:
            self.nodes = None
            self.ui.showSlicesButton.checked = False
            self.ui.scoresLabel.text = ""
            self._say("")
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
        tip = "Stop the evaluation." if running else "Measure the candidate in the background."
        button.toolTip = "\n".join(reasons) if reasons and not running else tip
        for widget in (self.ui.candidateSelector, self.ui.referenceSelector, self.ui.thickSelector):
            widget.enabled = not running
        self.ui.evaluationBar.visible = running or self.packages.running
        for widget in (self.ui.measureBox, self.ui.regionBox, self.ui.axisBox, self.ui.showSlicesButton, self.ui.exportButton):
            widget.enabled = self.nodes is not None
        if self._view.shown:
            self._show_chart()

    def _reasons(self) -> list[str]:
        """Return every reason why Evaluate cannot work."""
        if self._parameters is None:
            return ["The scene is being closed."]
        parameters = self._parameters
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
        if self.packages.running:
            reasons.append("Python packages are being installed.")
        return reasons

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
        parameters = self._parameters
        self.ui.evaluationBar.setRange(0, 100)
        self._say("")
        try:
            self.logic.startEvaluation(
                parameters.candidateVolume, parameters.referenceVolume, parameters.thickVolume, self._told, self._finished
            )
        except RuntimeError as error:
            self._say(str(error), _ERROR)
        self.update()

    def _told(self, percent: int, stage: str) -> None:
        self.ui.evaluationBar.value = percent
        self._say(f"{stage.capitalize()}…")

    def _finished(self, evaluated: Evaluated) -> None:
        ending = evaluated.outcome.ending
        self.ui.evaluationLog.plainText = evaluated.outcome.log
        if ending is Ending.DONE:
            self.nodes = EvaluationNodes(evaluated.scores, evaluated.candidate, evaluated.reference)
            self.ui.scoresLabel.text = self.nodes.as_html()
            self.ui.scoresLabel.toolTip = evaluated.scores["conventions"]
            self._say("Mean ± standard deviation over the slices of all three axes, the first and last of each left out.")
        elif ending is Ending.CANCELLED:
            self._say("Cancelled.")
        else:
            self._say(evaluated.outcome.message, _ERROR)
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
        parameters = self._parameters
        chart = self.nodes.chart(parameters.axis, parameters.measure, parameters.region)
        if chart is None:
            self._say("The chart was removed from the scene; evaluate again.", _ERROR)
        else:
            self._view.show(chart)

    def _pick_file(self) -> None:
        name = qt.QFileDialog.getSaveFileName(self.ui.SuperResolutionTraining, "Export", "evaluation.csv", "Tables (*.csv)")
        if name:
            self.exportTo(Path(name))

    def exportTo(self, path: Path) -> None:
        """Write means and slices as CSV files; what went wrong is shown in the panel."""
        try:
            written = self.nodes.write_csv(path.with_suffix(".csv"))
        except SuperResolutionError as error:
            self._say(str(error), _ERROR)
            return
        self._say(f"Written: {', '.join(each.name for each in written)}")

    def _say(self, text: str, style: str = _PLAIN) -> None:
        self.ui.evaluationMessage.text = text
        self.ui.evaluationMessage.styleSheet = style
