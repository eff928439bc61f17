"""Measures this machine and every upscaler on it, in one run."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .model_zoo import list_upscalers
from .upscaling import upscale
from .volume import Volume

_SHAPE = (40, 384, 384)
_FACTOR = 4
_MATRIX = 2048


@dataclass(frozen=True)
class Ceiling:
    """What the machine can do at most: matrix products in 10⁹ operations a second."""

    cpus: int
    matrix_product_float32: float
    matrix_product_bfloat16: float

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return {"type": "ceiling", **asdict(self)}

    def __str__(self) -> str:
        rates = f"{self.matrix_product_float32:.0f} GFLOP/s float32, {self.matrix_product_bfloat16:.0f} bfloat16"
        return f"{self.cpus} CPUs; matrix product {rates}"


@dataclass(frozen=True)
class Timing:
    """One upscaler on a noise volume of 384×384×40 at factor 4: seconds without reading and writing, memory of the process so far."""

    upscaler: str
    device: str
    precision: str
    seconds: float
    voxels_per_second: float
    peak_memory_mb: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return {"type": "timing", **asdict(self)}

    def __str__(self) -> str:
        ran = f"{self.device} {self.precision}".strip() or "cpu"
        peak = f"peak {self.peak_memory_mb} MB" if self.peak_memory_mb else ""
        rate = f"{self.voxels_per_second / 1e6:8.2f} Mvoxel/s out"
        return f"{self.upscaler:12} {self.seconds:7.2f} s  {rate}  {peak}  {ran}"


def run_benchmark() -> Iterator[Ceiling | Timing]:
    """Yield the machine's ceiling, then a timing for each upscaler that offers factor 4, interpolations first."""
    yield _ceiling()
    random = np.random.default_rng(0)
    volume = Volume(random.normal(500, 100, _SHAPE).astype(np.int16), np.diag([0.36, 0.36, 2.8, 1.0]), modality="MR")
    for info in sorted(list_upscalers(), key=lambda info: info.kind):
        if _FACTOR in info.factors:
            result = upscale(volume, model=str(info.path or info.id), factor=_FACTOR)
            rate = result.volume.voxels.size / result.seconds
            yield Timing(info.id, result.device, result.precision, round(result.seconds, 3), round(rate), _peak_memory_mb())


def _ceiling() -> Ceiling:
    import torch

    return Ceiling(os.cpu_count() or 1, *(round(_matrix_product(dtype), 1) for dtype in (torch.float32, torch.bfloat16)))


def _matrix_product(dtype: Any) -> float:
    """Return the best of five, in 10⁹ operations a second."""
    import torch

    left, right = torch.randn(2, _MATRIX, _MATRIX).to(dtype)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - start)
    return 2 * _MATRIX**3 / min(seconds) / 1e9


def _peak_memory_mb() -> int | None:
    """Return the largest memory of this process so far, or None on Windows, which does not tell."""
    if os.name != "posix":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> (20 if sys.platform == "darwin" else 10)
