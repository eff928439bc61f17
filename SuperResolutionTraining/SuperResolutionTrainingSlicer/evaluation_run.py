"""One evaluation, from volume nodes to figures: writes them, runs the engine, reads its figures, leaves no file behind."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

from SuperResolutionLib.errors import SuperResolutionError
from SuperResolutionSlicer.engine_process import Ending, EngineProcess, Outcome
from SuperResolutionSlicer.volume_files import write_volume_node

_WORKER = "SuperResolutionTrainingLib.evaluation_worker"


@dataclass(frozen=True)
class Evaluated:
    """What came of an evaluation.

    Attributes
    ----------
    outcome : Outcome
    scores : dict or None
        The figures, as `evaluation_worker.scores_of` describes them, if it is done.
    candidate, reference : str
        Names of the nodes when it began.
    """

    outcome: Outcome
    scores: dict[str, Any] | None
    candidate: str
    reference: str


class EvaluationRun:
    """Volume nodes on their way to a table.

    Parameters
    ----------
    volumes : dict of str to vtkMRMLScalarVolumeNode
        ``candidate``, ``reference`` and, where interpolations are to be measured too, the thick ``input``.
    told : callable
        Called with percent and stage from time to time.
    finished : callable
        Called once with an `Evaluated`, unless the run is abandoned.
    """

    def __init__(
        self,
        volumes: dict[str, slicer.vtkMRMLScalarVolumeNode],
        told: Callable[[int, str], None],
        finished: Callable[[Evaluated], None],
    ) -> None:
        self._volumes, self._told, self._finished = volumes, told, finished
        self._names = volumes["candidate"].GetName(), volumes["reference"].GetName()
        self._folder: Path | None = None
        self._process: EngineProcess | None = None
        self.running = False

    @property
    def process(self) -> EngineProcess | None:
        """The background process, once started."""
        return self._process

    def start(self) -> None:
        """Write the volumes and start the engine; returns at once.

        Raises
        ------
        RuntimeError
            If a volume has no voxels or cannot be written. Nothing is left then.
        """
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="SuperResolution-", dir=slicer.app.temporaryPath))
            request = self._write_request()
            self._process = EngineProcess(_WORKER, [str(request)], self._received, self._ended)
            self._told(0, "starting")
            self.running = True
            self._process.start()
        except (OSError, RuntimeError, SuperResolutionError) as error:
            self._remove_folder()
            self.running = False
            raise RuntimeError(str(error)) from error
        finally:
            self._volumes = {}  # the user may remove them from now on

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
        entries = {"scores": str(self._folder / "scores.json"), "folder": str(self._folder)}
        for role, node in self._volumes.items():
            entries[role] = str(self._folder / f"{role}.nrrd")
            write_volume_node(node, Path(entries[role]))
        request = self._folder / "request.json"
        request.write_text(json.dumps(entries), encoding="utf-8")
        return request

    def _received(self, message: dict[str, Any]) -> None:
        if message["type"] == "progress":
            self._told(int(100 * message.get("fraction", 0)), str(message.get("stage", "")))

    def _ended(self, outcome: Outcome) -> None:
        scores = None
        try:
            if outcome.ending is Ending.DONE:
                scores = json.loads((self._folder / "scores.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            outcome = Outcome(Ending.INVALID, f"the figures of the background process cannot be read: {error}", {}, outcome.log)
        finally:
            self._remove_folder()
            self.running = False
        self._finished(Evaluated(outcome, scores, *self._names))

    def _remove_folder(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
