"""The super-resolution engine: reads a thick-slice MR or CT volume, makes it finer, writes it. Imports neither slicer nor qt.

>>> from SuperResolutionLib import read_volume, upscale, write_volume  # doctest: +SKIP
>>> result = upscale(read_volume("study/"), factor=4)  # doctest: +SKIP
>>> write_volume(result.volume, "fine.nrrd")  # doctest: +SKIP
"""

from importlib import import_module
from typing import Any

from .version import __version__

_HOMES = {
    "RequestError": "errors",
    "SuperResolutionError": "errors",
    "WorkError": "errors",
    "Volume": "volume",
    "read_volume": "files",
    "write_volume": "files",
    "degrade": "acquisition",
    "upscale": "upscaling",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    # On demand: the command line's --help and a viewer's start-up must not wait for SimpleITK and torch.
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
