"""The volume that is made finer: always the same, with edges, texture, air and noise like a head in MR.

Noise alone would hardly be compressed, and a phantom without noise too well; both would tell wrong times for reading and writing.
Run as ``python -m SuperResolutionLib.benchmark.scan REQUEST.json`` with ``{"output": PATH, "shape": [slices, rows, columns]}``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from ..files import write_volume
from ..volume import Volume
from ..worker import answer, write_json_line

SPACING = (0.36, 0.36, 2.8)
"""Millimetres along i, j, k."""
_NOISE = 12.0


def make_scan(shape: tuple[int, int, int]) -> Volume:
    """Make the thick volume.

    Parameters
    ----------
    shape : tuple of int
        Slices, rows, columns. The outline grows with the volume, the details are of the same size in millimetres in all.

    Returns
    -------
    Volume, int16
        Slices are samples, not means: it is the work that counts here.
    """
    slices, rows, columns = shape
    random = np.random.default_rng(0)
    y, x = np.linspace(-1, 1, rows, dtype=np.float32)[:, None], np.linspace(-1, 1, columns, dtype=np.float32)[None, :]
    row_mm, column_mm = np.arange(rows, dtype=np.float32)[:, None] * SPACING[1], np.arange(columns, dtype=np.float32)[None, :] * SPACING[0]
    voxels = np.empty(shape, np.int16)
    for number, z in enumerate(np.linspace(-1, 1, slices)):
        radius = np.sqrt((x / 0.8) ** 2 + (y / 0.92) ** 2 + (z / 1.3) ** 2)
        skin, skull, inside = (_edge(radius, where) for where in (1.0, 0.95, 0.88))
        folds = np.sin(column_mm / 0.9 + 2 * np.sin(row_mm / 4 + number)) * np.sin(row_mm / 1.1 + 2 * np.sin(column_mm / 5))
        signal = 800 * skin - 750 * skull + inside * (600 + 180 * folds)
        # The magnitude of a complex signal, as in MR: air is noise, never negative.
        real, imaginary = random.normal(0, _NOISE, (2, rows, columns)).astype(np.float32)
        voxels[number] = np.rint(np.hypot(signal + real, imaginary))
    return Volume(voxels, np.diag([*SPACING, 1.0]))


def _edge(radius: np.ndarray, where: float) -> np.ndarray:
    """Return 1 within a radius and 0 beyond, with a soft step."""
    return np.clip((where - radius) / 0.01 + 0.5, 0, 1)


def _carry_out(path: str) -> None:
    request = json.loads(Path(path).read_text(encoding="utf-8"))
    write_volume(make_scan(tuple(request["shape"])), request["output"])
    write_json_line({"type": "result", "output": request["output"]})


if __name__ == "__main__":
    sys.exit(answer("scan", None, _carry_out))
