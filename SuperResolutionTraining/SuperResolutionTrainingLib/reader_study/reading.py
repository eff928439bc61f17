"""A study as a reader sees it: cases without names, comparisons in an order of the reader's own, answers as they are given.

>>> study = open_study("study")  # doctest: +SKIP
>>> reading = Reading(study, "anna")  # doctest: +SKIP
>>> while not reading.complete:  # doctest: +SKIP
...     comparison = reading.comparisons[reading.position]
...     for question in comparison.questions:
...         reading.answer(question.id, "left" if question.kind == "preference" else 4)

Nothing here needs the key. A reading is resumed by making it anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from SuperResolutionLib.errors import RequestError

from .answers import FOLDER, NOT_PRESENT, RATINGS, Answer, AnswersFile, check_reader
from .study import NEARER, SHARPER, STRUCTURES, Case, Study, VolumeFile, open_study

__all__ = ["Case", "Comparison", "Question", "Reading", "Study", "VolumeFile", "comparisons_of", "open_study", "sides"]

SIDES = ("left", "right")
EQUAL = "equal"
RATING_QUESTION = "How well can each structure be judged?"
SCALE = "1 very poorly, 2 poorly, 3 fairly, 4 well, 5 very well"
_TEXTS = {SHARPER: "Which image is sharper?", NEARER: "Which image is nearer to the reference in the middle?"}


@dataclass(frozen=True)
class Question:
    """A question on a comparison.

    Attributes
    ----------
    id : str
        ``sharper``, ``nearer``, or such as ``structure:Meniscus:left``.
    kind : str
        ``preference`` or ``rating``.
    text : str
        As the reader is asked.
    values : tuple
        What may be answered: ``left``, ``right`` (and ``equal``), or 1 to 5 and ``not present``.
    structure, side : str, optional
        For a rating: of what, in which image, ``left`` or ``right``.
    """

    id: str
    kind: str
    text: str
    values: tuple[str | int, ...]
    structure: str | None = None
    side: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Two candidates of a case side by side, as one reader sees them.

    Attributes
    ----------
    id : str
        The name of the case; with a number behind it, such as ``case-02-3``, if the case has more than two candidates.
    case : Case
    left, right : VolumeFile
        By the place on the screen.
    questions : tuple of Question
        In the order in which they are asked. Each volume's structures are asked once, where the reader first sees it.
    """

    id: str
    case: Case
    left: VolumeFile
    right: VolumeFile
    questions: tuple[Question, ...]

    @property
    def reference(self) -> VolumeFile | None:
        """The volume in the middle, if there is one."""
        return self.case.reference

    def question(self, id: str) -> Question:
        """Return a question by its id.

        Raises
        ------
        RequestError
            If it is not asked here.
        """
        for question in self.questions:
            if question.id == id:
                return question
        asked = ", ".join(question.id for question in self.questions)
        raise RequestError(f"question '{id}' of {self.id}: accepted are {asked}")

    def accepting(self, id: str, value: str | int) -> Question:
        """Return a question by its id, if `value` is an answer to it.

        Raises
        ------
        RequestError
            If the question is not asked here, or the value is none of its own.
        """
        question = self.question(id)
        # 4.0 and True are equal to a rating, yet none.
        if type(value) not in (str, int) or value not in question.values:
            raise RequestError(f"{id} of {self.id}: found {value!r}; accepted are {', '.join(map(str, question.values))}")
        return question


def sides(study: Study, reader: str, case: Case, pair: int = 0) -> list[str]:
    """Return the tokens of a pair from left to right, as this reader sees them.

    Drawn by a hash of study, reader and case; over the cases, each place in the order of tokens is left equally often.

    Parameters
    ----------
    study : Study
    reader : str
    case : Case
    pair : int
        Which of ``case.pairs``; a case of two candidates has one.
    """
    places = case.pairs[pair]
    drawn = sorted((each.name for each in study.cases if places in each.pairs), key=lambda name: _draw(study, reader, "side", name, places))
    # The odd one out goes either way.
    exchanged = (len(drawn) + int(_draw(study, reader, "odd", places), 16) % 2) // 2
    tokens = [case.candidates[place].token for place in places]
    return tokens[::-1] if drawn.index(case.name) < exchanged else tokens


class Reading:
    """The way of one reader through a study; what was answered before is taken up.

    Parameters
    ----------
    study : Study
    reader : str
    folder : Path, optional
        Of the answers; default: ``answers`` in the study's folder.

    Attributes
    ----------
    study, reader
        As given.
    comparisons : tuple of Comparison
        In this reader's order.

    Raises
    ------
    RequestError
        If the reader's name is none, or the answers there are not of this study.
    """

    def __init__(self, study: Study, reader: str, folder: str | Path | None = None) -> None:
        self.study, self.reader = study, check_reader(reader)
        self.comparisons = comparisons_of(study, reader)
        self._file = AnswersFile(Path(folder) if folder else study.folder / FOLDER, study.id, reader)
        for answer in self._file.latest.values():
            self._check(answer)

    @property
    def position(self) -> int:
        """Place in `comparisons` of the first that is not answered wholly; their number, if all are."""
        return next((place for place, each in enumerate(self.comparisons) if not self._is_answered(each)), len(self.comparisons))

    @property
    def remaining(self) -> int:
        """Number of comparisons that are not answered wholly."""
        return sum(not self._is_answered(each) for each in self.comparisons)

    @property
    def complete(self) -> bool:
        """Whether every question is answered."""
        return self.remaining == 0

    @property
    def answers(self) -> list[Answer]:
        """The answers that count: for each question the latest."""
        return list(self._file.latest.values())

    @property
    def path(self) -> Path:
        """File of this reader's answers; there from the first answer on."""
        return self._file.path

    def answered(self, comparison: Comparison) -> dict[str, str | int]:
        """Return the values given so far to the questions of a comparison, by question id."""
        latest = self._file.latest
        found = {question.id: latest.get((comparison.id, question.id)) for question in comparison.questions}
        return {id: answer.value for id, answer in found.items() if answer is not None}

    def answer(self, question_id: str, value: str | int, comparison: Comparison | None = None, seconds: float | None = None) -> None:
        """Keep an answer, in place of an earlier one to the same question; it is on the disk when this returns.

        Parameters
        ----------
        question_id : str
        value : str or int
            One of the question's `values`.
        comparison : Comparison, optional
            One of `comparisons`; default: the one at `position`.
        seconds : float, optional
            How long the comparison had been shown.

        Raises
        ------
        RequestError
            If the question is not asked there, the value is not accepted, or all is answered and no comparison is given.
        WorkError
            If the answer cannot be written.
        """
        if comparison is None:
            if self.complete:
                raise RequestError(f"reader '{self.reader}' has answered everything; to change an answer, its comparison is needed")
            comparison = self.comparisons[self.position]
        question = comparison.accepting(question_id, value)
        self._file.append(
            Answer(
                study=self.study.id,
                reader=self.reader,
                case=comparison.case.name,
                comparison=comparison.id,
                left=comparison.left.token,
                right=comparison.right.token,
                question=question_id.partition(":")[0],
                structure=question.structure,
                side=question.side,
                value=value,
                seconds=None if seconds is None else round(float(seconds), 1),
                time=datetime.now(UTC).isoformat(timespec="seconds"),
            )
        )

    def comparison(self, id: str) -> Comparison:
        """Return a comparison by its id.

        Raises
        ------
        RequestError
            If this reader has none of that id.
        """
        for comparison in self.comparisons:
            if comparison.id == id:
                return comparison
        raise RequestError(f"comparison '{id}': accepted are {', '.join(sorted(each.id for each in self.comparisons))}")

    def _check(self, answer: Answer) -> None:
        """Refuse an answer of a file that was written by something else."""
        try:
            comparison = self.comparison(answer.comparison)
            comparison.accepting(answer.question_id, answer.value)
        except RequestError as error:
            raise RequestError(f"{self.path}: {error}") from error
        expected = (comparison.case.name, comparison.left.token, comparison.right.token)
        if (answer.case, answer.left, answer.right) != expected:
            raise RequestError(f"{self.path}: {answer.comparison}: other volumes than this reader was shown; accepted are the very lines")

    def _is_answered(self, comparison: Comparison) -> bool:
        return len(self.answered(comparison)) == len(comparison.questions)


def comparisons_of(study: Study, reader: str) -> tuple[Comparison, ...]:
    """Return the comparisons that ask something, in the order drawn for the reader."""
    places = [(case, pair) for case in study.cases for pair in range(len(case.pairs))]
    seen: set[str] = set()
    found = []
    for case, pair in sorted(places, key=lambda each: _draw(study, reader, "order", each[0].name, each[1])):
        files = {file.token: file for file in case.candidates}
        left, right = (files[token] for token in sides(study, reader, case, pair))
        questions = (*_preferences(case, study.ties), *_ratings(case, left, right, seen))
        seen |= {left.token, right.token}
        if questions:
            found.append(Comparison(case.name if len(case.pairs) == 1 else f"{case.name}-{pair + 1}", case, left, right, questions))
    return tuple(found)


def _preferences(case: Case, ties: bool) -> Iterator[Question]:
    values = (*SIDES, EQUAL) if ties else SIDES
    return (Question(id, "preference", _TEXTS[id], values) for id in (SHARPER, NEARER) if id in case.questions)


def _ratings(case: Case, left: VolumeFile, right: VolumeFile, seen: set[str]) -> Iterator[Question]:
    asked = case.structures if STRUCTURES in case.questions else ()
    for structure in asked:
        for side, file in zip(SIDES, (left, right)):
            if file.token not in seen:
                text = f"{structure}, {side} image"
                yield Question(f"structure:{structure}:{side}", "rating", text, (*RATINGS, NOT_PRESENT), structure, side)


def _draw(study: Study, reader: str, *what: object) -> str:
    """Return a hash that is random, yet the same whenever the reader comes back."""
    return hashlib.sha256(json.dumps([study.id, reader, *what]).encode()).hexdigest()
