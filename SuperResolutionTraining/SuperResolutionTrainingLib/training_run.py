"""A training run from recipe to model file: trains, measures on unseen subjects, writes the card."""

from __future__ import annotations

import json
import platform
import sys
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.model_file import load_model, save_model
from SuperResolutionLib.version import __version__
from SuperResolutionLib.whole import whole_file

from .recipe import Recipe, Scan, read_recipe

if TYPE_CHECKING:
    from .trainer import Progress

SHIPPED = Path(__file__).parent / "recipes"


def run(recipe: str, data: Path, out: Path, resume: bool = False) -> Path:
    """Train the network of a recipe and write ``<id>.safetensors`` and ``<id>.json``, the record of the run, into `out`.

    Parameters
    ----------
    recipe : str
        A YAML file, or the name of a shipped recipe.
    data : Path
        Folder of the recipe's scans.
    out : Path
        Folder for checkpoint, record and model file; made if absent.
    resume : bool
        Continue from the checkpoint in `out`.

    Returns
    -------
    Path
        The model file.

    Raises
    ------
    RequestError
        If the recipe, the data or the checkpoint cannot be accepted.
    WorkError
        If training fails or a file cannot be written.
    """
    from .trainer import train

    path = _recipe_path(recipe)
    read = read_recipe(path)
    if not data.is_dir():
        raise RequestError(f"{data}: no such folder; accepted is the folder of the recipe's scans")
    start = load_model(path.parent / read.start).network.state_dict() if read.start else None
    curve = _Curve(out / "progress.jsonl", resume)
    network = train(read, data, out, resume, start, curve.add)
    return _finish(read, network, data, out, {"seconds": round(curve.seconds), "curve": curve.points})


class _Curve:
    """Loss over steps and seconds, kept in a file so that a resumed run continues it."""

    def __init__(self, path: Path, resume: bool) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines() if resume and path.is_file() else []
        self.points: list[dict[str, float]] = [json.loads(line) for line in lines]
        self._before = self.points[-1]["seconds"] if self.points else 0.0
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds of training up to the last point, all sittings together."""
        return self.points[-1]["seconds"] if self.points else 0.0

    def add(self, progress: Progress) -> None:
        """Take a report of the trainer, tell it, and keep it."""
        seconds = self._before + time.perf_counter() - self._started
        point = {"step": progress.step, "loss": round(progress.loss, 6), "seconds": round(seconds, 1)}
        # What an interrupted sitting did after its last checkpoint was done again.
        self.points = [earlier for earlier in self.points if earlier["step"] < progress.step] + [point]
        with whole_file(self._path) as partial:
            partial.write_text("".join(f"{json.dumps(each)}\n" for each in self.points), encoding="utf-8")
        print(f"step {progress.step} of {progress.steps}, loss {progress.loss:.5f}, {seconds:.0f} s", file=sys.stderr, flush=True)


def _recipe_path(recipe: str) -> Path:
    path, shipped = Path(recipe), SHIPPED / f"{recipe}.yaml"
    if path.is_file():
        return path
    if shipped.is_file():
        return shipped
    names = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.yaml")))
    raise RequestError(f"recipe '{recipe}': no such file; accepted are a YAML file or a shipped recipe ({names})")


def _finish(recipe: Recipe, network: Any, data: Path, out: Path, record: dict[str, Any]) -> Path:
    """Write the model file, first without figures, so that they are measured through the same door that users take."""
    from .validation import PROTOCOL, gains, measure

    path = out / f"{recipe.id}.safetensors"
    card = {
        "id": recipe.id,
        "title": recipe.title,
        "network": recipe.network,
        "arguments": recipe.arguments,
        "modalities": recipe.modalities,
        "acquisitions": tuple(dict.fromkeys(drawn.profile for drawn in recipe.acquisitions)),
        "engine_version": __version__,
        "training": _training(recipe, record),
        "protocol": PROTOCOL,
    }
    save_model(path, network, **card)
    scans = [scan for scan in recipe.scans if scan.split == "validation" and scan.modality in recipe.modalities]
    quality = measure(str(path), scans, data, recipe.validated_factors, ("mean",))
    save_model(path, network, **card, quality=tuple(quality))
    record_file = path.with_suffix(".json")
    with whole_file(record_file) as partial:
        partial.write_text(
            json.dumps({**card["training"], **record, "recipe": recipe.as_dict(), "quality": quality}, indent=1), encoding="utf-8"
        )
    print(gains(quality), file=sys.stderr)
    return path


def _training(recipe: Recipe, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "recipe": f"{recipe.id}.yaml",
        "date": date.today().isoformat(),
        "steps": recipe.steps,
        "seconds": record["seconds"],
        "machine": f"{platform.machine()}, {platform.system()}",
        "trained_on": _named(recipe.scans, "train"),
        "measured_on": _named(recipe.scans, "validation"),
    }


def _named(scans: tuple[Scan, ...], split: str) -> list[str]:
    return list(dict.fromkeys(f"{scan.file} ({scan.modality}, {scan.licence})" for scan in scans if scan.split == split))
