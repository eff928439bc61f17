"""Charbonnier's loss: the absolute error, smooth at zero."""

from torch import Tensor

from ..made import Made, Setting

_EPSILON = 1e-3
"""Error in units of the scan's range below which the loss is nearly quadratic, as in LapSRN (Lai et al., CVPR 2017)."""


class Charbonnier:
    """Mean of √(error² + ε²) (Charbonnier et al., ICIP 1994)."""

    def __init__(self, setting: Setting) -> None:
        pass

    def __call__(self, made: Made) -> Tensor:
        return ((made.result - made.truth).square() + _EPSILON**2).sqrt().mean()


LOSS = Charbonnier
