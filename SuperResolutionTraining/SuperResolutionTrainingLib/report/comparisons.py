"""Tables that hold models against one another: paired tests, acquisition models crossed, and the measures of whole volumes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..slice_scores import MEASURES, REGIONS
from ..volume_measures import VOLUME_MEASURES
from . import wording
from .measured import Entry, Setting, models_of, settings_of
from .tables import Cell, Table, model_cell, profiles_of

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)")


def tests_tables(record: Mapping[str, Any], setting: Setting) -> list[Table]:
    """Return the paired tests of a setting, one table for each region and measure; PSNR of the whole volume is the first."""
    tests = [test for test in record.get("tests", ()) if setting.has(test)]
    families = [(region, measure) for region in REGIONS for measure in MEASURES]
    families += [key for key in dict.fromkeys((test["region"], test["measure"]) for test in tests) if key not in families]
    found = []
    for region, measure in families:
        family = [test for test in tests if (test["region"], test["measure"]) == (region, measure)]
        if family:
            found.append(_tests_table(family, region, measure))
    return found


def _tests_table(family: Sequence[Mapping[str, Any]], region: str, measure: str) -> Table:
    rows = [
        [
            Cell(f"{test['first']} − {test['second']}", "text"),
            Cell(wording.figure(measure, test["mean_difference"], signed=True)),
            Cell(wording.interval(measure, test["interval"])),
            Cell(wording.probability(test["p"])),
            Cell(wording.probability(test["p_holm"]), "best" if test["p_holm"] is not None and test["p_holm"] < 0.05 else ""),
            Cell(str(test["subjects"])),
        ]
        for test in family
    ]
    notes = "; ".join(dict.fromkeys(test["note"] for test in family if test.get("note")))
    label = wording.LABELS.get(measure, measure)
    columns = ["Models", "mean difference", "95 % interval", "p", "p (Holm)", "subjects"]
    return Table(f"{label}, {wording.REGIONS.get(region, region).lower()}", columns, rows, notes)


def cross_tables(record: Mapping[str, Any]) -> list[Table]:
    """Return for each factor the gain of models trained for one slice profile where thick slices had another.

    There are none where only one profile comes up, or no model was trained for any.
    """
    entries = [entry for entry in record["entries"] if entry["factor"] is not None]
    trained_for = {entry["model"]: profiles_of(entry) for entry in entries if profiles_of(entry)}
    tested = [setting for setting in settings_of(entries) if setting.profile is not None]
    profiles = list(dict.fromkeys(setting.profile for setting in tested))
    if not trained_for or len({*profiles, *trained_for.values()}) < 2:
        return []
    gains = {
        (row["model"], row["factor"], row["profile"]): row["gain_db"] for row in record["models"] if row["region"] == "whole"
    }  # fmt: skip
    tables = []
    for factor in dict.fromkeys(setting.factor for setting in tested):
        rows = []
        for model, taught in sorted(trained_for.items(), key=lambda each: (each[1], each[0])):
            cells = []
            for profile in profiles:
                text = wording.figure("psnr", gains.get((model, factor, profile)), signed=True)
                cells.append(Cell(text, "own" if profile in taught.split(", ") else ""))
            rows.append([model_cell(model), Cell(taught, "text"), *cells])
        columns = ["Model", "trained for", *(f"tested on {profile}" for profile in profiles)]
        tables.append(Table(f"×{factor}: mean gain over {record['baseline']}, dB", columns, rows))
    return tables


def measures_table(record: Mapping[str, Any], setting: Setting) -> Table | None:
    """Return the measures of whole volumes that were asked for, mean ± standard deviation over trials; None where there are none."""
    entries = [entry for entry in record["entries"] if setting.has(entry)]
    names = list(dict.fromkeys(name for entry in entries for name in entry.get("measures") or ()))
    if not names:
        return None
    rows = []
    for model in models_of({"entries": entries}):
        ours = [entry for entry in entries if entry["model"] == model]
        rows.append([model_cell(model), *(Cell(_spread(_found(ours, name, "value"))) for name in names)])
    truth = [_spread(_found(entries, name, "reference", once=True)) for name in names]
    if set(truth) != {wording.DASH}:
        rows.append([Cell("truth", "text"), *map(Cell, truth)])
    return Table(setting.title, ["Model", *map(label_of, names)], rows, _remarks(entries, names))


def label_of(name: str) -> str:
    """Return what a measure of whole volumes is called, with its unit."""
    known = VOLUME_MEASURES.get(name)
    if known is None:
        return name
    return f"{known.label}, {known.unit}" if known.unit else known.label


def _found(entries: Sequence[Entry], name: str, part: str, once: bool = False) -> list[float]:
    """Return a part of a measure in each entry; `once`: in each trial."""
    values = {}
    for number, entry in enumerate(entries):
        value = ((entry.get("measures") or {}).get(name) or {}).get(part)
        if value is not None:
            values[(entry["file"], str(entry["series"]), entry["axis"]) if once else number] = value
    return list(values.values())


def _spread(values: Sequence[float]) -> str:
    return wording.figure("", float(np.mean(values)), float(np.std(values))) if values else wording.DASH


def _remarks(entries: Sequence[Entry], names: Sequence[str]) -> str:
    """Return why measures do not exist, and how they were taken; remarks that differ only in numbers are one, with their range."""
    remarks: dict[tuple[str, ...], list[list[str]]] = {}
    for entry in entries:
        for name in names:
            measured = (entry.get("measures") or {}).get(name) or {}
            for remark in filter(None, (measured.get("reason") and f"missing, {measured['reason']}", measured.get("note"))):
                words = _NUMBER.split(remark)
                remarks.setdefault((name, *words), []).append(_NUMBER.findall(remark))
    results = wording.count(len(entries), "result")
    told: dict[str, list[str]] = {}
    for (name, *words), numbers in remarks.items():
        told.setdefault(f"{len(numbers)} of {results}: {_with_ranges(words, numbers)}", []).append(label_of(name))
    return "; ".join(f"{', '.join(names)}, {remark}" for remark, names in told.items())


def _with_ranges(words: Sequence[str], numbers: Sequence[Sequence[str]]) -> str:
    """Return words with what the numbers between them range over."""
    text = words[0]
    for found, word in zip(zip(*numbers), words[1:], strict=True):
        low, high = min(found, key=float), max(found, key=float)
        text += (low if low == high else f"{low} to {high}") + word
    return text
