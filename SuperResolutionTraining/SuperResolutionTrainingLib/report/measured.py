"""The entries of a comparison's record, put together as a report tells them: by setting, by trial, by model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..comparison_record import place_of
from ..slice_scores import EVERY_AXIS

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Setting:
    """One way in which scans were made thick; both None for pairs that are thick and fine already."""

    factor: int | None
    profile: str | None

    @property
    def title(self) -> str:
        """Its name in headings."""
        return "Pairs of volumes" if self.factor is None else f"×{self.factor}, profile {self.profile}"

    def has(self, row: Mapping[str, Any]) -> bool:
        """Return whether a model's row, a test or an entry belongs to it."""
        return (row["factor"], row["profile"]) == (self.factor, self.profile)


@dataclass(frozen=True)
class MeasuredTrial:
    """A scan made thick in one way, or a pair, with the entry of each model that made it fine again.

    Attributes
    ----------
    entries : dict of str to mapping
        By model.
    """

    entries: dict[str, Entry]

    @property
    def first(self) -> Entry:
        """Any of its entries, for what they share."""
        return next(iter(self.entries.values()))

    @property
    def subject(self) -> str:
        """Who was scanned."""
        return self.first["subject"]

    def gain(self, model: str, baseline: str) -> float | None:
        """Return the PSNR of a model over that of the baseline, dB, whole volume; None where one of the two is missing."""
        ours, theirs = (mean_of(self.entries.get(name), "psnr") for name in (model, baseline))
        return None if ours is None or theirs is None else ours - theirs


def mean_of(entry: Entry | None, measure: str, region: str = "whole") -> float | None:
    """Return the mean of a measure over the slices of all three axes, None where there is none."""
    if entry is None:
        return None
    return next((each["mean"][measure] for each in entry["summary"] if (each["region"], each["along"]) == (region, EVERY_AXIS)), None)


def settings_of(rows: Iterable[Mapping[str, Any]]) -> list[Setting]:
    """Return the settings of entries or of models' rows, in the order of their first appearance."""
    return list(dict.fromkeys(Setting(row["factor"], row["profile"]) for row in rows))


def models_of(record: Mapping[str, Any]) -> list[str]:
    """Return all models in the order in which they were measured."""
    return list(dict.fromkeys(entry["model"] for entry in record["entries"]))


def trials_of(record: Mapping[str, Any], setting: Setting) -> list[MeasuredTrial]:
    """Return the trials of a setting in the order of the record."""
    found: dict[tuple[str, ...], dict[str, Entry]] = {}
    for entry in filter(setting.has, record["entries"]):
        found.setdefault(place_of(entry), {})[entry["model"]] = entry
    return [MeasuredTrial(entries) for entries in found.values()]


def rows_of(record: Mapping[str, Any], setting: Setting, region: str = "whole") -> list[Mapping[str, Any]]:
    """Return the models' rows of a setting and region, the best PSNR first, those without one last."""
    rows = [row for row in record["models"] if setting.has(row) and row["region"] == region]
    return sorted(rows, key=lambda row: np.inf if row["mean"]["psnr"] is None else -row["mean"]["psnr"])


def telling_trials(record: Mapping[str, Any], setting: Setting) -> list[tuple[str, MeasuredTrial]]:
    """Return the trials of median and of worst gain, each with what it is; by the best model that is not the baseline.

    Without a baseline they are those of median and of worst PSNR.
    """
    trials, baseline = trials_of(record, setting), record["baseline"]
    models = [row["model"] for row in rows_of(record, setting)]
    best = next((model for model in models if model != baseline), baseline)
    by_gain = best != baseline and any(trial.gain(best, baseline) is not None for trial in trials)
    quality = {id(trial): trial.gain(best, baseline) if by_gain else mean_of(trial.entries.get(best), "psnr") for trial in trials}
    ranked = sorted((trial for trial in trials if quality[id(trial)] is not None), key=lambda trial: quality[id(trial)])
    if not ranked:
        return []
    what = f"gain of {best} over {baseline}" if by_gain else f"PSNR of {best}"

    def told(kind: str, trial: MeasuredTrial) -> tuple[str, MeasuredTrial]:
        value = f"{quality[id(trial)]:{'+' if by_gain else ''}.2f}".replace("-", "−")
        return f"{kind} {what}, {value} dB", trial

    if len(ranked) == 1:
        return [told("the only trial:", ranked[0])]
    return [told("median", ranked[len(ranked) // 2]), told("worst", ranked[0])]


def per_subject(trials: Iterable[MeasuredTrial], model: str, measure: str = "psnr", region: str = "whole") -> dict[str, float]:
    """Return the mean of a measure over the trials of each subject."""
    values: dict[str, list[float]] = {}
    for trial in trials:
        value = mean_of(trial.entries.get(model), measure, region)
        if value is not None:
            values.setdefault(trial.subject, []).append(value)
    return {subject: float(np.mean(each)) for subject, each in values.items()}
