import json

import pytest
import torch

from SuperResolutionLib.devices import choose_device, choose_precision, list_devices, run_network
from SuperResolutionLib.errors import RequestError


class Repeats(torch.nn.Module):
    """Stands for a network: multiplies in the number type it is run in, and can fail or be slow in one of them."""

    interpolated = False

    def __init__(self, refused=None, factor_in_reduced=1.0):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.eye(8))
        self.refused, self.factor_in_reduced, self.calls = refused, factor_in_reduced, []

    def forward(self, slices, factor):
        result = slices @ self.weight
        self.calls.append(result.dtype)
        if result.dtype == self.refused:
            raise RuntimeError("not implemented for this type")
        if result.dtype != torch.float32:
            result = result * self.factor_in_reduced
        return result.repeat_interleave(factor, dim=1)


@pytest.fixture
def sample():
    return torch.linspace(0, 1, 2 * 4 * 8).reshape(1, 2, 4, 8)


@pytest.fixture
def clock(monkeypatch):
    """A clock by which runs take the seconds that are given, one after the other."""

    def set_to(*seconds):
        shown = iter([shown for taken in seconds for shown in (100, 100 + taken)])
        monkeypatch.setattr("SuperResolutionLib.devices.time.perf_counter", lambda: next(shown))

    return set_to


@pytest.fixture
def machine(monkeypatch):
    """Pretend to be a machine with so many CUDA devices, with or without that of Apple."""

    def become(gpus=0, mps=False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"GPU of number {number}")
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return become


@pytest.mark.parametrize("name", ["tpu", "", "CPU", "gpu:0", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "auto:1"])
def test_an_unknown_device_is_refused(name):
    with pytest.raises(RequestError, match=f"device '{name}': accepted are auto, cpu, cuda, mps"):
        choose_device(name)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_a_device_that_is_not_there_is_refused_and_not_replaced(machine, name):
    machine()
    with pytest.raises(RequestError, match=f"device '{name}': not found on this machine; accepted are auto, cpu"):
        choose_device(name)


def test_one_of_several_gpus_is_chosen_by_its_number(machine):
    machine(gpus=2)
    assert [choose_device(name) for name in ("cuda", "cuda:1")] == [torch.device("cuda"), torch.device("cuda:1")]
    with pytest.raises(RequestError, match="device 'cuda:2': not found on this machine; accepted are auto, cuda:0, cuda:1, cpu"):
        choose_device("cuda:2")


@pytest.mark.parametrize(("gpus", "mps", "chosen"), [(0, False, "cpu"), (1, False, "cuda"), (0, True, "mps"), (1, True, "cuda")])
def test_auto_takes_a_gpu_where_there_is_one(machine, gpus, mps, chosen):
    machine(gpus, mps)
    assert choose_device("auto").type == chosen
    assert choose_device("cpu").type == "cpu"


def test_the_devices_are_listed_with_their_names_and_the_cpu_last(machine):
    machine()
    assert list_devices() == [{"id": "cpu", "name": "CPU"}]
    machine(gpus=2, mps=True)
    assert [tuple(device.values()) for device in list_devices()] == [
        ("cuda:0", "GPU of number 0"), ("cuda:1", "GPU of number 1"), ("mps", "Apple GPU"), ("cpu", "CPU"),
    ]  # fmt: skip


@pytest.mark.parametrize(("gpus", "mps"), [(0, False), (2, False), (0, True)])
def test_every_device_that_is_listed_can_be_chosen_and_the_first_is_the_automatic_one(machine, gpus, mps):
    machine(gpus, mps)
    listed = [device["id"] for device in list_devices()]
    assert [str(choose_device(name)) for name in listed] == listed
    assert choose_device("auto").type == torch.device(listed[0]).type


def test_a_caller_without_torch_can_ask_for_the_devices(python):
    done = python("-m", "SuperResolutionLib.devices")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"type": "result", "devices": list_devices()}


def test_an_unknown_precision_is_refused(sample):
    with pytest.raises(RequestError, match="precision 'float64': accepted are auto, float32, bfloat16, float16"):
        choose_precision("float64", Repeats(), sample, 2)


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_a_precision_that_was_asked_for_is_taken_without_a_trial(sample, name):
    network = Repeats()
    assert choose_precision(name, network, sample, 2) == getattr(torch, name)
    assert network.calls == []


@pytest.mark.parametrize(("reduced_seconds", "chosen"), [(1.0, torch.bfloat16), (1.95, torch.float32), (40.0, torch.float32)])
def test_auto_takes_the_reduced_type_only_where_it_is_faster(sample, clock, reduced_seconds, chosen):
    clock(*(2, reduced_seconds) * 3)
    assert choose_precision("auto", Repeats(), sample, 2) == chosen


def test_the_quickest_run_of_each_type_counts(sample, clock):
    """A first run that warms up, and another program that takes the processor for a while."""
    clock(9, 30, 2, 20, 3, 1)
    assert choose_precision("auto", Repeats(), sample, 2) == torch.bfloat16


def test_auto_does_not_take_a_type_that_is_fast_and_wrong(sample, clock):
    clock(*(2, 1) * 3)
    assert choose_precision("auto", Repeats(factor_in_reduced=1.01), sample, 2) == torch.float32


def test_auto_does_without_a_type_that_the_device_cannot_run(sample, clock):
    clock(2, 1)
    assert choose_precision("auto", Repeats(refused=torch.bfloat16), sample, 2) == torch.float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_network_runs_without_gradients_and_gives_single_precision(sample, dtype):
    network = Repeats()
    result = run_network(network, sample, 3, dtype)
    assert result.dtype == torch.float32 and not result.requires_grad and result.shape == (1, 6, 4, 8)
    assert network.calls == [dtype]
