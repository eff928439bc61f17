"""A reader study is read."""

from __future__ import annotations

from pathlib import Path

import slicer
import slicer.util

from SuperResolutionTrainingLib.reader_study.reading import Reading, open_study

from .small_study import make_small_study
from .steps import Steps


class ReaderStudyTest(Steps):
    """Two readers of one study."""

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
