"""What a volume is, in words and numbers, before anything is done with it."""

from __future__ import annotations

from typing import Any

from .errors import RequestError
from .upscaling import Settings, choose_factor, modality_of
from .volume import Volume

_PLANES = {"x": "sagittal", "y": "coronal", "z": "axial"}
_OBLIQUE = 0.999


def describe_volume(volume: Volume) -> dict[str, Any]:
    """Return matrix, geometry, modality and what would be done by default, as plain data.

    Returns
    -------
    dict
        ``shape`` (i, j, k), ``spacing`` (i, j, k, mm), ``origin`` (LPS mm), ``directions`` (columns i, j, k), ``modality``, ``units``,
        ``type``,
        ``minimum``, ``maximum``, ``slice_thickness`` (mm or None), ``thick_axis``, ``plane`` (of the slices across the thick axis),
        ``factor`` (that comes nearest to isotropic, or None), ``notes`` (what reading had to change).
    """
    return {
        "source": volume.source,
        "shape": list(reversed(volume.shape)),
        "spacing": list(volume.spacing),
        "origin": volume.origin.tolist(),
        "directions": volume.directions.tolist(),
        "modality": modality_of(volume),
        "units": volume.units,
        "type": str(volume.voxels.dtype),
        "minimum": volume.voxels.min().item(),
        "maximum": volume.voxels.max().item(),
        "slice_thickness": volume.slice_thickness,
        "thick_axis": volume.thick_axis,
        "plane": slice_plane(volume, volume.thick_axis),
        "factor": _default_factor(volume),
        "notes": list(volume.notes),
    }


def describe_briefly(volume: Volume) -> str:
    """Return matrix, modality, slices and in-plane spacing as one line, without looking at the voxels where the modality is known."""
    thick = "ijk".index(volume.thick_axis)
    in_plane = [length for axis, length in enumerate(volume.spacing) if axis != thick]
    same = abs(in_plane[0] - in_plane[1]) < 5e-4 * in_plane[0]
    shown = f"{in_plane[0]:.2f}" if same else f"{in_plane[0]:.2f} × {in_plane[1]:.2f}"
    matrix = " × ".join(map(str, reversed(volume.shape)))
    slices = f"{slice_plane(volume, volume.thick_axis)} slices {volume.spacing[thick]:.1f} mm"
    guess = "" if volume.modality else " (by its values)"
    return f"{modality_of(volume)}{guess}, {matrix} voxels, {slices}, in-plane {shown} mm"


def slice_plane(volume: Volume, axis: str) -> str:
    """Name the anatomical plane of the slices across `axis`: axial, coronal or sagittal, ``oblique`` before it where it is tilted."""
    normal = abs(volume.directions[:, "ijk".index(axis)])
    largest = int(normal.argmax())
    return ("" if normal[largest] > _OBLIQUE else "oblique ") + _PLANES["xyz"[largest]]


def _default_factor(volume: Volume) -> int | None:
    try:
        return choose_factor(volume, Settings())
    except RequestError:
        return None


def describe_in_words(description: dict[str, Any]) -> str:
    """Return the description as a few lines for people."""
    thick = "ijk".index(description["thick_axis"])
    matrix = " x ".join(map(str, description["shape"]))
    spacing = description["spacing"]
    others = " x ".join(f"{length:.3g}" for axis, length in enumerate(spacing) if axis != thick)
    thickness = description["slice_thickness"]
    factor = description["factor"]
    return "\n".join(
        (
            f"{description['source']}: {description['modality']}, {matrix} voxels of {description['type']}",
            f"  {description['plane']} slices every {spacing[thick]:.4g} mm along {description['thick_axis']}, {others} mm in plane"
            + (f", {thickness:.4g} mm thick" if thickness else ""),
            f"  values {description['minimum']:g} to {description['maximum']:g} {description['units']}".rstrip(),
            f"  default factor {factor}" if factor else "  nearly isotropic: --factor must be named",
            *(f"  warning: {note}" for note in description["notes"]),
        )
    )
