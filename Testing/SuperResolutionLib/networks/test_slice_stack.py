import pytest
import torch

from SuperResolutionLib.layers import keys_interpolation
from SuperResolutionLib.networks import build_network, slice_stack


@pytest.fixture
def slices():
    return torch.rand(2, 7, 12, 13, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("factor", [2, 3, 4, 5])
def test_keys_interpolation_equals_the_cubic_of_torch_away_from_the_borders(slices, factor):
    """Antialiased, torch takes Keys' a = -1/2; without, a = -3/4."""
    lines = slices[:, :, :, 0].transpose(1, 2)[:, None].double()
    expected = torch.nn.functional.interpolate(lines, (12, 7 * factor), mode="bicubic", antialias=True)[:, 0].transpose(1, 2)
    inside = slice(2 * factor, -2 * factor)
    torch.testing.assert_close(keys_interpolation(slices, factor)[:, inside, :, 0].double(), expected[:, inside], atol=1e-6, rtol=0)


def test_an_untrained_network_is_keys_interpolation(slices):
    network = build_network("slice_stack", {"factors": [2, 3], "channels": 8, "layers": 2})
    for factor in (2, 3):
        torch.testing.assert_close(network(slices, factor), keys_interpolation(slices, factor))


@pytest.mark.parametrize("factor", [2, 3])
def test_scaling_and_shifting_the_input_scales_and_shifts_the_result(make_network, slices, factor):
    network = make_network("slice_stack", layers=3)
    with torch.inference_mode():
        expected = 40 * network(slices, factor) - 1000
        torch.testing.assert_close(network(40 * slices - 1000, factor), expected, atol=1e-2, rtol=0)
        assert (expected - 40 * keys_interpolation(slices, factor) + 1000).abs().max() > 1


@pytest.mark.parametrize("exchanged", [0, 2])
@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize("neighbours", [0, 1, 3])
def test_the_halo_is_exactly_the_reach(make_network, reach_of, exchanged, layers, neighbours):
    network = make_network("slice_stack", exchanged=exchanged, layers=layers, neighbours=neighbours, channels=12)
    assert reach_of(network, 2) == network.halo


def test_volumes_of_a_batch_do_not_see_each_other(make_network, slices):
    network = make_network("slice_stack", layers=2)
    with torch.inference_mode():
        alone = [network(volume[None], 2) for volume in slices]
        torch.testing.assert_close(network(slices, 2), torch.cat(alone), atol=1e-5, rtol=0)


@pytest.mark.parametrize("exchanged", [0, 2])
@pytest.mark.parametrize("slices_at_once", [1, 2, 3, 6])
def test_chunks_give_what_the_whole_gives(make_network, slices, monkeypatch, exchanged, slices_at_once):
    network = make_network("slice_stack", exchanged=exchanged, layers=4, channels=8)
    whole = network(slices, 3).detach()  # with gradients, in one chunk
    monkeypatch.setattr(slice_stack, "_CHUNK_BYTES", slices_at_once * slices[:, 0].numel() * 8 * 4 * 14 * 15 // (12 * 13))
    sizes, convolve = [], torch.nn.functional.conv2d

    def counted(images, *arguments, **options):
        sizes.append(len(images) // len(slices))
        return convolve(images, *arguments, **options)

    monkeypatch.setattr(slice_stack.functional, "conv2d", counted)
    with torch.inference_mode():
        torch.testing.assert_close(network(slices, 3), whole, atol=1e-5, rtol=1e-5)
    assert max(sizes) == slices_at_once


def test_slices_are_told_apart_from_their_mirror_image(make_network, slices):
    """Exchange takes from above and below into different channels."""
    network = make_network("slice_stack", neighbours=0, exchanged=2)
    with torch.inference_mode():
        mirrored = network(slices.flip(1), 2).flip(1)
        assert (network(slices, 2) - mirrored).abs().max() > 0.01


@pytest.mark.parametrize("shape", [(1, 1, 16, 16), (1, 5, 7, 9), (1, 2, 1, 1), (1, 1, 1, 1)])
def test_the_smallest_volumes_are_taken(make_network, shape):
    with torch.inference_mode():
        fine = make_network("slice_stack")(torch.rand(shape), 3)
    assert fine.shape == (1, 3 * shape[1], *shape[2:]) and fine.isfinite().all()


def test_each_factor_has_its_own_result(make_network, slices):
    network = make_network("slice_stack", factors=[2, 4])
    with torch.inference_mode():
        assert network(slices, 2).shape[1] == 14 and network(slices, 4).shape[1] == 28
        with pytest.raises(KeyError):
            network(slices, 3)
