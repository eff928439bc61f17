"""Losses, one file each; the name of a loss is the name of its file.

A loss is a class ``LOSS`` that is built from a `Setting` and called with what the network made: ``loss(made)`` is a number that falls
as the result comes nearer to the truth. A loss that learns itself, as a discriminator does, has a ``learner`` (see `Learner`) and a
method ``learn(made, learning_rate)``. One that measures likeness rather than distance, so that PSNR does not tell its best weights,
says ``fidelity = False``. Listing losses imports no torch.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..made import Setting


def loss_names() -> list[str]:
    """Return the names of all losses."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def build_loss(name: str, setting: Setting) -> Any:
    """Build a loss.

    Parameters
    ----------
    name : str
        One of `loss_names`.
    setting : Setting
        What the loss may build upon.

    Raises
    ------
    RequestError
        If the network or the machine lacks what the loss needs.
    """
    return importlib.import_module(f"{__name__}.{name}").LOSS(setting)
