"""The module's self-test: clicks through the panel in Slicer, with real nodes, the real process and the real model."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import unittest
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import numpy as np
import slicer
import slicer.util
import vtk
from packaging.requirements import Requirement
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest

from SuperResolutionLib.model_zoo import SHIPPED, list_upscalers

from . import sample_data
from .engine_process import Ending, EngineProcess, Outcome
from .packages import missing_packages
from .parameters import Axis
from .phantom import shepp_logan
from .result_node import INPUT_REFERENCE
from .volume_nodes import DICOM_UIDS

POSIX = os.name == "posix"
_TIMEOUT_S = 120


class SuperResolutionTest(ScriptedLoadableModuleTest):
    """Runs in Slicer's own harness, with and without a main window, and unchanged in the project's headless host."""

    def setUp(self) -> None:
        """Start every test with an empty scene and the panel open."""
        slicer.mrmlScene.Clear(0)
        self.panel = slicer.util.getModuleWidget("SuperResolution")
        self.was_entered = self.panel.parent.isEntered  # by Reload and Test
        self.enter()
        self.ui, self.logic = self.panel.ui, self.panel.logic
        self.folders = set(_temporary_folders())

    def tearDown(self) -> None:
        """No test may leave a process or a folder."""
        self.logic.abandon()
        self.assertEqual(set(_temporary_folders()) - self.folders, set())
        self.leave()
        if self.was_entered:
            if slicer.util.mainWindow() is not None:
                slicer.util.selectModule("SuperResolution")
            self.enter()
        slicer.mrmlScene.Clear(0)

    def runTest(self, **kwargs) -> None:
        """Run every test; called by Reload and Test."""
        for name in unittest.TestLoader().getTestCaseNames(type(self)):
            self.setUp()
            try:
                getattr(self, name)()
            except unittest.SkipTest as skipped:
                self.delayDisplay(f"{name}: skipped, {skipped}")
            finally:
                self.tearDown()
        self.delayDisplay("SuperResolution: all tests passed")

    # ---- the panel

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

    # ---- upscaling

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
        turned[:3, :3] = rotation(20, 35) @ np.diag([-0.75, 0.75, 3.0])
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

    def test_without_consent_nothing_is_installed_and_nothing_runs(self) -> None:
        from . import upscaling_section

        self.choose(thick_node())
        self.choose_model("fast")
        lacking = mock.patch.object(upscaling_section, "missing_packages", lambda: [Requirement("torch>=2.6")])
        with lacking, mock.patch.object(self.panel.upscaling, "askConsent", lambda missing: False):
            self.ui.applyButton.click()
        self.assertFalse(self.logic.running)
        self.assertIn("torch>=2.6 must be installed first", self.ui.messageLabel.text)

    # ---- endings

    def test_cancel_leaves_nothing(self) -> None:
        pid = self.start_a_long_run()
        self.assertEqual(self.ui.applyButton.text, "Cancel")
        started = time.time()
        self.ui.applyButton.click()
        self.wait_until(lambda: not self.logic.running)
        self.assertLess(time.time() - started, 2)
        self.assertEqual(self.ui.messageLabel.text, "Cancelled; nothing was changed.")
        self.assertEqual(self.ui.applyButton.text, "Apply")
        self.assert_gone(pid)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode"), 1)

    @unittest.skipUnless(POSIX, "signals")
    def test_a_process_that_is_killed_crashes_or_hangs_is_told_apart(self) -> None:
        told = {signal.SIGKILL: "memory ran out", signal.SIGSEGV: "crashed", signal.SIGTERM: "terminated from outside"}
        for number, words in told.items():
            with self.subTest(words):
                pid = self.start_a_long_run()
                os.kill(pid, number)
                self.wait_until(lambda: not self.logic.running)
                self.assertIn(words, self.ui.messageLabel.text)
                self.assert_gone(pid)
        pid = self.start_a_long_run()
        os.kill(pid, signal.SIGSTOP)
        self.logic.run.process.silence(0.3)
        self.wait_until(lambda: not self.logic.running)
        self.assertIn("said nothing for 0.3 s", self.ui.messageLabel.text)
        self.assert_gone(pid)

    def test_a_reply_that_is_none_is_told(self) -> None:
        self.assertIs(self.outcome_of("this").ending, Ending.INVALID)  # Python's poem is no JSON
        failed = self.outcome_of("no_such_module")
        self.assertIs(failed.ending, Ending.CRASHED)
        self.assertIn("No module named", failed.message)

    def test_closing_the_scene_ends_the_run(self) -> None:
        pid = self.start_a_long_run()
        slicer.mrmlScene.Clear(0)
        self.assertFalse(self.logic.running)
        self.assert_gone(pid)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode"), 0)

    def test_a_result_arrives_although_input_and_output_were_removed(self) -> None:
        node, output = thick_node(), slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "mine")
        self.choose(node)
        self.choose_model("cubic")
        self.ui.outputSelector.setCurrentNode(output)
        self.ui.applyButton.click()
        slicer.mrmlScene.RemoveNode(node)
        slicer.mrmlScene.RemoveNode(output)
        self.wait_until(lambda: not self.logic.running)
        result = slicer.mrmlScene.GetFirstNodeByName("knee ×4 cubic")
        self.assertEqual(result.GetImageData().GetDimensions(), (24, 20, 32))

    def test_a_second_run_is_refused_while_one_is_in_progress(self) -> None:
        self.start_a_long_run()
        with self.assertRaisesRegex(RuntimeError, "one run at a time"):
            self.logic.startUpscaling(thick_node())

    def test_leaving_the_module_lets_the_run_go_on(self) -> None:
        self.choose(thick_node())
        self.choose_model("cubic")
        self.ui.applyButton.click()
        self.leave()
        self.wait_until(lambda: not self.logic.running)
        self.enter()
        self.assertEqual(self.ui.resultSelector.currentNode().GetName(), "knee ×4 cubic")

    # ---- review, segmentation, printing, sample

    def test_compare_shows_three_volumes_or_says_why_not(self) -> None:
        result = self.upscale(thick_node(), "lanczos")
        manager = slicer.app.layoutManager()
        if manager is None:
            self.assertFalse(self.ui.compareButton.enabled)
            self.assertIn("no views", self.ui.compareButton.toolTip)
            return
        before = manager.layout
        self.ui.differenceBox.checked = True
        self.ui.compareButton.click()
        self.wait_until(lambda: self.panel.review.comparison.shown)
        shown = [manager.sliceWidget(name).mrmlSliceCompositeNode().GetBackgroundVolumeID() for name in manager.sliceViewNames()]
        names = [slicer.mrmlScene.GetNodeByID(each).GetName() for each in shown if each]
        for name in ("knee", "knee ×4 cubic", "knee ×4 lanczos", f"{result.GetName()} − knee ×4 cubic"):
            self.assertIn(name, names)
        self.ui.backButton.click()
        self.assertEqual(manager.layout, before)

    def test_structures_keep_their_positions_in_the_scene(self) -> None:
        self.ui.structureNameEdit.text = "Fabella"
        self.ui.addStructureButton.click()
        rows = self.ui.structuresList.count
        self.assertEqual(self.ui.structuresList.item(rows - 1).text(), "Fabella (no position yet)")
        slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode").SetCrosshairRAS(1.0, -2.0, 3.0)
        self.ui.structuresList.setCurrentRow(rows - 1)
        self.ui.storePositionButton.click()
        self.assertEqual(self.ui.structuresList.item(rows - 1).text(), "Fabella: R 1.0 P 2.0 S 3.0 mm")
        slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode").SetCrosshairRAS(0, 0, 0)
        self.ui.goToButton.click()
        crosshair = slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode").GetCrosshairRAS()
        self.assertEqual(tuple(crosshair), (1.0, -2.0, 3.0))

    def test_a_segment_of_the_result_becomes_a_closed_surface_in_millimetres(self) -> None:
        result = self.upscale(thick_node(), "cubic")
        self.ui.segmentButton.click()
        segmentation = self.ui.segmentationSelector.currentNode()
        segment = segmentation.GetSegmentation().AddEmptySegment("box", "box")
        mask = np.zeros((32, 20, 24), np.uint8)
        mask[8:24, 5:15, 6:18] = 1
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentation, segment, result)
        self.leave()  # to Segment Editor
        self.enter()
        self.ui.smoothingSlider.value = 0
        self.ui.checkButton.click()
        self.assertIn("box: closed", self.ui.printingMessage.text)
        with tempfile.TemporaryDirectory() as folder:
            self.ui.folderEdit.currentPath = folder
            self.ui.exportButton.click()
            written = list(Path(folder).glob("*.stl"))
            self.assertEqual(len(written), 1, self.ui.printingMessage.text)
            reader = vtk.vtkSTLReader()
            reader.SetFileName(str(written[0]))
            reader.Update()
            bounds = np.reshape(reader.GetOutput().GetBounds(), (3, 2))
            np.testing.assert_allclose(sorted(bounds[:, 1] - bounds[:, 0]), sorted((12.0, 7.5, 9.0)), atol=1.0)
            self.ui.folderEdit.currentPath = ""

    def test_the_sample_is_made_on_the_spot_where_nothing_can_be_downloaded(self) -> None:
        with mock.patch.object(sample_data, "_download_head", lambda: None):
            node = sample_data.load_sample()
        self.assertEqual(node.GetImageData().GetDimensions(), (160, 160, 40))
        self.choose(node)
        self.assertTrue(self.ui.applyButton.enabled, self.ui.applyButton.toolTip)

    # ---- steps

    def enter(self) -> None:
        """Come to the module; Slicer never enters one twice."""
        if not self.panel.parent.isEntered:
            self.panel.parent.enter()

    def leave(self) -> None:
        """Go to another module."""
        if self.panel.parent.isEntered:
            self.panel.parent.exit()

    def choose(self, node: slicer.vtkMRMLScalarVolumeNode) -> None:
        """Select an input volume."""
        self.ui.inputSelector.setCurrentNode(node)

    def choose_model(self, model: str) -> None:
        """Select a model by its id."""
        self.ui.modelBox.setCurrentIndex(self.ui.modelBox.findData(model))

    def run_through(self, model: str) -> None:
        """Press Apply and wait for the end."""
        self.choose_model(model)
        self.assertTrue(self.ui.applyButton.enabled, self.ui.applyButton.toolTip)
        self.ui.applyButton.click()
        self.wait_until(lambda: not self.logic.running)
        self.assertIn("Done in", self.ui.messageLabel.text)

    def upscale(self, node: slicer.vtkMRMLScalarVolumeNode, model: str) -> slicer.vtkMRMLScalarVolumeNode:
        """Make a volume four times finer through the panel."""
        self.choose(node)
        self.run_through(model)
        return self.ui.resultSelector.currentNode()

    def start_a_long_run(self) -> int:
        """Start a run that takes seconds, and return the number of the engine's process once it has said it."""
        size = (16, 256, 256) if self._with_network() else (96, 384, 384)
        voxels = np.random.default_rng(0).integers(0, 1000, size, np.int16)
        if self.ui.inputSelector.currentNode() is None:
            node = slicer.util.addVolumeFromArray(voxels, np.diag([0.5, 0.5, 2.0, 1]), "long")
            node.SetAttribute("modality", "MR")
            self.choose(node)
        self.choose_model("fast" if self._with_network() else "lanczos")
        self.ui.applyButton.click()
        self.wait_until(lambda: self.logic.run.process.pid is not None)
        return self.logic.run.process.pid

    @staticmethod
    def _with_network() -> bool:
        return not missing_packages()

    def need_packages(self) -> None:
        """Skip where the network's packages are not installed."""
        if missing_packages():
            self.skipTest(f"not installed: {', '.join(map(str, missing_packages()))}")

    def outcome_of(self, module: str) -> Outcome:
        """Run a module as if it were the engine's."""
        ended: list[Outcome] = []
        process = EngineProcess(module, [], lambda _: None, ended.append)
        process.start()
        self.wait_until(lambda: ended)
        return ended[0]

    def study(self) -> int:
        """Make a patient with a study in the subject hierarchy, and return the study's item."""
        hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
        patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "patient")
        return hierarchy.CreateStudyItem(patient, "study")

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Let the application work until something is so."""
        end = time.time() + _TIMEOUT_S
        while not condition():
            self.assertLess(time.time(), end, f"nothing happened for {_TIMEOUT_S} s; the panel says: {self.ui.messageLabel.text}")
            slicer.app.processEvents()
            time.sleep(0.01)

    def assert_gone(self, pid: int) -> None:
        """Check that a process has ended."""
        if POSIX:
            end = time.time() + 2
            while _alive(pid) and time.time() < end:
                time.sleep(0.01)
            self.assertFalse(_alive(pid), f"process {pid} is still there")


def thick_node() -> slicer.vtkMRMLScalarVolumeNode:
    """Return a small volume of eight thick sagittal slices."""
    i, j, k = np.meshgrid(np.arange(24), np.arange(20), np.arange(8), indexing="ij")
    voxels = (500 + 200 * np.sin(i / 3) + 200 * np.cos(j / 4) + 100 * np.sin(k)).T.astype(np.int16)
    matrix = np.array([[0, 0, 3.0, -10], [0.75, 0, 0, 5], [0, 0.75, 0, 20], [0, 0, 0, 1]])
    node = slicer.util.addVolumeFromArray(np.ascontiguousarray(voxels), matrix, "knee")
    node.SetAttribute("modality", "MR")
    return node


def ijk_to_ras(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """Return the matrix of a volume node."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def rotation(about_x: float, about_z: float) -> np.ndarray:
    """Return a rotation by degrees about x, then z."""
    x, z = np.radians((about_x, about_z))
    first = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    return np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]) @ first


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _temporary_folders() -> list[str]:
    return [path.name for path in Path(slicer.app.temporaryPath).glob("SuperResolution-*")]
