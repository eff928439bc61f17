import torch

from SuperResolutionLib.networks.improved_srcnn import _pool


def test_pooling_twice_takes_the_maximum_around_a_voxel_and_moves_nothing():
    plane = torch.zeros(1, 1, 9, 9)
    plane[0, 0, 4, 5] = 1
    once = _pool(plane, back=1)
    assert once[0, 0].nonzero().tolist() == [[4, 5], [4, 6], [5, 5], [5, 6]]
    twice = _pool(once, back=0)
    assert twice[0, 0].nonzero().tolist() == [[row, column] for row in (3, 4, 5) for column in (4, 5, 6)]
    torch.testing.assert_close(twice, torch.nn.functional.max_pool2d(plane, 3, stride=1, padding=1))


def test_pooling_takes_nothing_from_beyond_the_border():
    assert (_pool(torch.full((1, 1, 3, 3), -5.0), back=1) == -5).all()


def test_the_link_layer_is_added_to_the_reconstruction(make_network):
    """With the other path silent, the result is the link layer's alone."""
    network = make_network("improved_srcnn")
    slices, seen = torch.rand(1, 6, 7, 8, generator=torch.Generator().manual_seed(0)), []
    network.link.register_forward_hook(lambda layer, inputs, output: seen.append(output))
    with torch.inference_mode():
        both = network(slices, 2)
        network.reconstruction.weight.zero_()
        network.reconstruction.bias.zero_()
        linked = network(slices, 2)
        torch.testing.assert_close(linked, seen[0][:, 0].unflatten(0, (1, -1)).transpose(1, 2))
    assert (both - linked).abs().max() > 1e-2
