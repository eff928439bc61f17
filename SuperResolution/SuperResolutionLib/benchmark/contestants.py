"""What is timed: the upscalers of the model zoo and, where they are installed, their peers."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from ..model_zoo import UpscalerInfo, find_upscaler, list_upscalers
from .processes import request_command

FACTOR = 4
RESULT = "fine.nii.gz"
_ECLARE_PATCHES = 1280


class Contestant(Protocol):
    """Something that makes a NIfTI file finer in a process of its own.

    Attributes
    ----------
    id : str
    kind : str
        ``network``, ``interpolation`` or ``peer``.
    about : str
        How it is run, in words, where that is not plain.
    """

    id: str
    kind: str
    about: str

    def missing(self) -> str:
        """Return what is not installed; empty if it can run."""

    def command(self, thick: Path, folder: Path) -> list[str]:
        """Return the command that makes `thick` finer along its slices and leaves everything in `folder`."""

    def work(self, lines: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """Return what `operations` counts, from what the process told; None where nothing can be counted."""


@dataclass(frozen=True)
class OurUpscaler:
    """A model or an interpolation by the command ``upscale``."""

    info: UpscalerInfo
    device: str = "auto"
    about: str = ""

    @property
    def id(self) -> str:
        """Id of the upscaler."""
        return self.info.id

    @property
    def kind(self) -> str:
        """``network`` or ``interpolation``."""
        return self.info.kind

    def missing(self) -> str:
        """Nothing is."""
        return ""

    def command(self, thick: Path, folder: Path) -> list[str]:
        """Return the command."""
        chosen = ["--model", str(self.info.path or self.id), "--factor", str(FACTOR), "--device", self.device]
        return [sys.executable, "-m", "SuperResolutionLib.cli", "upscale", str(thick), str(folder / RESULT), *chosen, "--json"]

    def work(self, lines: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """Return the model and the plans it announced; None for an interpolation."""
        plans = [line for line in lines if line.get("type") == "plan"]
        return {"model": str(self.info.path), "plans": plans} if plans else None


@dataclass(frozen=True)
class _ByRequest:
    """A peer that a module of this package runs; it tells the sizes of the pieces that its network saw."""

    device: str = "auto"
    kind = "peer"
    module = ""

    def missing(self) -> str:
        """Nothing is."""
        return ""

    def asked(self) -> dict[str, Any]:
        """Return what the module is told besides the files."""
        return {}

    def command(self, thick: Path, folder: Path) -> list[str]:
        """Return the command."""
        files = {"thick": str(thick), "fine": str(folder / RESULT), "factor": FACTOR, "device": self.device}
        return request_command(self.module, files | self.asked(), folder)

    def work(self, lines: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """Return what the module told."""
        return next((line["work"] for line in lines if line.get("type") == "result"), None)


@dataclass(frozen=True)
class PlainTorch(_ByRequest):
    """The network of the knee-MRI thesis as one would write it down."""

    id = "plain_torch"
    about = "SR-DCNN of the knee-MRI thesis, random weights, its convolutions at full resolution: coronal planes one by one, float32"
    module = "plain_torch"


@dataclass(frozen=True)
class SlidingWindow(_ByRequest):
    """A shipped network in MONAI's hands."""

    model: str = ""
    id = "monai"
    module = "sliding_window"

    @property
    def about(self) -> str:
        """Its settings, which are MONAI's own but for the window."""
        from .sliding_window import WINDOW

        size = "x".join(map(str, reversed(WINDOW)))
        return f"model {Path(self.model).stem} by MONAI's sliding_window_inference: windows of {size}, overlap 0.25, float32"

    def missing(self) -> str:
        """Return whether the package is not there."""
        return "" if find_spec("monai") else "the Python package 'monai' is not installed"

    def asked(self) -> dict[str, Any]:
        """Return the model file."""
        return {"model": self.model}


@dataclass(frozen=True)
class Eclare:
    """ECLARE, which trains on the volume itself; from PyPI, in an environment of its own if one likes."""

    id = "eclare"
    kind = "peer"
    about = f"run-eclare, trained with {_ECLARE_PATCHES:,} of its 1,000,000 patches, once"

    def missing(self) -> str:
        """Return whether its command is not there."""
        return "" if shutil.which("run-eclare") else "the command run-eclare of the Python package 'eclare' is not on the path"

    def command(self, thick: Path, folder: Path) -> list[str]:
        """Return the command."""
        told = ["--relative-slice-thickness", "1.0", "--n-patches", str(_ECLARE_PATCHES)]
        return ["run-eclare", "--in-fpath", str(thick), "--out-dir", str(folder / "eclare"), *told]

    def work(self, lines: Sequence[dict[str, Any]]) -> None:
        """Return None: most of its operations are training."""


def our_upscalers(models: Sequence[str], device: str) -> list[OurUpscaler]:
    """Return the upscalers that are named, or all that make slices finer by the factor, networks first.

    Raises
    ------
    RequestError
        If a named one is none, or does not offer that.
    """
    if models:
        found = [find_upscaler(model, "MR", FACTOR, "k") for model in models]
    else:
        able = [info for info in list_upscalers() if FACTOR in info.factors and not (info.only_planes or info.problem)]
        found = sorted(able, key=lambda info: info.kind, reverse=True)
    return [OurUpscaler(info, device) for info in found]
