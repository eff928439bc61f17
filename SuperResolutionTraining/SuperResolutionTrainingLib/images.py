"""Pictures as training data: PNG and JPEG, of which the luma is used."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.label_maps import refuse_label_map
from SuperResolutionLib.volume import Volume

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in Y of YCbCr: Recommendation ITU-R BT.601-7, 2.5.1; full range, as in JPEG (ITU-T T.871)."""
_GREY_MODES = ("1", "L", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")


def is_image(path: Path) -> bool:
    """Tell by its name whether a file is a picture."""
    return path.name.lower().endswith(IMAGE_SUFFIXES)


def read_image(path: str | Path) -> Volume:
    """Read a picture as a volume of one slice.

    Parameters
    ----------
    path : path
        PNG or JPEG. Colours, palettes among them, become their luma Y (ITU-R BT.601); what is transparent is laid on black. Grey
        pictures of 16 bits keep all their values, colours of 16 bits are read as 8 bits.

    Returns
    -------
    Volume
        float32 voxels, shape (1, rows, columns), 1 mm; i runs along the columns, j along the rows.

    Raises
    ------
    RequestError
        If the file cannot be read, is a label map, or has a single row or column.
    """
    from PIL import Image

    path = Path(path)
    try:
        with Image.open(path) as picture:
            pixels = _luma(picture)
    except FileNotFoundError as error:
        raise RequestError(f"{path}: no such file; accepted are PNG and JPEG pictures") from error
    # Pillow reports damage by any of these.
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError) as error:
        raise RequestError(f"{path}: cannot be read, {' '.join(str(error).split())}; accepted are whole PNG and JPEG pictures") from error
    if min(pixels.shape) < 2:
        raise RequestError(f"{path}: {pixels.shape[1]}x{pixels.shape[0]} pixels; accepted are at least two rows and columns")
    volume = Volume(pixels[None], np.eye(4), source=str(path))
    refuse_label_map(volume)
    return volume.with_voxels(np.asarray(volume.voxels, np.float32))


def _luma(picture: object) -> np.ndarray:
    """Return the grey values of a grey picture, the luma of any other."""
    if picture.mode in _GREY_MODES and "transparency" not in picture.info:
        pixels = np.asarray(picture)
        return pixels.astype(np.uint8) if pixels.dtype == bool else pixels
    colours = np.asarray(picture.convert("RGBA"), np.float32)
    return colours[..., :3] @ _LUMA * (colours[..., 3] / 255)
