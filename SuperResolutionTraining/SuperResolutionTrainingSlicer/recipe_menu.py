"""The shipped recipes that the panel offers, in words, read before PyYAML is installed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import SuperResolutionTrainingLib

RECIPES = Path(SuperResolutionTrainingLib.__file__).parent / "recipes"
_ENTRY = re.compile(r"^(\w+): *(.*?)(?: +#.*)?$", re.MULTILINE)
_FACTORS = re.compile(r"\bfactors: *\[([\d, ]*)\]")
_TASKS = {"axis": "makes one axis finer", "plane": "makes rows and columns finer", "both": "makes all three axes finer"}


@dataclass(frozen=True)
class RecipeEntry:
    """One line of the recipe menu.

    Attributes
    ----------
    path : Path
    name, title, network : str
    task : str
        ``axis``, ``plane`` or ``both``.
    images : bool
        Whether it takes a folder of pictures rather than scans.
    factors : tuple of int
        Those that its network is built for; empty where the recipe does not say.
    """

    path: Path
    name: str
    title: str
    network: str
    task: str
    images: bool
    factors: tuple[int, ...]

    def describe(self) -> str:
        """Return one line on what is trained."""
        data = "from pictures (PNG, JPEG)" if self.images else "from scans"
        return f"{self.title[:1].upper()}{self.title[1:]}. Network {self.network}, {_TASKS.get(self.task, self.task)}, learns {data}."


def recipe_entries(folder: Path = RECIPES) -> list[RecipeEntry]:
    """Return the shipped recipes by name, the one for ordinary machines first."""
    entries = [_read(path) for path in sorted(folder.glob("*.yaml"))]
    return sorted(entries, key=lambda entry: entry.name != "fast")


def _read(path: Path) -> RecipeEntry:
    """Read the plain entries of the first level; the whole recipe is read by the engine."""
    text = path.read_text(encoding="utf-8")
    plain = {key: value.strip("\"'") for key, value in _ENTRY.findall(text)}
    listed = _FACTORS.search(plain.get("arguments", "")) or _FACTORS.search(f"factors: {plain.get('drawn_factors', '')}")
    factors = sorted({int(factor) for factor in listed.group(1).split(",")}) if listed and listed.group(1).strip() else []
    return RecipeEntry(
        path=path,
        name=path.stem,
        title=plain.get("title", path.stem),
        network=plain.get("network", ""),
        task=plain.get("task", "axis"),
        images=plain.get("images") == "true",
        factors=tuple(factors),
    )
