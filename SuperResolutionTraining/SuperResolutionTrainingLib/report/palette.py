"""A colour for each model, the same in every chart and table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

_GREY = "#7a7a7a"
# Okabe and Ito (2008), "Color Universal Design", then Tol's "muted": told apart by colour-blind readers.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#332288", "#882255", "#999933")
_DASHES = ("", "6 2.5", "2 2")


@dataclass(frozen=True)
class Ink:
    """How a model is drawn: a colour, and the dashes of its lines ("" for none)."""

    colour: str
    dashes: str = ""


def inks_for(models: Sequence[str], baseline: str) -> dict[str, Ink]:
    """Return the ink of each model: grey for the baseline, the other colours in turn, with dashes once they are used up."""
    turn = count()
    inks = {}
    for model in models:
        if model == baseline:
            inks[model] = Ink(_GREY)
        else:
            place = next(turn)
            inks[model] = Ink(_COLOURS[place % len(_COLOURS)], _DASHES[place // len(_COLOURS) % len(_DASHES)])
    return inks
