"""What Train waits for, and training."""

from __future__ import annotations

from unittest import mock

import qt
import slicer
from packaging.requirements import Requirement

from SuperResolutionLib.model_zoo import list_upscalers
from SuperResolutionSlicer import package_installation

from ..parameters import Budget, Source
from ..run_folders import REQUEST, RESULT
from ..training_request import VALIDATE_EVERY
from .steps import Steps


class TrainingTest(Steps):
    """Training through the panel, to its end or not."""

    def test_train_waits_for_data_and_says_so(self) -> None:
        self.assertFalse(self.ui.trainButton.enabled)
        self.assertIn("Select a folder of fine scans.", self.ui.trainButton.toolTip)
        self.ui.dataFolderEdit.currentPath = "/no/such/folder"
        self.assertIn("/no/such/folder: no such folder", self.ui.trainButton.toolTip)
        self.ui.dataFolderEdit.currentPath = self.home.name
        self.assertTrue(self.ui.trainButton.enabled, self.ui.trainButton.toolTip)

    def test_loaded_volumes_must_come_from_two_patients(self) -> None:
        self.add_heads(2)
        self.parameters.source = Source.VOLUMES
        self.assertIn("at least two patients", self.ui.trainButton.toolTip)
        self.check_volumes()
        self.assertTrue(self.ui.trainButton.enabled, self.ui.trainButton.toolTip)
        self.add_heads(1)
        self.assertEqual(self.ui.volumesList.count, 3)
        self.assertTrue(self.ui.trainButton.enabled, "what was checked stays so")

    def test_a_name_that_cannot_be_used_is_refused(self) -> None:
        self.ui.dataFolderEdit.currentPath = self.home.name
        for name, reason in (("a/b", "cannot name a model"), ("", "cannot name a model"), ("fast", "There is a model 'fast' already")):
            with self.subTest(name):
                self.ui.nameEdit.text = name
                self.assertFalse(self.ui.trainButton.enabled)
                self.assertIn(reason, self.ui.trainButton.toolTip)
        (self.runs / "taken").mkdir(parents=True)
        (self.runs / "taken" / REQUEST).write_text("{}")
        self.ui.nameEdit.text = "taken"
        self.assertIn("holds a run already", self.ui.trainButton.toolTip)

    def test_every_recipe_is_described(self) -> None:
        self.assertGreater(self.ui.recipeBox.count, 0)
        for row in range(self.ui.recipeBox.count):
            self.ui.recipeBox.setCurrentIndex(row)
            self.assertEqual(self.parameters.recipe, self.ui.recipeBox.itemData(row))
            self.assertIn("Network ", self.ui.recipeDescription.text)

    def test_without_consent_nothing_is_installed_and_nothing_runs(self) -> None:
        self.ui.dataFolderEdit.currentPath = self.home.name
        lacking = mock.patch.object(package_installation, "missing_packages", lambda names: [Requirement("torch>=2.6")])
        with lacking, mock.patch.object(self.panel.train.packages, "askConsent", lambda missing: False):
            self.ui.trainButton.click()
        self.assertFalse(self.logic.isTraining)
        self.assertIn("torch>=2.6 must be installed first", self.ui.messageLabel.text)

    def test_the_state_is_in_the_scene(self) -> None:
        self.ui.nameEdit.text = "knees"
        self.ui.budgetBox.currentIndex = list(Budget).index(Budget.STEPS)
        self.ui.stepsBox.value = 1234
        node = self.parameters.parameterNode
        self.assertEqual([node.GetParameter(name) for name in ("modelName", "budget", "steps")], ["knees", "STEPS", "1234"])
        self.assertTrue(self.ui.minutesBox.isHidden())
        slicer.mrmlScene.Clear(0)
        self.assertEqual((self.ui.nameEdit.text, self.ui.minutesBox.isHidden()), ("my-model", False))

    def test_a_network_is_trained_paused_and_kept(self) -> None:
        self.start_training()
        self.wait_until(lambda: "loss" in self.ui.stageLabel.text)
        self.ui.pauseButton.click()
        self.assertEqual((self.ui.pauseButton.text, self.ui.stageLabel.text), ("Continue", "Paused"))
        self.wait_until(lambda: '"paused"' in self.logic.training.log)
        self.ui.pauseButton.click()
        self.wait_until(lambda: "loss" in self.ui.stageLabel.text)
        self.ui.keepBestButton.click()
        self.assertFalse(self.ui.pauseButton.enabled)
        self.wait_until(lambda: not self.logic.isTraining)
        self.assertIn("model 'my-model' is among your models", self.ui.messageLabel.text)
        self.assertIn("my-model", [info.id for info in list_upscalers()])
        self.assertFalse(self.ui.previewLabel.isHidden())
        self.assertTrue((self.runs / "my-model" / RESULT).is_file())
        self.assertEqual(self.ui.unfinishedBox.count, 0)
        for kind, column in (("loss", "loss"), ("psnr", "PSNR of cubic (dB)")):
            series = self.panel.train.curves.chart(kind).GetNthPlotSeriesNode(0)
            self.assertGreater(series.GetTableNode().GetNumberOfRows(), 0)
            self.assertIsNotNone(series.GetTableNode().GetTable().GetColumnByName(column))

    def test_a_stopped_run_is_resumed(self) -> None:
        pid = self.start_training(steps=VALIDATE_EVERY)
        self.ui.trainButton.click()
        self.wait_until(lambda: not self.logic.isTraining)
        self.assert_gone(pid)
        self.assertEqual(self.ui.messageLabel.text, "Stopped; the run can be resumed below.")
        self.assertFalse(self.ui.trainButton.enabled, "the name belongs to the run now")
        self.assertIn("my-model", self.ui.unfinishedBox.currentText)
        self.ui.resumeButton.click()
        self.assertTrue(self.logic.isTraining)
        self.wait_until(lambda: self.logic.training.began)

    def test_closing_the_scene_ends_the_process_and_keeps_the_run(self) -> None:
        pid = self.start_training()
        slicer.mrmlScene.Clear(0)
        self.assertFalse(self.logic.isTraining)
        self.assert_gone(pid)
        self.logic.getParameterNode().runsFolder = str(self.runs)
        self.assertEqual(self.ui.unfinishedBox.count, 1)
        self.assertTrue(self.ui.resumeButton.enabled)

    def test_leaving_the_module_lets_training_go_on(self) -> None:
        self.start_training()
        self.leave()
        self.wait_until(lambda: self.logic.training.began)
        self.enter()
        self.assertEqual(self.ui.trainButton.text, "Stop")

    # ---- steps

    def check_volumes(self) -> None:
        """Check every volume of the list."""
        for row in range(self.ui.volumesList.count):
            self.ui.volumesList.item(row).setCheckState(qt.Qt.Checked)

    def start_training(self, steps: int = 100_000) -> int:
        """Start training on two phantoms, and return the number of the engine's process once it has said it."""
        self.need_packages(None)
        self.add_heads(2)
        self.parameters.source, self.parameters.budget = Source.VOLUMES, Budget.STEPS
        self.parameters.steps, self.parameters.factor = steps, 2
        self.check_volumes()
        self.assertTrue(self.ui.trainButton.enabled, self.ui.trainButton.toolTip)
        self.ui.trainButton.click()
        self.wait_until(lambda: self.logic.training.process.pid is not None)
        return self.logic.training.process.pid
