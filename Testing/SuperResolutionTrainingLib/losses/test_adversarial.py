import pytest
import torch

from SuperResolutionLib.discriminator import Discriminator
from SuperResolutionTrainingLib.distributed import Group
from SuperResolutionTrainingLib.losses import adversarial
from SuperResolutionTrainingLib.made import Made, Setting


@pytest.fixture
def loss(make_recipe, monkeypatch):
    monkeypatch.setattr(adversarial, "build_discriminator", lambda: Discriminator(channels=4))
    torch.manual_seed(0)
    with Group("cpu") as group:
        return adversarial.Adversarial(Setting(torch.nn.Identity(), make_recipe(), group.device, group))


def made(seed):
    """Truth with detail, result without."""
    generator = torch.Generator().manual_seed(seed)
    truth = torch.rand((1, 32, 8, 32), generator=generator)
    smooth = torch.nn.functional.avg_pool2d(truth, (1, 31), stride=1, padding=(0, 15))
    return Made(smooth.requires_grad_(), truth, False)


def test_the_discriminator_learns_to_tell_the_truth_from_the_result(loss):
    def told_apart():
        with torch.no_grad():
            real, fake = adversarial._judged(loss.learner.module, made(99), made(99).result)
        return (real.mean() - fake.mean()).item()

    for seed in range(30):
        loss.learn(made(seed), 0.002)
    assert told_apart() > 1


def test_a_result_that_looks_more_real_has_less_loss(loss):
    for seed in range(30):
        loss.learn(made(seed), 0.002)
    pair = made(99)
    assert loss(Made(pair.truth, pair.truth, False)) < loss(pair)


def test_the_network_learns_nothing_from_the_discriminators_turn_nor_the_other_way_round(loss):
    pair = made(0)
    loss(pair).backward()
    assert pair.result.grad.abs().sum() > 0
    assert all(weight.grad is None and weight.requires_grad for weight in loss.learner.module.parameters())
    before = pair.result.grad.clone()
    loss.learn(pair, 0.001)
    assert torch.equal(pair.result.grad, before) and any(weight.grad is not None for weight in loss.learner.module.parameters())


def test_where_neither_side_is_ahead_the_loss_is_twice_the_logarithm_of_two():
    zero = torch.zeros(4)
    assert adversarial._relativistic(zero, zero).item() == pytest.approx(2 * 0.693147, abs=1e-5)
    assert adversarial._relativistic(zero + 5, zero).item() < 0.05 < 5 < adversarial._relativistic(zero, zero + 5).item()
