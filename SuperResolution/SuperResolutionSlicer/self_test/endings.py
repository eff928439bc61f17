"""However a run ends, the panel says how, and nothing is left of it."""

from __future__ import annotations

import os
import signal
import time
import unittest

import numpy as np
import slicer
import slicer.util

from ..engine_process import Ending, EngineProcess, Outcome
from ..module_test import POSIX
from ..packages import missing_packages
from .steps import Steps, thick_node


class EndingsTest(Steps):
    """Cancelled, killed, crashed, silent, abandoned; a scene or a module that is left meanwhile."""

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

    def start_a_long_run(self) -> int:
        """Start a run that takes seconds, and return the number of the engine's process once it has said it."""
        model, size = ("lanczos", (96, 384, 384)) if missing_packages() else ("fast", (16, 256, 256))
        voxels = np.random.default_rng(0).integers(0, 1000, size, np.int16)
        if self.ui.inputSelector.currentNode() is None:
            node = slicer.util.addVolumeFromArray(voxels, np.diag([0.5, 0.5, 2.0, 1]), "long")
            node.SetAttribute("modality", "MR")
            self.choose(node)
        self.choose_model(model)
        self.ui.applyButton.click()
        self.wait_until(lambda: self.logic.run.process.pid is not None)
        return self.logic.run.process.pid

    def outcome_of(self, module: str) -> Outcome:
        """Run a module as if it were the engine's."""
        ended: list[Outcome] = []
        process = EngineProcess(module, [], lambda _: None, ended.append)
        process.start()
        self.wait_until(lambda: ended)
        return ended[0]
