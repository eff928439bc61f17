"""Results of whole runs: where they lie, what they look like, how good they are."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import slicer
import slicer.util

from ..phantom import shepp_logan
from ..result_node import INPUT_REFERENCE
from ..volume_nodes import DICOM_UIDS
from .steps import Steps, ijk_to_ras, thick_node


class UpscalingTest(Steps):
    """From volume node to volume node, through the panel and from a script."""

    def test_a_result_lies_beside_its_input_and_looks_like_it(self) -> None:
        node, study = thick_node(), self.study()
        hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), study)
        transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
        node.SetAndObserveTransformNodeID(transform.GetID())
        node.SetAttribute(DICOM_UIDS, "1.2.3 1.2.4")
        node.GetDisplayNode().SetAutoWindowLevel(False)
        node.GetDisplayNode().SetWindowLevel(321, 123)
        node.GetDisplayNode().SetAndObserveColorNodeID("vtkMRMLColorTableNodeRainbow")
        result = self.upscale(node, "cubic")
        self.assertEqual(result.GetName(), "knee ×4 cubic")
        self.assertEqual(result.GetImageData().GetDimensions(), (24, 20, 32))
        np.testing.assert_allclose(ijk_to_ras(result) @ (0, 0, -0.5, 1), ijk_to_ras(node) @ (0, 0, -0.5, 1), atol=1e-3)
        np.testing.assert_allclose(ijk_to_ras(result) @ (23, 19, 31.5, 1), ijk_to_ras(node) @ (23, 19, 7.5, 1), atol=1e-3)
        self.assertEqual(result.GetTransformNodeID(), transform.GetID())
        self.assertEqual(hierarchy.GetItemParent(hierarchy.GetItemByDataNode(result)), study)
        display = result.GetDisplayNode()
        self.assertEqual((display.GetWindow(), display.GetLevel()), (321, 123))
        self.assertEqual(display.GetColorNodeID(), "vtkMRMLColorTableNodeRainbow")
        self.assertEqual(result.GetAttribute(DICOM_UIDS), "1.2.3 1.2.4")
        self.assertEqual(result.GetAttribute("SuperResolution.model"), "cubic")
        self.assertIn("not for diagnosis", result.GetAttribute("SuperResolution.notice"))
        self.assertIs(result.GetNodeReference(INPUT_REFERENCE), node)
        self.assertIsNone(result.GetStorageNode())
        self.assertEqual(slicer.util.arrayFromVolume(result).dtype, np.int16)
        self.assertIn("Measurement check", self.ui.messageLabel.text)
        self.assertIs(self.ui.resultSelector.currentNode(), result)

    def test_the_shipped_network_beats_cubic_interpolation(self) -> None:
        self.need_packages()
        fine = shepp_logan(96)[:, 24:72, 24:72].astype(np.int16)
        thick = fine.reshape(24, 4, 48, 48).mean(axis=1).round().astype(np.int16)
        node = slicer.util.addVolumeFromArray(thick, np.diag([1.0, 1, 4, 1]), "phantom")
        node.SetAttribute("modality", "MR")
        errors = {}
        for model in ("cubic", "fast"):
            result = slicer.util.arrayFromVolume(self.upscale(node, model)).astype(float)
            errors[model] = np.sqrt(np.mean((result - fine) ** 2))
        self.assertLess(errors["fast"], errors["cubic"])

    def test_the_network_can_be_adapted_to_the_volume(self) -> None:
        self.need_packages()
        if find_spec("SuperResolutionTrainingLib") is None:
            self.skipTest("the module SuperResolutionTraining is not there")
        told = []
        self.logic.follow(told.append)
        self.choose(thick_node())
        self.choose_model("fast")
        self.ui.adaptBox.checked, self.ui.adaptMinutesBox.value = True, 0.1
        result = self.upscale(self.ui.inputSelector.currentNode(), "fast")
        self.assertEqual(result.GetName(), "knee ×4 fast adapted to this volume")
        self.assertIn("Adapting to this volume", {each.stage for each in told})
        self.assertIn("to this volume", self.ui.messageLabel.text)

    def test_a_left_handed_oblique_volume_stays_where_it_is(self) -> None:
        node = thick_node()
        turned = np.eye(4)
        turned[:3, :3] = _rotation(20, 35) @ np.diag([-0.75, 0.75, 3.0])
        turned[:3, 3] = (12, -34, 56)
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(turned))
        result = self.upscale(node, "linear")
        for corner in ((-0.5, -0.5, -0.5), (23.5, 19.5, 7.5)):
            fine = (corner[0], corner[1], (corner[2] + 0.5) * 4 - 0.5)
            np.testing.assert_allclose(ijk_to_ras(result) @ (*fine, 1), ijk_to_ras(node) @ (*corner, 1), atol=1e-3)

    def test_an_existing_output_is_replaced(self) -> None:
        output = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "mine")
        self.choose(thick_node())
        self.ui.outputSelector.setCurrentNode(output)
        count = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
        self.run_through("cubic")
        self.assertEqual(output.GetImageData().GetDimensions(), (24, 20, 32))
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode"), count)

    def test_a_script_gets_its_result_without_the_panel(self) -> None:
        result = self.logic.upscale(thick_node(), model="cubic", factor=2)
        self.assertEqual(result.GetImageData().GetDimensions(), (24, 20, 16))
        with self.assertRaisesRegex(RuntimeError, "model 'nonesuch'"):
            self.logic.upscale(thick_node(), model="nonesuch", factor=2)

    @staticmethod
    def study() -> int:
        """Make a patient with a study in the subject hierarchy, and return the study's item."""
        hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
        patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "patient")
        return hierarchy.CreateStudyItem(patient, "study")


def _rotation(about_x: float, about_z: float) -> np.ndarray:
    """Return a rotation by degrees about x, then z."""
    x, z = np.radians((about_x, about_z))
    first = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    return np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]) @ first
