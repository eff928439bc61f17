"""What the panel shows before anything runs, and what it refuses."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import slicer
import slicer.util
from packaging.requirements import Requirement

from SuperResolutionLib.model_zoo import SHIPPED, list_upscalers

from .. import package_installation, sample_data
from ..parameters import Axis
from .steps import Steps, thick_node


class PanelTest(Steps):
    """Input, model, factor, output, consent; the state in the scene."""

    def test_apply_waits_for_an_input_and_says_so(self) -> None:
        self.assertFalse(self.ui.applyButton.enabled)
        self.assertIn("Select an input volume.", self.ui.applyButton.toolTip)

    def test_a_volume_that_is_there_already_is_selected(self) -> None:
        self.leave()
        slicer.mrmlScene.Clear(0)
        slicer.util.addVolumeFromArray(np.zeros((4, 4, 4), np.uint8), name="labels", nodeClassName="vtkMRMLLabelMapVolumeNode")
        node = thick_node()
        self.enter()
        self.assertIs(self.ui.inputSelector.currentNode(), node)

    def test_the_panel_tells_what_the_input_is(self) -> None:
        self.choose(thick_node())
        self.assertEqual(self.ui.inputDescription.text, "MR, 24 × 20 × 8 voxels, sagittal slices 3.0 mm, in-plane 0.75 mm")
        self.assertTrue(self.ui.applyButton.enabled, self.ui.applyButton.toolTip)
        self.assertIn("Result: 24 × 20 × 32 voxels", self.ui.expectationLabel.text)

    def test_the_factor_nearest_to_isotropic_is_preselected(self) -> None:
        self.choose(thick_node())
        self.assertEqual(self.ui.factorBox.currentText, "×4 (nearest to isotropic)")
        self.choose_model("cubic")
        labels = [self.ui.factorBox.itemText(index) for index in range(self.ui.factorBox.count)]
        self.assertIn("×8 (experimental)", labels)

    def test_the_model_card_tells_what_taught_the_model(self) -> None:
        self.choose(thick_node())
        self.choose_model("fast")
        self.ui.modelCardButton.checked = True
        self.assertFalse(self.ui.modelCard.isHidden())
        for words in ("Trained on", "Acquisition", "Measured gain", "Licence"):
            self.assertIn(words, self.ui.modelCard.text)
        self.ui.modelCardButton.checked = False

    def test_volumes_that_cannot_be_made_finer_are_refused_with_the_reason(self) -> None:
        ramp = np.arange(8 * 20 * 24, dtype=np.float32).reshape(8, 20, 24)
        holed = ramp.copy()
        holed[3, 4, 5] = np.nan
        labels = (np.arange(8 * 30 * 30).reshape(8, 30, 30) % 5).astype(np.int16)
        empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
        refused = {
            "NaN": slicer.util.addVolumeFromArray(holed, name="holed"),
            "one slice": slicer.util.addVolumeFromArray(ramp[:1].copy(), name="flat"),
            "label map": slicer.util.addVolumeFromArray(labels, name="labels"),
            "has no voxels": empty,
        }
        for reason, node in refused.items():
            with self.subTest(reason):
                self.choose(node)
                self.assertFalse(self.ui.applyButton.enabled)
                self.assertIn(reason, self.ui.applyButton.toolTip)
                self.assertIn(reason, self.ui.inputDescription.text)

    def test_an_output_that_is_the_input_is_refused(self) -> None:
        node = thick_node()
        self.choose(node)
        self.ui.outputSelector.setCurrentNode(node)
        self.assertFalse(self.ui.applyButton.enabled)
        self.assertIn("The output volume is the input", self.ui.applyButton.toolTip)

    def test_a_damaged_model_file_is_refused_in_the_panel(self) -> None:
        self.choose(thick_node())
        with tempfile.TemporaryDirectory() as folder:
            damaged = Path(folder) / "damaged.safetensors"
            damaged.write_bytes((SHIPPED / "fast.safetensors").read_bytes()[:1000])
            before = len(list_upscalers())
            self.panel.upscaling.addModel(damaged)
            self.assertIn("damaged", self.ui.messageLabel.text)
            self.assertEqual(len(list_upscalers()), before)

    def test_the_state_is_in_the_scene_and_survives_its_closing(self) -> None:
        self.choose(thick_node())
        self.choose_model("lanczos")
        self.ui.axisBox.currentIndex = list(Axis).index(Axis.J)
        node = self.logic.getParameterNode().parameterNode
        self.assertEqual((node.GetParameter("model"), node.GetParameter("axis")), ("lanczos", "J"))
        slicer.mrmlScene.Clear(0)
        self.assertIsNone(self.ui.inputSelector.currentNode())
        self.assertFalse(self.ui.applyButton.enabled)
        self.choose(thick_node())
        self.assertTrue(self.ui.applyButton.enabled)

    def test_the_sample_is_made_on_the_spot_where_nothing_can_be_downloaded(self) -> None:
        with mock.patch.object(sample_data, "_download_head", lambda: None):
            node = sample_data.load_sample()
        self.assertEqual(node.GetImageData().GetDimensions(), (160, 160, 40))
        self.choose(node)
        self.assertTrue(self.ui.applyButton.enabled, self.ui.applyButton.toolTip)

    def test_without_consent_nothing_is_installed_and_nothing_runs(self) -> None:
        self.choose(thick_node())
        self.choose_model("fast")
        lacking = mock.patch.object(package_installation, "missing_packages", lambda names: [Requirement("torch>=2.6")])
        with lacking, mock.patch.object(self.panel.upscaling.packages, "askConsent", lambda missing: False):
            self.ui.applyButton.click()
        self.assertFalse(self.logic.running)
        self.assertIn("torch>=2.6 must be installed first", self.ui.messageLabel.text)
