import torch
from torch import nn

from SuperResolutionTrainingLib.best import Best


def network(value):
    made = nn.Linear(1, 1, bias=False)
    nn.init.constant_(made.weight, value)
    return made


def test_the_best_is_kept_and_the_others_are_counted():
    best = Best()
    assert [best.offer(psnr, step, network(step), True) for step, psnr in enumerate((20.0, 22.0, 21.0, 22.0))] == [True, True, False, False]
    assert (best.psnr, best.step, best.in_vain, best.measured) == (22.0, 1, 2, 3) and best.weights["weight"].item() == 1
    assert best.offer(23.0, 4, network(4), True) and best.in_vain == 0


def test_the_weights_are_copies():
    best, kept = Best(), network(5)
    best.offer(20.0, 1, kept, True)
    nn.init.zeros_(kept.weight)
    assert best.weights["weight"].item() == 5


def test_where_psnr_does_not_tell_nothing_is_kept():
    best = Best()
    best.offer(20.0, 1, network(1), True)
    assert not best.offer(25.0, 2, network(2), False) and best.weights == {} and best.psnr is None
    assert Best(**best.numbers()) == best


def test_a_psnr_that_is_no_number_is_never_the_best():
    best = Best()
    assert not best.offer(float("nan"), 1, network(1), True) and best.weights == {}
    best.offer(20.0, 2, network(2), True)
    assert not best.offer(float("nan"), 3, network(3), True) and torch.equal(best.weights["weight"], network(2).weight)
