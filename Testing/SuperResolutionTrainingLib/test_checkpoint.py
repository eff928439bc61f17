import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.model_file import is_checkpoint
from SuperResolutionTrainingLib.checkpoint import optimiser_tensors, read_checkpoint, restore_optimiser, under, write_checkpoint
from SuperResolutionTrainingLib.muon import Muon

NUMBERS = {"step": 3, "best": {"psnr": None}, "recipe": {"id": "tiny"}}


def test_numbers_and_tensors_come_back_bit_by_bit(tmp_path):
    weight = torch.randn(4, 3, 2, 2).contiguous(memory_format=torch.channels_last)
    tensors = {"a/weight": weight, "a/same": weight, "b/steps": torch.tensor(7.0), "c/half": torch.randn(3).bfloat16()}
    write_checkpoint(tmp_path / "state", NUMBERS, tensors)
    numbers, found = read_checkpoint(tmp_path / "state")
    assert numbers == NUMBERS and found.keys() == tensors.keys()
    assert all(torch.equal(found[name], value) and found[name].dtype == value.dtype for name, value in tensors.items())
    assert under("a", found).keys() == {"weight", "same"}


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW, Muon])
def test_an_optimiser_goes_on_where_it_was(tmp_path, kind):
    def steps(network, optimiser, count):
        for _ in range(count):
            optimiser.zero_grad()
            network(torch.ones(2, 3)).square().sum().backward()
            optimiser.step()

    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 16))
    optimiser = kind(network.parameters(), lr=0.1)
    steps(network, optimiser, 3)
    write_checkpoint(tmp_path / "state", {}, network.state_dict() | optimiser_tensors(optimiser))
    steps(network, optimiser, 3)
    other = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 16))
    again = kind(other.parameters(), lr=0.1)
    _, tensors = read_checkpoint(tmp_path / "state")
    other.load_state_dict({name: tensors.pop(name) for name in other.state_dict()})
    restore_optimiser(again, tensors)
    steps(other, again, 3)
    assert all(torch.equal(one, two) for one, two in zip(network.parameters(), other.parameters()))


def test_the_engine_knows_a_checkpoint_for_one_and_a_model_for_none(tmp_path):
    write_checkpoint(tmp_path / "state", NUMBERS, {"weight": torch.zeros(2)})
    save_file({"weight": torch.zeros(2)}, tmp_path / "weights", {"superresolution": "{}"})
    assert [is_checkpoint(tmp_path / name) for name in ("state", "weights", "absent")] == [True, False, False]


def test_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(RequestError, match="state: no checkpoint to resume from"):
        read_checkpoint(tmp_path / "state")


@pytest.mark.parametrize("kept", [0, 10, -100])
def test_a_damaged_checkpoint_is_refused_with_its_path(tmp_path, kept):
    write_checkpoint(tmp_path / "state", NUMBERS, {"weight": torch.zeros(100)})
    (tmp_path / "state").write_bytes((tmp_path / "state").read_bytes()[:kept])
    with pytest.raises(RequestError, match="state: damaged, or no checkpoint of a training run") as caught:
        read_checkpoint(tmp_path / "state")
    assert "\n" not in str(caught.value)


def test_other_files_are_refused_and_run_no_code(tmp_path):
    class Dangerous:
        def __reduce__(self):
            return open, (str(tmp_path / "was-run"), "w")

    torch.save({"recipe": Dangerous()}, tmp_path / "pickle")
    save_file({"weight": torch.zeros(2)}, tmp_path / "weights")
    for name in ("pickle", "weights"):
        with pytest.raises(RequestError, match=f"{name}: damaged, or no checkpoint of a training run"):
            read_checkpoint(tmp_path / name)
    assert not (tmp_path / "was-run").exists()


def test_a_checkpoint_that_cannot_be_written_is_told_with_its_path(tmp_path):
    with pytest.raises(WorkError, match="state: not written"):
        write_checkpoint(tmp_path / "absent" / "state", NUMBERS, {"weight": torch.zeros(2)})
