import pytest
import torch
from torch import nn

from SuperResolutionTrainingLib.averaging import Average


def moved(network, value):
    with torch.no_grad():
        network.weight.fill_(value)


def test_the_average_follows_the_weights_by_the_decay():
    network = nn.Linear(1, 1, bias=False)
    moved(network, 0.0)
    average = Average(network, 0.5)
    moved(network, 1.0)
    found = []
    for step in range(100, 103):
        average.add(network, step)
        found.append(average.network.weight.item())
    assert found == pytest.approx([0.5, 0.75, 0.875]) and not average.network.weight.requires_grad


def test_the_first_weights_are_soon_forgotten_however_slow_the_decay():
    network = nn.Linear(1, 1, bias=False)
    moved(network, 100.0)
    average = Average(network, 0.9999)
    moved(network, 1.0)
    for step in range(20):
        average.add(network, step)
    assert average.network.weight.item() == pytest.approx(1, abs=0.01)


def test_buffers_are_those_of_the_network():
    network = nn.BatchNorm2d(2)
    average = Average(network, 0.9)
    network.running_mean.fill_(3)
    average.add(network, 0)
    assert average.network.running_mean.tolist() == [3, 3]
