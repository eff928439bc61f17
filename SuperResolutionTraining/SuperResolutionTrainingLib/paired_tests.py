"""Whether one model is better than another on more than these subjects: paired tests over subjects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from .slice_scores import EVERY_AXIS, MEASURES, REGIONS

CONVENTIONS = (
    "Paired tests: unit = the subject, mean over its trials that both models have; Wilcoxon's signed-rank test, two-sided, exact where "
    "possible, subjects without a difference left out; 95 % percentile bootstrap interval of the mean difference over subjects (9,999 "
    "resamples, fixed seed); Holm's correction over all pairs of models in the same factor, profile, region and measure."
)
_RESAMPLES = 9999
_SEED = 0
_SIGNIFICANT = 0.05


def paired_tests(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Test every pair of models in every factor, profile, region and measure.

    Parameters
    ----------
    entries : sequence of dict
        Of a comparison's record.

    Returns
    -------
    list of dict
        ``first``, ``second`` (models), ``factor``, ``profile``, ``region``, ``measure``, ``subjects`` (their number), ``mean_difference``
        (first − second), ``interval`` (low, high; None for one subject), ``p``, ``p_holm`` and, where the subjects are too few, a ``note``.
        See `CONVENTIONS`. Pairs without a subject that both have figures of are left out.
    """
    settings = dict.fromkeys((entry["factor"], entry["profile"]) for entry in entries)
    found = []
    for factor, profile in settings:
        ours = [entry for entry in entries if (entry["factor"], entry["profile"]) == (factor, profile)]
        models = list(dict.fromkeys(entry["model"] for entry in ours))
        for region in REGIONS:
            for measure in MEASURES:
                figures = _figures(ours, region, measure)
                family = [
                    {"first": first, "second": second, "factor": factor, "profile": profile, "region": region, "measure": measure} | tested
                    for first, second in combinations(models, 2)
                    if (tested := compared(_differences(figures, first, second)))
                ]
                for test, corrected in zip(family, holm([test["p"] for test in family])):
                    test["p_holm"] = corrected
                found += family
    return found


def compared(differences: Sequence[float]) -> dict[str, Any]:
    """Return what the differences of subjects amount to: entries of `paired_tests` from ``subjects`` to ``p``, and ``note``; {} of none.

    Parameters
    ----------
    differences : sequence of float
        One for each subject.
    """
    values = np.asarray(differences, np.float64)
    if not len(values):
        return {}
    told = {
        "subjects": len(values),
        "mean_difference": float(values.mean()),
        "interval": interval(values) if len(values) > 1 else None,
        # Nothing differs: every order of signs is as likely as this one.
        "p": float(stats.wilcoxon(values).pvalue) if values.any() else 1.0,
    }
    differing = np.count_nonzero(values)
    smallest = min(2.0 ** (1 - differing), 1.0)  # all signs alike, or all turned round
    if smallest > _SIGNIFICANT:
        told["note"] = f"too few subjects ({differing} that differ): p cannot fall below {smallest:.3g}"
    return told


def interval(differences: np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of a mean (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13)."""
    draws = np.random.default_rng(_SEED)
    found = stats.bootstrap((differences,), np.mean, n_resamples=_RESAMPLES, method="percentile", random_state=draws)
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def holm(p: Sequence[float]) -> list[float]:
    """Return p values corrected for their number by Holm's step-down method (Scandinavian Journal of Statistics 6, 1979, 65–70)."""
    order = np.argsort(p, kind="stable")
    stepwise = np.sort(p) * (len(p) - np.arange(len(p)))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(stepwise), 1)
    return corrected.tolist()


def _figures(entries: Iterable[Mapping[str, Any]], region: str, measure: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Return the figures of each model by subject and trial, without those that do not exist."""
    figures: dict[str, dict[tuple[str, ...], float]] = {}
    for entry in entries:
        trial = (entry["subject"], entry["file"], entry["series"], str(entry["coarsen"]), str(entry["axis"]))
        means = (each["mean"][measure] for each in entry["summary"] if (each["region"], each["along"]) == (region, EVERY_AXIS))
        value = next(means, None)
        if value is not None and np.isfinite(value):
            figures.setdefault(entry["model"], {})[trial] = value
    return figures


def _differences(figures: Mapping[str, Mapping[tuple[str, ...], float]], first: str, second: str) -> list[float]:
    """Return for each subject the mean difference over the trials that both models have figures of."""
    ours, theirs = figures.get(first, {}), figures.get(second, {})
    by_subject: dict[str, list[float]] = {}
    for trial in ours:
        if trial in theirs:
            by_subject.setdefault(trial[0], []).append(ours[trial] - theirs[trial])
    return [float(np.mean(values)) for values in by_subject.values()]
