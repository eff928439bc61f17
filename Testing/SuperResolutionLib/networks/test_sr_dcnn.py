import numpy as np
import pytest
import torch

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.interpolation import interpolation_operator
from SuperResolutionLib.networks import build_network


@pytest.fixture
def slices():
    return torch.rand(2, 7, 12, 13, generator=torch.Generator().manual_seed(0))


def test_the_layers_are_those_of_the_thesis():
    shapes = [tuple(weight.shape) for name, weight in build_network("sr_dcnn", {}).state_dict().items() if name.endswith("weight")]
    assert shapes[0] == (1, 1, 12, 3)
    assert [shape[:2] for shape in shapes if len(shape) == 4][1:] == [(64, 1), (64, 64), (32, 64), (1, 32)]
    assert sum(len(shape) == 1 for shape in shapes) == 4


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_the_deconvolution_starts_as_linear_interpolation(slices, factor):
    network = build_network("sr_dcnn", {"factors": [factor], "channels": [2]})
    with torch.no_grad():
        for layer in network.convolutions:
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.zero_()[..., 1, 1] = 1 / layer.in_channels
                layer.bias.zero_()
        fine = network(slices, factor).numpy()
    expected = interpolation_operator("linear", 7, factor)(slices.numpy(), 1)
    inside = slice(factor, -factor)
    np.testing.assert_allclose(fine[:, inside], expected[:, inside], atol=1e-6)


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("arguments", [{"channels": [4]}, {"channels": [4, 4, 4]}, {"channels": [4], "kernel": 5}])
def test_the_halo_is_exactly_the_reach(make_network, reach_of, factor, arguments):
    network = make_network("sr_dcnn", factors=[factor], **arguments)
    assert reach_of(network, factor) == network.halo


def test_planes_do_not_see_each_other(make_network, slices):
    network = make_network("sr_dcnn")
    with torch.inference_mode():
        alone = [network(slices[:1, :, row : row + 1], 2) for row in range(12)]
        torch.testing.assert_close(network(slices[:1], 2), torch.cat(alone, dim=2), atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", [(1, 1, 16, 16), (1, 5, 7, 9), (1, 1, 1, 1)])
def test_the_smallest_volumes_are_taken(make_network, shape):
    with torch.inference_mode():
        fine = make_network("sr_dcnn")(torch.rand(shape), 2)
    assert fine.shape == (1, 2 * shape[1], *shape[2:]) and fine.isfinite().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"factors": [2, 4]}, "exactly one"), ({"factors": []}, "exactly one"), ({"kernel": 4}, "accepted are odd numbers")],
)
def test_arguments_that_the_architecture_cannot_take_are_refused(arguments, message):
    with pytest.raises(RequestError, match=message):
        build_network("sr_dcnn", arguments)
