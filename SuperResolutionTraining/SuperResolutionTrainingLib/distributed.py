"""Several processes that train one network together, as ``torchrun`` starts them; alone otherwise."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from SuperResolutionLib.devices import choose_device

Result = TypeVar("Result")


class Group:
    """The processes of a run: rank r of `size` draws batches n · size + r, gradients are averaged, and rank 0 alone writes.

    Parameters
    ----------
    device : str
        One of `devices.DEVICES`; each process of a machine takes the GPU of its local rank.

    Raises
    ------
    RequestError
        If the device is not there.
    """

    def __init__(self, device: str = "auto") -> None:
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        self.device = choose_device(device)
        if self.size == 1:
            return
        if self.device.type == "cuda":
            self.device = choose_device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
            torch.cuda.set_device(self.device)
        _hold_no_group()
        distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")

    def __enter__(self) -> Group:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.size > 1:
            distributed.destroy_process_group()

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes and tells."""
        return self.rank == 0

    def in_turn(self, work: Callable[[bool], Result]) -> Result:
        """Return what each process makes, rank 0 (called with True) before the others."""
        result = work(True) if self.leads else None
        if self.size > 1:
            distributed.barrier()
        return result if self.leads else work(False)

    def number_of(self, step: int) -> int:
        """Return the number of the batch that this process draws in a step."""
        return step * self.size + self.rank

    def spread(self, module: nn.Module) -> nn.Module:
        """Return the module with its gradients averaged over the processes; its weights become those of rank 0."""
        if self.size == 1:
            return module
        # Not every batch uses all weights: a network has a head for each factor. Buffers are those of each process's own batches.
        return DistributedDataParallel(module, broadcast_buffers=False, find_unused_parameters=True)

    def agree(self, *values: float) -> list[float]:
        """Return the values of rank 0, exactly."""
        if self.size == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.broadcast(told, 0)
        return told.tolist()

    def mean(self, value: float) -> float:
        """Return the mean of the processes' values."""
        if self.size == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64, device=self.device)
        distributed.all_reduce(total)
        return total.item() / self.size


def _hold_no_group() -> None:
    """Import what torch would import with the group as default of its functions, which would then live until Python ends.

    Gloo's threads end with the last reference to their group. One that lets go of a tensor while Python ends takes the process with it
    (SIGABRT, "terminate called without an active exception").
    """
    importlib.import_module("torch.distributed.nn.functional")
