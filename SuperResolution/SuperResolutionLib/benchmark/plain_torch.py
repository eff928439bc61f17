"""The peer without any of the engine's planning: SR-DCNN in float32, plane by plane.

Run as ``python -m SuperResolutionLib.benchmark.plain_torch REQUEST.json`` with ``thick``, ``fine`` (paths), ``factor`` and ``device``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from ..files import read_volume, write_volume
from ..worker import answer, write_json_line

NETWORK = "sr_dcnn"


def _carry_out(path: str) -> None:
    import torch

    from ..devices import choose_device
    from ..networks import build_network

    request = json.loads(Path(path).read_text(encoding="utf-8"))
    factor, device = request["factor"], choose_device(request["device"])
    volume = read_volume(request["thick"])
    slices, rows, columns = volume.shape
    arguments = {"factors": [factor]}
    network = build_network(NETWORK, arguments).to(device).eval()
    scale = float(volume.voxels.max()) or 1.0
    fine = np.empty((slices * factor, rows, columns), np.float32)
    started = time.perf_counter()
    with torch.inference_mode():
        for row in range(rows):
            plane = torch.from_numpy(volume.voxels[:, row].astype(np.float32) / scale)[None, :, None]
            fine[:, row] = network(plane.to(device), factor)[0, :, 0].cpu().numpy() * scale
    seconds = time.perf_counter() - started
    write_volume(volume.regridded(fine.astype(volume.voxels.dtype), "k", 1 / factor), request["fine"])
    work = {"network": NETWORK, "arguments": arguments, "factor": factor, "pieces": [[rows, [slices, 1, columns]]]}
    ran = {"device": str(device), "precision": "float32"}
    told = {"shape": list(fine.shape), "stage_seconds": {"network": seconds}}
    write_json_line({"type": "result", "work": work | ran} | ran | told)


if __name__ == "__main__":
    sys.exit(answer("plain_torch", None, _carry_out))
