"""A study unblinded: who preferred which method, how the structures were rated, how far the readers agree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.errors import RequestError

from .agreement import cohen_kappa, fleiss_kappa, intraclass_correlation
from .answers import FOLDER, NOT_PRESENT, RATINGS
from .reading import EQUAL, Reading
from .study import STUDY_FILE, Study, open_study

CONFIDENCE = 0.95
TYPED_SEED = "The seed of this study was typed: a reader who tried seeds could have told the methods. Such a study is a trial."
# With spaces, as no reader's name has.
ALL_READERS = "all readers"
MAJORITY = "majority of readers"
ALL_STRUCTURES = "all structures"
CONVENTIONS = (
    "Preference: share of the answers that chose one, exact (Clopper-Pearson) 95 % interval, exact two-sided binomial test against one "
    "half; 'equal' is counted apart. 'All readers' takes every answer for itself, though answers of several readers to one case depend on "
    "each other; 'majority of readers' takes each comparison once, as more of its readers saw it, 'equal' where as many saw either. "
    "Ratings: 1 to 5, mean ± standard deviation (n - 1) over volumes and readers, 'not present' counted apart. Agreement, over what all "
    "readers answered, for ratings where all gave a number: Cohen's kappa (two readers; ratings with quadratic weights), Fleiss' kappa "
    "(more readers), ICC(2,1) of one reader and ICC(2,k) of the mean over them (Shrout and Fleiss 1979)."
)


@dataclass(frozen=True)
class Unblinded:
    """An answer, with the methods in place of tokens.

    Attributes
    ----------
    reader, case, name, comparison : str
        `case` is the neutral name, `name` the coordinator's.
    question : str
        ``sharper``, ``nearer`` or ``structure``.
    left, right : str
        Methods, by the place on the screen.
    structure, side : str
        Of a rating; else empty.
    value : str or int
        As answered.
    method : str
        Preferred (``equal`` if none), or rated.
    seconds : float, optional
    time : str
    """

    reader: str
    case: str
    name: str
    comparison: str
    question: str
    left: str
    right: str
    structure: str
    side: str
    value: str | int
    method: str
    seconds: float | None
    time: str

    @property
    def pair(self) -> tuple[str, str]:
        """The two methods in alphabetical order."""
        return tuple(sorted((self.left, self.right)))


@dataclass(frozen=True)
class Results:
    """What a study found.

    Attributes
    ----------
    answers : tuple of Unblinded
    record : dict
        Plain data for JSON: study, readers, preferences, ratings, agreement, warnings, conventions.
    """

    answers: tuple[Unblinded, ...]
    record: dict[str, Any]


def results(folder: str | Path, key: str | Path, answers: str | Path | None = None) -> Results:
    """Unblind a study.

    Parameters
    ----------
    folder : path
        The blinded folder.
    key : path
        As `prepare` wrote it.
    answers : path, optional
        Folder of the answers; default: ``answers`` in the blinded folder.

    Raises
    ------
    RequestError
        If the key is not the one that the study was sealed with, there are no answers, or some do not fit the study.
    """
    study = open_study(folder)
    secret = read_key(key, study)
    place = Path(answers) if answers else study.folder / FOLDER
    readings = [Reading(study, path.stem, place) for path in sorted(place.glob("*.jsonl"))]
    found = tuple(answer for reading in readings for answer in _unblind(reading, secret))
    if not found:
        raise RequestError(f"{place}: no answers; accepted is a folder with those of at least one reader")
    record = {
        "study": study.id,
        "title": study.title,
        "cases": len(study.cases),
        "readers": [{"reader": each.reader, "comparisons": len(each.comparisons), "remaining": each.remaining} for each in readings],
        "preferences": list(_preferences(found)),
        "ratings": list(_ratings(found)),
        "agreement": list(_agreement(found)),
        "warnings": [TYPED_SEED] if secret.get("seed_typed") else [],
        "conventions": CONVENTIONS,
    }
    return Results(found, record)


def read_key(path: str | Path, study: Study) -> dict[str, Any]:
    """Read the key of a study.

    Raises
    ------
    RequestError
        If it cannot be read, or is not the very file whose hash the study carries.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise RequestError(f"{path}: {error.strerror or error}; accepted is the key of the study") from error
    if hashlib.sha256(content).hexdigest() != study.commitment:
        found = f"not the key that {study.folder / STUDY_FILE} was sealed with (SHA-256 {study.commitment[:12]}…)"
        raise RequestError(f"{path}: {found}; accepted is that file, unchanged")
    return json.loads(content)


def _unblind(reading: Reading, key: dict[str, Any]) -> Iterator[Unblinded]:
    cases = {case["case"]: case for case in key["cases"]}
    for answer in reading.answers:
        case = cases[answer.case]
        methods = {side: case["candidates"][token]["method"] for side, token in (("left", answer.left), ("right", answer.right))}
        yield Unblinded(
            reader=answer.reader,
            case=answer.case,
            name=case["name"],
            comparison=answer.comparison,
            question=answer.question,
            **methods,
            structure=answer.structure or "",
            side=answer.side or "",
            value=answer.value,
            method=methods.get(answer.side or answer.value, EQUAL),
            seconds=answer.seconds,
            time=answer.time,
        )


def _preferences(answers: Sequence[Unblinded]) -> Iterator[dict[str, Any]]:
    for question, pair, asked in _by_question_and_pair(answers):
        readers = _readers(asked)
        yield _preference(question, pair, ALL_READERS, [answer.method for answer in asked])
        if len(readers) > 1:
            yield _preference(question, pair, MAJORITY, _majorities(asked, pair))
            for reader in readers:
                yield _preference(question, pair, reader, [answer.method for answer in asked if answer.reader == reader])


def _preference(question: str, pair: tuple[str, str], reader: str, chosen: Sequence[str]) -> dict[str, Any]:
    from scipy.stats import binomtest

    first, second, equal = (chosen.count(each) for each in (*pair, EQUAL))
    row = {"question": question, "first": pair[0], "second": pair[1], "reader": reader}
    row |= {"for_first": first, "for_second": second, "equal": equal, "share_first": None, "interval": None, "p": None}
    if first + second:
        test = binomtest(first, first + second)
        interval = test.proportion_ci(CONFIDENCE, method="exact")
        row |= {"share_first": first / (first + second), "interval": [float(interval.low), float(interval.high)], "p": float(test.pvalue)}
    return row


def _majorities(answers: Sequence[Unblinded], pair: tuple[str, str]) -> list[str]:
    """Return for each comparison what more of its readers chose; ``equal`` where neither."""
    found = []
    for comparison in sorted({answer.comparison for answer in answers}):
        first, second = ([a.method for a in answers if a.comparison == comparison].count(method) for method in pair)
        found.append(pair[0] if first > second else pair[1] if second > first else EQUAL)
    return found


def _ratings(answers: Sequence[Unblinded]) -> Iterator[dict[str, Any]]:
    rated = [answer for answer in answers if answer.structure]
    readers = _readers(rated)
    for structure in [*dict.fromkeys(answer.structure for answer in rated), *([ALL_STRUCTURES] if rated else [])]:
        for method in sorted({answer.method for answer in rated}):
            here = [answer for answer in rated if answer.method == method and structure in (answer.structure, ALL_STRUCTURES)]
            for reader in [ALL_READERS, *(readers if len(readers) > 1 else [])]:
                values = [answer.value for answer in here if reader in (answer.reader, ALL_READERS)]
                yield {"structure": structure, "method": method, "reader": reader, **_summary(values)}


def _summary(values: Sequence[str | int]) -> dict[str, Any]:
    numbers = [value for value in values if value != NOT_PRESENT]
    return {
        "n": len(numbers),
        "mean": float(np.mean(numbers)) if numbers else None,
        "standard_deviation": float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None,
        "not_present": len(values) - len(numbers),
    }


def _agreement(answers: Sequence[Unblinded]) -> Iterator[dict[str, Any]]:
    readers = _readers(answers)
    if len(readers) < 2:
        return
    for question, pair, asked in _by_question_and_pair(answers):
        items = _items(asked, readers, lambda answer: answer.comparison, lambda answer: answer.method)
        yield {"on": question, "pair": list(pair), "readers": len(readers), "items": len(items)} | _kappa(items, (*pair, EQUAL), False)
    rated = [answer for answer in answers if answer.structure]
    for structure in [*dict.fromkeys(answer.structure for answer in rated), *([ALL_STRUCTURES] if rated else [])]:
        here = [answer for answer in rated if structure in (answer.structure, ALL_STRUCTURES)]
        items = _items(here, readers, lambda answer: (answer.case, answer.method, answer.structure), lambda answer: answer.value)
        items = [item for item in items if NOT_PRESENT not in item]
        correlation = asdict(intraclass_correlation(np.array(items).reshape(len(items), len(readers))))
        icc = {"icc_2_1": correlation["single"], "icc_2_k": correlation["average"]}
        yield {"on": structure, "pair": None, "readers": len(readers), "items": len(items)} | _kappa(items, RATINGS, True) | icc


def _kappa(items: Sequence[Sequence[Any]], categories: Sequence[Any], weighted: bool) -> dict[str, Any]:
    if items and len(items[0]) > 2:
        return {"kappa": fleiss_kappa(items), "kind": "Fleiss"}
    first, second = zip(*items) if items else ((), ())
    return {"kappa": cohen_kappa(first, second, categories, weighted), "kind": "Cohen, quadratic weights" if weighted else "Cohen"}


def _items(answers: Sequence[Unblinded], readers: Sequence[str], item_of: Any, value_of: Any) -> list[list[Any]]:
    """Return for each item that all readers answered what each of them said."""
    said: dict[Any, dict[str, Any]] = {}
    for answer in answers:
        said.setdefault(item_of(answer), {})[answer.reader] = value_of(answer)
    return [[values[reader] for reader in readers] for values in said.values() if len(values) == len(readers)]


def _by_question_and_pair(answers: Sequence[Unblinded]) -> Iterator[tuple[str, tuple[str, str], list[Unblinded]]]:
    preferences = [answer for answer in answers if not answer.structure]
    methods = sorted({method for answer in preferences for method in answer.pair})
    for question in dict.fromkeys(answer.question for answer in preferences):
        for pair in combinations(methods, 2):
            if asked := [answer for answer in preferences if answer.question == question and answer.pair == pair]:
                yield question, pair, asked


def _readers(answers: Sequence[Unblinded]) -> list[str]:
    return sorted({answer.reader for answer in answers})
