"""Mean absolute error."""

from torch import Tensor
from torch.nn import functional

from ..made import Made, Setting


class L1:
    """Mean absolute error: robust, and what most super-resolution networks are trained with."""

    def __init__(self, setting: Setting) -> None:
        pass

    def __call__(self, made: Made) -> Tensor:
        return functional.l1_loss(made.result, made.truth)


LOSS = L1
