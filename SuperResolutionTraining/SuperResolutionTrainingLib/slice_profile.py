"""Tells a mean from a Gaussian slice profile by the detail that is left along the thick axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from SuperResolutionLib.acquisition import Acquisition

_ALL = ("mean", "gaussian")
FEWEST_SLICES = 16
"""Below, a spectrum has too few lines."""
_BANDS = (0.08, 0.16, 0.25, 0.33, 0.42, 0.5)
"""Edges of bands of spatial frequency, cycles per thick voxel; the lowest serves for comparison, the upper three are judged."""
_JUDGED = 3
_CLEARLY = 0.5
"""A profile is only believed if it misfits by less than this part of the other's misfit."""


def estimate_profile(thick: np.ndarray, taught: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Return the slice profile that fits clearly better, ``mean`` or ``gaussian``, or both where neither does.

    An axis of the plane is degraded with each profile, so that the volume is thick along two axes. If the profile is right, the two have
    spectra of one shape: power above that of the lowest band is compared, since anatomy differs along its axes. A scan's noise looks like
    detail along the thick axis alone and speaks for the mean.

    Of 84 trials (seven scans, degraded by us along each axis by 3 and by 4 with either profile) 63 were told apart rightly, none wrongly,
    and 21 not; the threshold was chosen on the same scans.

    Parameters
    ----------
    thick : ndarray
        Thick along its first axis.
    taught : sequence of (int, int)
        Axes of the plane, and how many of their voxels are one thick one.
    """
    long_enough = [(axis, factor) for axis, factor in taught if thick.shape[axis] // factor >= FEWEST_SLICES]
    if len(thick) < FEWEST_SLICES or not long_enough:
        return _ALL
    mean, gaussian = (_misfit(thick, long_enough, profile) for profile in _ALL)
    if gaussian < _CLEARLY * mean:
        return ("gaussian",)
    return ("mean",) if mean < _CLEARLY * gaussian else _ALL


def _misfit(thick: np.ndarray, taught: Sequence[tuple[int, int]], profile: str) -> float:
    differences = []
    for axis, factor in taught:
        slices = thick.shape[axis] // factor
        kept = np.take(thick, np.arange(slices * factor), axis)
        degraded = Acquisition(profile, factor).operator(slices)(kept, axis)
        difference = _log_power(degraded, 0) - _log_power(degraded, axis)
        differences.append(difference - difference[0])
    return float(np.abs(np.mean(differences, axis=0)[-_JUDGED:]).sum())


def _log_power(voxels: np.ndarray, axis: int) -> np.ndarray:
    """Return the logarithm of the mean power along an axis in each band."""
    lines = np.moveaxis(voxels, axis, -1)
    window = np.hanning(lines.shape[-1] + 2)[1:-1].astype(np.float32)
    frequencies = np.fft.rfftfreq(len(window))
    # One plane at a time: a complex spectrum of the whole volume would be large.
    power = sum(np.square(np.abs(np.fft.rfft((plane - plane.mean(-1, keepdims=True)) * window, axis=-1))).sum(axis=0) for plane in lines)
    bands = zip(_BANDS, _BANDS[1:])
    tiny = np.finfo(np.float32).tiny
    return np.array([np.log(power[(frequencies >= low) & (frequencies <= high)].mean() + tiny) for low, high in bands])
