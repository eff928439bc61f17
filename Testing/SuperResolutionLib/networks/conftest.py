import pytest
import torch

from SuperResolutionLib.networks import prepare_input


@pytest.fixture
def reach_of():
    """Return how far from a thick voxel the input still has influence on what the network makes of that voxel."""

    def measure(network, factor, plane=False, volumes=1):
        halo = network.plane_halo if plane else network.halo
        centre = [reach + 2 for reach in halo]
        shape = [2 * middle + 1 for middle in centre]
        slices = torch.rand(volumes, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
        if any(weight.ndim == 1 for weight in network.parameters()):
            # With biases a layer may be dead; with nothing negative, none is.
            with torch.no_grad():
                for weight in network.parameters():
                    weight.abs_()
        prepared = prepare_input(network.double(), slices, factor, plane)
        fine = (network.forward_plane if plane else network)(prepared, factor)
        factors = (1, factor, factor) if plane else (factor, 1, 1)
        made = fine[:, *(slice(middle * f, (middle + 1) * f) for middle, f in zip(centre, factors))]
        (made * torch.linspace(1, 2, made.numel(), dtype=torch.float64).reshape(made.shape)).sum().backward()
        used = slices.grad.abs().amax(dim=0).nonzero() - torch.tensor(centre)
        return tuple(used.abs().amax(dim=0).tolist())

    return measure
