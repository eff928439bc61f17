"""The state of a run in one safetensors file: tensors, and numbers as JSON in its metadata. No pickle, so it can run no code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.model_file import CHECKPOINT_KEY
from SuperResolutionLib.whole import whole_file

FILE = "checkpoint.safetensors"


def write_checkpoint(path: Path, numbers: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write a checkpoint; it appears whole or not at all.

    Parameters
    ----------
    path : Path
    numbers : mapping
        Plain data.
    tensors : mapping of str to Tensor

    Raises
    ------
    WorkError
        If the file cannot be written.
    """
    # Copies, since the format takes no two names for one piece of memory.
    copies = {name: value.detach().cpu().clone(memory_format=torch.contiguous_format) for name, value in tensors.items()}
    with whole_file(path) as partial:
        try:
            save_file(copies, partial, metadata={CHECKPOINT_KEY: json.dumps(numbers)})
        except SafetensorError as error:
            # What the library makes of a full disk.
            raise OSError(str(error)) from error


def read_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the numbers and tensors of a checkpoint.

    Raises
    ------
    RequestError
        If there is no such file, or it is damaged or another kind of file.
    """
    if not path.is_file():
        raise RequestError(f"{path}: no checkpoint to resume from")
    try:
        with safe_open(path, "pt") as file:
            return json.loads((file.metadata() or {})[CHECKPOINT_KEY]), {name: file.get_tensor(name) for name in file.keys()}
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise RequestError(f"{path}: damaged, or no checkpoint of a training run; without resume the run starts anew") from error


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the state of an optimiser as named tensors, ``<parameter>.<name>``; its settings are the recipe's."""
    states = optimiser.state_dict()["state"]
    return {f"{number}.{name}": torch.as_tensor(value) for number, state in states.items() for name, value in state.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimiser_tensors` returned."""
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        states.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix and a slash, without them."""
    return {name.removeprefix(f"{prefix}/"): value for name, value in tensors.items() if name.startswith(f"{prefix}/")}
