"""The losses that are a formula: they are zero for the truth, rise with the distance, and have gradients."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from SuperResolutionTrainingLib.losses import build_loss, loss_names
from SuperResolutionTrainingLib.made import Made

FORMULAS = ["charbonnier", "l1", "l2", "ssim"]


def made(seed=0, noise=0.1, shape=(2, 16, 14, 18), plane=False):
    generator = torch.Generator().manual_seed(seed)
    truth = torch.rand(shape, generator=generator)
    result = (truth + noise * torch.randn(shape, generator=generator)).requires_grad_()
    return Made(result, truth, plane)


def test_every_file_of_the_folder_is_a_loss():
    assert loss_names() == ["adversarial", "charbonnier", "intermediate", "l1", "l2", "perceptual", "ssim"]


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("plane", [False, True])
def test_the_truth_has_no_loss_and_noise_the_more_the_stronger_it_is(name, plane):
    loss = build_loss(name, None)
    values = [loss(made(noise=noise, plane=plane)).item() for noise in (0.0, 0.05, 0.2)]
    assert values[0] == pytest.approx(0, abs=2e-3) and values[0] < values[1] < values[2]


@pytest.mark.parametrize("name", FORMULAS)
def test_the_gradient_leads_to_the_truth(name):
    loss, pair = build_loss(name, None), made()
    before = loss(pair)
    before.backward()
    better = pair.result - 0.1 * before.detach() * pair.result.grad / pair.result.grad.square().sum()
    assert loss(Made(better, pair.truth, False)) < before


def test_the_errors_are_those_of_their_names():
    pair = Made(torch.tensor([[[[1.0, 2.0]]]]), torch.tensor([[[[2.0, 4.0]]]]), False)
    assert [build_loss(name, None)(pair).item() for name in ("l1", "l2")] == [1.5, 2.5]
    assert build_loss("charbonnier", None)(pair).item() == pytest.approx(1.5, abs=1e-5)


@pytest.mark.parametrize("plane", [False, True])
def test_ssim_is_that_of_pictures_in_which_detail_is_gained(plane):
    pair = made(plane=plane)
    result, truth = (pair.pictures(volume)[:, 0].detach().numpy() for volume in (pair.result, pair.truth))
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0, "full": True}
    maps = [structural_similarity(*pictures, **options)[1][5:-5, 5:-5] for pictures in zip(result, truth)]
    assert build_loss("ssim", None)(pair).item() == pytest.approx(1 - np.mean(maps), abs=1e-4)


def test_ssim_takes_pictures_smaller_than_its_window():
    assert 0 < build_loss("ssim", None)(made(shape=(1, 6, 3, 7))).item() < 1


def test_pictures_are_planes_that_hold_the_finer_axis():
    truth = torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    slices, planes = Made(truth, truth, True), Made(truth, truth, False)
    assert torch.equal(slices.pictures(truth)[4, 0], truth[1, 1])
    assert torch.equal(planes.pictures(truth)[5, 0], truth[1, :, 1])
    assert [len(planes.pictures(truth, most)) for most in (1, 3, 8, 100)] == [1, 3, 8, 8]
