"""The best weights of a run so far."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn


@dataclass
class Best:
    """What validation found best.

    Attributes
    ----------
    psnr : float, optional
        Of the best weights, dB; None before the first.
    step : int
        That they are from.
    in_vain : int
        Validations since then.
    measured : int
        Step of the last validation.
    weights : dict of str to Tensor
        Empty where the last weights are the model: nothing was measured, or PSNR does not tell.
    """

    psnr: float | None = None
    step: int = 0
    in_vain: int = 0
    measured: int = -1
    weights: dict[str, Tensor] = field(default_factory=dict)

    def offer(self, psnr: float, step: int, network: nn.Module, fidelity: bool) -> bool:
        """Take a validation into account and tell whether it is the best.

        Parameters
        ----------
        psnr : float
        step : int
        network : Module
            Its weights are copied if they are the best.
        fidelity : bool
            Whether PSNR tells which weights are better; if not, the last ones are kept.
        """
        self.measured = step
        if not fidelity:
            self.psnr, self.in_vain, self.weights = None, 0, {}
            return False
        if not psnr > (-math.inf if self.psnr is None else self.psnr):
            self.in_vain += 1
            return False
        self.psnr, self.step, self.in_vain = psnr, step, 0
        self.weights = {name: value.detach().clone() for name, value in network.state_dict().items()}
        return True

    def numbers(self) -> dict[str, Any]:
        """Return all but the weights, as plain data."""
        return {"psnr": self.psnr, "step": self.step, "in_vain": self.in_vain, "measured": self.measured}
