"""The loss on a network's intermediate result."""

from torch import Tensor
from torch.nn import functional

from SuperResolutionLib.errors import RequestError

from ..made import Made, Setting


class Intermediate:
    """Mean absolute error of the map right after the sub-pixel shuffle (Georgescu et al., IEEE Access 2020).

    Raises
    ------
    RequestError
        If the network has no such map.
    """

    def __init__(self, setting: Setting) -> None:
        if not hasattr(setting.network, "intermediate"):
            name = setting.recipe.network
            raise RequestError(f"recipe: loss 'intermediate' with network '{name}': accepted are networks with an intermediate result")

    def __call__(self, made: Made) -> Tensor:
        return functional.l1_loss(made.map, made.truth)


LOSS = Intermediate
