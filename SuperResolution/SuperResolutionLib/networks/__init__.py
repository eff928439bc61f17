"""Network architectures, one file each; the name of an architecture is the name of its file.

A network is a torch module with typed constructor arguments and

- ``factors``: the factors it upscales by;
- ``halo``: its reach in thick voxels along (slices, rows, columns);
- ``working_values``: numbers it holds at once for each thick voxel, from which memory is planned;
- ``views``: 2 if it works in single planes, so that both orthogonal views are worth averaging, else 1;
- ``forward(slices, factor)``: (batch, slices, rows, columns) → (batch, factor · slices, rows, columns).

Listing them imports no torch.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import RequestError

if TYPE_CHECKING:
    from torch import nn


def network_names() -> list[str]:
    """Return the names of all architectures."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def build_network(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build a network with random weights.

    Parameters
    ----------
    name : str
        Name of the architecture.
    arguments : mapping
        Arguments of its constructor.

    Raises
    ------
    RequestError
        If the architecture is unknown or the arguments do not fit it.
    """
    if name not in network_names():
        raise RequestError(f"network '{name}': accepted are {', '.join(network_names())}")
    kind = importlib.import_module(f"{__name__}.{name}").NETWORK
    try:
        return kind(**arguments)
    except (TypeError, ValueError, RuntimeError) as error:
        raise RequestError(f"network '{name}' with arguments {dict(arguments)}: {' '.join(str(error).split())}") from error
