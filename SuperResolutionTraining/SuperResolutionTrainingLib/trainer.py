"""Trains the network of a recipe: seeded, resumable to the identical state, alone or in several processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from SuperResolutionLib.devices import place_network
from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.model_file import offered_factors
from SuperResolutionLib.networks import build_network

from .ahead import Ahead, Batch
from .averaging import Average
from .checkpoint import FILE
from .control import Control
from .distributed import Group
from .fixed_set import FixedSet
from .learner import Learner
from .losses import build_loss
from .made import Made, Setting
from .network_contract import check_contract
from .network_pass import NetworkPass, make
from .precision import choose_training_precision
from .recipe import Recipe
from .run_state import RunState
from .samples import PatchSampler
from .timetable import Timetable

_CHECKPOINT_EVERY_S = 60
_REPORT_EVERY_S = 1.0
_REPORT_SHARE = 0.005
"""A report comes after this part of the time so far at the earliest: long runs have no more points than a plot can show."""

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Trained:
    """The outcome of a run.

    Attributes
    ----------
    network : Module
        With the weights that are the model.
    step : int
        That they are from.
    steps : int
        Done in all.
    seconds : float
        Of training, all sittings together.
    ended : str
        By what: ``steps``, ``minutes``, ``stop`` or ``patience``.
    """

    network: nn.Module
    step: int
    steps: int
    seconds: float
    ended: str


class Trainer:
    """A run that goes on from wherever it is.

    Parameters
    ----------
    recipe : Recipe
        With its scans.
    data : Path
        Folder of the scans.
    out : Path
        Folder for checkpoint and previews; made if absent.
    group : Group
        The processes that train together, and their device.
    tell : callable, optional
        Called with the messages ``plan``, ``progress``, ``validation``, ``paused`` and ``resumed``, see `worker`; by one process alone.
    start : dict of Tensor, optional
        Weights to start from; those whose name and shape fit are taken.
    cache : Path, optional
        See `PatchSampler`.

    Raises
    ------
    RequestError
        If network, losses and recipe do not fit each other, or a scan cannot be read.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Path,
        out: Path,
        group: Group,
        tell: Tell | None = None,
        start: dict[str, Tensor] | None = None,
        cache: Path | None = None,
    ) -> None:
        torch.manual_seed(recipe.seed)
        self._recipe, self._out, self._group = recipe, out, group
        self._tell: Tell = tell if tell and group.leads else lambda message: None
        self._network = build_network(recipe.network, recipe.arguments)
        _check_task(recipe, self._network)
        _check_factors(recipe, self._network)
        check_contract(self._network, recipe.network)
        _take_fitting(self._network, start or {})
        place_network(self._network, group.device)
        setting = Setting(self._network, recipe, group.device, group)
        self._losses = {name: build_loss(name, setting) for name in sorted({n for stage in recipe.stages for n in stage.losses})}
        self._learner = Learner(self._network, setting, NetworkPass(self._network, "intermediate" in self._losses))
        learners = {name: loss.learner for name, loss in self._losses.items() if hasattr(loss, "learner")}
        average = Average(self._network, recipe.average) if recipe.average else None
        self._state = RunState(recipe, {"network": self._learner, **learners}, average)
        self._sampler = PatchSampler(recipe, data, recipe.drawn_factors or self._network.factors, cache)
        watched = bool(recipe.validate_every) and group.leads
        self._fixed_set = FixedSet(recipe, data, self._network.factors) if watched else None
        self._timetable = Timetable(recipe)

    def resume(self) -> None:
        """Take up the state of the checkpoint in the run's folder.

        Raises
        ------
        RequestError
            If there is none, or one of another recipe.
        """
        self._state.restore(self._out / FILE)

    def run(self) -> Trained:
        """Train to the end.

        Raises
        ------
        WorkError
            If loss or gradient is not a number (the last checkpoint is kept), it is stopped before its first step, or its folder cannot
            be written to.
        """
        self._make_folder(self._out)
        control = Control(self._out) if self._group.leads else None
        self._rehearse()
        if self._state.dtype is None:
            self._state.dtype = self._choose_precision()
        self._tell(self._plan())
        self._state.stopwatch.start()
        # Where sampling is quick beside the network, threads would only take its cores.
        sampler = Ahead(self._sampler, self._group.size) if self._group.device.type == "cuda" else None
        try:
            ended = self._loop(sampler or self._sampler, control)
            seconds = self._state.stopwatch.seconds
        finally:
            if sampler:
                sampler.close()
        if not self._state.step:
            raise WorkError(f"training of {self._recipe.id}: stopped before its first step, so there is no network to keep")
        if self._group.leads:
            self._save()
            control.clear()
            # After saving: a run that is resumed must not remember a validation that it would not have made.
            if self._state.best.measured != self._state.step:
                self._validate()
        step = self._state.best.step if self._state.best.weights else self._state.step
        return Trained(self._model(), step, self._state.step, seconds, ended)

    def _loop(self, sampler: PatchSampler | Ahead, control: Control | None) -> str:
        saved = reported = time.monotonic()
        total, count = 0.0, 0
        while True:
            if control:
                self._state.stopwatch.leave_out(control.wait_while_paused(self._pauses, self._goes_on))
            seconds = self._state.stopwatch.seconds
            stopped = control is not None and control.is_stopped
            vain = bool(self._recipe.patience) and self._state.best.in_vain >= self._recipe.patience
            # One process decides, so that all take the same step.
            point, stopped, vain = self._group.agree(self._timetable.point(self._state.step, seconds), stopped, vain)
            over = self._timetable.is_over(point)
            now = time.monotonic()
            if count and (over or stopped or vain or now - reported >= max(_REPORT_EVERY_S, _REPORT_SHARE * seconds)):
                self._report(total / count, seconds)
                total, count, reported = 0.0, 0, now
            if over or stopped or vain:
                return "stop" if stopped else "patience" if vain else "steps" if self._state.step >= self._recipe.steps else "minutes"
            loss = self._group.mean(self._train_step(sampler, point))
            total, count = total + loss, count + 1
            due = self._is_validation_due()
            if due:
                self._validate()
            if self._group.leads and (due or now - saved >= _CHECKPOINT_EVERY_S):
                self._save()
                saved = now

    def _train_step(self, sampler: PatchSampler | Ahead, point: float) -> float:
        """Take one step and return its loss."""
        number = self._group.number_of(self._state.step)
        # What a network or loss may draw depends on the step alone, so a checkpoint need not keep it.
        torch.manual_seed(self._recipe.seed + number)
        stage = self._recipe.stages[self._timetable.stage(point)]
        rate = self._timetable.learning_rate(self._state.step, point)
        made = make(self._learner.passing, sampler.batch(number), self._recipe.patches, self._state.dtype, self._group.device)
        loss = self._loss(made, stage.losses)
        try:
            self._learner.learn(loss, rate)
            for name in stage.losses:
                if hasattr(self._losses[name], "learner"):
                    self._losses[name].learn(made, rate)
        except WorkError as error:
            advice = f"a lower learning rate than {stage.learning_rate:g} may help; the last good checkpoint is kept"
            raise WorkError(f"training of {self._recipe.id}: {error} at step {self._state.step}; {advice}") from error
        if self._state.average:
            self._state.average.add(self._network, self._state.step)
        self._state.step += 1
        return loss.item()

    def _loss(self, made: Made, weights: dict[str, float]) -> Tensor:
        return sum(weight * self._losses[name](made) for name, weight in weights.items())

    def _is_validation_due(self) -> bool:
        return self._fixed_set is not None and (
            self._state.step % self._recipe.validate_every == 0 or self._state.step == self._recipe.steps
        )

    def _validate(self) -> None:
        """Measure the network, and keep its weights if they are the best."""
        if not self._fixed_set:
            return
        preview = self._out / "previews" / f"step-{self._state.step:07}.png"
        self._make_folder(preview.parent)
        figures = self._fixed_set.measure(self._outcome(), self._group.device, preview)
        stage = self._recipe.stages[self._timetable.stage(self._timetable.point(self._state.step - 1, self._state.stopwatch.seconds))]
        fidelity = all(getattr(self._losses[name], "fidelity", True) for name in stage.losses)
        best = self._state.best.offer(figures.psnr, self._state.step, self._outcome(), fidelity)
        cubic = {f"{name}_cubic": value for name, value in asdict(self._fixed_set.cubic).items()}
        self._tell({"type": "validation", "step": self._state.step, **asdict(figures), **cubic, "best": best, "preview": str(preview)})

    @staticmethod
    def _make_folder(path: Path) -> None:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkError(f"{path}: not made, {error.strerror or error}") from error

    def _outcome(self) -> nn.Module:
        return self._state.average.network if self._state.average else self._network

    def _model(self) -> nn.Module:
        network = self._outcome()
        if self._state.best.weights:
            network.load_state_dict(self._state.best.weights)
        return network.eval()

    @torch.no_grad()
    def _rehearse(self) -> None:
        """Have every loss look at a batch of each kind: one that cannot take it says so now, not when its stage comes."""
        judges = [learner.module for learner in self._state.learners.values()]
        for judge in judges:
            judge.eval()
        for number in range(2 if self._recipe.task == "both" else 1):
            made = self._made_alone(self._sampler.batch(number), torch.float32)
            for loss in self._losses.values():
                loss(made)
        for judge in judges:
            judge.train()

    def _made_alone(self, batch: Batch, dtype: torch.dtype) -> Made:
        alone = NetworkPass(self._network, "intermediate" in self._losses)
        return make(alone, batch, self._recipe.patches, dtype, self._group.device)

    def _choose_precision(self) -> torch.dtype:
        """Try one step in each number type; one process decides for all."""
        chosen = torch.float32
        if self._group.leads:
            batch, losses = self._sampler.batch(0), self._recipe.stages[0].losses

            def attempt(dtype: torch.dtype) -> None:
                self._loss(self._made_alone(batch, dtype), losses).backward()
                self._network.zero_grad(set_to_none=True)

            chosen = choose_training_precision(self._recipe.precision, self._group.device, attempt)
        (reduced,) = self._group.agree(chosen == torch.bfloat16)
        return torch.bfloat16 if reduced else torch.float32

    def _save(self) -> None:
        # A step can spoil weights and only the next one shows it.
        if all(learner.is_sound() for learner in self._state.learners.values()):
            self._state.save(self._out / FILE)

    def _plan(self) -> dict[str, Any]:
        def subjects(split: str) -> list[str]:
            return list(dict.fromkeys(scan.subject for scan in self._recipe.scans if scan.split == split))

        return {
            "type": "plan",
            "steps": self._recipe.steps,
            "first_step": self._state.step,
            "stages": [{"steps": stage.steps, "losses": stage.losses} for stage in self._recipe.stages],
            "minutes": self._recipe.minutes,
            "network": self._recipe.network,
            "parameters": sum(weight.numel() for weight in self._network.parameters()),
            "device": str(self._group.device),
            "precision": self._state.precision,
            "processes": self._group.size,
            "train": subjects("train"),
            "validation": subjects("validation"),
        }

    def _report(self, loss: float, seconds: float) -> None:
        self._tell(
            {
                "type": "progress",
                "step": self._state.step,
                "steps": self._recipe.steps,
                "stage": self._timetable.stage(self._timetable.point(self._state.step - 1, seconds)),
                "loss": loss,
                "seconds": seconds,
                "seconds_left": self._timetable.seconds_left(self._state.step, seconds),
            }
        )

    def _pauses(self) -> None:
        self._save()
        self._tell({"type": "paused", "step": self._state.step})

    def _goes_on(self) -> None:
        self._tell({"type": "resumed", "step": self._state.step})


def _check_task(recipe: Recipe, network: nn.Module) -> None:
    if network.task not in (recipe.task, "both"):
        accepted = "axis, plane or both" if network.task == "both" else network.task
        raise RequestError(f"recipe: task '{recipe.task}' with network '{recipe.network}': accepted is {accepted}")


def _check_factors(recipe: Recipe, network: nn.Module) -> None:
    offered = offered_factors(network.factors, recipe.progressive or network.progressive)
    for name, accepted in (("drawn_factors", network.factors), ("validated_factors", offered)):
        wrong = [factor for factor in getattr(recipe, name) if factor not in accepted]
        if wrong:
            raise RequestError(f"recipe: {name} {wrong[0]} with network '{recipe.network}': accepted are {', '.join(map(str, accepted))}")


def _take_fitting(network: nn.Module, weights: dict[str, Tensor]) -> None:
    own = network.state_dict()
    fitting = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    network.load_state_dict(own | fitting)
