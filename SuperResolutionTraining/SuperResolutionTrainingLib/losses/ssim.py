"""What structural similarity lacks of one."""

import torch
from torch import Tensor
from torch.nn import functional

from ..made import Made, Setting

_SIGMA = 1.5
_WINDOW = 11
_C1, _C2 = 0.01**2, 0.03**2


class Ssim:
    """1 − mean SSIM (Wang et al., IEEE Trans. Image Process. 2004) of pictures in which detail is gained, range 1.

    The window is Gaussian, 11 pixels wide or as wide as a smaller picture.
    """

    def __init__(self, setting: Setting) -> None:
        pass

    def __call__(self, made: Made) -> Tensor:
        result, truth = made.pictures(made.result), made.pictures(made.truth)
        mean_result, mean_truth = _smoothed(result), _smoothed(truth)
        variance_result = _smoothed(result.square()) - mean_result.square()
        variance_truth = _smoothed(truth.square()) - mean_truth.square()
        covariance = _smoothed(result * truth) - mean_result * mean_truth
        likeness = (2 * mean_result * mean_truth + _C1) / (mean_result.square() + mean_truth.square() + _C1)
        structure = (2 * covariance + _C2) / (variance_result + variance_truth + _C2)
        return 1 - (likeness * structure).mean()


def _smoothed(pictures: Tensor) -> Tensor:
    for dimension in (2, 3):
        window = min(_WINDOW, pictures.shape[dimension])
        distances = torch.arange(window, device=pictures.device) - (window - 1) / 2
        weights = torch.exp(-0.5 * (distances / _SIGMA) ** 2)
        shape = (1, 1, -1, 1) if dimension == 2 else (1, 1, 1, -1)
        pictures = functional.conv2d(pictures, (weights / weights.sum()).reshape(shape))
    return pictures


LOSS = Ssim
