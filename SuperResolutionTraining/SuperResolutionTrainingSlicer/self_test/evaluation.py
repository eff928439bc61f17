"""A volume is measured, and all models are."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import slicer.util

from SuperResolutionSlicer.phantom import shepp_logan

from ..figures import CONVENTIONS
from ..parameters import Axis, EvaluationKind, Measure, Region, ThickAxis
from .steps import Steps


class EvaluationTest(Steps):
    """Evaluation through the panel, and what it leaves in the scene."""

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
        self.parameters.measured, self.parameters.thickAxis = EvaluationKind.MODELS, ThickAxis.K
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

    # ---- steps

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
