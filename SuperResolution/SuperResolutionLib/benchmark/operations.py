"""Counts what networks compute, by running each size of piece once more where nothing is timed.

Run as ``python -m SuperResolutionLib.benchmark.operations REQUEST.json`` with ``{"works": [...]}``. A work names a network, by ``model`` (a
model file) or by ``network`` and ``arguments``, and what that saw: ``plans`` as the worker tells them, or ``factor`` and ``pieces``, a list
of numbers of pieces and their thick voxels along (slices, rows, columns), with ``device`` and ``precision``.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..planning import Plan
from ..worker import answer, write_json_line

if TYPE_CHECKING:
    from torch import nn


def count_operations(work: Mapping[str, Any]) -> int:
    """Return the multiplications and additions of matrix products and convolutions, halos and continued ends included.

    Where a network takes two views of a volume, the second is counted as the first: so it is if rows are as many as columns.
    """
    from ..model_file import load_model
    from ..networks import build_network

    network = load_model(work["model"]).network if "model" in work else build_network(work["network"], work["arguments"])
    passes = [_planned(network, plan) for plan in work["plans"]] if "plans" in work else [work]
    return sum(number * _of_piece(network, tuple(shape), each) for each in passes for number, shape in each["pieces"])


def _planned(network: nn.Module, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan as the worker tells it with its pieces in the form of those of a work."""
    from ..networks import continuation

    plane = told["axis"] == "plane"
    sizes = (tuple(told["shape"]), tuple(told["piece"]), tuple(told["halo"]))
    plan = Plan(*sizes, continuation(network, plane), told["factor"], told["views"], 0, plane)
    shapes = Counter(tuple(part.stop - part.start for part in piece.read) for piece in plan.pieces)
    return {**told, "pieces": [(plan.views * number, shape) for shape, number in shapes.items()]}


def _of_piece(network: nn.Module, shape: tuple[int, ...], how: Mapping[str, Any]) -> int:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from ..devices import place_network, run_network

    device = torch.device(how["device"])
    place_network(network, device)
    counter = FlopCounterMode(display=False)
    with counter:
        thick = torch.zeros((1, *shape), device=device)
        run_network(network, thick, how["factor"], getattr(torch, how["precision"]), how.get("axis") == "plane")
    return counter.get_total_flops()


def _carry_out(path: str) -> None:
    works = json.loads(Path(path).read_text(encoding="utf-8"))["works"]
    write_json_line({"type": "result", "operations": [count_operations(work) for work in works]})


if __name__ == "__main__":
    sys.exit(answer("operations", None, _carry_out))
