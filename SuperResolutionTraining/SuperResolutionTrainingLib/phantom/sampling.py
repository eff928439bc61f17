"""The knee phantom: a function of the patient point, and its samples on any grid."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import Volume

from .contrast import CONTRASTS, Appearance
from .knee import PAINTING, Knee, Tissue
from .shapes import Points

BLOCK = 12  # voxels along each axis that are computed together: small enough to miss most tissues, large enough for numpy
SLACK = 1.8  # how much faster than the true distance the approximate ones may grow
SAGITTAL = ((0, 0, -1), (1, 0, 0), (0, -1, 0))  # columns i, j, k: backwards, downwards, to the right
CENTRE = (0, 5, 0)


class KneePhantom:
    """A left knee as an analytic function of the patient point.

    Parameters
    ----------
    modality : {"MR", "CT"}
        MR: the contrast of a water-excited double-echo steady-state sequence, with a bias field. CT: Hounsfield units.
    seed : int
        Draws the size of the knee, the thickness of its cartilage, textures and bias field.

    Raises
    ------
    RequestError
        If the modality is neither.
    """

    def __init__(self, modality: str = "MR", seed: int = 0) -> None:
        if modality not in CONTRASTS:
            raise RequestError(f"modality '{modality}': accepted are {', '.join(CONTRASTS)}")
        random = np.random.default_rng(seed)
        self.modality = modality
        self.scale = random.uniform(0.95, 1.05)
        self.cartilage = random.uniform(1.9, 2.7)
        self.bias = random.normal(0, 0.05, 6) if modality == "MR" else np.zeros(6)
        self.appearance = Appearance(modality, random)

    def labels(self, points: np.ndarray) -> np.ndarray:
        """Return the tissue at each point.

        Parameters
        ----------
        points : ndarray, shape (..., 3)
            LPS mm.

        Returns
        -------
        ndarray of uint8, shape (...)
            Values of `Tissue`.
        """
        return self._paint(self._to_knee(points))

    def intensity(self, points: np.ndarray) -> np.ndarray:
        """Return the intensity at each point, float32: arbitrary units (MR, air is 0) or HU (CT).

        Parameters
        ----------
        points : ndarray, shape (..., 3)
            LPS mm.
        """
        inside = self._to_knee(points)
        return self._shine(self._paint(inside), inside)

    def sample(
        self,
        shape_kji: Sequence[int],
        spacing_ijk: Sequence[float],
        origin: Sequence[float] | None = None,
        directions: np.ndarray | None = None,
        supersampling: int | Sequence[int] = 2,
    ) -> Volume:
        """Return the phantom on a grid, each voxel the mean over its own box (partial volume).

        Parameters
        ----------
        shape_kji : sequence of three int
            Number of voxels along (k, j, i).
        spacing_ijk : sequence of three float
            Voxel size along (i, j, k), mm.
        origin : sequence of three float, optional
            Centre of the first voxel, LPS mm; by default the grid is centred on the knee.
        directions : ndarray, shape (3, 3), optional
            Unit vectors of i, j, k as columns, LPS; by default sagittal slices like a knee protocol's (k runs to the patient's right).
        supersampling : int or three int
            Points along each axis (i, j, k) of a voxel over which the mean is taken.

        Returns
        -------
        Volume
            float32 voxels.
        """
        affine = grid_affine(shape_kji, spacing_ijk, origin, directions)
        finer = (supersampling,) * 3 if isinstance(supersampling, int) else tuple(supersampling)
        voxels = np.empty(tuple(shape_kji), np.float32)
        blocks = list(_blocks(voxels.shape))
        to_knee = affine[:3] / self.scale
        for block, (distances, radius) in zip(blocks, self._survey(blocks, to_knee), strict=True):
            points = _block_points(block, finer, to_knee)
            voxels[block] = _box_means(self._shine(self._paint(points, distances, radius), points), finer)
        return Volume(voxels, affine, modality=self.modality, slice_thickness=float(spacing_ijk[2]), source="knee phantom")

    def _to_knee(self, points: np.ndarray) -> Points:
        scaled = np.asarray(points, np.float32) / np.float32(self.scale)
        return tuple(np.ascontiguousarray(np.moveaxis(scaled, -1, 0)))

    def _survey(self, blocks: list[tuple[slice, ...]], to_knee: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
        """Yield the distances of every block's centre to every layer of the painting, and the block's radius."""
        edges = np.array([[(s.start, s.stop) for s in reversed(block)] for block in blocks], dtype=float)
        centres = (edges.mean(axis=2) - 0.5) @ to_knee[:, :3].T + to_knee[:, 3]
        corners = np.array(list(product((-0.5, 0.5), repeat=3)))
        reach = (corners * np.diff(edges, axis=2).swapaxes(1, 2)) @ to_knee[:, :3].T
        knee = Knee(tuple(centres.T.astype(np.float32)), self.cartilage)
        distances = np.stack([distance(knee) for _, distance in PAINTING], axis=1)
        yield from zip(distances, np.linalg.norm(reach, axis=-1).max(axis=1), strict=True)

    def _paint(self, points: Points, distances: np.ndarray | None = None, radius: float = np.inf) -> np.ndarray:
        """Return the tissue at each point; `distances` of the tissues to the middle of the points spare the far ones."""
        labels = np.full(points[0].shape, Tissue.AIR, np.uint8)
        knee = Knee(points, self.cartilage)
        for index, (tissue, distance) in enumerate(PAINTING):
            middle = 0 if distances is None else distances[index]
            if middle < -SLACK * radius:
                labels[...] = tissue
            elif middle <= SLACK * radius:
                labels[distance(knee) < 0] = tissue
        return labels

    def _shine(self, labels: np.ndarray, points: Points) -> np.ndarray:
        values = self.appearance(labels, points)
        if not self.bias.any() or not labels.any():
            return values
        x, y, z = (p / np.float32(70) for p in points)
        terms = (x, y, z, x * y, y * z, z * x)
        return values * np.exp(sum(np.float32(weight) * term for weight, term in zip(self.bias, terms, strict=True)))


def add_rician_noise(volume: Volume, sigma: float, seed: int = 0) -> Volume:
    """Return the volume with the noise of its modality.

    Magnitude MR images have Rician noise, sqrt((s + n₁)² + n₂²) with n₁, n₂ ~ N(0, σ²) (Gudbjartsson and Patz, Magn Reson Med 1995);
    in CT it is Gaussian.

    Parameters
    ----------
    volume : Volume
        Any volume; all but CT is taken for a magnitude image.
    sigma : float
        Standard deviation in the volume's units.
    seed : int
        Of the random numbers.

    Returns
    -------
    Volume
        float32 voxels.
    """
    random = np.random.default_rng(seed)
    noisy = volume.voxels + np.float32(sigma) * random.standard_normal(volume.shape, np.float32)
    if volume.modality != "CT":
        noisy = np.hypot(noisy, np.float32(sigma) * random.standard_normal(volume.shape, np.float32))
    return volume.with_voxels(noisy.astype(np.float32, copy=False))


def grid_affine(
    shape_kji: Sequence[int], spacing_ijk: Sequence[float], origin: Sequence[float] | None, directions: np.ndarray | None
) -> np.ndarray:
    """Return the index-to-LPS matrix of a grid, by default sagittal and centred on the knee."""
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(SAGITTAL if directions is None else directions, dtype=float) * np.asarray(spacing_ijk, dtype=float)
    middle = (np.asarray(shape_kji[::-1], dtype=float) - 1) / 2
    affine[:3, 3] = np.asarray(CENTRE) - affine[:3, :3] @ middle if origin is None else origin
    return affine


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Yield slices (k, j, i) of blocks that cover the shape."""
    yield from product(*([slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK)] for size in shape))


def _block_points(block: tuple[slice, ...], finer: tuple[int, ...], to_knee: np.ndarray) -> Points:
    """Return the coordinates, each (k, j, i), of the sub-voxel points of a block; `to_knee` (3, 4) maps indices to them."""
    k, j, i = ((np.arange(s.start * n, s.stop * n) + 0.5) / n - 0.5 for s, n in zip(block, reversed(finer), strict=True))
    rows = ((i * row[0] + row[3], j * row[1], k * row[2]) for row in to_knee)
    return tuple(
        along_i.astype(np.float32)[None, None, :] + along_j.astype(np.float32)[None, :, None] + along_k.astype(np.float32)[:, None, None]
        for along_i, along_j, along_k in rows
    )


def _box_means(values: np.ndarray, finer: tuple[int, ...]) -> np.ndarray:
    """Return the means over boxes of `finer` (i, j, k) points."""
    k, j, i = values.shape
    a, b, c = finer
    return values.reshape(k // c, c, j // b, b, i // a, a).mean(axis=(1, 3, 5), dtype=np.float32)
