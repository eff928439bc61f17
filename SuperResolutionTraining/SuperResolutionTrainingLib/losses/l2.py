"""Mean squared error."""

from torch import Tensor
from torch.nn import functional

from ..made import Made, Setting


class L2:
    """Mean squared error: what PSNR measures."""

    def __init__(self, setting: Setting) -> None:
        pass

    def __call__(self, made: Made) -> Tensor:
        return functional.mse_loss(made.result, made.truth)


LOSS = L2
