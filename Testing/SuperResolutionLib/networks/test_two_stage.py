import numpy as np
import pytest
import torch

from SuperResolutionLib.networks import build_network
from SuperResolutionLib.networks.two_stage import _shuffle


@pytest.fixture
def slices():
    return torch.rand(2, 4, 5, 6, generator=torch.Generator().manual_seed(0))


def test_the_shuffle_of_planes_is_that_of_torch():
    channels = torch.rand(2, 9, 4, 5)
    torch.testing.assert_close(_shuffle(channels, (3, 3)), torch.nn.functional.pixel_shuffle(channels, 3), atol=0, rtol=0)


def test_the_shuffle_of_slices_lays_channels_one_after_the_other_along_the_first_axis():
    channels = torch.arange(3.0).reshape(1, 3, 1, 1).expand(1, 3, 2, 4) + 10 * torch.arange(2.0)[:, None]
    np.testing.assert_array_equal(_shuffle(channels, (3, 1))[0, 0, :, 0], [0, 1, 2, 10, 11, 12])


def test_the_intermediate_map_has_the_shape_of_the_result_and_is_what_the_shuffle_gives(make_network, slices):
    network = make_network("two_stage")
    shuffled = []
    for stage in (network.depth_stage, network.plane_stage):
        stage.shuffled.register_forward_hook(lambda layer, inputs, output: shuffled.append(output))
    with torch.inference_mode():
        result, early = network.intermediate(slices, 2)
        torch.testing.assert_close(result, network(slices, 2))
        assert result.shape == early.shape == (2, 8, 5, 6)
        torch.testing.assert_close(early[1, 3, 4], shuffled[0][1 * 5 + 4, 1, 1])
        result, early = network.intermediate_plane(slices, 2)
        torch.testing.assert_close(result, network.forward_plane(slices, 2))
        assert result.shape == early.shape == (2, 4, 10, 12)
        torch.testing.assert_close(early[1, 3, 5, 1::2], shuffled[-2][1 * 4 + 3, 3, 2])


def test_skips_lead_around_the_layers_that_they_skip(make_network, slices):
    """With the skipped layers silent, the first layer's features reach the shuffle, and the first fine one's the last."""
    network = make_network("two_stage")
    stage = network.depth_stage
    with torch.no_grad():
        for layer in (*stage.low[1:], *stage.fine[1:]):
            layer.weight.zero_()
            layer.bias.zero_()
        plane = slices[:1, :1]
        first = torch.relu(stage.low[0](plane))
        result, early = stage(plane)
        torch.testing.assert_close(early, _shuffle(stage.shuffled(first), (2, 1)))
        torch.testing.assert_close(result, stage.last(torch.relu(stage.fine[0](early))))


def test_map_and_result_may_be_negative(make_network, slices):
    with torch.inference_mode():
        result, early = make_network("two_stage").intermediate(slices, 2)
    assert result.min() < 0 and early.min() < 0


@pytest.mark.parametrize(("task", "stage"), [("axis", "depth_stage"), ("plane", "plane_stage")])
def test_one_stage_can_be_had_alone(task, stage):
    network = build_network("two_stage", {"task": task})
    assert network.task == task and {key.split(".")[0] for key in network.state_dict()} == {stage}
