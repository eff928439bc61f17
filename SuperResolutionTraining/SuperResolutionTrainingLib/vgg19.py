"""VGG19's features, from torchvision's weights where they are on the machine; torchvision itself is not needed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn

from SuperResolutionLib.errors import RequestError

FILE = "vgg19-dcbb9e9d.pth"
_DIGEST = "dcbb9e9d"
"""Beginning of the file's SHA-256, which torchvision puts into its name."""
_WIDTHS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512)
"""Channels of the convolutions up to conv5_4; 0 is a 2×2 maximum (Simonyan and Zisserman, ICLR 2015, configuration E)."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Vgg19Features(nn.Module):
    """Grey pictures of range 0 … 1 to features before the activation of the last convolution; the weights are fixed."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for width in _WIDTHS:
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()] if width else [nn.MaxPool2d(2, ceil_mode=True)]
            inputs = width or inputs
        self.features = nn.Sequential(*layers[:-1]).requires_grad_(False)
        self.register_buffer("_mean", torch.tensor(_MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("_deviation", torch.tensor(_DEVIATION).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features of pictures of shape (pictures, 1, height, width)."""
        return self.features((pictures.expand(-1, 3, -1, -1) - self._mean) / self._deviation)


def load_vgg19_features() -> Vgg19Features:
    """Return VGG19's features with torchvision's weights.

    Raises
    ------
    RequestError
        If the file of weights is not where torch keeps such files, or is another one.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / FILE
    if not path.is_file():
        raise RequestError(f"loss 'perceptual': VGG19's weights are not on this machine; accepted is torchvision's {FILE} in {path.parent}")
    if not hashlib.sha256(path.read_bytes()).hexdigest().startswith(_DIGEST):
        raise RequestError(f"{path}: damaged or another file; accepted is torchvision's {FILE}")
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        network = Vgg19Features()
        network.load_state_dict({name: value for name, value in weights.items() if name in network.state_dict()})
    except (RuntimeError, UnpicklingError, EOFError) as error:
        raise RequestError(f"{path}: {' '.join(str(error).split())}; accepted is torchvision's {FILE}") from error
    return network.eval()
