"""A training run from recipe to model file: trains, measures on unseen subjects, writes the card."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.model_file import Card, load_model, save_model
from SuperResolutionLib.version import __version__
from SuperResolutionLib.whole import whole_file

from .recipe import UNSTATED, Recipe, Scan, read_recipe, recipe_from
from .revision import git_revision

if TYPE_CHECKING:
    from .trainer import Tell, Trained

SHIPPED = Path(__file__).parent / "recipes"
_CACHE, _LOCK = "cache", "training"


def run(
    recipe: str | Mapping[str, Any],
    data: Path,
    out: Path,
    resume: bool = False,
    *,
    scans: str | None = None,
    minutes: float | None = None,
    device: str = "auto",
    tell: Tell | None = None,
) -> Path:
    """Train the network of a recipe and write ``<id>.safetensors`` and ``<id>.json``, the record of the run, into `out`.

    Started by ``torchrun``, the processes train together, and the first of them writes.

    Parameters
    ----------
    recipe : str or mapping
        A YAML file, the name of a shipped recipe, or a recipe as plain data.
    data : Path
        Folder of the scans.
    out : Path
        Folder for checkpoint, curves, previews, record and model file; made if absent.
    resume : bool
        Continue from the checkpoint in `out`.
    scans : str, optional
        The recipe whose list of scans takes the place of this recipe's, so that networks can be compared: see `recipe_of`.
    minutes : float, optional
        Takes the place of the recipe's budget; 0: no limit.
    device : str
        One of `devices.DEVICES`.
    tell : callable, optional
        Called with the messages that `worker` describes, from ``plan`` to ``result``.

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
    from .alone import alone
    from .checkpoint import FILE
    from .data_folder import with_scans
    from .distributed import Group
    from .journal import Journal
    from .trainer import Trainer

    read, folder = recipe_of(recipe)
    if scans is not None:
        read = replace(read, scans=listed_scans(scans))
    if minutes is not None:
        read = replace(read, minutes=minutes)
    if not data.is_dir():
        raise RequestError(f"{data}: no such folder; accepted is the folder of the recipe's scans")
    if resume and not (out / FILE).is_file():
        raise RequestError(f"{out / FILE}: no checkpoint to resume from")
    if not resume and (out / FILE).exists():
        raise RequestError(f"{out}: holds a run already; accepted are another folder, or to resume that run (--resume)")
    start = load_model(folder / read.start).network.state_dict() if read.start else None
    with Group(device) as group, ExitStack() as claimed:
        say: Tell = tell if tell and group.leads else lambda message: None
        # The first process decides who is in which split, the others read it.
        read = group.in_turn(lambda first: with_scans(read, data, out, resume or not first, lambda line: say(_warning(line))))
        (out / _CACHE).mkdir(parents=True, exist_ok=True)
        if group.leads:
            refusal = f"{out}: another process trains in it; accepted is to wait for that one, or to end it"
            claimed.enter_context(alone(out / _CACHE / _LOCK, refusal))
        journal = Journal(out, resume) if group.leads else None

        def told(message: dict[str, Any]) -> None:
            journal.add(message)
            say(message)

        try:
            trainer = Trainer(read, data, out, group, told, start, cache=out / _CACHE)
            if resume:
                trainer.resume()
            trained = trainer.run()
        finally:
            if journal:
                journal.close()
        path = out / f"{read.id}.safetensors"
        if group.leads:
            card = _finish(read, trained, data, path, journal.points, str(group.device), say)
            # Only a run that may still be resumed needs it.
            shutil.rmtree(out / _CACHE, ignore_errors=True)
            say(_result(path, card, trained))
    return path


def listed_scans(recipe: str) -> tuple[Scan, ...]:
    """Return the scans that a recipe lists; see `recipe_of`.

    Raises
    ------
    RequestError
        If it lists none.
    """
    scans = recipe_of(recipe)[0].scans
    if not scans:
        raise RequestError(f"recipe '{recipe}': lists no scans; accepted is a recipe that does")
    return scans


def recipe_of(recipe: str | Mapping[str, Any]) -> tuple[Recipe, Path]:
    """Return a recipe (a YAML file, the name of a shipped one, or plain data) and the folder that its start is relative to.

    Raises
    ------
    RequestError
        If there is no such recipe, or it is none.
    """
    if isinstance(recipe, Mapping):
        return recipe_from(recipe), Path()
    path, shipped = Path(recipe), SHIPPED / f"{recipe}.yaml"
    if path.is_file():
        return read_recipe(path), path.parent
    if shipped.is_file():
        return read_recipe(shipped), SHIPPED
    names = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.yaml")))
    raise RequestError(f"recipe '{recipe}': no such file; accepted are a YAML file or a shipped recipe ({names})")


def _finish(recipe: Recipe, trained: Trained, data: Path, path: Path, curve: list[dict[str, Any]], device: str, say: Tell) -> Card:
    """Write the model file, first without figures, so that they are measured through the same door that users take."""
    from .validation import measure, protocol

    card = {
        "id": recipe.id,
        "title": recipe.title,
        "network": recipe.network,
        "arguments": recipe.arguments,
        "modalities": recipe.modalities,
        "acquisitions": tuple(dict.fromkeys(drawn.profile for drawn in recipe.acquisitions)),
        "engine_version": __version__,
        "training": _training(recipe, trained),
        "protocol": protocol(recipe.task, recipe.measured_extent),
        **({"progressive": True} if recipe.progressive else {}),
    }
    save_model(path, trained.network.cpu(), **card)
    scans = [scan for scan in recipe.scans if scan.split == "validation" and scan.modality in recipe.modalities]
    quality = measure(
        str(path), scans, data, recipe.validated_factors or trained.network.factors, ("mean",),
        task=recipe.task, extent=recipe.measured_extent, device=device, tell=lambda line: say({"type": "measuring", "message": line}),
    )  # fmt: skip
    written = save_model(path, trained.network, **card, quality=tuple(quality))
    with whole_file(path.with_suffix(".json")) as partial:
        record = {**card["training"], "recipe": recipe.as_dict(), "quality": quality, "curve": curve}
        partial.write_text(json.dumps(record, indent=1), encoding="utf-8")
    return written


def _training(recipe: Recipe, trained: Trained) -> dict[str, Any]:
    return {
        "recipe": f"{recipe.id}.yaml",
        "date": date.today().isoformat(),
        "git_revision": git_revision(),
        "step": trained.step,
        "steps": trained.steps,
        "ended": trained.ended,
        "seconds": round(trained.seconds),
        "stages": [f"{stage.steps} steps of {_sum(stage.losses)}, learning rate {stage.learning_rate:g}" for stage in recipe.stages],
        "machine": f"{platform.machine()}, {platform.system()}",
        "split": {split: _subjects(recipe.scans, split) for split in ("train", "validation")},
        "trained_on": named_scans(recipe.scans, "train"),
        "measured_on": named_scans(recipe.scans, "validation"),
    }


def _sum(losses: Mapping[str, float]) -> str:
    return " + ".join(name if weight == 1 else f"{weight:g} {name}" for name, weight in losses.items())


def _subjects(scans: tuple[Scan, ...], split: str) -> list[str]:
    return sorted({scan.subject for scan in scans if scan.split == split})


def named_scans(scans: tuple[Scan, ...], split: str) -> list[str]:
    """Name scans for a card or record: by file where a licence is stated, else by subject: a private file's name may be a patient's."""
    names = (scan.file if scan.licence != UNSTATED else scan.subject for scan in scans if scan.split == split)
    rest = (f"({scan.modality}, {scan.licence})" for scan in scans if scan.split == split)
    return list(dict.fromkeys(f"{name} {told}" for name, told in zip(names, rest)))


def _warning(line: str) -> dict[str, Any]:
    return {"type": "warning", "message": line}


def _result(path: Path, card: Card, trained: Trained) -> dict[str, Any]:
    gains = {str(factor): card.mean_gain(factor) for factor in card.factors}
    return {
        "type": "result",
        "model": str(path),
        "id": card.id,
        "step": trained.step,
        "steps": trained.steps,
        "ended": trained.ended,
        "seconds": trained.seconds,
        "gain_db": {factor: gain for factor, gain in gains.items() if gain is not None},
        "quality": list(card.quality),
    }
