"""How a scanner would have made the thick volume from the fine one: a linear operator along one axis."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .axis_operator import AxisOperator
from .errors import RequestError
from .number_type import to_type
from .volume import AXES, Volume, array_axis

_FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))


@dataclass(frozen=True)
class Acquisition:
    """A slice profile and the factor between slice spacing and fine spacing.

    Parameters
    ----------
    profile : {"mean", "gaussian", "cubic", "kspace"}
        ``mean``: mean of the fine slices inside the thick one. ``gaussian``: weights whose width at half height is the slice
        thickness. ``cubic``: Keys' kernel (a = −1/2) widened by the factor, the antialiased cubic resizing of image tools.
        ``kspace``: the high spatial frequencies are cut off, as in a 3-D acquisition of fewer phase steps.
    factor : int
        Fine slices to one slice spacing, at least 2.
    thickness : float
        Slice thickness over slice spacing: below 1 there is a gap, above 1 slices overlap. Only for ``mean`` and ``gaussian``.

    Raises
    ------
    RequestError
        If the profile is unknown, the factor is below 2, or the thickness is not positive or does not apply to the profile.
    """

    profile: str
    factor: int
    thickness: float = 1.0

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise RequestError(f"profile '{self.profile}': accepted are {', '.join(PROFILES)}")
        if self.factor < 2 or self.factor != int(self.factor):
            raise RequestError(f"factor {self.factor}: accepted are whole numbers from 2")
        if not self.thickness > 0:
            raise RequestError(f"slice thickness {self.thickness} of the spacing: accepted are positive numbers")
        if self.thickness != 1 and self.profile not in ("mean", "gaussian"):
            raise RequestError(f"slice thickness {self.thickness} with profile '{self.profile}': only mean and gaussian have one")

    @property
    def name(self) -> str:
        """Profile and, where it is not the spacing, the thickness: ``gaussian``, ``mean:0.8``."""
        return self.profile if self.thickness == 1 else f"{self.profile}:{self.thickness:g}"

    def operator(self, slices: int) -> AxisOperator:
        """Return the map from ``factor * slices`` fine slices to `slices` thick ones.

        Grids are edge-aligned: thick slice m is centred on fine index m·f + (f − 1)/2. Every row sums to one.
        """
        weights = PROFILES[self.profile](self._distances(slices), self)
        return AxisOperator(weights / weights.sum(axis=1, keepdims=True))

    def projector(self, slices: int) -> AxisOperator:
        """Return Aᵀ(AAᵀ)⁻¹, which maps a measurement residual to the smallest change of the fine slices that removes it."""
        matrix = self.operator(slices).matrix
        back = np.linalg.solve(matrix @ matrix.T, matrix).T
        back[np.abs(back) < 1e-7 * np.abs(back).max()] = 0
        return AxisOperator(back)

    def _distances(self, slices: int) -> np.ndarray:
        """Distance of each fine slice centre from each thick one in fine voxels, shape (slices, factor · slices)."""
        centres = np.arange(slices) * self.factor + (self.factor - 1) / 2
        return np.arange(slices * self.factor)[None, :] - centres[:, None]


def _mean(distances: np.ndarray, acquisition: Acquisition) -> np.ndarray:
    half = acquisition.factor * acquisition.thickness / 2
    # The share of each fine voxel that lies inside the slice.
    return np.clip(np.minimum(distances + 0.5, half) - np.maximum(distances - 0.5, -half), 0, 1)


def _gaussian(distances: np.ndarray, acquisition: Acquisition) -> np.ndarray:
    sigma = acquisition.factor * acquisition.thickness / _FWHM_PER_SIGMA
    return np.where(np.abs(distances) <= 4 * sigma, np.exp(-0.5 * (distances / sigma) ** 2), 0)


def _cubic(distances: np.ndarray, acquisition: Acquisition) -> np.ndarray:
    # Keys, IEEE Trans. ASSP 29 (1981), eq. 15.
    x = np.abs(distances) / acquisition.factor
    return np.where(x < 1, 1.5 * x**3 - 2.5 * x**2 + 1, np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0))


def _kspace(distances: np.ndarray, acquisition: Acquisition) -> np.ndarray:
    slices, length = distances.shape
    frequencies = np.arange(slices // 2 + 1)
    # Each kept frequency counts for itself and its negative; an even count shares the Nyquist frequency between the two.
    weights = np.where((frequencies == 0) | (2 * frequencies == slices), 1.0, 2.0)
    kernel = np.zeros_like(distances)
    for frequency, weight in zip(frequencies, weights):
        kernel += weight * np.cos(2 * np.pi * frequency * distances / length)
    return kernel / length


PROFILES: dict[str, Callable[[np.ndarray, Acquisition], np.ndarray]] = {
    "mean": _mean,
    "gaussian": _gaussian,
    "cubic": _cubic,
    "kspace": _kspace,
}


def resolve_axis(volume: Volume, axis: str) -> str:
    """Return the array axis that `axis` means: ``auto`` is the one with the largest spacing.

    Raises
    ------
    RequestError
        If `axis` is none of auto, i, j, k.
    """
    if axis == "auto":
        return volume.thick_axis
    if axis not in AXES:
        raise RequestError(f"axis '{axis}': accepted are auto, i, j, k")
    return axis


def degrade(
    volume: Volume,
    factor: int,
    axis: str = "auto",
    profile: str = "mean",
    thickness: float = 1.0,
    noise: float = 0.0,
    seed: int = 0,
) -> Volume:
    """Make the thick volume that a scanner would have measured.

    Parameters
    ----------
    volume : Volume
        The fine volume. Slices at the end that fill no whole thick slice are left out.
    factor, profile, thickness
        See `Acquisition`.
    axis : {"auto", "i", "j", "k"}
        Axis along which slices become thick.
    noise : float
        Standard deviation of white Gaussian noise added to the thick slices, in the volume's units.
    seed : int
        Seed of the noise.

    Returns
    -------
    Volume
        Integers stay integers of the same type, rounded.

    Raises
    ------
    RequestError
        If an argument is not accepted or the volume has fewer than two thick slices' worth of slices.
    """
    axis = resolve_axis(volume, axis)
    acquisition = Acquisition(profile, factor, thickness)
    dimension = array_axis(axis)
    slices = volume.shape[dimension] // factor
    if slices < 2:
        found = f"{volume.source or 'the volume'} has {volume.shape[dimension]} slices there"
        raise RequestError(f"factor {factor} along {axis}: {found}; at least {2 * factor} are needed")
    kept = np.take(volume.voxels, np.arange(slices * factor), axis=dimension)
    thick = acquisition.operator(slices)(kept, dimension)
    if noise:
        thick = thick + np.random.default_rng(seed).normal(0, noise, thick.shape)
    result = volume.regridded(to_type(thick, volume.voxels.dtype), axis, factor)
    if axis == "k":
        result = replace(result, slice_thickness=result.spacing[2] * thickness)
    return result
