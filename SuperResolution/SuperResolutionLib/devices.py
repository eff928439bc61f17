"""Which device a network runs on, and in which precision."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING

from .errors import RequestError
from .networks import prepare_input

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
_WORTHWHILE = 0.85
_ACCURATE = 1e-3
_TRIALS = 3


def list_devices() -> list[dict[str, str]]:
    """Return the devices a network can run on here, ``id`` (as `choose_device` takes it) and ``name``, the CPU last. Imports torch."""
    import torch

    gpus = [{"id": f"cuda:{number}", "name": torch.cuda.get_device_name(number)} for number in range(torch.cuda.device_count())]
    metal = [{"id": "mps", "name": "Apple GPU"}] if torch.backends.mps.is_available() else []
    return [*gpus, *metal, {"id": "cpu", "name": "CPU"}]


def choose_device(name: str) -> torch.device:
    """Return the torch device for one of `DEVICES` or ``cuda:N``; ``auto`` takes a GPU where there is one.

    Raises
    ------
    RequestError
        If the name is unknown or the device is not there.
    """
    import torch

    kind, colon, number = name.partition(":")
    if kind not in DEVICES or (colon and not (kind == "cuda" and number.isdecimal())):
        raise RequestError(f"device '{name}': accepted are {', '.join(DEVICES)}, cuda:N")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind == "auto":
        return torch.device(next((other for other in ("cuda", "mps") if there[other]), "cpu"))
    if not there[kind] or (colon and int(number) >= torch.cuda.device_count()):
        accepted = ", ".join(device["id"] for device in list_devices())
        raise RequestError(f"device '{name}': not found on this machine; accepted are auto, {accepted}")
    return torch.device(kind, int(number)) if colon else torch.device(kind)


def place_network(network: nn.Module, device: torch.device) -> nn.Module:
    """Move a network to a device, its plane convolutions channels last, which is what they are fastest in, and return it."""
    import torch

    network.to(device)
    for weight in network.parameters():
        if weight.ndim == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return network


def free_bytes(device: torch.device) -> int | None:
    """Return the free memory of a CUDA device; None for the others, which share the machine's."""
    import torch

    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else None


def choose_precision(name: str, network: nn.Module, sample: Tensor, factor: int, plane: bool = False) -> torch.dtype:
    """Return the number type to run in.

    Parameters
    ----------
    name : str
        One of `PRECISIONS`; ``auto`` takes the reduced type only if a trial on `sample` shows it faster and within 0.1 % of the
        sample's range (root mean square; 1 % at worst).
    network : Module
        On its device.
    sample : Tensor, shape (1, slices, rows, columns)
        A piece of the volume, on the same device.
    factor : int
    plane : bool
        Rows and columns become finer, not slices.

    Raises
    ------
    RequestError
        If the name is unknown.
    """
    import torch

    if name not in PRECISIONS:
        raise RequestError(f"precision '{name}': accepted are {', '.join(PRECISIONS)}")
    if name != "auto":
        return getattr(torch, name)
    reduced = torch.float16 if sample.device.type == "cuda" else torch.bfloat16
    exact, rough = (_Trial(network, sample, factor, dtype, plane) for dtype in (torch.float32, reduced))
    # In turn, and the best of each counts, so that neither a first run nor a busy machine decides.
    for _ in range(_TRIALS):
        exact.run()
        try:
            rough.run()
        except RuntimeError:
            # The device has no kernels for the reduced type.
            return torch.float32
    spread = float(sample.max() - sample.min()) or 1.0
    error = (exact.result - rough.result).abs()
    accurate = float(error.max()) <= _ACCURATE * spread * 10 and float(error.square().mean().sqrt()) <= _ACCURATE * spread
    return reduced if accurate and rough.seconds < _WORTHWHILE * exact.seconds else torch.float32


class _Trial:
    """A network in one number type: its result, and the seconds of the quickest of its runs."""

    def __init__(self, network: nn.Module, sample: Tensor, factor: int, dtype: torch.dtype, plane: bool) -> None:
        self._arguments = (network, sample, factor, dtype, plane)
        self.seconds = math.inf

    def run(self) -> None:
        start = time.perf_counter()
        self.result = run_network(*self._arguments).cpu()
        self.seconds = min(self.seconds, time.perf_counter() - start)


def run_network(network: nn.Module, slices: Tensor, factor: int, dtype: torch.dtype, plane: bool = False) -> Tensor:
    """Run a network on thick slices without gradients in a number type; the result is float32."""
    import torch

    prepared = prepare_input(network, slices, factor, plane)
    forward = network.forward_plane if plane else network
    with torch.inference_mode(), torch.autocast(slices.device.type, dtype, enabled=dtype != torch.float32):
        return forward(prepared, factor).float()


if __name__ == "__main__":
    # A caller that must not import torch itself asks like this; the line is of the worker's kind.
    print(json.dumps({"type": "result", "devices": list_devices()}))
