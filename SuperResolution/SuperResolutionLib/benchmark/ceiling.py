"""The ceiling of a machine: matrix products and copies, the best of several.

Run as ``python -m SuperResolutionLib.benchmark.ceiling REQUEST.json`` with ``{"device": NAME, "matrix": N}``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..worker import answer, write_json_line

if TYPE_CHECKING:
    import torch

MATRIX = 2048
_ATTEMPTS = 5
_COPIED = 2**26
_REDUCED = {"cpu": ("bfloat16",), "cuda": ("bfloat16", "float16"), "mps": ("float16",)}


@dataclass(frozen=True)
class Ceiling:
    """What a device does at most.

    Attributes
    ----------
    device : str
    products : dict of str to float
        Precision → matrix product of two square matrices, 10⁹ operations a second (a multiplication and an addition are two).
        In float32, CUDA devices may use TF32, since convolutions do.
    copy : float
        10⁹ bytes read and written a second while large numbers of floats are copied.
    """

    device: str
    products: dict[str, float]
    copy: float

    def or_better(self, other: Ceiling) -> Ceiling:
        """Return the higher figures of two measurements of one device."""
        products = {precision: max(rate, other.products[precision]) for precision, rate in self.products.items()}
        return Ceiling(self.device, products, max(self.copy, other.copy))

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return asdict(self)

    def __str__(self) -> str:
        rates = ", ".join(f"{rate:,.0f} GFLOP/s {precision}" for precision, rate in self.products.items())
        return f"{self.device}: matrix product {rates}; copy {self.copy:,.1f} GB/s"


def measure_ceiling(device: torch.device, matrix: int = MATRIX) -> Ceiling:
    """Measure a device.

    Parameters
    ----------
    device : torch.device
    matrix : int
        Rows and columns of the matrices.
    """
    import torch

    torch.set_float32_matmul_precision("high")
    products = {}
    for precision in ("float32", *_REDUCED[device.type]):
        left, right = torch.randn(2, matrix, matrix, device=device).to(getattr(torch, precision))
        seconds = _fastest(lambda left=left, right=right: left @ right, device)
        products[precision] = round(2 * matrix**3 / seconds / 1e9, 1)
    source = torch.ones(_COPIED, device=device)
    target = torch.empty_like(source)
    seconds = _fastest(lambda: target.copy_(source), device)
    return Ceiling(str(device), products, round(2 * source.nbytes / seconds / 1e9, 2))


def _fastest(work: Callable[[], object], device: torch.device) -> float:
    """Return the seconds of the fastest of several attempts."""
    import torch

    wait = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}.get(device.type, lambda: None)
    seconds = []
    for _ in range(_ATTEMPTS):
        wait()
        started = time.perf_counter()
        work()
        wait()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def _carry_out(path: str) -> None:
    import torch

    from ..devices import choose_device

    request = json.loads(Path(path).read_text(encoding="utf-8"))
    device = choose_device(request["device"])
    about = {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else "Apple GPU" if device.type == "mps" else "",
    }
    write_json_line({"type": "result", "ceiling": measure_ceiling(device, request["matrix"]).as_dict(), "machine": about})


if __name__ == "__main__":
    sys.exit(answer("ceiling", None, _carry_out))
