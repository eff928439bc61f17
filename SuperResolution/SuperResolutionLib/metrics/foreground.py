"""Which voxels belong to the patient."""

import numpy as np

from .pairs import check_finite, value_range

CLOSING = 2  # voxels


def foreground(reference: np.ndarray) -> np.ndarray:
    """Return the patient without the air around, so that empty space does not lift a mean.

    Otsu's threshold (IEEE Trans. Syst. Man Cybern. 9, 1979; for CT it falls between air and soft tissue), gaps of up to four voxels
    closed, the largest connected component, and its holes filled slice by slice along each of the three axes: a limb that leaves the
    volume encloses its marrow in no other way.

    Parameters
    ----------
    reference : ndarray, shape (k, j, i)
        Intensities, air darkest.

    Returns
    -------
    ndarray of bool, shape (k, j, i)

    Raises
    ------
    RequestError
        If a value is not finite or the reference is constant.
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    check_finite(reference, "reference")
    value_range(reference)
    # As floating point: for integers the threshold is taken from other bins, and the same volume would have two foregrounds.
    bright = reference > threshold_otsu(reference.astype(np.float32))
    # Padding by repetition keeps the closing from eroding the patient at the border of the volume.
    padded = np.pad(bright, CLOSING, mode="edge")
    closed = ndimage.binary_closing(padded, iterations=CLOSING)[(slice(CLOSING, -CLOSING),) * 3]
    components, _ = ndimage.label(closed)
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    body = components == sizes.argmax()
    for axis in range(3):
        for plane in np.moveaxis(body, axis, 0):
            plane |= ndimage.binary_fill_holes(plane)
    return body
