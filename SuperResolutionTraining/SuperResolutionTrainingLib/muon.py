"""Muon: steps of orthogonal matrices for the weights between layers, Adam for the rest."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

_MOMENTUM = 0.95
_QUINTIC = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
_BETAS = (0.9, 0.999)
_REST = 1 / 3
_HIDDEN = 16


class Muon(torch.optim.Optimizer):
    """MomentUm Orthogonalized by Newton–Schulz (Jordan et al., https://kellerjordan.github.io/posts/muon, 2024), and Adam.

    The momentum of a weight, as a matrix of outputs × everything else, is replaced by about the nearest matrix whose singular values
    are all alike: directions that a gradient hardly shows are learnt as fast as those that it shows most. This is done with the
    weights that have at least 16 input and 16 output channels; the others, such as those of a first and last layer, take steps of
    Adam (Kingma and Ba, ICLR 2015) at a third of the rate. torch's own Muon takes matrices only.

    Parameters
    ----------
    weights : iterable of Tensor
    lr : float
        A matrix moves by this much in each of its directions.
    """

    def __init__(self, weights: Iterable[Tensor], lr: float = 0.006) -> None:
        super().__init__(weights, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:
        """Take one step down the gradients."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                if weight.ndim > 1 and min(weight.shape[:2]) >= _HIDDEN:
                    self._orthogonal_step(weight, group["lr"])
                else:
                    self._adam_step(weight, _REST * group["lr"])

    def _orthogonal_step(self, weight: Tensor, rate: float) -> None:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        momentum = state["momentum"].lerp_(weight.grad, 1 - _MOMENTUM)
        # Nesterov's: where the momentum will be after one more such gradient.
        step = orthogonalised(weight.grad.lerp(momentum, _MOMENTUM).flatten(1))
        # A tall matrix has fewer directions than outputs; the factor keeps the mean change of an output the same.
        scale = max(1.0, step.shape[0] / step.shape[1]) ** 0.5
        weight.sub_(step.reshape(weight.shape), alpha=rate * scale)

    def _adam_step(self, weight: Tensor, rate: float) -> None:
        state = self.state[weight]
        if not state:
            state |= {"step": torch.zeros(()), "momentum": torch.zeros_like(weight), "square": torch.zeros_like(weight)}
        state["step"] += 1
        mean, square, steps = state["momentum"], state["square"], state["step"].item()
        mean.lerp_(weight.grad, 1 - _BETAS[0])
        square.lerp_(weight.grad.square(), 1 - _BETAS[1])
        corrected = (square / (1 - _BETAS[1] ** steps)).sqrt_().add_(1e-8)
        weight.addcdiv_(mean, corrected, value=-rate / (1 - _BETAS[0] ** steps))


def orthogonalised(matrix: Tensor) -> Tensor:
    """Return a matrix with the singular vectors of another and singular values of about 1, by five Newton–Schulz iterations.

    Parameters
    ----------
    matrix : Tensor, shape (rows, columns)
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / (wide.norm() + 1e-12)
    a, b, c = _QUINTIC
    for _ in range(_ITERATIONS):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.T
