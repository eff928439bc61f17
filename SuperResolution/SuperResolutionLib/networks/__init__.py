"""Network architectures, one file each; the name of an architecture is the name of its file, whose last line is ``NETWORK = its class``.

A network is a torch module with typed constructor arguments and

- ``factors``: the factors it upscales by;
- ``halo``: its reach in thick voxels along (slices, rows, columns);
- ``working_values``: numbers it holds at once for each thick voxel, from which memory is planned: channels times fine voxels in a thick
  one, of the widest layer's input and output together and what is kept beside them, such as a skip connection;
- ``forward(slices, factor)``: (batch, slices, rows, columns) → (batch, factor · slices, rows, columns).

What follows is optional; `build_network` fills in the defaults:

- ``views`` (1): 2 if ``forward`` works in single planes of (slices, columns), which leaves the rows without reach, so that the view with
  rows and columns exchanged is worth averaging;
- ``task`` ("axis"): "plane" if it makes rows and columns finer instead, "both" if it can do either. Such a network has
  ``forward_plane(slices, factor)``: (batch, slices, rows, columns) → (batch, slices, factor · rows, factor · columns),
  with ``plane_halo`` and ``plane_working_values`` of its own;
- ``interpolated`` (False): True if it takes slices that are interpolated onto the fine grid already, see `prepare_input`;
- ``continues`` (False): True if it copes with the end of a volume by itself; for the others see `continuation`;
- ``progressive`` (False): True if it was trained to be applied to its own result, so that powers of its factors are offered too;
- ``intermediate(slices, factor)`` and ``intermediate_plane(slices, factor)``: the result and an earlier map of the same shape that a
  loss may look at as well.

`layers` has what several networks are made of. Training first checks shapes and halo with small random volumes. Listing the
architectures imports no torch.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import RequestError

if TYPE_CHECKING:
    from torch import Tensor, nn

TASKS = ("axis", "plane", "both")
_DEFAULTS = {"views": 1, "task": "axis", "interpolated": False, "continues": False, "progressive": False}
_AXIS = ("halo", "working_values")
_PLANE = ("plane_halo", "plane_working_values", "forward_plane")
_LARGEST_CONTINUATION = 16


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
    kind = getattr(importlib.import_module(f"{__name__}.{name}"), "NETWORK", None)
    if kind is None:
        raise RequestError(f"network '{name}': its file has no NETWORK; accepted is a file that ends with NETWORK = its class")
    try:
        network = kind(**arguments)
        _refuse_incomplete(network, "factors")
        if not network.factors or min(network.factors) < 2:
            raise ValueError(f"factors {tuple(network.factors)}: accepted are whole numbers from 2, at least one")
    except (TypeError, ValueError, RuntimeError) as error:
        raise RequestError(f"network '{name}' with arguments {dict(arguments)}: {' '.join(str(error).split())}") from error
    for attribute, value in _DEFAULTS.items():
        if not hasattr(network, attribute):
            setattr(network, attribute, value)
    _refuse_incomplete(network, *([] if network.task == "plane" else _AXIS), *([] if network.task == "axis" else _PLANE))
    return network


def _refuse_incomplete(network: nn.Module, *needed: str) -> None:
    for attribute in needed:
        if not hasattr(network, attribute):
            raise RequestError(
                f"network '{type(network).__name__}' has no {attribute}; what a network must have stands in networks/__init__.py"
            )


def build_discriminator() -> nn.Module:
    """Build the network that tells true planes from made ones while an upscaler is trained against it."""
    from ..discriminator import Discriminator

    return Discriminator()


def continuation(network: nn.Module, plane: bool = False) -> tuple[int, int, int]:
    """Return by how many thick voxels a volume is continued beyond each of its ends before a network sees it.

    Convolutions pad with zeros, which darkens the ends of a volume that does not end in air; the outermost voxels, repeated, do not.

    Parameters
    ----------
    network : Module
        Built by `build_network`.
    plane : bool
        Rows and columns are to become finer, not slices.

    Returns
    -------
    tuple of int
        Along (slices, rows, columns): its reach, but 16 at most, since what lies farther has next to no influence.
    """
    if network.continues:
        return 0, 0, 0
    slices, rows, columns = (min(reach, _LARGEST_CONTINUATION) for reach in (network.plane_halo if plane else network.halo))
    return slices, rows, columns


def prepare_input(network: nn.Module, thick: Tensor, factor: int, plane: bool = False) -> Tensor:
    """Return what ``forward`` (with `plane`: ``forward_plane``) of a network takes; upscaling and training alike go through here.

    Parameters
    ----------
    network : Module
        Built by `build_network`.
    thick : Tensor, shape (batch, slices, rows, columns)
        What was measured.
    factor : int
    plane : bool
        Rows and columns are to become finer, not slices.

    Returns
    -------
    Tensor
        The thick slices as they are or, for an ``interpolated`` network, interpolated onto the fine grid (Keys' cubic, edges aligned:
        of local reach, so that pieces of a volume give what the whole gives).
    """
    if not network.interpolated:
        return thick
    from ..layers import keys_interpolation

    for dimension in (2, 3) if plane else (1,):
        thick = keys_interpolation(thick, factor, dimension)
    return thick
