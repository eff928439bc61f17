"""A fine volume made thick, beside the part of it that the thick one shows, and the thick one made fine again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.upscaling import SEVERAL_AXES, Result, upscale
from SuperResolutionLib.volume import AXES, Volume, array_axis

_SEVERAL = {"plane": AXES[:2], "all": AXES}


def axes_of(axis: str) -> tuple[str, ...]:
    """Return the array axes that are made thick: the one, those of rows and columns for ``plane``, all three for ``all``."""
    return _SEVERAL.get(axis, (axis,))


def direction_of(axis: str) -> str:
    """Return in words along what is made thick, as `axes_of` takes it."""
    return {"plane": "in the plane", "all": "along all axes"}.get(axis, f"along {axis}")


def make_thick(fine: Volume, factor: int, axes: Iterable[str], profile: str) -> tuple[Volume, Volume]:
    """Make a volume thick along axes, one after the other.

    Parameters
    ----------
    fine : Volume
    factor : int
    axes : iterable of {"i", "j", "k"}
    profile : str
        Slice profile, see `acquisition`.

    Returns
    -------
    thick, truth : Volume
        `truth` is what whole thick slices cover of the fine volume, its own voxels.

    Raises
    ------
    RequestError
        If there are too few slices.
    """
    thick, voxels = fine, fine.voxels
    for axis in axes:
        thick = degrade(thick, factor, axis, profile)
        dimension = array_axis(axis)
        voxels = np.take(voxels, np.arange(thick.shape[dimension] * factor), axis=dimension)
    return thick, replace(fine, voxels=voxels)


def make_fine(thick: Volume, axis: str, factor: int, **settings: object) -> Result:
    """Make fine what `make_thick` made of the axes of `axis`, see `axes_of`.

    Parameters
    ----------
    thick : Volume
    axis : {"i", "j", "k", "plane", "all"}
        As `axes_of` takes it: the plane is that of rows and columns, whatever the spacing.
    factor : int
    **settings
        Others of `upscaling.Settings`, and ``progress``.

    Returns
    -------
    Result

    Raises
    ------
    RequestError, WorkError
        See `upscale`.
    """
    if axis not in SEVERAL_AXES:
        return upscale(thick, axis=axis, factor=factor, **settings)
    # `upscale` takes the plane across the largest spacing, which slices made thick within it might no longer have.
    framed = replace(thick, affine=np.diag([1.0, 1.0, 100.0, 1.0]), slice_thickness=None)
    result = upscale(framed, axis=axis, factor=factor, **settings)
    return replace(result, volume=on_finer_grid(result.volume.voxels, thick, factor, axes_of(axis)))


def on_finer_grid(voxels: np.ndarray, thick: Volume, factor: int, axes: Iterable[str]) -> Volume:
    """Return voxels that are finer than a thick volume by a factor along axes, where they lie in the patient."""
    fine = thick
    for axis in axes:
        fine = fine.regridded(voxels, axis, 1 / factor)
    return fine


def how_made(thick: Volume, fine: Volume) -> tuple[int, str]:
    """Return by which factor, and along which axes (such as ``k`` or ``ij``), a fine volume goes beyond a thick one.

    Raises
    ------
    RequestError
        If that is not one whole factor from 2 along one or more axes, the others being as they were.
    """
    axes = [axis for axis in AXES if fine.shape[array_axis(axis)] != thick.shape[array_axis(axis)]]
    ratios = {fine.shape[array_axis(axis)] / thick.shape[array_axis(axis)] for axis in axes}
    if len(ratios) != 1 or not min(ratios).is_integer():
        made, found = (" × ".join(map(str, reversed(volume.shape))) for volume in (fine, thick))
        raise RequestError(f"thick volume of {found} voxels for a candidate of {made}; accepted is one of N times fewer along some axes")
    return int(ratios.pop()), "".join(axes)
