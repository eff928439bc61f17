import pytest
import torch


@pytest.fixture
def reach_of():
    """Return how far from a thick voxel the input still has influence on what the network makes of that voxel."""

    def measure(network, factor):
        slices = torch.rand(1, 21, 23, 23, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
        fine = network.double()(slices, factor)
        made = fine[0, 10 * factor : 11 * factor, 11, 11]
        (made * torch.linspace(1, 2, factor, dtype=torch.float64)).sum().backward()
        used = slices.grad[0].nonzero() - torch.tensor([10, 11, 11])
        return tuple(used.abs().amax(dim=0).tolist())

    return measure
