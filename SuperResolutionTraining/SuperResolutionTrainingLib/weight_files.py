"""Weights as other programs save them: torch files and safetensors, read without running any code that a file may hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from SuperResolutionLib.errors import RequestError

ENDINGS = (".pt", ".pth", ".safetensors")
_WRAPPERS = ("params_ema", "params", "state_dict")
"""Where BasicSR and others keep the state dict; averaged weights first, since they are what is published for use."""
_PREFIX = "module."
"""What torch puts before every name when a network was trained on several devices."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict.

    Parameters
    ----------
    path : Path
        A torch file, which may hold the state dict below ``params_ema``, ``params`` or ``state_dict``, or a safetensors file.

    Returns
    -------
    dict of str to Tensor
        float32 on the CPU.

    Raises
    ------
    RequestError
        If the file cannot be read, needs code to be read, or holds something else than named, finite tensors.
    """
    if path.suffix not in ENDINGS:
        raise RequestError(f"{path}: accepted are weights in files that end in {', '.join(ENDINGS)}")
    if not path.is_file():
        raise RequestError(f"{path}: no such file; accepted is a file of weights")
    found = _safetensors(path) if path.suffix == ".safetensors" else _torch_file(path)
    return _checked(_unwrapped(found), path)


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError, KeyError) as error:  # KeyError: a number type that torch does not have
        raise RequestError(f"{path}: damaged or no safetensors file") from error


def _torch_file(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise RequestError(f"{path}: holds more than tensors, or is damaged; code is never run: accepted is a state dict alone") from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, AttributeError, IndexError, TypeError) as error:
        raise RequestError(f"{path}: damaged or no torch file") from error


def _unwrapped(found: Any) -> Any:
    for name in _WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            return found[name]
    return found


def _checked(found: Any, path: Path) -> dict[str, Tensor]:
    if not isinstance(found, Mapping) or not found:
        raise RequestError(f"{path}: holds {type(found).__name__}, no state dict; accepted are named tensors")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise RequestError(f"{path}: '{name}' is {type(value).__name__}; accepted are tensors under their names")
        if not bool(torch.isfinite(value).all()):
            raise RequestError(f"{path}: '{name}' holds values that are no numbers; accepted are finite weights")
    wrapped = all(name.startswith(_PREFIX) for name in found)
    return {name.removeprefix(_PREFIX) if wrapped else name: value.float() for name, value in found.items()}
