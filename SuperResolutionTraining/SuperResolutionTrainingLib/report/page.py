"""The report of a comparison: one HTML file that holds all it needs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from SuperResolutionLib.volume import AXES
from SuperResolutionLib.whole import whole_file

from ..made_thick import direction_of
from ..plain_data import as_json
from . import comparisons, tables, wording
from .charts import FEWEST_FOR_A_BOX, box_plot, curves, limits_of
from .findings import findings
from .measured import MeasuredTrial, Setting, models_of, per_subject, settings_of, telling_trials, trials_of
from .palette import Ink, inks_for
from .panels import Panels, panels_of

FILE = "report.html"


@dataclass(frozen=True)
class Chart:
    """An SVG element with its caption."""

    caption: str
    svg: str


@dataclass(frozen=True)
class Curves:
    """The curves of a trial along its three axes."""

    title: str
    charts: list[Chart]


@dataclass(frozen=True)
class Pictures:
    """The panels of a trial, or why there are none."""

    title: str
    panels: Panels | None
    missing: str = ""


def write_report(record: Mapping[str, Any], folder: Path) -> Path:
    """Write the report of a comparison.

    Parameters
    ----------
    record : mapping
        As `model_comparison.compare` returns it, and ``comparison.json`` holds it.
    folder : Path
        Of the comparison, with the planes that were kept; ``report.html`` appears in it whole or not at all.

    Returns
    -------
    Path
        Of the report.

    Raises
    ------
    WorkError
        If it cannot be written.
    """
    # Figures that are not finite are missing ones.
    page = _page(as_json(record), folder)
    path = folder / FILE
    with whole_file(path) as partial:
        partial.write_text(page, encoding="utf-8", errors="replace")
    return path


def _page(record: Mapping[str, Any], folder: Path) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    settings = settings_of(record["entries"])
    inks = inks_for(models_of(record), record["baseline"])
    measures = (comparisons.measures_table(record, setting) for setting in settings)
    return environment.get_template("template.html").render(
        facts=_facts(record),
        inks=inks,
        findings=findings(record),
        seen=tables.SEEN if any(entry["trained_on"] for entry in record["entries"]) else "",
        baseline=record["baseline"] if len(inks) > 1 else "",
        failures=record.get("failures") or [],
        models=[(each.title, tables.models_tables(record, each)) for each in settings],
        boxes=list(_boxes(record, settings, inks)),
        fewest=FEWEST_FOR_A_BOX,
        tests=[(each.title, found) for each in settings if (found := comparisons.tests_tables(record, each))],
        crossed=comparisons.cross_tables(record),
        measures=[table for table in measures if table],
        curves=list(_curves(record, settings, inks)),
        pictures=list(_pictures(record, settings, folder)),
        scans=[tables.scans_table(record, setting) for setting in settings],
        runs=tables.runs_table(record),
        conventions=re.split(r"(?<=\.) (?=[A-Z])", record["conventions"]),
        versions=record.get("versions") or {},
        command=_command(record.get("command")),
    )


def _facts(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what was compared, as names and values."""
    entries = record["entries"]
    scans = {(entry["file"], entry["series"]): entry for entry in entries}
    subjects = {entry["subject"] for entry in entries}
    modalities = sorted({entry["modality"] for entry in entries if entry["modality"]})
    axes = sorted({entry["axis"] for entry in entries if entry["axis"]})
    settings = settings_of(entries)
    trials = wording.count(sum(len(trials_of(record, setting)) for setting in settings), "trial")
    of = f" ({wording.listed(modalities)})" if modalities else ""
    if all(setting.factor is None for setting in settings):
        how = [("Compared", "each candidate with the reference of its name")]
    else:
        one_by_one = [axis for axis in axes if axis in AXES]
        ways = [*([wording.listed(one_by_one)] if one_by_one else []), *(axis for axis in axes if axis not in AXES)]
        along = f", {wording.listed(list(map(direction_of, ways)))}"
        how = [
            ("Slices made thick", "; ".join(setting.title for setting in settings) + along),
            ("Compared", f"the scans with what each model made of them, in {trials}: one for each way to make a scan thick"),
        ]
    scanned = f"{len(scans)} of {wording.count(len(subjects), 'subject')}{of}"
    return [("Scans", scanned), *how, ("Date", record.get("date") or date.today().isoformat())]


def _boxes(record: Mapping[str, Any], settings: Sequence[Setting], inks: Mapping[str, Ink]) -> Iterable[Chart]:
    for setting in settings:
        trials = trials_of(record, setting)
        for region in tables.regions_of(record, setting):
            values = {model: per_subject(trials, model, region=region) for model in inks}
            values = {model: each for model, each in values.items() if each}
            if values:
                yield Chart(f"{setting.title}: {wording.REGIONS[region].lower()}", box_plot(values, inks, wording.LABELS["psnr"]))


def _curves(record: Mapping[str, Any], settings: Sequence[Setting], inks: Mapping[str, Ink]) -> Iterable[Curves]:
    for setting in settings:
        for why, trial in telling_trials(record, setting):
            along = {model: (entry.get("curves") or {}).get("whole") or {} for model, entry in trial.entries.items()}
            limits = limits_of([value for each in along.values() for curve in each.values() for value in curve["psnr"]])
            charts = []
            for axis in sorted({axis for each in along.values() for axis in each}):
                lines = {model: (each[axis]["slices"], each[axis]["psnr"]) for model, each in along.items() if axis in each}
                thick = ", the thick axis" if axis == trial.first["axis"] else ""
                charts.append(Chart(f"along {axis}{thick}", curves(lines, inks, f"slice along {axis}", limits)))
            if charts:
                yield Curves(_title(setting, why, trial), charts)


def _pictures(record: Mapping[str, Any], settings: Sequence[Setting], folder: Path) -> Iterable[Pictures]:
    for setting in settings:
        for why, trial in telling_trials(record, setting):
            title = _title(setting, why, trial)
            found = panels_of(title, trial, folder)
            yield Pictures(title, None, found) if isinstance(found, str) else Pictures(title, found)


def _title(setting: Setting, why: str, trial: MeasuredTrial) -> str:
    axis = f", {direction_of(trial.first['axis'])}" if trial.first["axis"] else ""
    return f"{setting.title}{axis}. {trial.subject}: {why}"


def _command(command: str | Sequence[str] | None) -> str:
    return command if isinstance(command, str) else shlex.join(command or ())
