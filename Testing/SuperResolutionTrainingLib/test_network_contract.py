import pytest
import torch
from torch import nn

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.networks import build_network, network_names
from SuperResolutionTrainingLib.network_contract import check_contract


class Blurred(nn.Module):
    """Repeats thick slices after a blur over 3 slices, 5 rows and 5 columns."""

    factors, task, views, interpolated, working_values = (2, 3), "axis", 1, False, 9

    def __init__(self, halo=(1, 2, 2), result=lambda fine, factor: fine):
        super().__init__()
        self.halo, self.result = halo, result
        self.blur = nn.Conv3d(1, 1, (3, 5, 5), padding=(1, 2, 2))
        nn.init.zeros_(self.blur.weight)

    def forward(self, slices, factor):
        return self.result(self.blur(slices[:, None])[:, 0].repeat_interleave(factor, dim=1), factor)


@pytest.mark.parametrize("name", network_names())
def test_every_network_of_ours_keeps_the_contract(name):
    arguments = {"blocks": 1} if name == "rrdb" else {}
    check_contract(build_network(name, arguments), name)


def test_a_network_that_keeps_it_is_left_as_it_is():
    network = Blurred()
    check_contract(network, "blurred")
    assert not network.blur.weight.any() and network.training


@pytest.mark.parametrize("halo", [(0, 2, 2), (1, 1, 2), (1, 2, 1)])
def test_a_halo_shorter_than_the_reach_is_refused_though_the_weights_start_at_zero(halo):
    with pytest.raises(RequestError, match=r"network 'blurred' at factor 2 depends on voxels beyond its halo \(., ., .\)"):
        check_contract(Blurred(halo), "blurred")


def test_a_longer_halo_is_accepted():
    check_contract(Blurred((2, 3, 4)), "blurred")


def test_a_result_of_another_shape_is_refused():
    message = r"network 'blurred' at factor 3 makes \(2, 6, 5, 6\) of \(2, 3, 5, 6\); accepted is \(2, 9, 5, 6\)"
    with pytest.raises(RequestError, match=message):
        check_contract(Blurred(result=lambda fine, factor: fine[:, :6]), "blurred")


def test_a_network_that_fails_is_named_with_what_it_was_given():
    def fail(fine, factor):
        raise RuntimeError("sizes\ndo not match")

    with pytest.raises(RequestError, match=r"network 'blurred' at factor 2, given \(2, 3, 5, 6\) .*: sizes do not match"):
        check_contract(Blurred(result=fail), "blurred")


def test_checking_draws_no_random_numbers():
    """They would make another run of every seed."""
    network = build_network("sr_dcnn", {})
    before = torch.random.get_rng_state()
    check_contract(network, "sr_dcnn")
    assert torch.equal(torch.random.get_rng_state(), before)
