"""The relativistic average adversarial loss, with the discriminator that it teaches."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from SuperResolutionLib.devices import place_network
from SuperResolutionLib.networks import build_discriminator

from ..learner import Learner
from ..made import Made, Setting

_PICTURES = 32
"""Of a batch that are judged."""


class Adversarial:
    """How much more real the truth looks to a discriminator than the result (ESRGAN: Wang et al., ECCVW 2018, equations 1 to 3).

    Each picture is judged against the mean of the other kind (Jolicoeur-Martineau, ICLR 2019).
    """

    fidelity = False

    def __init__(self, setting: Setting) -> None:
        self.learner = Learner(place_network(build_discriminator(), setting.device), setting)

    def __call__(self, made: Made) -> Tensor:
        discriminator = self.learner.module
        # Only the network is to learn from this; the discriminator has a turn of its own.
        discriminator.requires_grad_(False)
        real, fake = _judged(discriminator, made, made.result)
        discriminator.requires_grad_(True)
        return _relativistic(fake, real)

    def learn(self, made: Made, learning_rate: float) -> None:
        """Teach the discriminator to tell result from truth."""
        real, fake = _judged(self.learner.passing, made, made.result.detach())
        self.learner.learn(_relativistic(real, fake), learning_rate)


def _judged(discriminator: nn.Module, made: Made, result: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logits of truth and result, judged in one pass: what batch norm takes off is common to both."""
    real, fake = discriminator(torch.cat([made.pictures(volume, _PICTURES) for volume in (made.truth, result)])).chunk(2)
    return real, fake


def _relativistic(first: Tensor, second: Tensor) -> Tensor:
    """Return the loss that is low where the first logits exceed the mean of the second, and these lie below the mean of the first."""
    return functional.softplus(second.mean() - first).mean() + functional.softplus(second - first.mean()).mean()


LOSS = Adversarial
