"""A module and the optimiser that moves its weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from SuperResolutionLib.errors import WorkError

from .muon import Muon

if TYPE_CHECKING:
    from .made import Setting

_OPTIMISERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "muon": Muon}


class Learner:
    """What learns: the network, or the discriminator of a loss.

    Parameters
    ----------
    module : Module
        On its device.
    setting : Setting
        Recipe (optimiser, weight decay, clipping) and group of processes.
    passing : Module, optional
        What calls the module where that is more than its ``forward``.

    Attributes
    ----------
    module : Module
    passing : Module
        What to call so that gradients are averaged over the processes.
    optimiser : Optimizer
    """

    def __init__(self, module: nn.Module, setting: Setting, passing: nn.Module | None = None) -> None:
        recipe = setting.recipe
        self.module = module
        self.passing = setting.group.spread(passing or module)
        decay = {} if recipe.optimiser == "muon" else {"weight_decay": recipe.weight_decay}
        self.optimiser = _OPTIMISERS[recipe.optimiser](module.parameters(), lr=1.0, **decay)
        self._clip = recipe.clip or math.inf

    def learn(self, loss: Tensor, learning_rate: float) -> None:
        """Take one step down a loss.

        Raises
        ------
        WorkError
            If the loss or its gradient is not a number; the weights are left as they were.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.module.parameters(), self._clip)
        for name, value in (("loss", loss), ("gradient", norm)):
            if not math.isfinite(value.item()):
                raise WorkError(f"the {name} is {value.item()}")
        self.optimiser.step()

    def is_sound(self) -> bool:
        """Tell whether every weight is a number."""
        return all(bool(weight.isfinite().all()) for weight in self.module.parameters())
