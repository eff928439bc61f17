"""The discriminator of ESRGAN, which tells true planes from made ones; it trains upscalers and is none itself."""

from __future__ import annotations

from torch import Tensor, nn

from .errors import RequestError

_HALVINGS = 5
_SMALLEST = 2**_HALVINGS
_SEEN = 4
_SLOPE = 0.2


class Discriminator(nn.Module):
    """VGG-style classifier: five pairs of a 3×3 and a halving 4×4 convolution of 64-128-256-512-512 channels, batch norm and leaky ReLU
    after each, then two linear layers of 100 and 1.

    Wang et al., ECCV Workshops 2018 (ESRGAN), section 3.2, after Ledig et al., CVPR 2017; kernels, the missing norm of the first layer and
    the linear layers are those of the authors' code. It returns a logit and leaves it to the loss to compare it with the average of the
    other kind. In the paper planes are 128×128, which leaves 4×4 voxels of 512 channels; other sizes are averaged to 4×4, our choice.

    Parameters
    ----------
    channels : int
        Channels of the first pair.
    """

    def __init__(self, channels: int = 64) -> None:
        super().__init__()
        widths = [1, *(channels * min(2**level, 8) for level in range(_HALVINGS))]
        layers: list[nn.Module] = []
        for inputs, outputs in zip(widths, widths[1:]):
            norm = [] if inputs == 1 else [nn.BatchNorm2d(outputs)]
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=not norm), *norm, nn.LeakyReLU(_SLOPE, inplace=True)]
            layers += [nn.Conv2d(outputs, outputs, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(outputs)]
            layers += [nn.LeakyReLU(_SLOPE, inplace=True)]
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(_SEEN))
        self.classifier = nn.Sequential(nn.Linear(widths[-1] * _SEEN**2, 100), nn.LeakyReLU(_SLOPE, inplace=True), nn.Linear(100, 1))

    def forward(self, planes: Tensor) -> Tensor:
        """Return one logit for each plane: the larger, the more real it looks.

        Parameters
        ----------
        planes : Tensor, shape (batch, 1, rows, columns)

        Returns
        -------
        Tensor, shape (batch,)

        Raises
        ------
        RequestError
            If the planes have fewer than 32 rows or columns.
        """
        rows, columns = planes.shape[2:]
        if min(rows, columns) < _SMALLEST:
            raise RequestError(f"planes of {rows} x {columns} for the discriminator: accepted are {_SMALLEST} rows and columns or more")
        return self.classifier(self.features(planes).flatten(1))[:, 0]
