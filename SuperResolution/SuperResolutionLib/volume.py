"""A volume: voxels and the matrix that says where in the patient each of them is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .errors import RequestError
from .provenance import Provenance

if TYPE_CHECKING:
    from pydicom import Dataset

AXES = ("i", "j", "k")


def array_axis(axis: str) -> int:
    """Return the position of an axis in a ``[k, j, i]`` array.

    Parameters
    ----------
    axis : {"i", "j", "k"}
        Array axis in ITK order, i fastest.

    Raises
    ------
    RequestError
        If `axis` is none of the three.
    """
    if axis not in AXES:
        raise RequestError(f"axis '{axis}': accepted are i, j, k")
    return 2 - AXES.index(axis)


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels with their geometry, a value: operations return new volumes.

    Parameters
    ----------
    voxels : ndarray, shape (k, j, i)
        Intensities of a real number type.
    affine : ndarray, shape (4, 4)
        Maps a continuous voxel index (i, j, k, 1), counted from voxel centres, to LPS millimetres.
    modality : str, optional
        DICOM modality (``"MR"``, ``"CT"``); None where the file does not say.
    slice_thickness : float, optional
        Nominal thickness of the slices along k in mm, which need not be their spacing; None where unknown.
    source : str
        Where the volume was read from.
    headers : tuple of pydicom.Dataset
        DICOM headers without pixel data: one for each slice in k order, or a single one (multi-frame); empty for other files.
    provenance : Provenance, optional
        How the volume was computed, if it was.
    notes : tuple of str
        What reading had to change (see `read_volume`), one line each.

    Raises
    ------
    RequestError
        If the voxels are not a 3-D array of real numbers or the affine is not an invertible 4×4 matrix.
    """

    voxels: np.ndarray
    affine: np.ndarray
    modality: str | None = None
    slice_thickness: float | None = None
    source: str = ""
    headers: tuple[Dataset, ...] = ()
    provenance: Provenance | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        voxels = np.asarray(self.voxels)
        affine = np.array(self.affine, dtype=np.float64)
        name = self.source or "volume"
        if voxels.ndim != 3 or 0 in voxels.shape:
            raise RequestError(f"{name}: array of shape {voxels.shape}; accepted are three axes (k, j, i), none empty")
        if voxels.dtype.kind not in "iuf":
            raise RequestError(f"{name}: voxels of type {voxels.dtype}; accepted are integers and floating point numbers")
        if affine.shape != (4, 4) or not np.isfinite(affine).all() or not np.array_equal(affine[3], [0, 0, 0, 1]):
            raise RequestError(f"{name}: affine {affine.tolist()}; accepted is a finite 4x4 matrix whose last row is 0 0 0 1")
        if abs(np.linalg.det(affine[:3, :3])) < 1e-12:
            raise RequestError(f"{name}: affine {affine.tolist()} is singular; accepted are three independent axes")
        affine.flags.writeable = False
        object.__setattr__(self, "voxels", voxels)
        object.__setattr__(self, "affine", affine)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (k, j, i)."""
        return self.voxels.shape

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxel centres along (i, j, k) in mm."""
        return tuple(float(length) for length in np.linalg.norm(self.affine[:3, :3], axis=0))

    @property
    def origin(self) -> np.ndarray:
        """Centre of the first voxel, LPS mm."""
        return self.affine[:3, 3].copy()

    @property
    def directions(self) -> np.ndarray:
        """Unit vectors of the i, j and k axes as columns, LPS."""
        return self.affine[:3, :3] / np.asarray(self.spacing)

    @property
    def units(self) -> str:
        """``"HU"`` for CT, else empty: arbitrary units."""
        return "HU" if self.modality == "CT" else ""

    @property
    def thick_axis(self) -> str:
        """The axis with the largest spacing; the last of equals, since slices are stacked along k."""
        spacing = np.round(self.spacing, 4)
        return AXES[2 - int(np.argmax(spacing[::-1]))]

    def is_orthogonal(self, tolerance: float = 1e-4) -> bool:
        """Tell whether the three axes are perpendicular (cosines within `tolerance`)."""
        cosines = self.directions.T @ self.directions - np.eye(3)
        return bool(np.abs(cosines).max() <= tolerance)

    def points(self, indices: np.ndarray) -> np.ndarray:
        """Map voxel indices, shape (..., 3) in (i, j, k) order, to LPS mm of the same shape."""
        return np.asarray(indices) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def with_voxels(self, voxels: np.ndarray) -> Volume:
        """Return this volume with other voxels on the same grid."""
        if voxels.shape != self.shape:
            raise RequestError(f"{self.source or 'volume'}: new voxels of shape {voxels.shape}; accepted is {self.shape}")
        return replace(self, voxels=voxels)

    def regridded(self, voxels: np.ndarray, axis: str, ratio: float) -> Volume:
        """Return a volume whose voxels along `axis` are `ratio` times as long, edges aligned.

        Parameters
        ----------
        voxels : ndarray
            Voxels on the new grid, (k, j, i).
        axis : {"i", "j", "k"}
            The axis that changes.
        ratio : float
            1/f for a grid f times finer, f for one f times coarser.

        Notes
        -----
        Origins are voxel centres, so the first centre moves by (ratio − 1)/2 old voxels.
        """
        column = AXES.index(axis)
        change = np.eye(4)
        change[column, column] = ratio
        change[column, 3] = (ratio - 1) / 2
        thickness = self.slice_thickness
        if axis == "k" and thickness is not None:
            thickness *= ratio
        return replace(self, voxels=voxels, affine=self.affine @ change, slice_thickness=thickness)
