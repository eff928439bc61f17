"""The result of a comparison in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import wording
from .measured import Setting, rows_of, settings_of

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Finding:
    """What was found in a setting."""

    setting: str
    sentences: list[str]

    @property
    def text(self) -> str:
        """All sentences."""
        return " ".join(self.sentences)


def findings(record: Mapping[str, Any]) -> list[Finding]:
    """Return for each setting which model came nearest to the truth by PSNR of the whole volume, and how certain that is."""
    return [Finding(setting.title, _sentences(record, setting)) for setting in settings_of(record["models"])]


def _sentences(record: Mapping[str, Any], setting: Setting) -> list[str]:
    every = rows_of(record, setting)
    rows = [row for row in every if row["mean"]["psnr"] is not None]
    if not rows:
        return ["No model has a PSNR here: every slice was equal to the truth, or none could be measured."]
    best = rows[0]
    subjects = wording.count(best["subjects"], "subject")
    level = f"{wording.figure('psnr', best['mean']['psnr'])} dB PSNR on average"
    if len(rows) == 1:
        alone = "There is no other model to hold it against."
        return [f"{best['model']} reached {level} over {subjects}.", *(_without(every) or [alone])]
    rivals = {row["model"]: _difference(record, setting, best["model"], row["model"]) for row in rows[1:]}
    baseline = record["baseline"]
    over = baseline if baseline in rivals else rows[1]["model"]
    if rivals[over]:
        subjects = wording.count(rivals[over]["subjects"], "subject")
    if best["model"] == baseline:
        first = f"No model came nearer to the truth than {baseline}: {level}, {_gain(best, rows[1], rivals[over])} {over} ({subjects})."
    else:
        against = next(row for row in rows if row["model"] == over)
        first = f"{best['model']} came nearest to the truth: {level}, {_gain(best, against, rivals[over])} {over} ({subjects})."
    sentences = [first, _certainty(best["subjects"], over, rows[1]["model"], rivals)]
    return [*sentences, *_without(every), *_training(rows)]


def _without(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the models that have no mean PSNR, which are not ranked."""
    names = [row["model"] for row in rows if row["mean"]["psnr"] is None]
    if not names:
        return []
    what = "is" if len(names) == 1 else "are"
    return [f"{wording.listed(names)} {what} not ranked: in one trial or more there is no PSNR, as where nothing differs from the truth."]


def _difference(record: Mapping[str, Any], setting: Setting, first: str, second: str) -> dict[str, Any] | None:
    """Return the paired test of two models, its difference counted as first − second, with the number of pairs in its family."""
    family = [
        test
        for test in record.get("tests", ())
        if setting.has(test) and (test["region"], test["measure"]) == ("whole", "psnr")
    ]  # fmt: skip
    for test in family:
        told = {**test, "pairs": len(family)}
        if (test["first"], test["second"]) == (first, second):
            return told
        if (test["first"], test["second"]) == (second, first):
            low, high = test["interval"] or (None, None)
            turned = None if None in (low, high) else (-high, -low)
            return told | {"mean_difference": -test["mean_difference"], "interval": turned}
    return None


def _gain(best: Mapping[str, Any], other: Mapping[str, Any], test: Mapping[str, Any] | None) -> str:
    value = best["mean"]["psnr"] - other["mean"]["psnr"] if test is None else test["mean_difference"]
    text = f"{wording.figure('psnr', value)} dB above"
    if test is None or not test["interval"] or None in test["interval"]:
        return text
    low, high = (wording.figure("psnr", bound) for bound in test["interval"])
    return f"{wording.figure('psnr', value)} dB (95 % interval {low} to {high} dB) above"


def _certainty(subjects: int, over: str, second: str, rivals: Mapping[str, Mapping[str, Any] | None]) -> str:
    """Say whether the best model's lead, over the baseline and over the second best, is more than chance."""
    test = rivals[over]
    if subjects < 2:
        return "One subject cannot tell whether that holds for others."
    if test is None or test["p_holm"] is None:
        return "No paired test was made, so it is not known whether that holds for other subjects."
    # The smallest p of an exact two-sided signed-rank test, times the number of pairs.
    if 2.0 ** (1 - test["subjects"]) * test["pairs"] >= SIGNIFICANT:
        corrected = f"corrected for {test['pairs']} pairs of models, " if test["pairs"] > 1 else ""
        few = f"{wording.count(test['subjects'], 'subject')} are too few for a test"
        return f"{few}: {corrected}none can reach p\u00a0<\u00a0{SIGNIFICANT}."
    certain = test["p_holm"] < SIGNIFICANT
    text = f"The difference from {over} is {'' if certain else 'not '}significant (Wilcoxon, Holm-corrected p\u00a0{_p(test)})"
    next_best = rivals.get(second)
    if second == over or next_best is None or next_best["p_holm"] is None:
        return f"{text}."
    also = next_best["p_holm"] < SIGNIFICANT
    differs = {(True, True): "; so is that", (False, False): ", nor is that", (True, False): ", but not that", (False, True): ", but that"}
    return f"{text}{differs[certain, also]} from the next best, {second}{' is' if also and not certain else ''} (p\u00a0{_p(next_best)})."


def _p(test: Mapping[str, Any]) -> str:
    text = wording.probability(test["p_holm"])
    return (text if text.startswith("<") else f"= {text}").replace(" ", "\u00a0")


def _training(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the models that know some of the subjects, and the best of the others where the best one does."""
    taught = [row["model"] for row in rows if row["trained_on"]]
    if not taught:
        return []
    was, its = ("was", "its figures say") if len(taught) == 1 else ("were", "their figures say")
    sentences = [f"{wording.listed(taught)} {was} trained on some of these subjects, so {its} less about new ones."]
    others = [row for row in rows if not row["trained_on"]]
    if rows[0]["trained_on"] and others:
        level = wording.figure("psnr", others[0]["mean"]["psnr"])
        sentences.append(f"Of those that knew none of them, {others[0]['model']} came nearest: {level} dB.")
    return sentences
