"""All that a run needs to go on where it was."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from SuperResolutionLib.errors import RequestError

from .averaging import Average
from .best import Best
from .checkpoint import optimiser_tensors, read_checkpoint, restore_optimiser, under, write_checkpoint
from .learner import Learner
from .recipe import Recipe
from .timetable import Stopwatch


@dataclass
class RunState:
    """The state of a run between two steps; batches, rates and random numbers follow from the recipe and the step.

    Attributes
    ----------
    recipe : Recipe
    learners : dict of str to Learner
        The network, and what the losses learn themselves.
    average : Average, optional
    best : Best
    step : int
        Steps done.
    dtype : torch.dtype, optional
        Number type of the training; None before it is chosen.
    stopwatch : Stopwatch
    """

    recipe: Recipe
    learners: dict[str, Learner]
    average: Average | None = None
    best: Best = field(default_factory=Best)
    step: int = 0
    dtype: torch.dtype | None = None
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    @property
    def precision(self) -> str:
        """The name of the number type."""
        return str(self.dtype).removeprefix("torch.")

    def save(self, path: Path) -> None:
        """Write the state; raises WorkError if the file cannot be written."""
        numbers = {
            "recipe": self.recipe.as_dict(),
            "step": self.step,
            "seconds": self.stopwatch.seconds,
            "precision": self.precision,
            "best": self.best.numbers(),
        }
        tensors = {f"best/{name}": value for name, value in self.best.weights.items()}
        for name, module in self._modules().items():
            tensors |= {f"{name}/{key}": value for key, value in module.state_dict().items()}
        for name, learner in self.learners.items():
            tensors |= {f"optimiser of {name}/{key}": value for key, value in optimiser_tensors(learner.optimiser).items()}
        write_checkpoint(path, numbers, tensors)

    def restore(self, path: Path) -> None:
        """Take up a state that was saved.

        Raises
        ------
        RequestError
            If there is none, or one of another recipe.
        """
        numbers, tensors = read_checkpoint(path)
        changed = _changed_entries(numbers["recipe"], self.recipe.as_dict())
        if changed:
            found = f"made with another recipe: {', '.join(changed)} differ"
            raise RequestError(f"{path}: {found}; resume takes the recipe that the run was started with, and more minutes")
        for name, module in self._modules().items():
            module.load_state_dict(under(name, tensors))
        for name, learner in self.learners.items():
            restore_optimiser(learner.optimiser, under(f"optimiser of {name}", tensors))
        self.best = Best(**numbers["best"], weights=under("best", tensors))
        self.step = numbers["step"]
        self.dtype = getattr(torch, numbers["precision"])
        self.stopwatch = Stopwatch(numbers["seconds"])

    def _modules(self) -> dict[str, nn.Module]:
        modules = {name: learner.module for name, learner in self.learners.items()}
        return modules | ({"average": self.average.network} if self.average else {})


def _changed_entries(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the entries in which a recipe differs from that of a checkpoint; the budget may."""
    now = json.loads(json.dumps(now))
    return [name for name in sorted(now.keys() | before.keys()) if name != "minutes" and now.get(name) != before.get(name)]
