"""The parameters of every network with its default arguments, against what its source says, counted layer by layer."""

import pytest
import torch

from SuperResolutionLib.discriminator import Discriminator
from SuperResolutionLib.networks import build_network, network_names


def conv(inputs, outputs, *kernel, bias=True):
    """Weights of a convolution: one kernel for each pair of channels, and a bias for each that leaves."""
    size = 1
    for length in kernel:
        size *= length
    return inputs * outputs * size + outputs * bias


DENSE_BLOCK = conv(64, 32, 3, 3) + conv(96, 32, 3, 3) + conv(128, 32, 3, 3) + conv(160, 32, 3, 3) + conv(192, 64, 3, 3)


def two_stage(shuffled):
    """5 convolutions to the shuffle, the one that is shuffled, 4 after it."""
    before = conv(1, 32, 3, 3) + 4 * conv(32, 32, 3, 3) + conv(32, shuffled, 3, 3)
    return before + conv(1, 32, 3, 3) + 2 * conv(32, 32, 3, 3) + conv(32, 1, 3, 3)


EXPECTED = {
    "deep_resolve": conv(1, 64, 3, 3, 3) + 18 * conv(64, 64, 3, 3, 3) + conv(64, 1, 3, 3, 3),
    "improved_srcnn": conv(1, 32, 9, 9) + conv(32, 32, 5, 5) + conv(32, 32, 7, 7) + conv(32, 1, 5, 5) + conv(32, 1, 11, 11),
    "rrdb": conv(1, 64, 3, 3) + 23 * 3 * DENSE_BLOCK + conv(64, 64, 3, 3) + 2 * conv(64, 64, 3, 3) + conv(64, 64, 3, 3) + conv(64, 1, 3, 3),
    # A head for each of the factors 2, 3 and 4, four layers, and tails of 2 + 3 + 4 channels, all without bias.
    "slice_stack": (3 * 5 * 64 + 4 * 64 * 64 + 64 * 9) * 9,
    "slice_volume": 3 * 96 * 27 + 10 * (96 * 96 * 27 + 96 * 96 * 9) + 96 * 9 * 9,
    # The deconvolution reaches three slices of four phases; four PReLU of one slope each.
    "sr_dcnn": conv(1, 1, 12, 3) + conv(1, 64, 3, 3) + conv(64, 64, 3, 3) + conv(64, 32, 3, 3) + conv(32, 1, 3, 3) + 4,
    "sr_dcnn_3d": conv(1, 1, 12, 3, 3) + conv(1, 16, 3, 3, 3) + conv(16, 8, 3, 3, 3) + conv(8, 4, 3, 3, 3) + conv(4, 1, 3, 3, 3) + 4,
    "srcnn": conv(1, 128, 9, 9) + conv(128, 64, 3, 3) + conv(64, 1, 5, 5),
    "srcnn_3d": conv(1, 32, 3, 3, 3) + conv(32, 16, 3, 3, 3) + conv(16, 8, 3, 3, 3) + conv(8, 1, 3, 3, 3) + 3,
    "two_stage": two_stage(2 * 2) + two_stage(2),
}
ROUNDED = {
    "deep_resolve": 1_995_329,
    "improved_srcnn": 83_138,
    "rrdb": 16_695_681,
    "slice_stack": 161_280,
    "slice_volume": 3_333_312,
    "sr_dcnn": 56_362,
    "sr_dcnn_3d": 5_002,
    "srcnn": 85_889,
    "srcnn_3d": 18_420,
    "two_stage": 114_568,
}


def count(make):
    with torch.device("meta"):
        return sum(weight.numel() for weight in make().parameters())


def test_every_network_is_counted():
    assert set(EXPECTED) == set(network_names()), "count the layers of a new network in EXPECTED, and write its sum into ROUNDED"


@pytest.mark.parametrize("name", EXPECTED)
def test_every_network_has_the_parameters_of_its_source(name):
    assert count(lambda: build_network(name, {})) == EXPECTED[name] == ROUNDED[name]


def test_rrdb_has_the_parameters_that_are_published_but_for_colour():
    """16,697,987 with three colours in and out: two more kernels a channel at either end, and two more biases at the last."""
    assert EXPECTED["rrdb"] == 16_697_987 - 2 * 64 * 9 - 2 * (64 * 9 + 1)


def test_the_head_of_the_brain_mri_thesis_is_nine_wide():
    assert count(lambda: build_network("rrdb", {"head": 9})) == EXPECTED["rrdb"] + 64 * (9 * 9 - 3 * 3)


def test_the_factor_changes_only_what_is_shuffled_or_doubled():
    assert count(lambda: build_network("two_stage", {"factors": [4]})) == two_stage(4 * 4) + two_stage(4)
    assert count(lambda: build_network("two_stage", {"factors": [4], "task": "axis"})) == two_stage(4)
    assert count(lambda: build_network("two_stage", {"factors": [4], "task": "plane"})) == two_stage(4 * 4)
    sizes = [count(lambda factor=factor: build_network("rrdb", {"factors": [factor]})) for factor in (2, 3, 4, 8)]
    assert [size - sizes[0] for size in sizes] == [0, 0, conv(64, 64, 3, 3), 2 * conv(64, 64, 3, 3)]


def test_the_discriminator_has_the_parameters_of_its_source():
    """Pairs of 3x3 and halving 4x4 kernels, a scale and a shift of each norm, and the linear layers over 4x4 voxels."""
    expected = conv(1, 64, 3, 3) + conv(64, 64, 4, 4, bias=False) + 2 * 64
    for inputs, outputs in ((64, 128), (128, 256), (256, 512), (512, 512)):
        expected += conv(inputs, outputs, 3, 3, bias=False) + conv(outputs, outputs, 4, 4, bias=False) + 2 * 2 * outputs
    expected += 512 * 4 * 4 * 100 + 100 + 100 + 1
    assert count(Discriminator) == expected == 14_499_401 - 2 * 64 * 9  # published with three colours
