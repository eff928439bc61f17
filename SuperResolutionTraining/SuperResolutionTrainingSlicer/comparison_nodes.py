"""The figures of a comparison of models as nodes of the scene: a table of models, a table of trials, and a chart."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import slicer

from SuperResolutionLib.interpolation import INTERPOLATIONS

from .charts import add_chart, add_curve, add_table, draw_columns, fill_table, leave_room_for_legend, mark_points
from .figures import CONVENTIONS, in_words, mean_columns, number, write_csv
from .parameters import Measure, Region

BASELINE = "cubic"
TRIAL_CONVENTIONS = (
    "A trial is a scan made thick along one axis and made fine again. Each trial counts with its mean over the slices of all axes; "
    "mean and standard deviation over trials. Gain: PSNR over that of cubic interpolation in the same trial."
)
_EVERY_AXIS = "ijk"
_MARK = " *"
_TRIAL = "trial"


class ComparisonNodes:
    """What a comparison leaves in the scene.

    Attributes
    ----------
    conventions : str
        How the figures were measured.

    Parameters
    ----------
    record : dict
        As `model_comparison.compare` describes it.
    title : str
        What was compared.
    """

    def __init__(self, record: Mapping[str, Any], title: str) -> None:
        self._entries, self._title = record["entries"], title
        # Best first; a model whose PSNR does not exist, last.
        best_first = sorted(record["models"], key=lambda row: -(row["mean"]["psnr"] or 0))
        self._rows = {region: [row for row in best_first if row["region"] == region.value] for region in Region}
        self._models = [row["model"] for row in self._rows[Region.WHOLE]]
        self._trials = list(dict.fromkeys(_trial_of(entry) for entry in self._entries))
        self.conventions = f"{TRIAL_CONVENTIONS} {record['conventions']}"
        table = add_table(title)
        table.SetAttribute(CONVENTIONS, self.conventions)
        fill_table(table, self._model_columns())
        self._table_id = table.GetID()
        self._add_chart()

    @property
    def table(self) -> slicer.vtkMRMLTableNode | None:
        """The table of models; None if the user has removed it."""
        return slicer.mrmlScene.GetNodeByID(self._table_id)

    @property
    def trials(self) -> int:
        """The number of trials."""
        return len(self._trials)

    @property
    def marked(self) -> bool:
        """Whether a model was trained on one of the subjects, and is marked."""
        return any(row["trained_on"] for row in self._rows[Region.WHOLE])

    def chart(self, measure: Measure, region: Region) -> slicer.vtkMRMLPlotChartNode | None:
        """Return the chart, drawing what each model gains over cubic interpolation in each trial; None if the user has removed it."""
        columns = {series: _curve_name(model, measure, region) for model, series in self._series.items()}
        return draw_columns(
            self._chart_id, columns, f"{self._title}: {region.label().lower()}", f"{measure.label()}: difference from {BASELINE}"
        )

    def as_html(self) -> str:
        """Return what each model amounts to as a small table, the best PSNR first."""
        names = ("", "PSNR (dB)", "Gain", "Worst", "NCC", "SSIM", "RMSE")
        head = "".join(f"<th align='right'>&nbsp;{name}</th>" for name in names)
        body = "".join(
            f"<tr><td colspan='{len(names)}'><b>{region.label()}</b></td></tr>" + "".join(map(self._row_as_html, rows))
            for region, rows in self._rows.items()
        )
        return f"<html><table><tr>{head}</tr>{body}</table></html>"

    def write_csv(self, path: Path) -> list[Path]:
        """Write the models, and beside them the figures of every trial, as two CSV files; return their paths.

        Raises
        ------
        WorkError
            If a file cannot be written.
        """
        trials = path.with_name(f"{path.stem}-trials{path.suffix}")
        write_csv(path, self._model_columns())
        write_csv(trials, self._trial_columns())
        return [path, trials]

    def _row_as_html(self, row: Mapping[str, Any]) -> str:
        figures = [in_words(row, Measure.PSNR, deviation=self.trials > 1), *(_signed(row[name]) for name in ("gain_db", "worst_gain_db"))]
        figures += [in_words(row, measure, deviation=False) for measure in (Measure.NCC, Measure.SSIM, Measure.RMSE)]
        cells = "".join(f"<td align='right'>&nbsp;{figure}</td>" for figure in figures)
        return f"<tr><td>{html.escape(row['model'])}{_MARK if row['trained_on'] else ''}</td>{cells}</tr>"

    def _model_columns(self) -> dict[str, list]:
        rows = [row for rows in self._rows.values() for row in rows]
        return {
            "Model": [row["model"] for row in rows],
            "Voxels": [Region(row["region"]).label() for row in rows],
            "Trials": [row["trials"] for row in rows],
            "Gain (dB)": [number(row["gain_db"]) for row in rows],
            "Worst gain (dB)": [number(row["worst_gain_db"]) for row in rows],
            **mean_columns(rows),
            "Trained on a subject": ["yes" if row["trained_on"] else "no" for row in rows],
        }

    def _trial_columns(self) -> dict[str, list]:
        found = [(entry, region, means) for entry in self._entries for region, means in _means(entry).items()]
        names = ("model", "file", "subject", "axis", "factor", "profile", "seconds")
        columns: dict[str, list] = {name.capitalize(): [entry[name] for entry, _, _ in found] for name in names}
        columns["Voxels"] = [region.label() for _, region, _ in found]
        for measure in Measure:
            columns[measure.label()] = [number(means[measure.value]) for _, _, means in found]
        columns["Trained on the subject"] = ["yes" if entry["trained_on"] else "no" for entry, _, _ in found]
        return columns

    def _add_chart(self) -> None:
        table = add_table(f"{self._title}: trials")
        fill_table(table, self._chart_columns())
        lines = {}
        for place, model in enumerate(self._models):
            name = _curve_name(model, Measure.PSNR, Region.WHOLE)
            lines[model] = add_curve(table, _TRIAL, name, model, place, dashed=model in INTERPOLATIONS)
            mark_points(lines[model], place, "scan")
        self._series = {model: line.GetID() for model, line in lines.items()}
        chart = add_chart(self._title, _axis_title(self._trials), "", lines.values())
        leave_room_for_legend(chart, 0.5, 0.5 + self.trials)
        self._chart_id = chart.GetID()

    def _chart_columns(self) -> dict[str, list]:
        means = {(_trial_of(entry), entry["model"]): _means(entry) for entry in self._entries}
        columns: dict[str, list] = {_TRIAL: [float(place) for place in range(1, len(self._trials) + 1)]}
        columns["scan"] = [f"{subject} along {axis.upper()}" for _, _, subject, axis in self._trials]
        for model in self._models:
            for region in Region:
                for measure in Measure:
                    ours, base = (
                        [number(means[trial, name][region][measure.value] if (trial, name) in means else None) for trial in self._trials]
                        for name in (model, BASELINE)
                    )
                    columns[_curve_name(model, measure, region)] = [our - its for our, its in zip(ours, base)]
        return columns


def _trial_of(entry: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return what tells the trials of one comparison apart."""
    return entry["file"], entry["series"], entry["subject"], entry["axis"]


def _means(entry: Mapping[str, Any]) -> dict[Region, Mapping[str, float | None]]:
    return {Region(each["region"]): each["mean"] for each in entry["summary"] if each["along"] == _EVERY_AXIS}


def _axis_title(trials: Iterable[tuple[str, str, str, str]]) -> str:
    """Say what the numbers of the trials stand for, where that is a few words; else the labels of the points do."""
    trials = list(trials)
    if len({trial[:3] for trial in trials}) > 1:
        return "trial: a scan made thick along one axis"
    return "thick axis: " + ", ".join(f"{place} = {trial[3].upper()}" for place, trial in enumerate(trials, 1))


def _signed(decibels: float | None) -> str:
    return "–" if decibels is None else f"{decibels:+.2f}"


def _curve_name(model: str, measure: Measure, region: Region) -> str:
    return f"{model} {measure.name} {region.value}"
