"""The third section of the panel: a reader goes through a blinded study, comparison by comparison."""

from __future__ import annotations

import time
from typing import Any

import slicer

from SuperResolutionLib.errors import SuperResolutionError
from SuperResolutionSlicer.connections import connect
from SuperResolutionTrainingLib.reader_study.reading import Comparison, Reading, open_study

from .parameters import SuperResolutionTrainingParameterNode
from .study_keys import StudyKeys
from .study_layout import LEFT, REFERENCE, RIGHT
from .study_nodes import StudyNodes
from .study_questions import StudyQuestions
from .study_views import ZOOMS, StudyViews

_ERROR, _PLAIN = "color: #c0392b;", ""
_THANKS = "Thank you. Everything is answered."
_SIDES = {"Left": "left", "Right": "right"}


class ReaderStudySection:
    """Shows one comparison after the other and keeps each answer at once, in the folder of the study.

    Folder and reader are not kept with the scene, which is no part of the study.

    Parameters
    ----------
    ui : object
        The panel's widgets by name.
    """

    def __init__(self, ui: Any) -> None:
        self.ui = ui
        self.nodes, self.views, self.keys = StudyNodes(), StudyViews(), StudyKeys(ui.SuperResolutionTraining)
        self.questions = StudyQuestions(ui.studyQuestions, self._answer)
        self._reading: Reading | None = None  # of the reader whose name is there
        self._reasons: list[str] = []  # why there is none
        self._place: int | None = None  # in the reader's comparisons; None while nobody reads
        self._since = 0.0
        self._others: list[Any] = []  # sections that were open before
        self._planes = {"axial": ui.axialButton, "sagittal": ui.sagittalButton, "coronal": ui.coronalButton}
        self._zooms = dict(zip(ZOOMS, (ui.wholeButton, ui.twiceButton, ui.fourTimesButton), strict=True))
        connect(ui.studyFolderEdit, "currentPathChanged(QString)", self._look_up)
        # A line that was emptied says nothing but this.
        connect(ui.studyFolderEdit, "validInputChanged(bool)", self._look_up)
        connect(ui.readerEdit, "textChanged(QString)", self._look_up)
        connect(ui.beginButton, "clicked()", self._begin)
        connect(ui.stopButton, "clicked()", self.stop)
        connect(ui.backButton, "clicked()", self._back)
        connect(ui.nextButton, "clicked()", self._next)
        for plane, button in self._planes.items():
            connect(button, "clicked()", lambda plane=plane: self._turn_to(plane))
        for zoom, button in self._zooms.items():
            connect(button, "clicked()", lambda zoom=zoom: self._magnify(zoom))
        connect(slicer.app, "aboutToQuit()", self.stop)  # the panel is still whole then
        self._look_up()

    @property
    def reading(self) -> bool:
        """Whether somebody reads."""
        return self._place is not None

    @property
    def comparison(self) -> Comparison | None:
        """The comparison that is shown; None while nobody reads, and after the last one."""
        comparisons = self._reading.comparisons if self.reading else ()
        return comparisons[self._place] if self.reading and self._place < len(comparisons) else None

    def setParameterNode(self, parameters: SuperResolutionTrainingParameterNode | None) -> None:
        """End the reading while the scene is being closed or another one comes; leave the layout of a scene that was saved meanwhile."""
        if parameters is None:
            self.stop()
        elif not self.reading:
            self.views.leave()

    def update(self) -> None:
        """Nothing of this section is in the parameter node."""

    def close(self) -> None:
        """Take away what was put outside of the section."""
        self._place = None
        self.keys.remove()
        self.nodes.remove()
        self.views.leave()

    # ---- before and after

    def _look_up(self, _: str | bool = "") -> None:
        """Find out what Begin would do, or why it cannot."""
        folder, reader = self.ui.studyFolderEdit.currentPath, self.ui.readerEdit.text.strip()
        self._reading, self._reasons = None, []
        if not folder:
            self._reasons.append("Select the folder of a study.")
        if not reader:
            self._reasons.append("Enter your name.")
        try:
            study = open_study(folder) if folder else None
            self._reading = Reading(study, reader) if study and reader else None
        except SuperResolutionError as error:
            self._reasons.append(str(error))
        begun = self._reading is not None and bool(self._reading.answers)
        self.ui.beginButton.text = "Continue" if begun else "Begin"
        self.ui.beginButton.enabled = not self._reasons
        self.ui.beginButton.toolTip = "\n".join(self._reasons) or "Show the first comparison that is not answered."

    def _begin(self) -> None:
        self._look_up()  # the folder may have changed since
        if self._reading is None:
            self._say("\n".join(self._reasons), _ERROR)
            return
        study = self._reading.study
        self.ui.studyTitle.text, self.ui.studyInstructions.text = study.title, study.instructions
        self._others = [each for each in (self.ui.trainSection, self.ui.evaluateSection) if not each.collapsed]
        for section in self._others:
            section.collapsed = True
        self._put_keys()
        self._open(self._reading.position)

    def stop(self) -> None:
        """End the reading; it goes on where it was when the reader comes back."""
        if not self.reading:
            return
        self.close()
        self.questions.ask([])
        for section in self._others:
            section.collapsed = False
        number = len(self._reading.comparisons)
        answered = f"{number - self._reading.remaining} of {number} comparisons are answered."
        self._say(_THANKS if self._reading.complete else f"Stopped: {answered}")
        self._look_up()
        self._show()

    def _put_keys(self) -> None:
        slots = {key: lambda side=side: self.questions.press_side(side) for key, side in _SIDES.items()}
        slots |= {str(number): lambda number=number: self.questions.press_number(number) for number in range(6)}
        slots |= {"Tab": self.questions.mark_next, "Z": self._magnify_more}
        slots |= {"Up": lambda: self.views.scroll(1), "Down": lambda: self.views.scroll(-1)}
        slots |= dict.fromkeys(("Return", "Enter", "N"), self._next) | {"B": self._back}
        self.keys.put(slots)

    # ---- one comparison after the other

    def _open(self, place: int) -> None:
        """Show a comparison, or that there are no more."""
        self._place = place
        comparison = self.comparison
        self._say("" if comparison else f"{_THANKS} You may go back and look again, or stop.")
        self.questions.ask(comparison.questions if comparison else [])
        try:
            self._show_volumes(comparison)
        except RuntimeError as error:
            self.stop()
            self._say(str(error), _ERROR)
            return
        self._since = time.monotonic()
        self._show()

    def _show_volumes(self, comparison: Comparison | None) -> None:
        if comparison is None:
            self.nodes.remove()
            self.views.leave()
            return
        files = {LEFT: comparison.left, REFERENCE: comparison.reference, RIGHT: comparison.right}
        self.nodes.load({role: file.path for role, file in files.items() if file is not None}, comparison.case.window)
        self.views.show(self.nodes.volumes, comparison.case.planes[0])
        for plane, button in self._planes.items():
            button.visible = plane in comparison.case.planes
            button.checked = plane == comparison.case.planes[0]

    def _show(self) -> None:
        """Bring the widgets in step with how far the reader is."""
        comparison = self.comparison
        for widget in (self.ui.studyFolderEdit, self.ui.readerEdit):
            widget.enabled = not self.reading
        self.ui.beginButton.visible = not self.reading
        self.ui.stopButton.visible = self.reading
        self.ui.studyPage.visible = self.reading
        self.ui.comparisonPage.visible = comparison is not None
        if not self.reading:
            return
        self.ui.backButton.enabled = self._place > 0
        if comparison is None:
            self.ui.studyProgress.text = f"{len(self._reading.comparisons)} comparisons answered"
            self.ui.nextButton.enabled = False
            return
        self.ui.studyProgress.text = f"Comparison {self._place + 1} of {len(self._reading.comparisons)}"
        answered = self._reading.answered(comparison)
        self.questions.show(answered)
        missing = len(comparison.questions) - len(answered)
        self.ui.nextButton.enabled = not missing
        self.ui.nextButton.toolTip = f"Open questions: {missing}." if missing else "Go on (Enter or N)."
        self._show_zoom()

    def _answer(self, question: str, value: str | int) -> None:
        """Keep an answer; if it cannot be kept, the buttons go back to what is."""
        try:
            self._reading.answer(question, value, self.comparison, time.monotonic() - self._since)
            self._say("")
        except SuperResolutionError as error:
            self._say(str(error), _ERROR)
        self._show()

    def _next(self) -> None:
        comparison = self.comparison
        if comparison is not None and len(self._reading.answered(comparison)) == len(comparison.questions):
            self._open(self._place + 1)

    def _back(self) -> None:
        if self.reading and self._place > 0:
            self._open(self._place - 1)

    # ---- the views

    def _turn_to(self, plane: str) -> None:
        self.views.turn_to(plane)
        for each, button in self._planes.items():
            button.checked = each == plane

    def _magnify(self, zoom: int) -> None:
        self.views.magnify(zoom)
        self._show_zoom()

    def _magnify_more(self) -> None:
        self._magnify(ZOOMS[(ZOOMS.index(self.views.zoom) + 1) % len(ZOOMS)])

    def _show_zoom(self) -> None:
        for zoom, button in self._zooms.items():
            button.checked = zoom == self.views.zoom

    def _say(self, text: str, style: str = _PLAIN) -> None:
        self.ui.studyMessage.text, self.ui.studyMessage.styleSheet = text, style
        self.ui.studyMessage.visible = bool(text)
