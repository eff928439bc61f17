"""The questions on a comparison as rows of buttons; one question is marked, which keys answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import qt

from SuperResolutionSlicer.connections import connect
from SuperResolutionTrainingLib.reader_study.answers import NOT_PRESENT
from SuperResolutionTrainingLib.reader_study.reading import RATING_QUESTION, SCALE, SIDES, Question

PREFERENCE = "preference"
_NOT_PRESENT = "–"  # on its button
_RATING_WIDTH = 28  # pixels, of a button
_CHOSEN = "QPushButton:checked { background-color: palette(highlight); color: palette(highlighted-text); font-weight: bold; }"
_FRAME = "QFrame#question { border: 1px solid %s; border-radius: 3px; }"
_MARKED, _UNMARKED = _FRAME % "palette(highlight)", _FRAME % "transparent"


class StudyQuestions:
    """Shows questions and what is answered so far, and tells what the reader answers.

    Parameters
    ----------
    place : QWidget
        With a layout; where the questions go.
    answered : callable
        Takes the id of a question and the value chosen.

    Attributes
    ----------
    marked : str or None
        Id of the question that keys answer.
    """

    def __init__(self, place: Any, answered: Callable[[str, str | int], None]) -> None:
        self._place, self._answered = place, answered
        self._questions: dict[str, Question] = {}
        self._values: Mapping[str, str | int] = {}
        self._rows: dict[str, Any] = {}
        self._buttons: dict[tuple[str, str | int], Any] = {}
        self._form: Any = None
        self.marked: str | None = None

    def button(self, question: str, value: str | int) -> Any:
        """Return the button of an answer."""
        return self._buttons[question, value]

    def ask(self, questions: Sequence[Question]) -> None:
        """Show other questions from now on, or none."""
        self._forget()
        self._questions = {question.id: question for question in questions}
        self._form = qt.QWidget()
        self._form.styleSheet = _CHOSEN
        form = qt.QVBoxLayout(self._form)
        form.setContentsMargins(0, 0, 0, 0)
        for question in questions:
            if question.kind == PREFERENCE:
                form.addWidget(_words(question.text))
                form.addWidget(self._row(question))
        ratings = [question for question in questions if question.kind != PREFERENCE]
        if ratings:
            form.addWidget(_words(f"{RATING_QUESTION} {SCALE}, {_NOT_PRESENT} {NOT_PRESENT}"))
            form.addLayout(self._table(ratings))
        self._place.layout().addWidget(self._form)

    def show(self, values: Mapping[str, str | int]) -> None:
        """Show what is answered so far, and mark the first open question."""
        self._values = values
        for (question, value), button in self._buttons.items():
            button.checked = values.get(question) == value
        self._mark(next((id for id in self._questions if id not in values), None))

    def mark_next(self) -> None:
        """Mark the question after the marked one; the first one after the last."""
        ids = list(self._questions)
        if ids:
            self._mark(ids[(ids.index(self.marked) + 1) % len(ids) if self.marked else 0])

    def press_number(self, number: int) -> None:
        """Answer the marked question: 1 to 5 as they are, 0 not present; of a preference, the first to third answer."""
        question = self._questions.get(self.marked)
        if question is None:
            return
        value = NOT_PRESENT if number == 0 else number
        if question.kind == PREFERENCE:
            value = question.values[number - 1] if 0 < number <= len(question.values) else None
        if value in question.values:
            self._answered(question.id, value)

    def press_side(self, side: str) -> None:
        """Answer the marked question with ``left`` or ``right``; where a structure is marked, the first open preference."""
        ids = [self.marked, *(id for id in self._questions if id not in self._values)]
        id = next((id for id in ids if id in self._questions and self._questions[id].kind == PREFERENCE), None)
        if id is not None:
            self._answered(id, side)

    def _forget(self) -> None:
        if self._form is not None:
            self._place.layout().removeWidget(self._form)
            self._form.hide()
            self._form.deleteLater()
        self._form, self._rows, self._buttons, self.marked = None, {}, {}, None

    def _mark(self, id: str | None) -> None:
        self.marked = id
        for each, row in self._rows.items():
            row.styleSheet = _MARKED if each == id else _UNMARKED

    def _row(self, question: Question) -> Any:
        """Return the buttons of a question in a frame."""
        frame = qt.QFrame()
        frame.objectName = "question"
        row = qt.QHBoxLayout(frame)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for value in question.values:
            button = qt.QPushButton(_NOT_PRESENT if value == NOT_PRESENT else str(value).capitalize())
            button.checkable = True
            if question.kind != PREFERENCE:
                button.setFixedWidth(_RATING_WIDTH)
                button.toolTip = f"{question.text}: {value}"
            connect(button, "clicked()", lambda value=value: self._answered(question.id, value))
            row.addWidget(button)
            self._buttons[question.id, value] = button
        self._rows[question.id] = frame
        return frame

    def _table(self, questions: Sequence[Question]) -> Any:
        """Return the ratings as a table: a line with the name of each structure, below it those of the left and of the right image."""
        table = qt.QGridLayout()
        table.setVerticalSpacing(1)
        for column, side in enumerate(SIDES):
            table.addWidget(_words(f"{side.capitalize()} image"), 0, column)
        structures = list(dict.fromkeys(question.structure for question in questions))
        for line, structure in enumerate(structures):
            name = _words(structure)
            name.styleSheet = "font-weight: bold;"
            table.addWidget(name, 2 * line + 1, 0, 1, len(SIDES))
        for question in questions:
            row = self._row(question)
            table.addWidget(row, 2 * structures.index(question.structure) + 2, SIDES.index(question.side))
        return table


def _words(text: str) -> Any:
    label = qt.QLabel(text)
    label.wordWrap = True
    label.setTextFormat(qt.Qt.PlainText)
    return label
