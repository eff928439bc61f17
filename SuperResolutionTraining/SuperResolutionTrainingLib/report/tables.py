"""The tables of a report: which figures stand where, as text; the template draws them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..slice_scores import MEASURES, REGIONS
from . import wording
from .measured import Setting, mean_of, models_of, rows_of, trials_of

SEEN = "†"
_CHECKED = {True: "yes", False: "no", None: wording.DASH}  # unknown of volumes that were made elsewhere


@dataclass(frozen=True)
class Cell:
    """What stands in a place of a table.

    Attributes
    ----------
    text : str
    kind : str
        ``model`` (with its colour), ``text`` (to the left), ``best`` (bold), ``own`` (outlined) or empty: a figure.
    model : str
        Whose colour it shows.
    """

    text: str
    kind: str = ""
    model: str = ""


@dataclass(frozen=True)
class Table:
    """A table: its heading, the names of its columns, rows of cells and a note under it; the first cell of a row names it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


def model_cell(model: str, seen: bool = False) -> Cell:
    """Return a model's name, marked where it was trained on some of these subjects."""
    return Cell(f"{model} {SEEN}" if seen else model, "model", model)


def models_tables(record: Mapping[str, Any], setting: Setting) -> list[Table]:
    """Return the models of a setting, a table for each region."""
    return [_models_table(record, setting, region) for region in regions_of(record, setting)]


def regions_of(record: Mapping[str, Any], setting: Setting) -> list[str]:
    """Return the regions that were measured in a setting."""
    return [region for region in REGIONS if rows_of(record, setting, region)]


def _models_table(record: Mapping[str, Any], setting: Setting, region: str) -> Table:
    rows = rows_of(record, setting, region)
    texts = [_figures(row) for row in rows]
    best = [_best(rows, measure, [text[place] for text in texts]) for place, measure in enumerate(MEASURES)]
    cells = []
    for row, text in zip(rows, texts, strict=True):
        figures = [Cell(each, "best" if each in best[place] else "") for place, each in enumerate(text)]
        gains = [Cell(wording.figure("psnr", row[name], signed=True)) for name in ("gain_db", "worst_gain_db")]
        counts = [Cell(str(row["trials"])), Cell(str(row["subjects"]))]
        cells.append([model_cell(row["model"], row["trained_on"]), figures[0], *gains, *figures[1:], *counts])
    labels = [wording.LABELS[measure] for measure in MEASURES]
    columns = ["Model", labels[0], "gain, dB", "worst gain, dB", *labels[1:], "trials", "subjects"]
    return Table(wording.REGIONS[region], columns, cells, _reservations(rows))


def _reservations(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return what keeps the means of models from being held against each other; empty if nothing does."""
    said = []
    if len({row["trials"] for row in rows}) > 1:
        said.append("The means are not over the same trials: gains and paired tests are over those that both models have.")
    if any(row["mean"][measure] is None for row in rows for measure in MEASURES):
        said.append(f"{wording.DASH}: in one trial or more there is no such figure, as no PSNR where nothing differs from the truth.")
    return " ".join(said)


def _figures(row: Mapping[str, Any]) -> list[str]:
    return [wording.figure(measure, row["mean"][measure], row["deviation"][measure]) for measure in MEASURES]


def _best(rows: Sequence[Mapping[str, Any]], measure: str, texts: Sequence[str]) -> set[str]:
    """Return the texts of the best mean, none where there is nothing to choose from."""
    means = [(row["mean"][measure], text) for row, text in zip(rows, texts, strict=True) if row["mean"][measure] is not None]
    if len(means) < 2:
        return set()
    choose = min if measure in wording.BETTER_IS_LESS else max
    return {choose(means, key=lambda each: each[0])[1]}


def scans_table(record: Mapping[str, Any], setting: Setting) -> Table:
    """Return the PSNR of every model in every trial of a setting, whole volume."""
    trials = trials_of(record, setting)
    models = [model for model in models_of(record) if any(model in trial.entries for trial in trials)]
    rows = []
    for trial in trials:
        names = (trial.subject, _file_of(trial.first), trial.first["modality"] or wording.DASH, trial.first["axis"] or wording.DASH)
        values = {model: mean_of(trial.entries.get(model), "psnr") for model in models}
        known = [value for value in values.values() if value is not None]
        best = wording.figure("psnr", max(known)) if len(known) > 1 else ""
        cells = []
        for model, value in values.items():
            text = wording.figure("psnr", value)
            seen = model in trial.entries and trial.entries[model]["trained_on"]
            cells.append(Cell(f"{text} {SEEN}" if seen else text, "best" if text == best else ""))
        rows.append([*(Cell(name, "text") for name in names), *cells])
    return Table(setting.title, ["Subject", "File", "Modality", "Thick axis", *models], rows)


def _file_of(entry: Mapping[str, Any]) -> str:
    """Return the name of a scan, with its series where the folder holds several, and what was averaged before."""
    series = f", series {entry['series']}" if entry.get("series") else ""
    coarsen = entry.get("coarsen") or (1, 1, 1)
    averaged = f", {' × '.join(map(str, coarsen))} voxels averaged" if max(coarsen) > 1 else ""
    return f"{entry['file']}{series}{averaged}"


def runs_table(record: Mapping[str, Any]) -> Table:
    """Return how each model was run: what it was trained for, weights, measurement check, device, precision and time."""
    rows = []
    for model in models_of(record):
        entries = [entry for entry in record["entries"] if entry["model"] == model]
        seconds = [entry["seconds"] for entry in entries if entry.get("seconds") is not None]
        said = [
            _each(profiles_of(entry) for entry in entries),
            _each((entry["weights_sha256"] or "none")[:12] for entry in entries),
            _each(_CHECKED[entry["consistency"]] for entry in entries),
            _each(entry["device"] for entry in entries),
            _each(entry["precision"] for entry in entries),
        ]
        time = f"{min(seconds):.1f} to {max(seconds):.1f}" if seconds else wording.DASH
        rows.append([model_cell(model), *(Cell(text, "text") for text in said), Cell(time)])
    columns = ["Model", "Trained for", "Weights, SHA-256", "Measurement check", "Device", "Precision", "Seconds per scan"]
    return Table("Models", columns, rows)


def _each(texts: Iterable[str]) -> str:
    """Return the different ones of texts in a line, a dash where there is none."""
    return ", ".join(sorted(set(texts) - {""})) or wording.DASH


def profiles_of(entry: Mapping[str, Any]) -> str:
    """Return the slice profiles that the model was trained for, empty for interpolation."""
    told = entry.get("trained_for") or ""
    return told if isinstance(told, str) else ", ".join(told)
