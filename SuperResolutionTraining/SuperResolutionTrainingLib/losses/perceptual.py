"""The distance of features that a network of natural photographs sees."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from ..made import Made, Setting
from ..vgg19 import load_vgg19_features

_PICTURES = 32
"""Of a batch that are looked at: VGG19 is many times larger than the networks it judges."""


class Perceptual:
    """Mean absolute difference of VGG19's features before the last activation, conv5_4 (ESRGAN: Wang et al., ECCVW 2018).

    Raises
    ------
    RequestError
        If VGG19's weights are not on the machine.
    """

    fidelity = False

    def __init__(self, setting: Setting) -> None:
        self._features = load_vgg19_features().to(setting.device)

    def __call__(self, made: Made) -> Tensor:
        result, truth = (self._features(made.pictures(volume, _PICTURES)) for volume in (made.result, made.truth))
        return functional.l1_loss(result, truth)


LOSS = Perceptual
