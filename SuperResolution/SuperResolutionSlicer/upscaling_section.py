"""The first section of the panel: volume, model, factor, Apply, progress, result."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import qt
import slicer
import slicer.util

from SuperResolutionLib.description import describe_briefly
from SuperResolutionLib.errors import SuperResolutionError
from SuperResolutionLib.memory import available_memory
from SuperResolutionLib.model_zoo import add_model
from SuperResolutionLib.planning import expect
from SuperResolutionLib.upscaling import SEVERAL_AXES, finer_axes
from SuperResolutionLib.volume import Volume

from .choices import Menu, MenuEntry
from .connections import connect
from .device_menu import DeviceMenu
from .engine_process import Ending
from .model_menu import ModelEntry, factor_entries, model_entries, models_changed, nearest_factor
from .package_installation import PackageInstallation
from .packages import UPSCALING
from .parameters import ADAPT_MINUTES, MEMORY_LIMIT_MB, SuperResolutionParameterNode
from .upscaling_run import Finished, Told
from .volume_nodes import reasons_against, volume_of

_ERROR, _WARNING, _PLAIN = "color: #c0392b;", "color: #b9770e;", ""
_MB = 1 << 20
_ADAPTING = (
    "Fit the network to this volume first: its planes teach its thick axis. Expect little: on three scans at ×4, three minutes on two "
    "processor cores gave 0 to 0.3 dB PSNR, and 0.5 dB where the slices had a Gaussian profile that was recognised. "
    "Weights that do not help are not used."
)


class UpscalingSection:
    """Keeps the widgets of the section and the parameter node in step, and starts runs.

    Parameters
    ----------
    ui : object
        The panel's widgets by name.
    logic : SuperResolutionLogic
    """

    def __init__(self, ui: Any, logic: Any) -> None:
        self.ui, self.logic = ui, logic
        self.packages = PackageInstallation(self._pip_said, UPSCALING)
        self._parameters: SuperResolutionParameterNode | None = None
        self._models, self._factors = Menu(ui.modelBox), Menu(ui.factorBox)
        self._devices = DeviceMenu(ui.deviceBox, self._device_chosen, ui.logText.appendPlainText)
        self._facts_key: tuple | None = None
        self._volume_reasons: list[str] = []
        self._description = ""
        self._entries: list[ModelEntry] = []
        self._factor_basis: tuple | None = None
        self._updating = False
        ui.memoryBox.setRange(0, MEMORY_LIMIT_MB)
        ui.adaptMinutesBox.setRange(*ADAPT_MINUTES)
        connect(ui.modelBox, "currentIndexChanged(int)", self._model_chosen)
        connect(ui.factorBox, "currentIndexChanged(int)", self._factor_chosen)
        connect(ui.modelCardButton, "toggled(bool)", lambda shown: ui.modelCard.setVisible(shown))
        connect(ui.addModelButton, "clicked()", self._pick_model_file)
        connect(ui.applyButton, "clicked()", self._apply_or_cancel)
        connect(ui.advancedSection, "toggled(bool)", self._ask_for_devices)
        logic.follow(self._told, self._show_state)

    def setParameterNode(self, parameters: SuperResolutionParameterNode | None) -> None:
        """Show another state, or none while the scene is being closed."""
        self._parameters = parameters
        self._facts_key = self._factor_basis = None
        if parameters is None:
            self._say("")  # what happened to the scene before is no news of the next one
        self.update()

    def close(self) -> None:
        """End what runs in the background for this section; pip goes on, but its words are no longer shown."""
        self.packages.forget()
        self._devices.close()

    # ---- from the parameter node to the widgets

    def update(self) -> None:
        """Bring all widgets in step with the parameter node and its volume."""
        if self._updating or self._parameters is None:
            return
        self._updating = True
        try:
            node = self._parameters.inputVolume
            volume = self._look_at(node)
            self._show_models(volume)
            self._show_factors(volume)
            self._devices.show(self._parameters.device)
            self._show_expectation(volume)
            self._show_state()
        finally:
            self._updating = False

    def _look_at(self, node: slicer.vtkMRMLScalarVolumeNode | None) -> Volume | None:
        """Return the input as a volume if it can be one; looks at voxels and models again only when they have changed."""
        image = node.GetImageData() if node else None
        key = None if node is None else (node.GetID(), node.GetMTime(), image.GetMTime() if image else 0, models_changed())
        if key is None or key != self._facts_key:
            self._volume_reasons = reasons_against(node) if node else ["Select an input volume."]
            self._description = "" if self._volume_reasons else describe_briefly(volume_of(node))
            self._entries = model_entries(None if self._volume_reasons else volume_of(node))
            self._facts_key = key
        self.ui.inputDescription.text = "\n".join(self._volume_reasons) if node and self._volume_reasons else self._description
        self.ui.inputDescription.styleSheet = _ERROR if node and self._volume_reasons else _PLAIN
        return None if self._volume_reasons else volume_of(node)

    def _show_models(self, volume: Volume | None) -> None:
        parameters = self._parameters
        fitting = [entry.info.id for entry in self._entries if not entry.reason]
        if parameters.model not in fitting and fitting and (volume is not None or not parameters.model):
            parameters.model = fitting[0]
        lines = [MenuEntry(each.info.id, _with_reason(each), each.card, not each.reason) for each in self._entries]
        self._models.fill(lines, parameters.model)
        entry = self._entry()
        self.ui.modelCard.text = entry.card if entry else ""
        self.ui.modelBox.toolTip = entry.card if entry else "No model fits."

    def _show_factors(self, volume: Volume | None) -> None:
        parameters, entry = self._parameters, self._entry()
        factors = factor_entries(entry.info, volume, parameters.axis.value) if entry else []
        basis = (parameters.inputVolume.GetID() if volume is not None else "", parameters.model, parameters.axis)
        kept = self._factor_basis is None or self._factor_basis == basis
        if not (kept and parameters.factor in dict(factors)):
            nearest = nearest_factor(entry.info, volume, parameters.axis.value) if entry else None
            parameters.factor = nearest or (factors[0][0] if factors else 0)
        self._factor_basis = basis
        self._factors.fill([MenuEntry(factor, label) for factor, label in factors], parameters.factor)

    def _show_expectation(self, volume: Volume | None) -> None:
        entry, label = self._entry(), self.ui.expectationLabel
        if volume is None or entry is None or entry.reason or not self._parameters.factor:
            label.text = ""
            return
        parameters = self._parameters
        axes = finer_axes(volume, entry.info.axis_meant(parameters.axis.value))
        expected = expect(
            volume.shape,
            axes,
            parameters.factor,
            volume.voxels.dtype.itemsize,
            entry.info.kind,
            parameters.memoryLimit or None,
            parameters.ensemble,
        )
        there = available_memory()
        matrix = " × ".join(map(str, reversed(expected.shape)))
        needed = _megabytes(expected.memory_bytes)
        text = f"Result: {matrix} voxels, {_megabytes(expected.result_bytes)}; about {needed} of memory while it runs."
        # The result is loaded beside the process that makes it.
        fits = there is None or expected.memory_bytes + expected.result_bytes < there
        label.text = text if fits else f"{text} Only {_megabytes(there)} are free: the run may fail."
        label.styleSheet = _PLAIN if fits else _WARNING

    def _show_state(self) -> None:
        running, reasons = self.logic.running, self._reasons()
        busy = running or self.packages.running
        button = self.ui.applyButton
        button.text = "Cancel" if running else "Apply"
        button.enabled = running or not reasons
        tip = "Stop the run; nothing is left of it." if running else "Make the volume finer in the background."
        button.toolTip = "\n".join(reasons) if reasons and not running else tip
        for widget in (self.ui.inputSelector, self.ui.modelBox, self.ui.addModelButton, self.ui.factorBox, self.ui.outputSelector):
            widget.enabled = not busy
        self.ui.advancedSection.enabled = not busy
        against = self._reason_against_adapting()
        self.ui.adaptBox.enabled = not against
        self.ui.adaptBox.toolTip = against or _ADAPTING
        self.ui.adaptMinutesBox.enabled = not against and self.ui.adaptBox.checked
        self.ui.progressBar.visible = self.ui.stageLabel.visible = busy

    def _reasons(self) -> list[str]:
        """Return every reason why Apply cannot work."""
        if self._parameters is None:
            return ["The scene is being closed."]
        parameters, entry = self._parameters, self._entry()
        reasons = list(self._volume_reasons)
        if entry is None:
            reasons.append("Select a model.")
        elif entry.reason:
            reasons.append(f"Model '{entry.info.id}' does not fit: {entry.reason}.")
        elif against := entry.info.reason_against_axis(parameters.axis.value):
            reasons.append(f"Axis '{parameters.axis.label()}': {against}.")
        if entry is not None and parameters.factor not in entry.info.factors:
            reasons.append("Select a factor.")
        if parameters.inputVolume is not None and parameters.outputVolume is parameters.inputVolume:
            reasons.append("The output volume is the input; select another or a new one.")
        if self.packages.running:
            reasons.append("Python packages are being installed.")
        return reasons

    def _reason_against_adapting(self) -> str:
        """Return why the model cannot be fitted to the volume; empty if it can."""
        entry = self._entry() if self._parameters is not None else None
        if entry is None or entry.info.card is None:
            return "Only networks can be adapted."
        if find_spec("SuperResolutionTrainingLib") is None:
            return "Adapting needs the module SuperResolutionTraining."
        if entry.info.card.task == "plane" or self._parameters.axis.value in SEVERAL_AXES:
            return "Only networks that make one axis finer can be adapted, and one axis at a time."
        return "" if self._parameters.factor in entry.info.card.factors else "The network takes this factor in several passes."

    def _entry(self) -> ModelEntry | None:
        return next((entry for entry in self._entries if entry.info.id == self._parameters.model), None)

    # ---- from the widgets to the parameter node

    def _model_chosen(self, index: int) -> None:
        if self._parameters is not None and index >= 0:
            self._parameters.model = self.ui.modelBox.itemData(index)

    def _factor_chosen(self, index: int) -> None:
        if self._parameters is not None and index >= 0:
            self._parameters.factor = self.ui.factorBox.itemData(index)

    def _device_chosen(self, device: str) -> None:
        if self._parameters is not None:
            self._parameters.device = device

    def _pick_model_file(self) -> None:
        name = qt.QFileDialog.getOpenFileName(self.ui.SuperResolution, "Add model", "", "Model files (*.safetensors)")
        if name:
            self.addModel(Path(name))

    def addModel(self, path: Path) -> None:
        """Check a model file, copy it to the user's own models and select it; a refusal is shown in the panel."""
        try:
            info = add_model(path)
        except SuperResolutionError as error:
            self._say(str(error), _ERROR)
            return
        self._facts_key = None
        self._say(f"Model '{info.id}' was added to your models.")
        self._parameters.model = info.id
        self.update()

    def _ask_for_devices(self, _: bool = True) -> None:
        if not self.ui.advancedSection.collapsed:
            self._devices.ask()

    # ---- running

    def _apply_or_cancel(self) -> None:
        if self.logic.running:
            self.logic.cancel()
            self.ui.stageLabel.text = "Cancelling…"
            return
        # The selectors may have moved on to another node since the button was enabled.
        self.update()
        reasons = self._reasons()
        if reasons:
            self._say("\n".join(reasons), _ERROR)
        elif self._entry().info.kind == "network":
            self.packages.ensure(self._start, lambda reason: self._say(reason, _ERROR))
        else:
            self._start()

    def _pip_said(self, line: str) -> None:
        self.ui.progressBar.setRange(0, 0 if self.packages.running else 100)
        if line:
            self.ui.logText.appendPlainText(line)
            self.ui.stageLabel.text = f"Installing packages: {line[:100]}"
        elif self.packages.running:
            self.ui.logText.plainText = ""
            self.ui.stageLabel.text = "Installing packages…"
        self._show_state()

    def settings(self) -> dict[str, Any]:
        """Return the engine's settings as the panel shows them."""
        parameters = self._parameters
        entry = self._entry()
        own_file = entry.info.kind == "network" and entry.info.path is not None
        return {
            "model": str(entry.info.path) if own_file else entry.info.id,
            "factor": parameters.factor,
            "axis": parameters.axis.value,
            "device": parameters.device,
            "precision": parameters.precision.value,
            "ensemble": parameters.ensemble,
            "consistency": parameters.consistency,
            "memory_mb": parameters.memoryLimit or None,
        }

    def _start(self) -> None:
        if self._reasons():  # the scene may have changed while packages were installed
            return
        parameters = self._parameters
        self.ui.logText.plainText = ""
        self.ui.progressBar.setRange(0, 100)
        self.ui.progressBar.value = 0
        self._say("")
        minutes = parameters.adaptMinutes if parameters.adapt and not self._reason_against_adapting() else None
        try:
            self.logic.startUpscaling(
                parameters.inputVolume, self.settings(), parameters.outputVolume, finished=self._finished, adaptMinutes=minutes
            )
        except RuntimeError as error:
            self._say(str(error), _ERROR)
        self._show_state()

    def _told(self, told: Told) -> None:
        self.ui.progressBar.value = told.percent
        self.ui.stageLabel.text = told.describe()

    def _finished(self, finished: Finished) -> None:
        ending = finished.outcome.ending
        self.ui.logText.plainText = finished.outcome.log
        if ending is Ending.DONE:
            if self._parameters is not None:
                self._parameters.resultVolume = finished.node
            warnings = [f"Note: {warning}" for warning in finished.warnings]
            self._say("\n".join([finished.describe(), *warnings]), _WARNING if warnings else _PLAIN)
        elif ending is Ending.CANCELLED:
            self._say("Cancelled; nothing was changed.")
        else:
            self._say(finished.describe(), _ERROR)
        self.update()
        if self._parameters is None:
            self._show_state()

    def _say(self, text: str, style: str = _PLAIN) -> None:
        self.ui.messageLabel.text = text
        self.ui.messageLabel.styleSheet = style


def _with_reason(entry: ModelEntry) -> str:
    return f"{entry.label} ({entry.reason})" if entry.reason else entry.label


def _megabytes(size: int) -> str:
    return f"{size / (_MB << 10):.1f} GB" if size >= _MB << 10 else f"{max(1, round(size / _MB))} MB"
