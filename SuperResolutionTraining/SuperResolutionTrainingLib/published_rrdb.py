"""ESRGAN's generator as it is published: two older ways to name its layers, colours, and arguments that only the shapes tell."""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor

from SuperResolutionLib.errors import RequestError

_COLOURS = 3
_UNSHUFFLED = (12, 48)
"""Input channels of Real-ESRGAN's networks for x2 and x1, which fold the picture's pixels into channels first."""
# The layers' names in ESRGAN's first and second releases, and in BasicSR and Real-ESRGAN, which are ours.
_FIRST_BLOCK = re.compile(r"model\.1\.sub\.(\d+)\.RDB([123])\.conv([1-5])\.0\.(weight|bias)")
_FIRST_TRUNK = re.compile(r"model\.1\.sub\.(\d+)\.(weight|bias)")
_FIRST_LAYER = re.compile(r"model\.(\d+)\.(weight|bias)")
_SECOND_BLOCK = re.compile(r"RRDB_trunk\.(\d+)\.RDB([123])\.conv([1-5])\.(weight|bias)")
_SECOND_LAYER = re.compile(r"(trunk_conv|upconv(\d)|HRconv)\.(weight|bias)")
GREY = "three colours to one grey channel: sum over the colours that enter, mean over those that leave"


def with_our_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with the names of our network where they have one of the older ones; other names stay as they are."""
    numbers = sorted({int(found[1]) for name in weights if (found := _FIRST_LAYER.fullmatch(name))})
    return {_our_name(name, numbers): value for name, value in weights.items()}


def _our_name(name: str, numbers: list[int]) -> str:
    for block in (_FIRST_BLOCK, _SECOND_BLOCK):
        if found := block.fullmatch(name):
            return f"body.{found[1]}.rdb{found[2]}.conv{found[3]}.{found[4]}"
    if found := _FIRST_TRUNK.fullmatch(name):
        return f"conv_body.{found[2]}"
    if found := _FIRST_LAYER.fullmatch(name):
        # The first release counts all layers: the first, one for each doubling, and the last two.
        *others, before_last, last = numbers
        told = {numbers[0]: "conv_first", before_last: "conv_hr", last: "conv_last"}
        told |= {number: f"conv_up{step}" for step, number in enumerate(others[1:], 1)}
        return f"{told[int(found[1])]}.{found[2]}"
    if found := _SECOND_LAYER.fullmatch(name):
        told = {"trunk_conv": "conv_body", "HRconv": "conv_hr"}.get(found[1], f"conv_up{found[2]}")
        return f"{told}.{found[3]}"
    return name


def to_grey(weights: dict[str, Tensor]) -> tuple[dict[str, Tensor], bool]:
    """Return weights for one grey channel, and whether they were for three colours.

    A grey picture is one whose colours are alike: the sum over the colours that enter is exact. Of the colours that leave we take the
    mean, which does not depend on their order.

    Raises
    ------
    RequestError
        If the network takes a picture folded into channels (Real-ESRGAN's x2), or any other number of channels.
    """
    first, last = weights.get("conv_first.weight"), weights.get("conv_last.weight")
    if first is None or last is None or first.ndim != 4 or last.ndim != 4:
        return weights, False  # what does not fit is told by name later
    if first.shape[1] in _UNSHUFFLED:
        found = f"'conv_first.weight' takes {first.shape[1]} channels"
        raise RequestError(f"{found}: a picture folded by pixel unshuffling, which our network does not do; accepted are networks for x4")
    if (first.shape[1], last.shape[0]) == (1, 1):
        return weights, False
    if (first.shape[1], last.shape[0]) != (_COLOURS, _COLOURS):
        found = f"'conv_first.weight' takes {first.shape[1]} channels and 'conv_last.weight' gives {last.shape[0]}"
        raise RequestError(f"{found}; accepted are one grey channel or three colours")
    grey = {"conv_first.weight": first.sum(1, keepdim=True), "conv_last.weight": last.mean(0, keepdim=True)}
    if (bias := weights.get("conv_last.bias")) is not None:
        grey["conv_last.bias"] = bias.mean(0, keepdim=True)
    return weights | grey, True


def arguments_of(weights: dict[str, Tensor]) -> dict[str, Any]:
    """Return the constructor's arguments that shapes and names tell; the task is that of the published form, a plane.

    Raises
    ------
    RequestError
        If a layer that tells them is not there.
    """
    for name in ("conv_first.weight", "body.0.rdb1.conv1.weight"):
        if name not in weights or weights[name].ndim != 4:
            raise RequestError(f"'{name}' is not there under any name that is known, or no convolution; accepted are RRDB networks")
    first = weights["conv_first.weight"]
    blocks = {int(found[1]) for name in weights if (found := re.match(r"body\.(\d+)\.", name))}
    doublings = sum(re.fullmatch(r"conv_up\d\.weight", name) is not None for name in weights)
    return {
        "factors": [2**doublings],
        "task": "plane",
        "channels": first.shape[0],
        "growth": weights["body.0.rdb1.conv1.weight"].shape[0],
        "blocks": len(blocks),
        "head": first.shape[-1],
    }
