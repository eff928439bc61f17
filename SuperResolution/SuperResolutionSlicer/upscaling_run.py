"""One upscaling, from volume node to volume node: writes the input, runs the engine, loads the result, leaves no file behind."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer

from SuperResolutionLib.errors import SuperResolutionError
from SuperResolutionLib.upscaling import modality_of

from .engine_process import Ending, EngineProcess, Outcome
from .result_node import load_result, origin_of, result_name
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
        The result, if the run is done.
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


class UpscalingRun:
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
        self._adapt_minutes, self._adapted = adapt_minutes, ""
        self._stages = _STAGES if adapt_minutes is None else _STAGES | _STAGES_ADAPTING
        self._node, self._settings, self._name = node, settings, name
        self._told, self._finished = told, finished
        self._origin = origin_of(node)
        self._output_id = output.GetID() if output else None
        self._warnings: list[str] = []
        self._percent = 0
        self._folder: Path | None = None
        self._process: EngineProcess | None = None
        self.running = False

    @property
    def log(self) -> str:
        """All that the engine said so far."""
        return self._process.log if self._process else ""

    @property
    def folder(self) -> Path | None:
        """The temporary folder while the run lasts."""
        return self._folder

    @property
    def process(self) -> EngineProcess | None:
        """The background process, once started."""
        return self._process

    def start(self) -> None:
        """Write the input and start the engine; returns at once.

        Raises
        ------
        RuntimeError
            If the input has no voxels or cannot be written: disk full, no permission. Nothing is left then.
        """
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="SuperResolution-", dir=slicer.app.temporaryPath))
            request = self._write_request()
            self._process = EngineProcess("SuperResolutionLib.worker", [str(request)], self._received, self._ended)
            self._told(Told(0, _STAGE_WORDS["starting"]))
            self.running = True
            self._process.start()
        except (OSError, RuntimeError, SuperResolutionError) as error:
            self._remove_folder()
            self.running = False
            raise RuntimeError(str(error)) from error
        finally:
            self._node = None  # the user may remove it from now on

    def cancel(self) -> None:
        """End the run within two seconds; `finished` is called."""
        if self._process:
            self._process.cancel()

    def abandon(self) -> None:
        """End the run at once; `finished` is never called."""
        if self.running:
            self.running = False
            self._process.abandon()
            self._remove_folder()

    def _write_request(self) -> Path:
        volume = volume_of(self._node)
        thick, fine = self._folder / "input.nrrd", self._folder / "result.nrrd"
        write_volume_node(self._node, thick)
        request = self._folder / "request.json"
        entries = {"input": str(thick), "output": str(fine), "settings": self._settings, "compress": False, "folder": str(self._folder)}
        entries["adapt_minutes"] = self._adapt_minutes
        # What the panel showed, guess or not, is what the engine works with.
        request.write_text(json.dumps({**entries, "modality": modality_of(volume)}), encoding="utf-8")
        return request

    def _received(self, message: dict[str, Any]) -> None:
        if message["type"] == "warning":
            self._warnings.append(str(message.get("message", "")))
        if message["type"] == "adapted":
            self._adapted = str(message.get("message", ""))
        if message["type"] == "progress" and message.get("stage") in self._stages:
            start, share = self._stages[message["stage"]]
            self._percent = max(self._percent, int(100 * (start + share * float(message.get("fraction", 0)))))
            self._told(Told(self._percent, _STAGE_WORDS[message["stage"]], message.get("seconds_left")))

    def _ended(self, outcome: Outcome) -> None:
        node = None
        try:
            if outcome.ending is Ending.DONE:
                self._told(Told(99, _STAGE_WORDS["loading"]))
                node, outcome = self._load(outcome)
        finally:
            self._remove_folder()
            self.running = False
        self._finished(Finished(outcome, node, self._warnings, self._adapted))

    def _load(self, outcome: Outcome) -> tuple[slicer.vtkMRMLScalarVolumeNode | None, Outcome]:
        result = outcome.result
        path = self._folder / "result.nrrd"
        wanted = {"model", "factor", "residual_before", "residual_after", "device", "precision", "seconds_total"}
        if not wanted <= result.keys() or not path.is_file():
            found = f"lacks {', '.join(sorted(wanted - result.keys())) or 'its file'}"
            return None, Outcome(Ending.INVALID, f"the reply of the background process {found}", {}, outcome.log)
        output = slicer.mrmlScene.GetNodeByID(self._output_id) if self._output_id else None
        name = self._name or result_name(self._origin, result["factor"], result["model"])
        try:
            return load_result(path, self._origin, name, output), outcome
        except RuntimeError as error:
            return None, Outcome(Ending.INVALID, str(error), {}, outcome.log)

    def _remove_folder(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
