"""What the training process is asked for: a shipped recipe with what the panel says in its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import RequestError

from .recipe_menu import RecipeEntry

FACTORS = (2, 3, 4, 8)
VALIDATE_EVERY = 200
"""Steps, at most: without validation there is no curve to look at, and nothing to keep the best of."""
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
"""What Windows takes for a device, not for a file."""


@dataclass(frozen=True)
class Wishes:
    """What the user decides; everything else is the recipe's.

    Attributes
    ----------
    name : str
        Id of the model.
    data : Path
        Folder of the scans.
    scans : list of dict
        Scans of that folder, as a recipe lists them; empty: all of them, split by subject.
    factor : int
        0: all factors of the recipe.
    profile : str
        A slice profile; empty: the recipe's acquisitions.
    minutes : int
        0: no limit but the steps.
    steps : int
        Of all stages together; 0: the recipe's.
    device : str
    """

    name: str
    data: Path
    scans: list[dict[str, Any]] = field(default_factory=list)
    factor: int = 0
    profile: str = ""
    minutes: int = 0
    steps: int = 0
    device: str = "auto"


def reason_against_name(name: str) -> str:
    """Return why a text cannot name a model; empty if it can."""
    if not _NAME.fullmatch(name) or _DEVICE.fullmatch(name):
        return (
            f"'{name}' cannot name a model; accepted are up to 64 letters, digits, '.', '_' and '-', a letter or digit first, no '.' last, "
            "and no name of a Windows device."
        )
    return ""


def make_request(entry: RecipeEntry, wishes: Wishes) -> dict[str, Any]:
    """Return the request for the training process, without the entries ``out``, ``resume`` and ``folder`` of a single sitting.

    Raises
    ------
    RequestError
        If the recipe cannot be read.
    """
    recipe = _read(entry.path) | {"id": wishes.name, "title": f"trained in 3D Slicer, recipe {entry.name}", "scans": wishes.scans}
    recipe["validate_every"] = min(recipe.get("validate_every") or VALIDATE_EVERY, VALIDATE_EVERY)
    if recipe.get("start"):
        recipe["start"] = str(entry.path.parent / recipe["start"])
    if wishes.profile:
        recipe["acquisitions"] = [{"profile": wishes.profile}]
    if wishes.factor:
        recipe |= {"drawn_factors": [wishes.factor], "validated_factors": [wishes.factor]}
        recipe["arguments"] = dict(recipe.get("arguments", {})) | {"factors": [wishes.factor]}
    if wishes.steps:
        recipe["stages"] = scaled(recipe["stages"], wishes.steps)
    return {"recipe": recipe, "data": str(wishes.data), "minutes": wishes.minutes or None, "device": wishes.device}


def scaled(stages: list[dict[str, Any]], steps: int) -> list[dict[str, Any]]:
    """Return stages whose steps add up to `steps`, in the same proportions, each with at least one."""
    total, before, result = sum(stage["steps"] for stage in stages), 0, []
    for stage in stages:
        before += stage["steps"]
        done = sum(each["steps"] for each in result)
        result.append({**stage, "steps": max(1, round(steps * before / total) - done)})
    return result


def _read(path: Path) -> dict[str, Any]:
    import yaml  # not there before the user has agreed to install it

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise RequestError(f"recipe {path}: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict) or not data.get("stages"):
        raise RequestError(f"recipe {path}: has no stages; accepted is a recipe of this version")
    return data
