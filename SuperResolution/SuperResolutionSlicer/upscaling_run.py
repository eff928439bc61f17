"""One upscaling, from volume node to volume node: writes the input, runs the engine, loads the result, leaves no file behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer

from SuperResolutionLib.upscaling import modality_of

from .engine_process import Ending, Outcome
from .engine_run import EngineRun
from .result_node import load_result, origin_of, result_name
from .spread import SPREAD_REFERENCE, load_spread
from .volume_files import write_volume_node
from .volume_nodes import volume_of

# Shares of the whole that a stage usually takes; the network's is by far the largest.
_STAGES = {"reading": (0.02, 0.04), "upscaling": (0.06, 0.84), "checking": (0.90, 0.05), "writing": (0.95, 0.04)}
_STAGES_ADAPTING = {"adapting": (0.06, 0.72), "upscaling": (0.78, 0.12)}
_STAGE_WORDS = {
    "starting": "Starting",
    "reading": "Reading",
    "adapting": "Adapting to this volume",
    "upscaling": "Upscaling",
    "checking": "Checking the measurement",
    "writing": "Writing",
    "loading": "Loading the result",
}


@dataclass(frozen=True)
class Told:
    """How far a run is.

    Attributes
    ----------
    percent : int
        Of the whole run.
    stage : str
        In words.
    seconds_left : float, optional
        Of the stage.
    """

    percent: int
    stage: str
    seconds_left: float | None = None

    def describe(self) -> str:
        """Return stage and remaining time as a few words."""
        if self.seconds_left is None:
            return f"{self.stage}…"
        minutes, seconds = divmod(round(self.seconds_left), 60)
        return f"{self.stage}, {f'{minutes} min {seconds:02d} s' if minutes else f'{seconds} s'} left"


@dataclass(frozen=True)
class Finished:
    """What came of a run.

    Attributes
    ----------
    outcome : Outcome
    node : vtkMRMLScalarVolumeNode or None
        The result, if the run is done; it refers to its spread, if there is one (see `spread`).
    warnings : list of str
        What to know before trusting the result.
    adapted : str
        What came of adapting the model to the volume, in words; empty where that was not asked for.
    """

    outcome: Outcome
    node: slicer.vtkMRMLScalarVolumeNode | None = None
    warnings: list[str] = field(default_factory=list)
    adapted: str = ""

    def describe(self) -> str:
        """Return seconds and measurement check, or what went wrong, as one line."""
        if self.outcome.ending is not Ending.DONE:
            return self.outcome.message
        result = self.outcome.result
        residual = f"{result['residual_before']:.2%} → {result['residual_after']:.2%} of the range"
        where = f" on {result['device']} ({result['precision']})" if result["device"] else ""
        adapted = f" Model {self.adapted}." if self.adapted else ""
        return f"Done in {result['seconds_total']:.1f} s{where}. Measurement check: residual {residual}.{adapted}"


class UpscalingRun(EngineRun):
    """A volume node on its way to a finer one.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode
        The input.
    settings : dict
        Those of `SuperResolutionLib.upscaling.Settings` that differ from the defaults.
    told : callable
        Called with a `Told` from time to time.
    finished : callable
        Called once with a `Finished`, unless the run is abandoned.
    output : vtkMRMLScalarVolumeNode, optional
        The node to fill; without it, or where it is gone at the end, a new one is made.
    name : str, optional
        Of a new node; by default input, factor and model.
    adapt_minutes : float, optional
        Time for fitting the model to the input first; None: it is taken as it is.
    """

    worker = "SuperResolutionLib.worker"

    def __init__(
        self,
        node: slicer.vtkMRMLScalarVolumeNode,
        settings: dict[str, Any],
        told: Callable[[Told], None],
        finished: Callable[[Finished], None],
        output: slicer.vtkMRMLScalarVolumeNode | None = None,
        name: str | None = None,
        adapt_minutes: float | None = None,
    ) -> None:
        super().__init__(finished)
        self._adapt_minutes, self._adapted = adapt_minutes, ""
        self._stages = _STAGES if adapt_minutes is None else _STAGES | _STAGES_ADAPTING
        self._node, self._settings, self._name, self._told = node, settings, name, told
        self._origin = origin_of(node)
        self._output_id = output.GetID() if output else None
        self._warnings: list[str] = []
        self._percent = 0

    def _make_request(self) -> dict[str, Any]:
        node, self._node = self._node, None  # the user may remove it from now on
        volume = volume_of(node)
        thick, fine = self.temporary / "input.nrrd", self.temporary / "result.nrrd"
        write_volume_node(node, thick)
        entries = {"input": str(thick), "output": str(fine), "settings": self._settings, "compress": False}
        # What the panel showed, guess or not, is what the engine works with.
        return {**entries, "adapt_minutes": self._adapt_minutes, "modality": modality_of(volume)}

    def _tell_start(self) -> None:
        self._told(Told(0, _STAGE_WORDS["starting"]))

    def _received(self, message: dict[str, Any]) -> None:
        if message["type"] == "warning":
            self._warnings.append(str(message.get("message", "")))
        if message["type"] == "adapted":
            self._adapted = str(message.get("message", ""))
        if message["type"] == "progress" and message.get("stage") in self._stages:
            start, share = self._stages[message["stage"]]
            self._percent = max(self._percent, int(100 * (start + share * float(message.get("fraction", 0)))))
            self._told(Told(self._percent, _STAGE_WORDS[message["stage"]], message.get("seconds_left")))

    def _conclude(self, outcome: Outcome) -> Finished:
        node = None
        if outcome.ending is Ending.DONE:
            self._told(Told(99, _STAGE_WORDS["loading"]))
            node, outcome = self._load(outcome)
        return Finished(outcome, node, self._warnings, self._adapted)

    def _load(self, outcome: Outcome) -> tuple[slicer.vtkMRMLScalarVolumeNode | None, Outcome]:
        result = outcome.result
        path = self.temporary / "result.nrrd"
        wanted = {"model", "factor", "residual_before", "residual_after", "device", "precision", "seconds_total"}
        if not wanted <= result.keys() or not path.is_file():
            found = f"lacks {', '.join(sorted(wanted - result.keys())) or 'its file'}"
            return None, Outcome(Ending.INVALID, f"the reply of the background process {found}", {}, outcome.log)
        output = slicer.mrmlScene.GetNodeByID(self._output_id) if self._output_id else None
        name = self._name or result_name(self._origin, result["factor"], result["model"])
        try:
            node = load_result(path, self._origin, name, output)
        except RuntimeError as error:
            return None, Outcome(Ending.INVALID, str(error), {}, outcome.log)
        self._load_spread(result.get("spread"), node)
        return node, outcome

    def _load_spread(self, path: str | None, node: slicer.vtkMRMLScalarVolumeNode) -> None:
        if path is None:
            node.SetNodeReferenceID(SPREAD_REFERENCE, None)  # that of an earlier run says nothing of this result
            return
        try:
            load_spread(Path(path), self._origin, node)
        except RuntimeError as error:
            self._warnings.append(str(error))
