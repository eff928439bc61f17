"""Which number type a network is trained in."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

_WORTHWHILE = 0.85
_TRIALS = 2


def choose_training_precision(name: str, device: torch.device, attempt: Callable[[torch.dtype], None]) -> torch.dtype:
    """Return the number type of a recipe's ``precision``.

    Parameters
    ----------
    name : {"auto", "float32", "bfloat16"}
        ``auto``: bfloat16 if one step in it is clearly faster than in float32; where a processor has no such arithmetic it is tens of
        times slower. float16 is never chosen: its gradients vanish without scaling.
    device : torch.device
    attempt : callable
        Goes forwards and backwards once in a number type, without any change to the weights.
    """
    if name != "auto":
        return getattr(torch, name)
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.float32
    exact = min(_timed(attempt, torch.float32, device) for _ in range(_TRIALS))
    try:
        reduced = min(_timed(attempt, torch.bfloat16, device) for _ in range(_TRIALS))
    except RuntimeError:
        # The device has no kernels for the reduced type.
        return torch.float32
    return torch.bfloat16 if reduced < _WORTHWHILE * exact else torch.float32


def _timed(attempt: Callable[[torch.dtype], None], dtype: torch.dtype, device: torch.device) -> float:
    started = time.perf_counter()
    attempt(dtype)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started
