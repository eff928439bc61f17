"""Finds out before training whether a network keeps the contract of `SuperResolutionLib.networks`, which its results rely on afterwards."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from SuperResolutionLib.devices import run_network
from SuperResolutionLib.errors import RequestError

_SMALL = (3, 5, 6)
_MOST_WORK = 2e10  # weights times voxels: a few seconds
_ALIKE = 1e-4


def check_contract(network: nn.Module, name: str) -> None:
    """Check what a network makes of small random volumes, with random weights in place of those that start at zero.

    The reach of a network of very many weights or a very long halo is not checked: it would take longer than a few seconds.

    Parameters
    ----------
    network : Module
        Built by `build_network`; left as it is.
    name : str
        Of the architecture, for the error.

    Raises
    ------
    RequestError
        If a result has the wrong shape, or depends on voxels beyond the halo, which would leave seams between pieces.
    """
    tried = _with_random_weights(network)
    for plane in {"axis": (False,), "plane": (True,), "both": (False, True)}[network.task]:
        for factor in network.factors:
            _check_shape(tried, name, factor, plane)
            _check_reach(tried, name, factor, plane)


def _with_random_weights(network: nn.Module) -> nn.Module:
    tried = copy.deepcopy(network).cpu().eval()
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in tried.parameters():
            inputs = weight[0].numel() if weight.ndim > 1 else 1
            weight.copy_(torch.randn(weight.shape, generator=random) / inputs**0.5)
    return tried


def _finer(factor: int, plane: bool) -> tuple[int, int, int]:
    return (1, factor, factor) if plane else (factor, 1, 1)


def _run(network: nn.Module, thick: Tensor, name: str, factor: int, plane: bool) -> Tensor:
    try:
        return run_network(network, thick, factor, torch.float32, plane)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        told = " ".join(str(error).split())
        raise RequestError(
            f"network '{name}' at factor {factor}, given {tuple(thick.shape)} (batch, slices, rows, columns): {told}"
        ) from error


def _check_shape(network: nn.Module, name: str, factor: int, plane: bool) -> None:
    found = tuple(_run(network, torch.rand(2, *_SMALL, generator=torch.Generator().manual_seed(0)), name, factor, plane).shape)
    accepted = (2, *(length * n for length, n in zip(_SMALL, _finer(factor, plane))))
    if found != accepted:
        raise RequestError(f"network '{name}' at factor {factor} makes {found} of {(2, *_SMALL)}; accepted is {accepted}")


def _check_reach(network: nn.Module, name: str, factor: int, plane: bool) -> None:
    """Let two volumes differ just beyond the halo of their central voxel, and compare what is made of that."""
    halo = network.plane_halo if plane else network.halo
    shape = [2 * reach + 3 for reach in halo]
    weights = sum(weight.numel() for weight in network.parameters())
    if weights * math.prod(shape) * math.prod(_finer(factor, plane)) > _MOST_WORK:
        return
    thick = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0))
    near = (slice(1, -1),) * 3
    thick[(1, *near)] = thick[(0, *near)]
    fine = _run(network, thick, name, factor, plane)
    centre = tuple(slice((reach + 1) * n, (reach + 2) * n) for reach, n in zip(halo, _finer(factor, plane)))
    one, other = fine[(0, *centre)], fine[(1, *centre)]
    if (one - other).abs().max() > _ALIKE * (fine.max() - fine.min()):
        found = f"network '{name}' at factor {factor} depends on voxels beyond its halo {tuple(halo)} (slices, rows, columns)"
        raise RequestError(f"{found}, which would leave seams; accepted is a halo as long as its reach")
