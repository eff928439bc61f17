"""What a run told, kept in its folder: JSON lines, and TensorBoard's format where that package is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import WorkError

from .plain_data import read_json_lines

FILE = "progress.jsonl"
_KEPT = ("progress", "validation")
_FIGURES = ("loss", "psnr", "psnr_cubic", "ncc", "ncc_cubic", "ssim", "ssim_cubic")


class Journal:
    """Keeps the curves of a run, all sittings together.

    Parameters
    ----------
    folder : Path
        Of the run; it exists.
    resume : bool
        Go on with what earlier sittings wrote.
    """

    def __init__(self, folder: Path, resume: bool) -> None:
        self._path = folder / FILE
        self.points: list[dict[str, Any]] = read_json_lines(self._path) if resume else []
        self._writer = _tensorboard(folder / "tensorboard")

    def add(self, message: dict[str, Any]) -> None:
        """Take a message of the trainer; those that are no points of a curve are left out.

        Raises
        ------
        WorkError
            If the file cannot be written.
        """
        if message["type"] == "plan":
            # What an interrupted sitting did after its last checkpoint is done again.
            self.points = [point for point in self.points if point["step"] <= message["first_step"]]
            self._write("w", self.points)
        if message["type"] not in _KEPT:
            return
        self.points.append(message)
        self._write("a", [message])
        if self._writer:
            for name in _FIGURES:
                if message.get(name) is not None:
                    self._writer.add_scalar(name, message[name], message["step"])

    def _write(self, mode: str, points: list[dict[str, Any]]) -> None:
        try:
            with self._path.open(mode, encoding="utf-8") as file:
                file.writelines(f"{json.dumps(point)}\n" for point in points)
        except OSError as error:
            raise WorkError(f"{self._path}: not written, {error.strerror or error}") from error

    def close(self) -> None:
        """Write what is still in memory."""
        if self._writer:
            self._writer.close()


def _tensorboard(folder: Path) -> Any:
    """Return TensorBoard's writer; None where its package is not installed, which is no requirement: the lines say the same."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder))
