"""The training library, which the engine works without and a few requests need."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from .errors import RequestError


def training_library(module: str) -> ModuleType:
    """Import a module of SuperResolutionTrainingLib.

    Raises
    ------
    RequestError
        If that, or a package that it needs, is not installed.
    """
    try:
        return import_module(f"SuperResolutionTrainingLib.{module}")
    except ModuleNotFoundError as error:
        raise RequestError(
            f"this needs the Python package '{error.name}', which is not installed; install superresolution[training]"
        ) from error
