import pytest
import torch

from SuperResolutionLib.discriminator import Discriminator
from SuperResolutionLib.errors import RequestError


@pytest.fixture
def discriminator():
    torch.manual_seed(0)
    return Discriminator(channels=4)


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (128, 128), (32, 160)])
def test_planes_of_any_size_from_32_get_a_logit_each(discriminator, size):
    logits = discriminator(torch.rand(3, 1, *size))
    assert logits.shape == (3,) and logits.isfinite().all() and logits.min() < logits.max()


@pytest.mark.parametrize("size", [(31, 64), (64, 31), (1, 1)])
def test_smaller_planes_are_refused(discriminator, size):
    with pytest.raises(RequestError, match=f"planes of {size[0]} x {size[1]} for the discriminator: accepted are 32 rows"):
        discriminator(torch.rand(2, 1, *size))


def test_at_the_size_of_the_paper_the_last_features_are_4x4_and_not_averaged(discriminator):
    features = discriminator.features[:-1](torch.rand(2, 1, 128, 128))
    assert features.shape == (2, 32, 4, 4)
    torch.testing.assert_close(discriminator.features[-1](features), features)


def test_it_learns_to_tell_noise_from_a_ramp(discriminator):
    torch.manual_seed(1)
    ramps = torch.linspace(0, 1, 32).expand(8, 1, 32, 32) * torch.rand(8, 1, 1, 1)
    optimiser = torch.optim.Adam(discriminator.parameters(), 1e-3)
    for _ in range(15):
        logits = discriminator(torch.cat((ramps, torch.rand(8, 1, 32, 32))))
        targets = torch.cat((torch.ones(8), torch.zeros(8)))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert logits[:8].min() > logits[8:].max()
