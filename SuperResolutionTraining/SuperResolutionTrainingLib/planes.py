"""Sagittal, coronal and axial planes of a volume, turned as radiologists look at them."""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from SuperResolutionLib.volume import Volume

LETTERS = (("R", "L"), ("A", "P"), ("I", "S"))  # names of the two ends of each patient axis, LPS


@dataclass(frozen=True)
class View:
    """A way of looking: patient axes (0 L, 1 P, 2 S) with the sense in which they run to the right and downwards in the picture."""

    name: str
    normal: int
    right: tuple[int, int]
    down: tuple[int, int]

    @property
    def letters(self) -> tuple[str, str]:
        """The patient's side at the left and at the upper edge."""
        return tuple(LETTERS[axis][0 if sense > 0 else 1] for axis, sense in (self.right, self.down))


VIEWS = (
    View("sagittal", 0, (1, 1), (2, -1)),
    View("coronal", 1, (0, 1), (2, -1)),
    View("axial", 2, (0, 1), (1, 1)),
)


@dataclass(frozen=True)
class Plane:
    """A plane of voxels as it is shown.

    Attributes
    ----------
    pixels : ndarray
        Rows from top to bottom, columns from left to right.
    extent : tuple of four float
        Edges of the picture (left, right, bottom, top) in mm along its own two directions.
    """

    pixels: np.ndarray
    extent: tuple[float, float, float, float]


def anatomical_axes(volume: Volume) -> tuple[int, int, int]:
    """Return the array axes (0 i, 1 j, 2 k) that run nearest to the patient's L, P and S."""
    cosines = np.abs(volume.directions)
    return max(permutations(range(3)), key=lambda axes: sum(cosines[patient, axis] for patient, axis in enumerate(axes)))


def plane_through(volume: Volume, view: View, point: np.ndarray) -> Plane:
    """Return the plane of voxels that passes nearest to a point.

    Parameters
    ----------
    volume : Volume
        At any orientation; an oblique one is shown in its own planes, each under the name of the patient plane that it is nearest to.
    view : View
    point : ndarray, shape (3,)
        LPS mm; outside the volume, the outermost plane is taken.
    """
    axes = anatomical_axes(volume)
    sizes = volume.shape[::-1]
    index = np.linalg.solve(volume.affine[:3, :3], np.asarray(point) - volume.origin)
    index = np.clip(np.rint(index), 0, np.array(sizes) - 1).astype(int)
    normal, across, down = axes[view.normal], axes[view.right[0]], axes[view.down[0]]
    pixels = np.moveaxis(volume.voxels, (2 - normal, 2 - down, 2 - across), (0, 1, 2))[index[normal]]

    def edges(axis: int, patient: int, sense: int) -> tuple[float, float, bool]:
        direction = volume.directions[:, axis]
        flipped = direction[patient] * sense < 0
        start = float(direction @ volume.origin) - volume.spacing[axis] / 2
        stop = start + sizes[axis] * volume.spacing[axis]
        return (-stop, -start, True) if flipped else (start, stop, False)

    left, right, mirrored = edges(across, *view.right)
    top, bottom, inverted = edges(down, *view.down)
    shown = pixels[:: -1 if inverted else 1, :: -1 if mirrored else 1]
    return Plane(shown, (left, right, bottom, top))


def telling_point(volume: Volume) -> np.ndarray:
    """Return the point, LPS mm, where the three planes with the most detail meet, of those in the middle third of the volume."""
    coarse = volume.voxels[::2, ::2, ::2].astype(np.float32)
    index = []
    energy = np.zeros(coarse.shape, np.float32)
    for axis in range(3):
        if coarse.shape[axis] > 1:
            energy += np.abs(np.gradient(coarse, axis=axis))
    for axis in (2, 1, 0):
        profile = energy.mean(axis=tuple(other for other in range(3) if other != axis))
        start = len(profile) // 3
        index.append(2 * (start + int(np.argmax(profile[start : len(profile) - start]))))
    return volume.points(np.array(index))
