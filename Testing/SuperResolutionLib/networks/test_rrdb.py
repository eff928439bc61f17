import pytest
import torch
from torch.nn import functional

from SuperResolutionLib.networks import build_network


@pytest.fixture
def small():
    def make(**arguments):
        torch.manual_seed(0)
        return build_network("rrdb", {"channels": 4, "growth": 2, "blocks": 2} | arguments).eval()

    return make


def test_the_names_of_the_weights_are_the_common_ones(small):
    names = {key.rsplit(".", 1)[0] for key in small().state_dict()}
    dense = {f"body.{block}.rdb{part}.conv{layer}" for block in (0, 1) for part in (1, 2, 3) for layer in (1, 2, 3, 4, 5)}
    assert names == dense | {"conv_first", "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"}


def reference(weights, image):
    """The published generator, layer by layer."""

    def conv(name, features):
        return functional.conv2d(features, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)

    def leaky(features):
        return functional.leaky_relu(features, 0.2)

    first = features = conv("conv_first", image)
    for block in range(2):
        entered = features
        for part in (1, 2, 3):
            dense = features
            for layer in (1, 2, 3, 4):
                dense = torch.cat((dense, leaky(conv(f"body.{block}.rdb{part}.conv{layer}", dense))), 1)
            features = features + 0.2 * conv(f"body.{block}.rdb{part}.conv5", dense)
        features = entered + 0.2 * features
    features = first + conv("conv_body", features)
    for name in ("conv_up1", "conv_up2"):
        features = leaky(conv(name, functional.interpolate(features, scale_factor=2, mode="nearest")))
    return conv("conv_last", leaky(conv("conv_hr", features)))


def test_in_planes_it_is_the_published_generator(make_network):
    network = make_network("rrdb", factors=[4], blocks=2, task="plane")
    slices = torch.rand(2, 3, 8, 9, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = reference(network.state_dict(), slices.flatten(0, 1)[:, None])[:, 0].unflatten(0, (2, 3))
        torch.testing.assert_close(network.forward_plane(slices, 4), expected, atol=1e-4, rtol=1e-4)


def test_weights_for_planes_are_those_for_an_axis(small):
    axis, plane = small(), small(task="plane")
    assert {key: value.shape for key, value in axis.state_dict().items()} == {key: value.shape for key, value in plane.state_dict().items()}


@pytest.mark.parametrize(("factor", "convolutions"), [(2, 1), (3, 1), (4, 2), (8, 3)])
def test_a_convolution_follows_each_doubling(small, factor, convolutions):
    network = small(factors=[factor])
    assert sum(name.startswith("conv_up") for name, _ in network.named_children()) == convolutions
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 4, 5), factor).shape == (1, 3 * factor, 4, 5)
        assert network.forward_plane(torch.rand(1, 3, 4, 5), factor).shape == (1, 3, 4 * factor, 5 * factor)


def test_residuals_are_scaled(small):
    """Without residuals the blocks pass on what enters them, but for the scale."""
    slices = torch.rand(1, 4, 6, 6)
    whole, without = small(), small(residual_scale=0.0)
    with torch.inference_mode():
        features = torch.rand(1, 4, 6, 6)
        torch.testing.assert_close(without.body(features), features)
        assert (whole.body(features) - 1.44 * features).abs().max() < 0.1
        assert (whole(slices, 4) - without(slices, 4)).abs().max() > 0
