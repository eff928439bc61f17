"""The first section of the panel: data, recipe, budget, Train, progress, curves, and the runs that can go on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt

from SuperResolutionLib.errors import SuperResolutionError
from SuperResolutionLib.model_zoo import SAFE_FACTOR, list_upscalers
from SuperResolutionSlicer.choices import Menu, MenuEntry
from SuperResolutionSlicer.connections import connect
from SuperResolutionSlicer.device_menu import DeviceMenu
from SuperResolutionSlicer.engine_process import Ending
from SuperResolutionSlicer.package_installation import PackageInstallation

from .charts import PlotView
from .parameters import Budget, Profile, Source, SuperResolutionTrainingParameterNode
from .recipe_menu import RecipeEntry, recipe_entries
from .run_folders import UnfinishedRun, default_runs_folder, reasons_against_folder, unfinished_runs
from .training_curves import LOSS, PSNR, TrainingCurves
from .training_request import FACTORS, Wishes, make_request, reason_against_name
from .training_run import Finished, Followers, Told, Validation
from .training_volumes import write_training_volumes
from .volumes_list import VolumesList

_ERROR, _WARNING, _PLAIN = "color: #c0392b;", "color: #b9770e;", ""
_PREVIEW_WIDTH = 400  # pixels, the least


class TrainSection:
    """Keeps the widgets of the section and the parameter node in step, and starts training runs.

    Parameters
    ----------
    ui : object
        The panel's widgets by name.
    logic : SuperResolutionTrainingLogic
    """

    def __init__(self, ui: Any, logic: Any) -> None:
        self.ui, self.logic = ui, logic
        self.packages = PackageInstallation(self._pip_said)
        self.curves: TrainingCurves | None = None
        self._parameters: SuperResolutionTrainingParameterNode | None = None
        self._view = PlotView()
        self._volumes = VolumesList(ui.volumesList, self._show_state)
        self._recipes, self._factors, self._unfinished = Menu(ui.recipeBox), Menu(ui.factorBox), Menu(ui.unfinishedBox)
        self._devices = DeviceMenu(ui.deviceBox, self._device_chosen, ui.logText.appendPlainText)
        self._entries = recipe_entries()
        self._runs: list[UnfinishedRun] = []
        ui.curveBox.addItems(["Loss", "PSNR against cubic"])
        connect(ui.recipeBox, "currentIndexChanged(int)", self._recipe_chosen)
        connect(ui.factorBox, "currentIndexChanged(int)", self._factor_chosen)
        connect(ui.dataFolderEdit, "currentPathChanged(QString)", self._data_folder_chosen)
        connect(ui.runsFolderEdit, "currentPathChanged(QString)", self._runs_folder_chosen)
        connect(ui.unfinishedBox, "currentIndexChanged(int)", lambda _: self._show_state())
        connect(ui.advancedSection, "toggled(bool)", self._ask_for_devices)
        connect(ui.trainButton, "clicked()", self._train_or_stop)
        connect(ui.pauseButton, "clicked()", self._pause_or_go_on)
        connect(ui.keepBestButton, "clicked()", lambda: self._steer(self.logic.training.keep_best))
        connect(ui.resumeButton, "clicked()", self._resume)
        connect(ui.showCurvesButton, "toggled(bool)", self._show_or_hide_curves)
        connect(ui.curveBox, "currentIndexChanged(int)", lambda _: self._show_chart())

    def setParameterNode(self, parameters: SuperResolutionTrainingParameterNode | None) -> None:
        """Show another state, or none while the scene is being closed."""
        self._parameters = parameters
        if parameters is None and not self.logic.isTraining:  # a scene that is read beside this one leaves the run and its nodes alone
            self.curves = None
            self.ui.showCurvesButton.checked = False
            self._show_preview(None)
            self._say("")  # what happened to the scene before is no news of the next one
        self.update()

    def close(self) -> None:
        """Lead back to the layout before; pip goes on, but its words are no longer shown."""
        self.packages.forget()
        self._devices.close()
        self._view.leave()

    # ---- from the parameter node to the widgets

    def update(self) -> None:
        """Bring all widgets in step with the parameter node, the scene and the runs on the disk."""
        if self._parameters is None:
            self._show_state()
            return
        parameters = self._parameters
        by_folder = parameters.source is Source.FOLDER
        for widget, visible in (
            (self.ui.dataFolderEdit, by_folder),
            (self.ui.volumesList, not by_folder),
            (self.ui.minutesBox, parameters.budget is Budget.MINUTES),
            (self.ui.stepsBox, parameters.budget is Budget.STEPS),
        ):
            widget.visible = visible
        self._volumes.update()
        self._show_path(self.ui.dataFolderEdit, parameters.dataFolder)
        self._show_path(self.ui.runsFolderEdit, parameters.runsFolder or str(default_runs_folder()))
        self._show_recipe()
        self._devices.show(parameters.device)
        self._show_unfinished()
        self._show_state()

    @staticmethod
    def _show_path(edit: Any, path: str) -> None:
        if edit.currentPath != path:
            edit.currentPath = path

    def _show_recipe(self) -> None:
        parameters = self._parameters
        lines = [MenuEntry(entry.name, entry.name, entry.describe()) for entry in self._entries]
        self._recipes.fill(lines, parameters.recipe)
        entry = self._entry()
        self.ui.recipeDescription.text = entry.describe() if entry else ""
        factors = entry.factors if entry else ()
        every = ", ".join(f"×{factor}" for factor in factors)
        choices = [MenuEntry(0, f"As in the recipe ({every})" if every else "As in the recipe")]
        choices += [MenuEntry(factor, f"×{factor} only{' (experimental)' if factor > SAFE_FACTOR else ''}") for factor in FACTORS]
        self._factors.fill(choices, parameters.factor)

    def _show_unfinished(self) -> None:
        running = self.logic.training.folder if self.logic.isTraining else None
        self._runs = [run for run in unfinished_runs(self._runs_folder()) if run.folder != running]
        chosen = self.ui.unfinishedBox.itemData(self.ui.unfinishedBox.currentIndex)
        names = [run.folder.name for run in self._runs]
        lines = [MenuEntry(run.folder.name, run.label(), str(run.folder)) for run in self._runs]
        self._unfinished.fill(lines, chosen if chosen in names else next(iter(names), None))

    def _show_state(self) -> None:
        running, reasons = self.logic.isTraining, self._reasons()
        busy, training = running or self.packages.running, self.logic.training
        button = self.ui.trainButton
        button.text = "Stop" if running else "Train"
        button.enabled = running or not reasons
        tip = "End the run; it can be resumed below." if running else "Train the network in the background."
        button.toolTip = "\n".join(reasons) if reasons and not running else tip
        steerable = running and training.began and not training.stopping
        self.ui.pauseButton.enabled = self.ui.keepBestButton.enabled = steerable
        self.ui.pauseButton.text = "Continue" if running and training.paused else "Pause"
        for widget in (self.ui.dataGroup, self.ui.recipeGroup, self.ui.advancedSection):
            widget.enabled = not busy
        self.ui.unfinishedBox.enabled = self.ui.resumeButton.enabled = bool(self._runs) and not busy and self._parameters is not None
        self.ui.resumeButton.toolTip = (
            "Go on from the last checkpoint." if self._runs else "There is no unfinished run in the folder of runs."
        )
        self.ui.progressBar.visible = self.ui.stageLabel.visible = busy
        self.ui.showCurvesButton.enabled = self.ui.curveBox.enabled = self.curves is not None

    def _reasons(self) -> list[str]:
        """Return every reason why Train cannot work."""
        if self._parameters is None:
            return ["The scene is being closed."]
        parameters, entry = self._parameters, self._entry()
        reasons = self._reasons_against_data()
        if entry is None:
            reasons.append("Select a recipe.")
        elif entry.images and parameters.source is Source.VOLUMES:
            reasons.append(f"The recipe '{entry.name}' learns from pictures; select a folder of them.")
        reasons += self._reasons_against_name()
        if self.packages.running:
            reasons.append("Python packages are being installed.")
        return reasons

    def _reasons_against_data(self) -> list[str]:
        parameters = self._parameters
        if parameters.source is Source.VOLUMES:
            return self._volumes.reasons()
        if not parameters.dataFolder:
            return ["Select a folder of fine scans."]
        return [] if os.path.isdir(parameters.dataFolder) else [f"{parameters.dataFolder}: no such folder; select one that is there."]

    def _reasons_against_name(self) -> list[str]:
        name = self._parameters.modelName
        reason = reason_against_name(name)
        if reason:
            return [reason]
        same = [info.id for info in list_upscalers() if info.id.lower() == name.lower()]  # one file, where case does not tell files apart
        if same:
            return [f"There is a model '{same[0]}' already; choose another name."]
        return reasons_against_folder(self._runs_folder() / name)

    def _entry(self) -> RecipeEntry | None:
        return next((entry for entry in self._entries if entry.name == self._parameters.recipe), None)

    def _runs_folder(self) -> Path:
        named = self._parameters.runsFolder if self._parameters is not None else ""
        return Path(named) if named else default_runs_folder()

    # ---- from the widgets to the parameter node

    def _recipe_chosen(self, index: int) -> None:
        if self._parameters is not None and index >= 0:
            self._parameters.recipe = self.ui.recipeBox.itemData(index)

    def _factor_chosen(self, index: int) -> None:
        if self._parameters is not None and index >= 0:
            self._parameters.factor = self.ui.factorBox.itemData(index)

    def _device_chosen(self, device: str) -> None:
        if self._parameters is not None:
            self._parameters.device = device

    def _data_folder_chosen(self, path: str) -> None:
        if self._parameters is not None:
            self._parameters.dataFolder = path

    def _runs_folder_chosen(self, path: str) -> None:
        if self._parameters is not None and path != str(self._runs_folder()):
            self._parameters.runsFolder = path

    def _ask_for_devices(self, _: bool = True) -> None:
        if not self.ui.advancedSection.collapsed:
            self._devices.ask()

    # ---- running

    def _train_or_stop(self) -> None:
        if self.logic.isTraining:
            self.ui.stageLabel.text = "Stopping…"
            self.logic.training.stop()
            return
        # Volumes and folders may have changed since the button was enabled.
        self.update()
        reasons = self._reasons()
        if reasons:
            self._say("\n".join(reasons), _ERROR)
        else:
            self.packages.ensure(self._start, lambda reason: self._say(reason, _ERROR))
        self._show_state()

    def _start(self) -> None:
        reasons = self._reasons()  # the scene may have been closed while packages were installed
        if reasons:
            self._say("\n".join(reasons), _ERROR)
            return
        folder = self._runs_folder() / self._parameters.modelName
        try:
            self._run(folder, make_request(self._entry(), self._wishes(folder)), resume=False)
        except (OSError, RuntimeError, SuperResolutionError) as error:
            shutil.rmtree(folder, ignore_errors=True)  # there was none, or an empty one
            self._say(str(error), _ERROR)

    def _wishes(self, folder: Path) -> Wishes:
        """Return what the panel shows; loaded volumes are written into the run's folder."""
        parameters = self._parameters
        data, scans = Path(parameters.dataFolder), []
        if parameters.source is Source.VOLUMES:
            data = folder / "data"
            data.mkdir(parents=True)
            scans = write_training_volumes(self._volumes.chosen(), data)
        return Wishes(
            name=parameters.modelName,
            data=data,
            scans=scans,
            factor=parameters.factor,
            profile="" if parameters.profile is Profile.RECIPE else parameters.profile.value,
            minutes=parameters.minutes if parameters.budget is Budget.MINUTES else 0,
            steps=parameters.steps if parameters.budget is Budget.STEPS else 0,
            device=parameters.device,
        )

    def _resume(self) -> None:
        self._show_unfinished()  # the folder may have changed meanwhile
        chosen = self.ui.unfinishedBox.itemData(self.ui.unfinishedBox.currentIndex)
        run = next((run for run in self._runs if run.folder.name == chosen), None)
        if run is None:
            self._say("The run is no longer there.", _ERROR)
            return
        self.packages.ensure(lambda: self._go_on_with(run), lambda reason: self._say(reason, _ERROR))

    def _go_on_with(self, run: UnfinishedRun) -> None:
        try:
            self._run(run.folder, run.request, run.resumable)
        except RuntimeError as error:
            self._say(str(error), _ERROR)

    def _run(self, folder: Path, request: dict[str, Any], resume: bool) -> None:
        self.ui.logText.plainText = ""
        self.ui.progressBar.setRange(0, 100)
        self.ui.progressBar.value = 0
        self._say("")
        self._show_preview(None)
        self.logic.startTraining(folder, request, resume, Followers(self._told, self._validated, self._show_state, self._finished))
        self.curves = TrainingCurves(folder.name)
        if resume:
            self.curves.recall(folder)
        self.ui.showCurvesButton.checked = True
        self._show_chart()
        self.update()

    def _told(self, told: Told) -> None:
        self.ui.progressBar.value = told.percent
        paused = self.logic.isTraining and self.logic.training.paused
        self.ui.stageLabel.text = "Paused" if paused else told.describe()
        if self.curves is not None:
            self.curves.add(told)

    def _validated(self, validation: Validation) -> None:
        self._say(validation.describe())
        self._show_preview(validation.preview)
        if self.curves is not None:
            self.curves.add_validation(validation)

    def _pause_or_go_on(self) -> None:
        training = self.logic.training
        if self._steer(training.go_on if training.paused else training.pause):
            self.ui.stageLabel.text = "Paused" if training.paused else "Continuing…"

    def _steer(self, act: Callable[[], None]) -> bool:
        """Do something to the run, and tell whether its folder took it."""
        try:
            act()
        except OSError as error:
            self._say(f"{self.logic.training.folder}: cannot be written to, {error.strerror}; Stop ends the run.", _ERROR)
            return False
        return True

    def _finished(self, finished: Finished) -> None:
        ending = finished.outcome.ending
        self.ui.logText.plainText = finished.outcome.log
        if self.curves is not None:
            self.curves.draw()
        if ending is Ending.CANCELLED:
            self._say("Stopped; the run can be resumed below.")
        else:
            style = _ERROR if ending is not Ending.DONE else _WARNING if finished.warnings else _PLAIN
            self._say("\n".join([finished.describe(), *finished.notes()]), style)
        self.update()

    def _pip_said(self, line: str) -> None:
        self.ui.progressBar.setRange(0, 0 if self.packages.running else 100)
        if line:
            self.ui.logText.appendPlainText(line)
            self.ui.stageLabel.text = f"Installing packages: {line[:100]}"
        self._show_state()

    # ---- curves and preview

    def _show_or_hide_curves(self, shown: bool) -> None:
        if shown:
            self._show_chart()
        else:
            self._view.leave()

    def _show_chart(self) -> None:
        if self.curves is None or not self.ui.showCurvesButton.checked:
            return
        chart = self.curves.chart((LOSS, PSNR)[self.ui.curveBox.currentIndex])
        if chart is not None:
            self._view.show(chart)

    def _show_preview(self, path: Path | None) -> None:
        picture = qt.QPixmap(str(path)) if path is not None else qt.QPixmap()
        self.ui.previewLabel.visible = not picture.isNull()
        if not picture.isNull():
            width = max(_PREVIEW_WIDTH, self.ui.messageLabel.width)
            self.ui.previewLabel.setPixmap(picture.scaledToWidth(min(width, picture.width()), qt.Qt.SmoothTransformation))

    def _say(self, text: str, style: str = _PLAIN) -> None:
        self.ui.messageLabel.text = text
        self.ui.messageLabel.styleSheet = style
