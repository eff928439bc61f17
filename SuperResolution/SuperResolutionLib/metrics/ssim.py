"""Structural similarity in three dimensions."""

import numpy as np

from ..errors import RequestError
from .pairs import check_mask, check_pair, data_range_or

SIGMA = 1.5  # voxels
TRUNCATE = 3.5  # sigmas
MARGIN = int(TRUNCATE * SIGMA + 0.5)
WINDOW = 2 * MARGIN + 1


def ssim(candidate: np.ndarray, reference: np.ndarray, mask: np.ndarray | None = None, data_range: float | None = None) -> float:
    """Return the mean structural similarity.

    Each voxel has ((2 μc μr + C₁)(2 σcr + C₂)) / ((μc² + μr² + C₁)(σc² + σr² + C₂)), C₁ = (0.01 L)², C₂ = (0.03 L)², with moments
    under a 3-D Gaussian window of σ = 1.5 voxels, 11 voxels wide, and population covariance (Wang et al., IEEE Trans. Image Process.
    13, 2004); the same as ``skimage.metrics.structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)``.

    Parameters
    ----------
    candidate, reference : ndarray, shape (k, j, i)
        What is measured, and the truth; at least 11 voxels along each axis.
    mask : ndarray of bool, shape (k, j, i), optional
        Voxels over which the mean is taken. By default all whose window lies inside the volume; near the border of the volume a mask
        takes windows that are completed by reflection.
    data_range : float, optional
        L, by default maximum − minimum of the whole reference.

    Returns
    -------
    float
        At most 1.

    Raises
    ------
    RequestError
        If the arrays cannot be compared, are smaller than the window, or the range is not positive.
    """
    return mean_ssim(ssim_map(candidate, reference, data_range), mask)


def ssim_map(candidate: np.ndarray, reference: np.ndarray, data_range: float | None = None) -> np.ndarray:
    """Return the structural similarity of every voxel, float32 of shape (k, j, i); see `ssim` for the rest."""
    check_pair(candidate, reference)
    if min(reference.shape) < WINDOW:
        raise RequestError(f"SSIM of a volume of shape {reference.shape}; accepted are at least {WINDOW} voxels along each axis")
    data_range = data_range_or(data_range, reference)
    luminance, structure = luminance_and_structure(*about_level(candidate, reference), data_range)
    return np.multiply(luminance, structure, out=luminance)


def about_level(candidate: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return both as float32, counted from the mean of the reference, and that mean: float32 then loses nothing to a large offset."""
    level = float(reference.mean(dtype=np.float64))
    c, r = (np.subtract(array, level, dtype=np.float64).astype(np.float32) for array in (candidate, reference))
    return c, r, level


def luminance_and_structure(c: np.ndarray, r: np.ndarray, level: float, data_range: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the two factors of the similarity of every voxel: that of the means, and that of contrast and structure.

    Parameters
    ----------
    c, r, level
        As `about_level` returns them, of two or three dimensions.
    data_range : float
        L of `ssim`.
    """
    from scipy.ndimage import gaussian_filter

    def smooth(values: np.ndarray) -> np.ndarray:
        return gaussian_filter(values, SIGMA, truncate=TRUNCATE, mode="reflect")

    c1, c2 = np.float32((0.01 * data_range) ** 2), np.float32((0.03 * data_range) ** 2)
    mean_c, mean_r = smooth(c), smooth(r)
    covariance = smooth(c * r) - mean_c * mean_r
    variances = smooth(c * c) - mean_c**2 + smooth(r * r) - mean_r**2
    structure = (2 * covariance + c2) / (variances + c2)
    mean_c += np.float32(level)
    mean_r += np.float32(level)
    return (2 * mean_c * mean_r + c1) / (mean_c**2 + mean_r**2 + c1), structure


def mean_ssim(similarity: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Return the mean of a map of `ssim_map`, within `mask` or over all voxels whose window lies inside the volume."""
    inside = (slice(MARGIN, -MARGIN),) * 3
    if mask is not None:
        check_mask(mask, similarity.shape)
        inside = mask
    return float(similarity[inside].mean(dtype=np.float64))
