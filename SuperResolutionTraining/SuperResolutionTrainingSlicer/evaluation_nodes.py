"""The figures of an evaluation as nodes of the scene: a table of means, tables of slices, and a chart for each axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

from .charts import add_chart, add_curve, add_table, draw_columns, fill_table, leave_room_for_legend
from .figures import CONVENTIONS, in_words, mean_columns, number, write_csv
from .parameters import Axis, Measure, Region


class EvaluationNodes:
    """What an evaluation leaves in the scene.

    Attributes
    ----------
    conventions : str
        How the figures were measured.

    Parameters
    ----------
    scores : dict
        As `evaluation_worker.scores_of` describes them.
    candidate, reference : str
        Names of the volumes.
    """

    def __init__(self, scores: dict[str, Any], candidate: str, reference: str) -> None:
        self._scores = scores
        self._names = {"candidate": candidate}
        self._title = f"{candidate} against {reference}"
        table = add_table(self._title)
        self.conventions: str = scores["conventions"]
        table.SetAttribute(CONVENTIONS, self.conventions)
        fill_table(table, self._summary_columns())
        self._table_id = table.GetID()
        self._series: dict[Axis, dict[str, str]] = {}
        self._charts: dict[Axis, str] = {}
        for axis in Axis:
            self._add_axis(axis)

    @property
    def table(self) -> slicer.vtkMRMLTableNode | None:
        """The table of means; None if the user has removed it."""
        return slicer.mrmlScene.GetNodeByID(self._table_id)

    def chart(self, axis: Axis, measure: Measure, region: Region) -> slicer.vtkMRMLPlotChartNode | None:
        """Return the chart of an axis, drawing a measure over a region; None if the user has removed it."""
        columns = {series: _curve_name(self._name(volume), measure, region) for volume, series in self._series[axis].items()}
        return draw_columns(self._charts[axis], columns, f"{self._title}: {region.label().lower()}", measure.label())

    def as_html(self) -> str:
        """Return mean ± standard deviation over the slices of all axes as a small table."""
        head = "".join(f"<th align='right'>&nbsp;{measure.label()}</th>" for measure in Measure)
        rows = "".join(self._region_as_html(region) for region in Region)
        return f"<html><table><tr><th></th>{head}</tr>{rows}</table></html>"

    def write_csv(self, path: Path) -> list[Path]:
        """Write the means, and beside them the figures of every slice, as two CSV files; return their paths.

        Raises
        ------
        WorkError
            If a file cannot be written.
        """
        slices = path.with_name(f"{path.stem}-slices{path.suffix}")
        write_csv(path, self._summary_columns())
        write_csv(slices, self._slice_columns())
        return [path, slices]

    def _name(self, volume: str) -> str:
        return self._names.get(volume, volume)

    def _summary_columns(self) -> dict[str, list]:
        # What is looked for first stands first: whole volume before foreground, all axes before each.
        rows = sorted(self._scores["summary"], key=lambda row: (row["region"] != Region.WHOLE.value, -len(row["along"]), row["along"]))
        columns: dict[str, list] = {
            "Volume": [self._name(row["volume"]) for row in rows],
            "Voxels": [Region(row["region"]).label() for row in rows],
            "Slices along": [", ".join(row["along"].upper()) for row in rows],
            "Slices": [row["slices"] for row in rows],
        }
        return columns | mean_columns(rows)

    def _slice_columns(self) -> dict[str, list]:
        columns: dict[str, list] = {name: [] for name in ("Volume", "Voxels", "Axis", "Slice", *(m.label() for m in Measure))}
        for curve in self._scores["curves"]:
            count = len(curve["slices"])
            columns["Volume"] += [self._name(curve["volume"])] * count
            columns["Voxels"] += [Region(curve["region"]).label()] * count
            columns["Axis"] += [curve["axis"].upper()] * count
            columns["Slice"] += curve["slices"]
            for measure in Measure:
                columns[measure.label()] += [number(value) for value in curve["values"][measure.value]]
        return columns

    def _add_axis(self, axis: Axis) -> None:
        curves = [curve for curve in self._scores["curves"] if curve["axis"] == axis.value]
        table = add_table(f"{self._title}, slices along {axis.name}")
        columns: dict[str, list] = {"slice": [float(index) for index in curves[0]["slices"]]}
        for curve in curves:
            for measure in Measure:
                name = _curve_name(self._name(curve["volume"]), measure, Region(curve["region"]))
                columns[name] = [number(value) for value in curve["values"][measure.value]]
        fill_table(table, columns)
        volumes = list(dict.fromkeys(curve["volume"] for curve in curves))
        lines = {
            volume: add_curve(
                table, "slice", _curve_name(self._name(volume), Measure.PSNR, Region.WHOLE), self._name(volume), place, dashed=place > 0
            )
            for place, volume in enumerate(volumes)
        }
        self._series[axis] = {volume: line.GetID() for volume, line in lines.items()}
        chart = add_chart(self._title, f"slice along {axis.name}", Measure.PSNR.label(), lines.values())
        leave_room_for_legend(chart, columns["slice"][0] - 0.5, columns["slice"][-1] + 0.5)
        self._charts[axis] = chart.GetID()

    def _region_as_html(self, region: Region) -> str:
        rows = [row for row in self._scores["summary"] if row["region"] == region.value and len(row["along"]) > 1]
        return f"<tr><td><b>{region.label()}</b></td></tr>" + "".join(_row_as_html(row) for row in rows)


def _row_as_html(row: dict[str, Any]) -> str:
    cells = "".join(f"<td align='right'>&nbsp;{in_words(row, measure)}</td>" for measure in Measure)
    return f"<tr><td>{row['volume']}</td>{cells}</tr>"


def _curve_name(volume: str, measure: Measure, region: Region) -> str:
    return f"{volume} {measure.name} {region.value}"
