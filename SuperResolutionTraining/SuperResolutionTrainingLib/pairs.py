"""Real pairs: a thick and a thin scan of one study, brought onto grids that fit and checked to show the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from SuperResolutionLib.acquisition import Acquisition
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import AXES, Volume, array_axis

_TILT = 1.0  # degrees
_OVERLAP = 0.5
_CORRELATION = 0.95
_COARSEST = 0.75
"""Fine voxels may be this much smaller than the thin scan's: below, the truth would lack the detail that it pretends."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A thick scan and the truth it is a measurement of.

    Attributes
    ----------
    thick : Volume
        The part of the thick scan that the thin one covers, float32.
    fine : Volume
        The thin scan on the grid that is `factor` times finer than that of `thick`, edges aligned, float32, in the units of `thick`.
    axis : str
        The thick axis.
    factor : int
        Fine slices to a thick one.
    overlap : float
        Part of the thick scan that the thin one covers.
    correlation : float
        Between `thick` and the mean of `fine` over each thick slice.
    """

    thick: Volume
    fine: Volume
    axis: str
    factor: int
    overlap: float
    correlation: float


def align(thick: Volume, thin: Volume, factor: int) -> Pair:
    """Bring a thick and a thin scan of one study together by their geometry.

    Parameters
    ----------
    thick : Volume
        Its thick axis is the one with the largest spacing.
    thin : Volume
        Parallel to `thick`; its axes may be in another order and run the other way.
    factor : int
        Fine slices to a thick one.

    Raises
    ------
    RequestError
        If the scans lie in different frames of reference, are tilted against each other by more than 1°, overlap by less than a half,
        if the thin one is too coarse for the factor, or if its degraded voxels correlate with the thick ones by less than 0.95, or more
        when moved by a fine slice.
    """
    names = f"pair {thick.source} and {thin.source}"
    axis = thick.thick_axis
    _check_frames(names, thick, thin)
    _check_tilt(names, thick, thin)
    finer = _finer_grid(thick, axis, factor)
    _check_detail(names, finer, thin, factor)
    box, overlap = _covered(names, thick, thin)
    thick = _cropped(thick, box)
    dimension = array_axis(axis)
    fine = _resampled(thin, thick.shape, _finer_grid(thick, axis, factor), dimension, factor)
    degraded = Acquisition("mean", factor).operator(thick.shape[dimension])(fine, dimension)
    slope, offset, correlation = _fit(degraded, thick.voxels)
    if not correlation >= _CORRELATION:
        raise RequestError(
            f"{names}: the degraded thin scan correlates with the thick one by {correlation:.3f}; accepted is from {_CORRELATION:g}, "
            "two scans of one patient who did not move"
        )
    _check_shift(names, fine, thick.voxels, dimension, factor)
    matched = thick.regridded(slope * fine + offset, axis, 1 / factor)
    return Pair(thick, replace(matched, source=thin.source), axis, factor, overlap, correlation)


def _check_frames(names: str, thick: Volume, thin: Volume) -> None:
    """Refuse DICOM series that say they do not share coordinates (PS3.3 C.7.4.1)."""
    frames = [str(volume.headers[0].get("FrameOfReferenceUID", "")) if volume.headers else "" for volume in (thick, thin)]
    if all(frames) and frames[0] != frames[1]:
        raise RequestError(f"{names}: frames of reference {frames[0]} and {frames[1]}; accepted are scans in one frame of reference")


def _check_tilt(names: str, thick: Volume, thin: Volume) -> None:
    cosines = np.abs(thick.directions.T @ thin.directions).max(axis=1)
    tilt = float(np.degrees(np.arccos(min(cosines.min(), 1.0))))
    if tilt > _TILT:
        raise RequestError(
            f"{names}: tilted by {tilt:.1f} degrees against each other; accepted are parallel scans (within {_TILT:g} degree)"
        )


def _finer_grid(thick: Volume, axis: str, factor: int) -> np.ndarray:
    """Return the affine of the grid that is `factor` times finer along `axis`, edges aligned."""
    return thick.regridded(thick.voxels, axis, 1 / factor).affine


def _spacings_along(affine: np.ndarray, thin: Volume) -> np.ndarray:
    """Return the spacing of the thin scan along each axis of a parallel grid, mm."""
    matched = np.abs(affine[:3, :3].T @ thin.directions).argmax(axis=1)
    return np.asarray(thin.spacing)[matched]


def _check_detail(names: str, finer: np.ndarray, thin: Volume, factor: int) -> None:
    wanted, have = np.linalg.norm(finer[:3, :3], axis=0), _spacings_along(finer, thin)
    for axis, fine, measured in zip(AXES, wanted, have):
        if fine < _COARSEST * measured:
            raise RequestError(
                f"{names}: factor {factor} asks for {fine:.3g} mm along {axis}, the thin scan has {measured:.3g} mm; "
                "accepted are factors whose truth is in it"
            )


def _covered(names: str, thick: Volume, thin: Volume) -> tuple[list[slice], float]:
    """Return the voxels of `thick`, (i, j, k), that lie inside `thin` from edge to edge, and which part of all they are."""
    to_thin = np.linalg.inv(thin.affine) @ thick.affine
    middle = (np.array(thick.shape[::-1]) - 1) / 2
    box, overlap = [], 1.0
    for axis, length in enumerate(thick.shape[::-1]):
        along = int(np.abs(to_thin[:3, axis]).argmax())
        edges = np.full((length + 1, 4), [*middle, 1.0])
        edges[:, axis] = np.arange(length + 1) - 0.5
        places = edges @ to_thin[along]
        # A tenth of a voxel beyond the outermost edge is no extrapolation worth a slice.
        inside = (places >= -0.6) & (places <= thin.shape[::-1][along] - 0.4)
        whole = np.flatnonzero(inside[:-1] & inside[1:])
        overlap *= len(whole) / length
        box.append(slice(int(whole[0]), int(whole[-1]) + 1) if len(whole) else slice(0, 0))
    if overlap < _OVERLAP:
        raise RequestError(f"{names}: the thin scan covers {overlap:.0%} of the thick one; accepted is at least {_OVERLAP:.0%}")
    return box, overlap


def _cropped(volume: Volume, box: list[slice]) -> Volume:
    """Return the voxels inside a box (i, j, k) as float32."""
    affine = volume.affine.copy()
    affine[:3, 3] = volume.points(np.array([part.start for part in box]))
    return replace(volume, voxels=np.asarray(volume.voxels[tuple(box[::-1])], np.float32), affine=affine, headers=())


def _resampled(thin: Volume, shape: tuple[int, ...], finer: np.ndarray, dimension: int, factor: int) -> np.ndarray:
    """Return the thin scan on the finer grid: cubic interpolation, and the mean over a fine voxel where that holds several thin ones."""
    from scipy.ndimage import affine_transform

    lengths = np.linalg.norm(finer[:3, :3], axis=0)
    parts = np.maximum(1, np.rint(lengths / _spacings_along(finer, thin))).astype(int)
    split = np.eye(4)
    split[[0, 1, 2], [0, 1, 2]] = 1 / parts
    split[:3, 3] = (1 / parts - 1) / 2
    to_thin = np.linalg.inv(thin.affine) @ finer @ split
    grid = np.array(shape)
    grid[dimension] *= factor
    parts = parts[::-1]  # from here on in array order
    matrix, offset = to_thin[:3, :3][::-1, ::-1], to_thin[:3, 3][::-1]
    fine = affine_transform(np.asarray(thin.voxels, np.float32), matrix, offset, tuple(grid * parts), order=3, mode="nearest")
    return fine.reshape([length for pair in zip(grid, parts) for length in pair]).mean(axis=(1, 3, 5))


def _check_shift(names: str, fine: np.ndarray, measured: np.ndarray, dimension: int, factor: int) -> None:
    """Refuse scans that fit better when moved by a fine slice: the patient moved, or the geometry is wrong by that much."""
    operator = Acquisition("mean", factor).operator(measured.shape[dimension])
    # Every second line is enough.
    lines = tuple(slice(None) if axis == dimension else slice(None, None, 2) for axis in range(3))
    fine, measured = np.ascontiguousarray(fine[lines]), measured[lines]
    inner = (slice(None),) * dimension + (slice(1, -1),)  # the outermost slices get fine ones from the other end
    here, *moved = (_fit(operator(np.roll(fine, by, dimension), dimension)[inner], measured[inner])[2] for by in (0, -1, 1))
    if max(moved) > here:
        raise RequestError(
            f"{names}: correlate by {max(moved):.4f} when moved by a fine slice, by {here:.4f} where their geometry puts them; "
            "accepted are scans of one patient who did not move"
        )


def _fit(degraded: np.ndarray, measured: np.ndarray) -> tuple[float, float, float]:
    """Return slope and offset that map `degraded` to `measured` with least squares, and their correlation."""
    x, y = degraded.ravel().astype(np.float64), measured.ravel().astype(np.float64)
    x_mean, y_mean = x.mean(), y.mean()
    x, y = x - x_mean, y - y_mean
    if not x.any() or not y.any():
        return 1.0, 0.0, 0.0
    slope = (x @ y) / (x @ x)
    return float(slope), float(y_mean - slope * x_mean), float((x @ y) / np.sqrt((x @ x) * (y @ y)))
