"""Expected values: scikit-learn 1.9.1 (cohen_kappa_score), statsmodels 0.15.0 (fleiss_kappa), pingouin 0.7.0 (intraclass_corr)."""

import numpy as np
import pytest

from SuperResolutionTrainingLib.reader_study.agreement import cohen_kappa, fleiss_kappa, intraclass_correlation

FIRST = [5, 4, 4, 5, 3, 4, 5, 2, 1, 2, 2, 5, 5, 1, 3, 5, 1, 4, 1, 3, 5, 2, 2, 2, 4, 2, 5, 3, 3, 3]
SECOND = [5, 4, 4, 5, 4, 5, 5, 2, 1, 3, 2, 4, 5, 1, 4, 5, 1, 3, 1, 2, 4, 2, 3, 2, 5, 3, 5, 3, 3, 3]
THIRD = [4, 4, 3, 4, 5, 2, 3, 1, 3, 3, 4, 4, 5, 1, 3, 3, 2, 5, 2, 1, 5, 1, 4, 4, 2, 2, 5, 5, 4, 4]
# Fleiss 1971, table 1 as reprinted in textbooks: how many of 14 readers put each of 10 items into each of 5 categories.
FLEISS = [
    (0, 0, 0, 0, 14),
    (0, 2, 6, 4, 2),
    (0, 0, 3, 5, 6),
    (0, 3, 9, 2, 0),
    (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0),
    (3, 2, 6, 3, 0),
    (2, 5, 3, 2, 2),
    (6, 5, 2, 1, 0),
    (0, 2, 2, 3, 7),
]
# Shrout and Fleiss 1979, table 2: six targets, four judges.
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])


def test_cohen_is_that_of_scikit_learn():
    assert cohen_kappa(FIRST, SECOND, range(1, 6)) == pytest.approx(0.5371669004207573)


def test_quadratic_weights_are_those_of_scikit_learn():
    assert cohen_kappa(FIRST, SECOND, range(1, 6), quadratic=True) == pytest.approx(0.9046793760831889)


def test_cohen_of_the_textbook():
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohen_kappa(first, second, ("yes", "no")) == pytest.approx(0.4)


def test_cohen_knows_full_agreement_and_full_contradiction():
    assert cohen_kappa([1, 2, 1, 2], [1, 2, 1, 2], (1, 2)) == 1
    assert cohen_kappa([1, 2, 1, 2], [2, 1, 2, 1], (1, 2)) == -1


def test_kappa_of_readers_who_said_one_thing_only_is_none():
    assert cohen_kappa([1, 1, 1], [1, 1, 1], (1, 2)) is None
    assert cohen_kappa([], [], (1, 2)) is None
    assert fleiss_kappa([[1, 1, 1], [1, 1, 1]]) is None
    assert fleiss_kappa([]) is None


def test_fleiss_is_that_of_statsmodels():
    assert fleiss_kappa(list(zip(FIRST, SECOND, THIRD))) == pytest.approx(0.1871691061974463)


def test_fleiss_of_the_paper():
    items = [[category for category, count in enumerate(counts) for _ in range(count)] for counts in FLEISS]
    assert fleiss_kappa(items) == pytest.approx(0.20993070442195522)


def test_icc_is_that_of_pingouin():
    found = intraclass_correlation(np.column_stack([FIRST, SECOND, THIRD]))
    assert (found.single, found.average) == pytest.approx((0.625202, 0.833453), abs=1e-6)


def test_icc_of_the_paper():
    found = intraclass_correlation(SHROUT_FLEISS)
    assert (round(found.single, 2), round(found.average, 2)) == (0.29, 0.62)


def test_icc_of_nothing_to_tell_apart_is_none():
    assert intraclass_correlation(np.full((5, 3), 4)).single is None
    assert intraclass_correlation(np.array([[1, 2]])).average is None
