"""A head of ellipsoids, for where no scan can be downloaded: the three-dimensional Shepp-Logan phantom."""

from __future__ import annotations

import numpy as np

# Kak and Slaney, Principles of Computerized Tomographic Imaging, 1988, table 3.1, with the contrast of Toft, 1996, and the third axes of
# Koay, Sarlls and Özarslan, Magn. Reson. Med. 58 (2007): value, half axes, centre (x, y, z), rotation about z in degrees.
_ELLIPSOIDS = (
    (1.0, (0.6900, 0.9200, 0.900), (0.00, 0.0000, 0.000), 0.0),
    (-0.8, (0.6624, 0.8740, 0.880), (0.00, 0.0000, 0.000), 0.0),
    (-0.2, (0.4100, 0.1600, 0.210), (-0.22, 0.0000, -0.250), 108.0),
    (-0.2, (0.3100, 0.1100, 0.220), (0.22, 0.0000, -0.250), 72.0),
    (0.2, (0.2100, 0.2500, 0.500), (0.00, 0.3500, -0.250), 0.0),
    (0.2, (0.0460, 0.0460, 0.046), (0.00, 0.1000, -0.250), 0.0),
    (0.1, (0.0460, 0.0230, 0.020), (-0.08, -0.6500, -0.250), 0.0),
    (0.1, (0.0460, 0.0230, 0.020), (0.06, -0.6500, -0.250), 90.0),
    (0.2, (0.0560, 0.0400, 0.100), (0.06, -0.1050, 0.625), 90.0),
    (-0.2, (0.0560, 0.0560, 0.100), (0.00, 0.1000, 0.625), 0.0),
)
_BRIGHTEST = 1000
_SHADING = 0.15  # from the middle to the corners, as under a receive coil; an image of ten values would be taken for a label map


def shepp_logan(size: int) -> np.ndarray:
    """Return the phantom as int16 voxels, 0 to 1000, shape (size, size, size) in k, j, i order, the unit cube from edge to edge."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij", sparse=True)
    voxels = np.zeros((size, size, size), np.float32)
    for value, (a, b, c), (x0, y0, z0), degrees in _ELLIPSOIDS:
        cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        along, across = (x - x0) * cosine + (y - y0) * sine, (y - y0) * cosine - (x - x0) * sine
        voxels[(along / a) ** 2 + (across / b) ** 2 + ((z - z0) / c) ** 2 <= 1] += value
    shaded = voxels * (1 - _SHADING * (x**2 + y**2 + z**2) / 3)
    return np.round(shaded * _BRIGHTEST).astype(np.int16)
