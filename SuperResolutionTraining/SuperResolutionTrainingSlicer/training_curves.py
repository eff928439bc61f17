"""The curves of a training run as nodes of the scene: the loss, and PSNR on the subjects kept back against the cubic line."""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from pathlib import Path

import slicer

from .charts import add_chart, add_curve, add_table, fill_table, leave_room_for_legend
from .training_run import Told, Validation

LOSS, PSNR = "loss", "psnr"
_JOURNAL = "progress.jsonl"
_POINTS = 2000
_EVERY_S = 1.0
_VALIDATED = {
    "psnr": "PSNR (dB)",
    "psnr_cubic": "PSNR of cubic (dB)",
    "ncc": "NCC",
    "ncc_cubic": "NCC of cubic",
    "ssim": "SSIM",
    "ssim_cubic": "SSIM of cubic",
}


class TrainingCurves:
    """Two tables that grow, and the charts that draw them.

    Parameters
    ----------
    name : str
        Of the model.
    """

    def __init__(self, name: str) -> None:
        self._steps: list[int] = []
        self._losses: list[float] = []
        self._validations: dict[int, dict[str, float]] = {}
        self._filled_at = 0.0
        loss, validation = add_table(f"{name} loss"), add_table(f"{name} validation")
        self._fill(loss, validation)
        lines = [add_curve(loss, "step", "loss", "loss")]
        curves = [
            add_curve(validation, "step", _VALIDATED["psnr"], name),
            add_curve(validation, "step", _VALIDATED["psnr_cubic"], "cubic", 1, dashed=True),
        ]
        charts = {
            LOSS: add_chart(f"{name}: loss", "step", "loss", lines),
            PSNR: add_chart(f"{name}: PSNR on the subjects kept back", "step", "PSNR (dB)", curves),
        }
        self._tables = loss.GetID(), validation.GetID()
        self._charts = {kind: chart.GetID() for kind, chart in charts.items()}

    @property
    def validations(self) -> int:
        """How often the network was measured so far."""
        return len(self._validations)

    def chart(self, kind: str) -> slicer.vtkMRMLPlotChartNode | None:
        """Return the chart of ``loss`` or ``psnr``; None if the user has removed it."""
        return slicer.mrmlScene.GetNodeByID(self._charts[kind])

    def recall(self, folder: Path) -> None:
        """Take what the engine has kept of the earlier sittings of a run; a damaged line is one point less."""
        journal = folder / _JOURNAL
        lines = journal.read_text(encoding="utf-8", errors="replace").splitlines() if journal.is_file() else []
        for line in lines:
            try:
                point = json.loads(line)
                take, point = (self.add, Told.of(point)) if point["type"] == "progress" else (self.add_validation, Validation.of(point))
            except (ValueError, KeyError, TypeError):
                continue
            take(point)

    def add(self, told: Told) -> None:
        """Take the loss of a step; the curve is thinned where it grows long, and drawn once a second.

        A resumed run does again what came after its checkpoint: an earlier step takes the place of all later ones.
        """
        if told.step is None or told.loss is None:
            return
        kept = bisect_left(self._steps, told.step)
        del self._steps[kept:], self._losses[kept:]
        self._steps.append(told.step)
        self._losses.append(told.loss)
        if len(self._steps) > _POINTS:
            self._steps, self._losses = self._steps[::2], self._losses[::2]
        if time.monotonic() - self._filled_at >= _EVERY_S:
            self.draw()

    def add_validation(self, validation: Validation) -> None:
        """Take the figures of a validation; one of the same step, after a resumption, replaces the earlier."""
        self._validations[validation.step] = validation.figures
        self.draw()

    def draw(self) -> None:
        """Bring the tables in the scene up to date."""
        self._filled_at = time.monotonic()
        nodes = [slicer.mrmlScene.GetNodeByID(each) for each in self._tables]
        if None not in nodes:
            self._fill(*nodes)
        chart = self.chart(PSNR)
        if self._validations and chart is not None:
            leave_room_for_legend(chart, 0, max(self._validations))

    def _fill(self, loss: slicer.vtkMRMLTableNode, validation: slicer.vtkMRMLTableNode) -> None:
        fill_table(loss, {"step": [float(step) for step in self._steps], "loss": self._losses})
        steps = sorted(self._validations)
        figures = {label: [self._validations[step].get(name, float("nan")) for step in steps] for name, label in _VALIDATED.items()}
        fill_table(validation, {"step": [float(step) for step in steps], **figures})
