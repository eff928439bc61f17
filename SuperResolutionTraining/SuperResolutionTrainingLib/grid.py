"""Volumes on one grid: whether they are, and how one is brought onto that of another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import Volume

TOLERANCE = 1e-3  # mm


def same_grid(first: Volume, second: Volume) -> bool:
    """Tell whether two volumes have the same voxels at the same patient points, to 1e-3 mm at every corner."""
    return first.shape == second.shape and corner_offset(first, second) <= TOLERANCE


def corner_offset(first: Volume, second: Volume) -> float:
    """Return by how much the corners of two volumes of one shape lie apart along a patient axis at most, mm."""
    corners = np.stack(np.meshgrid(*((0, n - 1) for n in reversed(first.shape))), axis=-1)
    return float(np.abs(first.points(corners) - second.points(corners)).max())


def on_grid_of(reference: Volume, candidate: Volume) -> tuple[Volume, np.ndarray]:
    """Return a candidate on the reference's grid: as it is if it lies there, else resampled by cubic B-splines in patient space.

    Returns
    -------
    brought : Volume
        The candidate with the affine of the reference; the reference's own values where the candidate has none.
    covered : ndarray of bool
        Where the candidate has some.

    Raises
    ------
    RequestError
        If it has to be resampled and covers no voxel of the reference or has values that are not finite.
    """
    if same_grid(candidate, reference):
        voxels, covered = candidate.voxels, np.ones(reference.shape, bool)
    else:
        voxels, covered = _resampled(candidate, reference)
    return replace(candidate, voxels=voxels, affine=reference.affine), covered


def _resampled(candidate: Volume, reference: Volume) -> tuple[np.ndarray, np.ndarray]:
    import SimpleITK as sitk

    # One NaN would spoil every voxel: B-spline coefficients are global.
    if not np.isfinite(candidate.voxels).all():
        raise RequestError("candidate has NaN or infinite values; accepted are finite numbers")

    def image_of(voxels: np.ndarray, grid: Volume) -> sitk.Image:
        image = sitk.GetImageFromArray(voxels)
        image.SetOrigin(grid.origin.tolist())
        image.SetSpacing(grid.spacing)
        image.SetDirection(grid.directions.ravel().tolist())
        return image

    target = image_of(np.zeros(reference.shape, np.uint8), reference)
    inside = sitk.Resample(image_of(np.ones(candidate.shape, np.uint8), candidate), target, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    covered = sitk.GetArrayFromImage(inside) > 0
    if not covered.any():
        raise RequestError("candidate lies beside the reference in the patient; accepted is one that overlaps it")
    floating = image_of(candidate.voxels.astype(np.float32), candidate)
    voxels = sitk.GetArrayFromImage(sitk.Resample(floating, target, sitk.Transform(), sitk.sitkBSpline, 0.0))
    return np.where(covered, voxels, reference.voxels).astype(np.float32), covered
