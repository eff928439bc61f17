"""The interpolations that a network has to beat, made of the same thick volume."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.interpolation import INTERPOLATIONS
from SuperResolutionLib.upscaling import upscale
from SuperResolutionLib.volume import AXES, Volume

LARGEST_FACTOR = 8


def baselines(thick: Volume, fine: Volume) -> Iterator[tuple[str, Volume]]:
    """Yield each interpolation of a thick volume, with its name, on a grid as fine as that of another volume.

    Raises
    ------
    RequestError
        See `factor_between`.
    """
    axis, factor = factor_between(thick, fine)
    for name in INTERPOLATIONS:
        yield name, upscale(thick, model=name, factor=factor, axis=axis).volume


def factor_between(thick: Volume, fine: Volume) -> tuple[str, int]:
    """Return along which axis, or ``all``, and how many times a volume is finer than a thick one.

    Parameters
    ----------
    thick, fine : Volume
        Of the same patient; their axes may be stored in another order.

    Raises
    ------
    RequestError
        If the fine volume is not 2 to 8 times as fine along one axis of the thick one or, alike, along all three.
    """
    cosines = np.abs(thick.directions.T @ fine.directions)
    ratios = [spacing / fine.spacing[int(np.argmax(row))] for spacing, row in zip(thick.spacing, cosines, strict=True)]
    factors = {axis: round(ratio) for axis, ratio in zip(AXES, ratios, strict=True) if round(ratio) > 1}
    (factor, *others) = set(factors.values()) or {0}
    if others or len(factors) not in (1, len(AXES)) or factor > LARGEST_FACTOR:
        found = ", ".join(f"{ratio:.2g} along {axis}" for axis, ratio in zip(AXES, ratios, strict=True))
        accepted = f"accepted is 2 to {LARGEST_FACTOR} along one axis, or alike along all three"
        raise RequestError(f"{thick.source or 'input'}: its voxels are longer than the candidate's by {found}; {accepted}")
    return (next(iter(factors)) if len(factors) == 1 else "all"), factor
