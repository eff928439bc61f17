"""The moving average of a network's weights, which is often better than the last ones."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn


class Average:
    """An exponential moving average of the weights (Polyak and Juditsky, SIAM J. Control Optim. 1992).

    Parameters
    ----------
    network : Module
        Its weights are where the average begins.
    decay : float
        Weight of the past in each step; lower in the first steps, (1 + n) / (10 + n), so that random weights are soon forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def add(self, network: nn.Module, step: int) -> None:
        """Take the weights after a step, counted from 0, into the average."""
        share = 1 - min(self._decay, (1 + step) / (10 + step))
        for mean, weight in zip(self.network.parameters(), network.parameters()):
            mean.lerp_(weight, share)
        for mean, value in zip(self.network.buffers(), network.buffers()):
            mean.copy_(value)
