"""One sitting of a training run: starts the engine, hears of its progress, and leaves the run's folder behind, from which it can go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import SuperResolutionError, WorkError
from SuperResolutionLib.model_zoo import add_model
from SuperResolutionSlicer.engine_process import Ending, Outcome
from SuperResolutionSlicer.engine_run import EngineRun

from .run_folders import write_request, write_result

SILENCE_S = 3600
"""A validation, or the measurement of a large network on a CPU, takes a fraction of it."""
_PAUSED_SILENCE_S = 20 * 24 * 3600
_NOTES = 5
"""Warnings that are shown; a folder of scans may give one for each of its files, and all of them are in the log."""


@dataclass(frozen=True)
class Told:
    """How far training is.

    Attributes
    ----------
    percent : int
        Of the time that it takes, or of the steps where that is not known yet.
    stage : str
        In words.
    step : int, optional
    loss : float, optional
        Mean since the last one.
    seconds_left : float, optional
    """

    percent: int
    stage: str
    step: int | None = None
    loss: float | None = None
    seconds_left: float | None = None

    @classmethod
    def of(cls, message: dict[str, Any]) -> Told:
        """Return what a ``progress`` line of the engine says."""
        done, whole, left = message["step"], message["steps"], message.get("seconds_left")
        if left is not None:
            done, whole = message["seconds"], message["seconds"] + left
        return cls(int(100 * done / whole) if whole else 0, "Training,", message["step"], message.get("loss"), left)

    def describe(self) -> str:
        """Return stage, step, loss and remaining time as a few words."""
        step = "" if self.step is None else f" step {self.step}"
        loss = "" if self.loss is None else f", loss {self.loss:.3g}"
        left = "" if self.seconds_left is None else f", {_duration(self.seconds_left)} left"
        return f"{self.stage}{step}{loss}{left}"


@dataclass(frozen=True)
class Validation:
    """How good the network was on the subjects kept back; the figures are those of the engine."""

    step: int
    figures: dict[str, float]
    best: bool
    preview: Path | None

    @classmethod
    def of(cls, message: dict[str, Any]) -> Validation:
        """Return what a ``validation`` line of the engine says."""
        figures = {name: value for name, value in message.items() if isinstance(value, float)}
        preview = Path(message["preview"]) if message.get("preview") else None
        return cls(message["step"], figures, bool(message.get("best")), preview)

    def describe(self) -> str:
        """Return the gain over cubic interpolation as one line."""
        psnr, cubic = self.figures.get("psnr"), self.figures.get("psnr_cubic")
        if psnr is None or cubic is None:
            return f"Step {self.step}: not measured"
        best = ", the best so far" if self.best else ""
        return f"Step {self.step}: PSNR {psnr:.2f} dB, cubic {cubic:.2f} dB ({psnr - cubic:+.2f}){best}"


@dataclass(frozen=True)
class Finished:
    """What came of a sitting.

    Attributes
    ----------
    outcome : Outcome
    folder : Path
        Of the run.
    model : str
        Id of the new model among the user's own; empty if there is none.
    warnings : list of str
    """

    outcome: Outcome
    folder: Path
    model: str = ""
    warnings: list[str] = field(default_factory=list)

    def describe(self) -> str:
        """Return the gain, or what went wrong, as one line."""
        if self.outcome.ending is not Ending.DONE:
            return self.outcome.message
        gains = ", ".join(f"×{factor} {gain:+.2f} dB" for factor, gain in (self.outcome.result.get("gain_db") or {}).items())
        seconds = _duration(float(self.outcome.result.get("seconds", 0)))
        return f"Trained in {seconds}; model '{self.model}' is among your models. Gain over cubic: {gains or 'not measured'}."

    def notes(self) -> list[str]:
        """Return the first warnings as one line each, and how many there are besides."""
        more = len(self.warnings) - _NOTES
        return [f"Note: {warning}" for warning in self.warnings[:_NOTES]] + ([f"… and {more} more, see Details."] if more > 0 else [])


@dataclass(frozen=True)
class Followers:
    """Who hears of a run: its progress, its validations, that something else changed, and, once, its end unless it is abandoned."""

    told: Callable[[Told], None]
    validated: Callable[[Validation], None]
    changed: Callable[[], None]
    finished: Callable[[Finished], None]


class TrainingRun(EngineRun):
    """A training run in its folder; however a sitting ends, it can be resumed from its last checkpoint.

    Parameters
    ----------
    folder : Path
        Holds what makes the run: made if absent, never removed.
    request : dict
        See `training_request.make_request`.
    resume : bool
        Go on from the checkpoint in the folder.
    followers : Followers
    """

    worker = "SuperResolutionTrainingLib.worker"
    silence_s = SILENCE_S

    def __init__(self, folder: Path, request: dict[str, Any], resume: bool, followers: Followers) -> None:
        super().__init__(followers.finished)
        self.folder, self._request, self._resume, self._followers = folder, request, resume, followers
        self._warnings: list[str] = []
        self.began = self.paused = self.stopping = False

    def _make_request(self) -> dict[str, Any]:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_request(self.folder, self._request)
        return {**self._request, "out": str(self.folder), "resume": self._resume}

    def _tell_start(self) -> None:
        self._followers.told(Told(0, "Starting…"))

    def pause(self) -> None:
        """Have the engine wait after the step that it is in."""
        self._process.silence(_PAUSED_SILENCE_S)
        (self.folder / "pause").touch()
        self.paused = True
        self._followers.changed()

    def go_on(self) -> None:
        """Let a paused engine go on."""
        (self.folder / "pause").unlink(missing_ok=True)
        self._process.silence(SILENCE_S)
        self.paused = False
        self._followers.changed()

    def keep_best(self) -> None:
        """End training after the step that it is in, and keep the best network so far."""
        (self.folder / "stop").touch()
        self.stopping = True
        if self.paused:
            self.go_on()
        self._followers.changed()

    def stop(self) -> None:
        """End the engine within two seconds; the run can be resumed from its last checkpoint."""
        self.cancel()

    def _received(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "plan":
            # From here on the engine looks for the files that pause and stop it; it has removed earlier ones.
            self.began = True
            self._followers.changed()
        elif kind == "progress":
            self._followers.told(Told.of(message))
        elif kind == "validation":
            self._followers.validated(Validation.of(message))
        elif kind == "measuring":
            # Nothing looks for those files any more, so an engine that was asked too late to pause does not wait.
            self.began = self.paused = False
            self._process.silence(SILENCE_S)
            self._followers.told(Told(100, f"Measuring the model: {message.get('message', '')}"))
            self._followers.changed()
        elif kind == "warning":
            self._warnings.append(str(message.get("message", "")))

    def _conclude(self, outcome: Outcome) -> Finished:
        self.paused = False
        model = ""
        if outcome.ending is Ending.DONE:
            try:
                model = add_model(outcome.result["model"]).id
            except (KeyError, SuperResolutionError) as error:
                outcome = Outcome(Ending.INVALID, f"the model was trained, but could not be added: {error}", {}, outcome.log)
            else:
                self._mark_as_finished(outcome.result)
        return Finished(outcome, self.folder, model, self._warnings)

    def _mark_as_finished(self, result: dict[str, Any]) -> None:
        try:
            write_result(self.folder, result)
        except WorkError as error:
            self._warnings.append(f"the run stays among those that can be resumed: {error}")


def _duration(seconds: float) -> str:
    """Return seconds in the largest two units."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours:02d} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
