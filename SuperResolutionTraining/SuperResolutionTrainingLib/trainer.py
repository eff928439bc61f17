"""Trains the network of a recipe: seeded, resumable to the identical state."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn
from torch.nn import functional

from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.networks import build_network
from SuperResolutionLib.whole import whole_file

from .recipe import Recipe
from .samples import PatchSampler

_CHECKPOINT = "checkpoint.pt"
_CHECKPOINT_EVERY = 200
_WARMUP = 100


@dataclass(frozen=True)
class Progress:
    """State of a run after a step: mean loss since the last report."""

    step: int
    steps: int
    loss: float


def train(
    recipe: Recipe,
    data: Path,
    out: Path,
    resume: bool = False,
    start: dict[str, Tensor] | None = None,
    report: Callable[[Progress], None] | None = None,
) -> nn.Module:
    """Train a network and return it.

    Parameters
    ----------
    recipe : Recipe
    data : Path
        Folder of the recipe's scans.
    out : Path
        Folder for the checkpoint; made if absent.
    resume : bool
        Continue from the checkpoint in `out`.
    start : dict of Tensor, optional
        Weights to start from; those whose name and shape fit are taken.
    report : callable, optional
        Called every 50 steps.

    Raises
    ------
    RequestError
        If `resume` finds no checkpoint, or one of another recipe.
    WorkError
        If the loss is not a number.
    """
    torch.manual_seed(recipe.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = build_network(recipe.network, recipe.arguments).to(device, memory_format=torch.channels_last)
    if start:
        own = network.state_dict()
        network.load_state_dict(
            {name: start[name] if name in start and start[name].shape == value.shape else value for name, value in own.items()}
        )
    sampler = PatchSampler(recipe, data, recipe.drawn_factors or network.factors)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=0)
    first = _load_checkpoint(out, recipe, network, optimiser) if resume else 0
    out.mkdir(parents=True, exist_ok=True)
    total = 0.0
    for step in range(first, recipe.steps):
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(step, recipe.steps)
        loss = _step(network, optimiser, sampler, recipe, step, device)
        if not math.isfinite(loss):
            raise WorkError(
                f"training of {recipe.id}: the loss is {loss} at step {step}; a lower learning rate than {recipe.learning_rate:g} may help"
            )
        total += loss
        if (step + 1) % 50 == 0:
            if report:
                report(Progress(step + 1, recipe.steps, total / 50))
            total = 0.0
        if (step + 1) % _CHECKPOINT_EVERY == 0 or step + 1 == recipe.steps:
            _save_checkpoint(out, recipe, network, optimiser, step + 1)
    return network


def _step(
    network: nn.Module, optimiser: torch.optim.Optimizer, sampler: PatchSampler, recipe: Recipe, step: int, device: torch.device
) -> float:
    thick, fine, factor = sampler.batch(step)
    thick, fine = torch.from_numpy(thick).to(device), torch.from_numpy(fine).to(device)
    with torch.autocast(device.type, torch.bfloat16):
        result = network(thick, factor)
    margin = recipe.patches.margin
    plane = slice(margin, -margin or None)
    inside = (slice(None), slice(margin * factor, -margin * factor or None), plane, plane)
    if step < recipe.squared_error_from * recipe.steps:
        loss = functional.l1_loss(result.float()[inside], fine[inside])
    else:
        # Squared error last: it is what PSNR measures.
        loss = 10 * functional.mse_loss(result.float()[inside], fine[inside])
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return loss.item()


def _schedule(step: int, steps: int) -> float:
    """Linear warm-up, then a half cosine down to 1 %."""
    return min(1.0, (step + 1) / _WARMUP) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def _save_checkpoint(out: Path, recipe: Recipe, network: nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    with whole_file(out / _CHECKPOINT) as partial:
        torch.save({"recipe": repr(recipe), "network": network.state_dict(), "optimiser": optimiser.state_dict(), "step": step}, partial)


def _load_checkpoint(out: Path, recipe: Recipe, network: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    path = out / _CHECKPOINT
    if not path.is_file():
        raise RequestError(f"{path}: no checkpoint to resume from")
    try:
        state = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        raise RequestError(f"{path}: damaged, or no checkpoint of a training run; without resume the run starts anew") from error
    if state["recipe"] != repr(recipe):
        raise RequestError(f"{path}: made with another recipe; resume takes the recipe that the run was started with")
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    return state["step"]
