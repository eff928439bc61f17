"""The module's self-test: clicks through the panel in Slicer, with real nodes, real training and real evaluation."""

from __future__ import annotations

import csv
import os
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import qt
import slicer
import slicer.util
from packaging.requirements import Requirement

from SuperResolutionLib.model_zoo import list_upscalers
from SuperResolutionSlicer import package_installation
from SuperResolutionSlicer.module_test import ModuleTest
from SuperResolutionSlicer.phantom import shepp_logan
from SuperResolutionTrainingLib.reader_study.reading import Reading, open_study

from .figures import CONVENTIONS
from .parameters import Axis, Budget, Measure, Measured, Region, Source, ThickAxis
from .run_folders import REQUEST, RESULT
from .small_study import make_small_study
from .training_request import VALIDATE_EVERY


class SuperResolutionTrainingTest(ModuleTest):
    """What Train waits for, training, evaluation, reader study."""

    def setUp(self) -> None:
        """Start every test with an empty scene, the panel open, and a folder in the place of the user's own models and runs."""
        self.home = tempfile.TemporaryDirectory()
        self.runs = Path(self.home.name) / "runs"
        self.environment = mock.patch.dict(os.environ, {"SUPERRESOLUTION_MODELS": str(Path(self.home.name) / "models")})
        self.environment.start()
        super().setUp()
        self.parameters = self.logic.getParameterNode()
        self.parameters.runsFolder = str(self.runs)

    def tearDown(self) -> None:
        """No test may leave a process or a temporary folder."""
        self.logic.abandon()
        self.environment.stop()
        self.home.cleanup()
        super().tearDown()

    # ---- what Train waits for

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

    # ---- training

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

    # ---- evaluation

    def test_evaluate_waits_for_two_different_volumes(self) -> None:
        self.assertIn("Select a candidate.", self.ui.evaluateButton.toolTip)
        (head,) = self.add_heads(1)
        self.ui.candidateSelector.setCurrentNode(head)
        self.ui.referenceSelector.setCurrentNode(head)
        self.assertFalse(self.ui.evaluateButton.enabled)
        self.assertIn("The candidate is the reference", self.ui.evaluateButton.toolTip)

    def test_a_volume_is_measured_beside_the_interpolations(self) -> None:
        self.evaluate()
        table = self.panel.evaluate.nodes.table
        self.assertIn("first and the last", table.GetAttribute(CONVENTIONS))
        volumes = [table.GetCellText(row, 0) for row in range(table.GetNumberOfRows())]
        self.assertEqual(volumes[:5], ["noisy", "nearest", "linear", "cubic", "lanczos"])
        self.assertEqual(table.GetNumberOfRows(), 5 * 2 * 4)
        for words in ("candidate", "cubic", "±", "Foreground"):
            self.assertIn(words, self.ui.scoresLabel.text)
        self.parameters.axis, self.parameters.measure, self.parameters.region = Axis.K, Measure.NCC, Region.FOREGROUND
        self.ui.showChartButton.checked = True
        chart = self.panel.evaluate.nodes.chart(Axis.K, Measure.NCC, Region.FOREGROUND)
        self.assertEqual((chart.GetXAxisTitle(), chart.GetYAxisTitle(), chart.GetNumberOfPlotSeriesNodes()), ("slice along K", "NCC", 5))
        self.assertEqual(chart.GetNthPlotSeriesNode(0).GetYColumnName(), "noisy NCC foreground")
        self.assertEqual(chart.GetNthPlotSeriesNode(0).GetTableNode().GetNumberOfRows(), 30)
        self.ui.showChartButton.checked = False
        self.panel.evaluate.exportTo(Path(self.home.name) / "figures.csv")
        with open(Path(self.home.name) / "figures.csv", newline="", encoding="utf-8") as file:
            self.assertEqual(len(list(csv.reader(file))), 1 + 5 * 2 * 4)
        self.assertTrue((Path(self.home.name) / "figures-slices.csv").is_file())

    def test_all_models_are_compared_on_a_volume(self) -> None:
        self.need_packages(None)
        (head,) = self.add_heads(1)
        self.parameters.measured, self.parameters.thickAxis = Measured.MODELS, ThickAxis.K
        self.ui.referenceSelector.setCurrentNode(head)
        self.assertTrue(self.ui.evaluateButton.enabled, self.ui.evaluateButton.toolTip)
        self.ui.evaluateButton.click()
        self.wait_until(lambda: not self.logic.isEvaluating)
        self.assertIn("One trial.", self.ui.evaluationMessage.text)
        nodes = self.panel.evaluate.nodes
        ranked = [nodes.table.GetCellText(row, 0) for row in range(nodes.table.GetNumberOfRows() // 2)]
        self.assertEqual(set(ranked), {"fast", "nearest", "linear", "cubic", "lanczos"})
        self.assertEqual(ranked[0], "fast", "a network that is no better than interpolations")
        self.assertIn("over trials", nodes.table.GetAttribute(CONVENTIONS))
        self.assertEqual(nodes.chart(Measure.SSIM, Region.WHOLE).GetNumberOfPlotSeriesNodes(), len(ranked))
        self.panel.evaluate.exportTo(Path(self.home.name) / "models.csv")
        with open(Path(self.home.name) / "models-trials.csv", newline="", encoding="utf-8") as file:
            self.assertEqual({row["Axis"] for row in csv.DictReader(file)}, {"k"})

    def test_a_cancelled_evaluation_leaves_nothing(self) -> None:
        self.start_evaluation()
        self.assertEqual(self.ui.evaluateButton.text, "Cancel")
        self.ui.evaluateButton.click()
        self.wait_until(lambda: not self.logic.isEvaluating)
        self.assertEqual((self.ui.evaluationMessage.text, self.ui.evaluateButton.text), ("Cancelled.", "Evaluate"))
        self.assertIsNone(self.panel.evaluate.nodes)

    # ---- reader study

    def test_two_readers_read_a_study_and_one_of_them_in_two_goes(self) -> None:
        self.need_packages(None)
        folder = make_small_study(Path(self.home.name))
        self.begin_reading(folder, "anna")
        self.assertEqual(self.ui.studyProgress.text, "Comparison 1 of 3")
        self.read_comparison("left")
        shown = [node.GetName() for node in self.panel.study.nodes.volumes.values()]
        self.assertEqual(shown, ["Left", "Reference", "Right"])
        slicer.mrmlScene.Clear(0)
        self.assertFalse(self.panel.study.reading)
        self.assertEqual(len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")), 0)
        self.assertEqual(self.ui.beginButton.text, "Continue")
        self.ui.beginButton.click()
        self.assertEqual(self.ui.studyProgress.text, "Comparison 2 of 3")
        for _ in range(2):
            self.read_comparison("left")
        self.assertIn("Thank you.", self.ui.studyMessage.text)
        self.ui.stopButton.click()
        self.begin_reading(folder, "bob")
        for _ in range(3):
            self.read_comparison("right")
        self.ui.stopButton.click()
        self.assertEqual(len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")), 0)
        for reader, value in (("anna", "left"), ("bob", "right")):
            reading = Reading(open_study(folder), reader)
            self.assertTrue(reading.complete)
            self.assertEqual({answer.value for answer in reading.answers}, {value, 4})

    # ---- steps

    def words(self) -> str:
        """Return what the panel says, for a test that fails."""
        return f"{super().words()} {self.ui.evaluationMessage.text} {self.ui.logText.plainText}"

    def add_heads(self, number: int) -> list[slicer.vtkMRMLScalarVolumeNode]:
        """Add phantoms of a head, each with noise of its own."""
        nodes = []
        for seed in range(number):
            voxels = shepp_logan(32) + np.random.default_rng(seed).integers(0, 40, (32, 32, 32), np.int16)
            nodes.append(slicer.util.addVolumeFromArray(voxels, np.eye(4), f"head {seed}"))
            nodes[-1].SetAttribute("modality", "MR")
        return nodes

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

    def start_evaluation(self) -> None:
        """Start measuring a noisy head against the clean one, with the thick one beside."""
        self.need_packages(None)
        truth = shepp_logan(32)
        thick = truth.reshape(16, 2, 32, 32).mean(axis=1).round().astype(np.int16)
        thick_matrix = np.diag([1.0, 1, 2, 1])
        thick_matrix[2, 3] = 0.5
        noisy = truth + np.random.default_rng(0).integers(-20, 20, truth.shape, np.int16)
        self.ui.referenceSelector.setCurrentNode(slicer.util.addVolumeFromArray(truth, np.eye(4), "truth"))
        self.ui.candidateSelector.setCurrentNode(slicer.util.addVolumeFromArray(noisy, np.eye(4), "noisy"))
        self.ui.thickSelector.setCurrentNode(slicer.util.addVolumeFromArray(thick, thick_matrix, "thick"))
        self.assertTrue(self.ui.evaluateButton.enabled, self.ui.evaluateButton.toolTip)
        self.ui.evaluateButton.click()

    def evaluate(self) -> None:
        """Measure and wait for the end."""
        self.start_evaluation()
        self.wait_until(lambda: not self.logic.isEvaluating)
        self.assertIn("Mean ±", self.ui.evaluationMessage.text)

    def begin_reading(self, folder: Path, reader: str) -> None:
        """Let a reader begin."""
        self.ui.studyFolderEdit.currentPath, self.ui.readerEdit.text = str(folder), reader
        self.assertTrue(self.ui.beginButton.enabled, self.ui.beginButton.toolTip)
        self.ui.beginButton.click()
        self.assertTrue(self.panel.study.reading, self.ui.studyMessage.text)

    def read_comparison(self, side: str) -> None:
        """Answer every question of the comparison that is shown, and go on."""
        questions = self.panel.study.questions
        while questions.marked is not None:
            self.assertFalse(self.ui.nextButton.enabled)
            questions.button(questions.marked, side if questions.marked in ("sharper", "nearer") else 4).click()
        self.ui.nextButton.click()
