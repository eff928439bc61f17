"""The peer that tiles by MONAI: a model of ours through ``sliding_window_inference``.

Run as ``python -m SuperResolutionLib.benchmark.sliding_window REQUEST.json`` with ``thick``, ``fine``, ``model`` (paths), ``factor`` and
``device``.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..files import read_volume, write_volume
from ..worker import answer, write_json_line

if TYPE_CHECKING:
    from torch import Tensor

WINDOW = (16, 96, 96)
"""Slices, rows, columns of thick voxels."""


def _carry_out(path: str) -> None:
    import torch
    from monai.inferers import sliding_window_inference

    from ..devices import choose_device
    from ..model_file import load_model
    from ..networks import prepare_input

    request = json.loads(Path(path).read_text(encoding="utf-8"))
    factor, device = request["factor"], choose_device(request["device"])
    volume = read_volume(request["thick"])
    network = load_model(request["model"]).network.to(device)
    scale = float(volume.voxels.max()) or 1.0
    pieces: Counter[tuple[int, ...]] = Counter()

    def predict(windows: Tensor) -> Tensor:
        pieces[tuple(windows.shape[2:])] += len(windows)
        return network(prepare_input(network, windows[:, 0], factor), factor)[:, None]

    started = time.perf_counter()
    with torch.inference_mode():
        thick = torch.from_numpy(volume.voxels.astype(np.float32) / scale)[None, None].to(device)
        fine = sliding_window_inference(thick, WINDOW, 1, predict)[0, 0].cpu().numpy() * scale
    seconds = time.perf_counter() - started
    write_volume(volume.regridded(fine.astype(volume.voxels.dtype), "k", 1 / factor), request["fine"])
    work = {"model": request["model"], "factor": factor, "pieces": [[number, shape] for shape, number in pieces.items()]}
    ran = {"device": str(device), "precision": "float32"}
    told = {"shape": list(fine.shape), "stage_seconds": {"network": seconds}}
    write_json_line({"type": "result", "work": work | ran} | ran | told)


if __name__ == "__main__":
    sys.exit(answer("sliding_window", None, _carry_out))
