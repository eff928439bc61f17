"""How far readers agree beyond chance: kappa for categories, intraclass correlation for numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class IntraclassCorrelation:
    """ICC of Shrout and Fleiss: two-way random effects, absolute agreement.

    Attributes
    ----------
    single : float or None
        ICC(2,1): how far one reader's ratings can be relied on.
    average : float or None
        ICC(2,k): how far the mean over the readers can. None where nothing varies.
    """

    single: float | None
    average: float | None


def cohen_kappa(
    first: Sequence[Hashable], second: Sequence[Hashable], categories: Sequence[Hashable], quadratic: bool = False
) -> float | None:
    """Return the agreement of two readers beyond chance.

    Parameters
    ----------
    first, second : sequence
        What each of them said of the same items.
    categories : sequence
        All answers there are; in their order, where weights are wanted.
    quadratic : bool
        Weigh a disagreement by the square of its distance in `categories`.

    Returns
    -------
    float or None
        At most 1; None without items, or where chance alone leaves no disagreement: both said one and the same of everything.

    Notes
    -----
    J. Cohen, Educational and Psychological Measurement 20 (1960) 37; weighted: Psychological Bulletin 70 (1968) 213.
    """
    place = {category: number for number, category in enumerate(categories)}
    counts = np.zeros((len(place), len(place)))
    for one, other in zip(first, second, strict=True):
        counts[place[one], place[other]] += 1
    if not counts.sum():
        return None
    apart = np.subtract.outer(np.arange(len(place)), np.arange(len(place)))
    weights = apart**2 if quadratic else apart != 0
    observed = counts / counts.sum()
    chance = (weights * np.outer(observed.sum(1), observed.sum(0))).sum()
    return float(1 - (weights * observed).sum() / chance) if chance else None


def fleiss_kappa(answers: Sequence[Sequence[Hashable]]) -> float | None:
    """Return the agreement of any number of readers beyond chance.

    Parameters
    ----------
    answers : sequence of items, each a sequence of what every reader said of it
        As many for each item, at least two.

    Returns
    -------
    float or None
        At most 1; None without items, or where all said one and the same of everything.

    Notes
    -----
    J. L. Fleiss, Psychological Bulletin 76 (1971) 378.
    """
    if not answers:
        return None
    categories = sorted({value for item in answers for value in item}, key=str)
    counts = np.array([[list(item).count(category) for category in categories] for item in answers], dtype=float)
    readers = len(answers[0])
    observed = ((counts**2).sum(1) - readers).mean() / (readers * (readers - 1))
    chance = ((counts.sum(0) / counts.sum()) ** 2).sum()
    return float((observed - chance) / (1 - chance)) if chance < 1 else None


def intraclass_correlation(ratings: np.ndarray) -> IntraclassCorrelation:
    """Return how far ratings can be relied on, of one reader and of the mean over readers.

    Parameters
    ----------
    ratings : ndarray, shape (items, readers)

    Notes
    -----
    P. E. Shrout and J. L. Fleiss, Psychological Bulletin 86 (1979) 420, ICC(2,1) and ICC(2,k).
    """
    ratings = np.asarray(ratings, dtype=float)
    items, readers = ratings.shape
    if items < 2 or readers < 2:
        return IntraclassCorrelation(None, None)
    mean, by_item, by_reader = ratings.mean(), ratings.mean(1), ratings.mean(0)
    between_items = readers * ((by_item - mean) ** 2).sum() / (items - 1)
    between_readers = items * ((by_reader - mean) ** 2).sum() / (readers - 1)
    rest = ((ratings - by_item[:, None] - by_reader + mean) ** 2).sum() / ((items - 1) * (readers - 1))
    from_readers = (between_readers - rest) / items
    single = between_items + (readers - 1) * rest + readers * from_readers
    average = between_items + from_readers
    # Where nothing varies but rounding does, there is nothing to divide by.
    return IntraclassCorrelation(*(float(between_items - rest) / float(total) if total > 1e-12 else None for total in (single, average)))
