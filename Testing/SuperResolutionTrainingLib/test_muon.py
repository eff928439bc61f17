import pytest
import torch
from torch import nn

from SuperResolutionTrainingLib.muon import Muon, orthogonalised


@pytest.mark.parametrize("shape", [(20, 20), (16, 144), (144, 16)])
def test_all_singular_values_become_about_one_and_the_directions_stay(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    made = orthogonalised(matrix)
    assert made.shape == shape
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.6 and values.max() < 1.25
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    turned = left.T @ made @ right.T
    assert (turned - turned.diag().diag()).abs().max() < 1e-3


def test_no_gradient_means_no_direction():
    assert not orthogonalised(torch.zeros(16, 20)).any()


def stepped(weight, gradients, rate=0.01):
    weight = nn.Parameter(weight.clone())
    optimiser = Muon([weight], lr=rate)
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimiser.step()
    return weight.detach()


def test_the_size_of_the_gradient_has_no_influence_on_a_hidden_weight():
    weight, gradient = torch.randn(2, 16, 16, 3, 3, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(stepped(weight, [gradient]), stepped(weight, [1000 * gradient]))


def test_a_hidden_weight_moves_by_the_rate_in_every_direction():
    weight, gradient = torch.randn(2, 16, 16, 3, 3, generator=torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals((stepped(weight, [gradient], 0.01) - weight).flatten(1))
    assert values.min() > 0.006 and values.max() < 0.0125


@pytest.mark.parametrize("shape", [(16, 5, 3, 3), (4, 16, 3, 3), (40,)])
def test_weights_of_few_channels_take_the_steps_of_adam_at_a_third_of_the_rate(shape):
    random = torch.Generator().manual_seed(2)
    weight, gradients = torch.randn(shape, generator=random), torch.randn(5, *shape, generator=random)
    expected = nn.Parameter(weight.clone())
    adam = torch.optim.Adam([expected], lr=0.01)
    for gradient in gradients:
        expected.grad = gradient.clone()
        adam.step()
    torch.testing.assert_close(stepped(weight, gradients, 0.03), expected.detach(), atol=1e-6, rtol=0)


def test_a_weight_without_gradient_stays():
    weight = nn.Parameter(torch.ones(16, 16))
    Muon([weight]).step()
    assert torch.equal(weight, torch.ones(16, 16))


def test_what_adam_hardly_learns_is_learnt():
    """A direction of small gradients beside one of large ones."""
    random = torch.Generator().manual_seed(3)
    inputs = torch.randn(256, 16, generator=random) * torch.logspace(0, -2, 16)
    truth = torch.randn(16, 16, generator=random)

    def error_after(optimiser):
        weight = nn.Parameter(torch.zeros(16, 16))
        steps = optimiser([weight])
        for number in range(200):
            steps.param_groups[0]["lr"] = 0.1 * (1 - number / 200)
            steps.zero_grad()
            (inputs @ (weight - truth).T).square().mean().backward()
            steps.step()
        return (weight - truth).detach().square().mean()

    assert error_after(Muon) < 0.5 * error_after(lambda weights: torch.optim.SGD(weights, momentum=0.9))
