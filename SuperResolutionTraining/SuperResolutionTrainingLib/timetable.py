"""Which stage a step belongs to, how large its learning rate is, and when training ends."""

from __future__ import annotations

import math
import time

from .recipe import Recipe, Stage

_WARMUP = 100
_WARMUP_SHARE = 0.05


class Timetable:
    """Steps laid over stages and schedule.

    Where the time runs out before the steps do, the run is as far as its time: stages and schedule shrink to the minutes there are.

    Parameters
    ----------
    recipe : Recipe
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._steps = recipe.steps
        self._limit = 60 * recipe.minutes

    def point(self, step: int, seconds: float) -> float:
        """Return how far the run is, counted in the recipe's steps, before step `step` (from 0) and after `seconds` of training."""
        return max(step, self._used(seconds) * self._steps)

    def is_over(self, point: float) -> bool:
        """Tell whether there is nothing left to do."""
        return point >= self._steps

    def stage(self, point: float) -> int:
        """Return the number of the stage at a point of the run, from 0."""
        end = 0
        for number, stage in enumerate(self._recipe.stages):
            end += stage.steps
            if point < end:
                return number
        return len(self._recipe.stages) - 1

    def learning_rate(self, step: int, point: float) -> float:
        """Return the learning rate of a step at a point of the run."""
        stage: Stage = self._recipe.stages[self.stage(point)]
        # A run cut short by the clock may not have a hundred steps.
        warmth = max((step + 1) / _WARMUP, point / (_WARMUP_SHARE * self._steps) if point > step else 0)
        return stage.learning_rate * min(1.0, warmth) * self._schedule(point)

    def seconds_left(self, step: int, seconds: float) -> float | None:
        """Return how long the run will go on, from what it took so far; None before its first step."""
        point = self.point(step, seconds)
        if point <= 0 or seconds <= 0:
            return None
        left = max(0.0, seconds * (self._steps - point) / point)
        return min(left, max(0.0, self._limit - seconds)) if self._limit else left

    def _used(self, seconds: float) -> float:
        return seconds / self._limit if self._limit else 0.0

    def _schedule(self, point: float) -> float:
        if self._recipe.schedule == "cosine":
            return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * point / self._steps))
        if self._recipe.schedule == "linear":
            return 1 - 0.99 * point / self._steps
        return 1.0


class Stopwatch:
    """Seconds of training: those of earlier sittings, and none before it is started or while the run is paused."""

    def __init__(self, before: float = 0.0) -> None:
        self._before = before
        self._since: float | None = None

    def start(self) -> None:
        """Begin to count."""
        self._since = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return self._before + (0.0 if self._since is None else time.perf_counter() - self._since)

    def leave_out(self, seconds: float) -> None:
        """Take back seconds in which nothing was trained."""
        self._before -= seconds
