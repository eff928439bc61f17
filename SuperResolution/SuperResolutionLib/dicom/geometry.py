"""From the positions of single images to the matrix of a volume, or to the reason why there is none."""

from __future__ import annotations

import numpy as np

from ..errors import RequestError
from .frames import Frame

# Files round positions to some digits: this far in mm, or this part of a step, a slice may lie off its place.
POSITION_TOLERANCE = 0.02
STEP_TOLERANCE = 0.01
# Cosines and mm of one series agree better than this; 1e-4 moves a pixel at the rim by 0.03 mm.
ORIENTATION_TOLERANCE = 1e-4
SPACING_TOLERANCE = 1e-5
TILT_TOLERANCE = 0.05  # degrees

# What tells several images at one place apart, in the order in which it is most telling.
_DISTINGUISHING = (
    "EffectiveEchoTime",
    "EchoTime",
    "EchoNumbers",
    "TemporalPositionIndex",
    "TemporalPositionIdentifier",
    "TriggerTime",
    "NominalCardiacTriggerDelayTime",
    "DiffusionBValue",
    "InversionTime",
    "FrameType",
    "ImageType",
    "ConvolutionKernel",
    "AcquisitionNumber",
    "AcquisitionTime",
    "ContentTime",
)


def stack(frames: list[Frame], name: str) -> tuple[list[Frame], np.ndarray]:
    """Order the images of a series along their normal and return them with the affine of the volume.

    Parameters
    ----------
    frames : list of Frame
        In any order.
    name : str
        What to call the series in messages.

    Returns
    -------
    frames : list of Frame
        In k order: along row × column, so that the axes are right-handed.
    affine : ndarray, shape (4, 4)
        Index (i, j, k, 1) → LPS mm; the k column is exact for the first and the last image (PS3.3 C.7.6.2.1.1).

    Raises
    ------
    RequestError
        If the images are no evenly spaced stack of equal, parallel images.
    """
    if len(frames) < 2:
        raise RequestError(f"{name}: one slice; accepted are volumes of at least two")
    _check_alike(frames, name)
    heights = np.array([frame.position for frame in frames]) @ frames[0].normal
    order = np.argsort(heights, kind="stable")
    frames, heights = [frames[index] for index in order], heights[order]
    _check_steps(frames, heights, name)
    first, last = frames[0].position, frames[-1].position
    step = (last - first) / (len(frames) - 1)
    _check_tilt(frames, step, name)
    _check_line(frames, step, name)
    affine = np.eye(4)
    affine[:3, 0] = frames[0].row * frames[0].spacing[0]
    affine[:3, 1] = frames[0].column * frames[0].spacing[1]
    affine[:3, 2] = step
    affine[:3, 3] = first
    return frames, affine


def _check_alike(frames: list[Frame], name: str) -> None:
    """Refuse images that differ in size, orientation, pixel spacing or stack."""
    first = frames[0]
    for frame in frames[1:]:
        pair = f"{name}: {first.name} and {frame.name} differ in"
        if frame.shape != first.shape:
            raise RequestError(f"{pair} size: {first.shape} and {frame.shape} rows and columns; accepted are images of one size")
        if np.abs(np.r_[frame.row - first.row, frame.column - first.column]).max() > ORIENTATION_TOLERANCE:
            angle = np.degrees(np.arccos(np.clip(frame.normal @ first.normal, -1, 1)))
            raise RequestError(f"{pair} orientation, their normals by {angle:.3f} degrees; accepted are parallel images")
        if np.abs(np.subtract(frame.spacing, first.spacing)).max() > SPACING_TOLERANCE:
            raise RequestError(f"{pair} pixel spacing: {first.spacing} and {frame.spacing} mm; accepted is one spacing")
    stacks = sorted({str(frame.attributes.get("StackID", "")) for frame in frames})
    if len(stacks) > 1:
        raise RequestError(f"{name}: {len(stacks)} stacks ({', '.join(stacks)}) in one series; accepted is one stack")


def _check_steps(frames: list[Frame], heights: np.ndarray, name: str) -> None:
    """Refuse several images at one place, missing slices and uneven steps. `heights`: mm along the normal, ascending."""
    steps = np.diff(heights)
    twins = np.flatnonzero(steps < POSITION_TOLERANCE)
    if twins.size:
        raise RequestError(f"{name}: {_describe_twins(frames, heights, twins)}; accepted is one image at each position")
    median = float(np.median(steps))
    uneven = np.flatnonzero(np.abs(steps - median) > max(POSITION_TOLERANCE, STEP_TOLERANCE * median))
    if not uneven.size:
        return
    whole = steps[uneven] / median
    if np.all(np.round(whole) >= 2) and np.all(np.abs(whole - np.round(whole)) < 0.1):
        lost = [heights[at] + median * number for at in uneven for number in range(1, round(steps[at] / median))]
        raise RequestError(
            f"{name}: missing slice at {_millimetres(lost)} along the normal (slices every {median:.4g} mm from {heights[0]:.3f} to "
            f"{heights[-1]:.3f}); accepted are complete series"
        )
    places = "; ".join(f"{steps[at]:.4g} mm between {heights[at]:.3f} and {heights[at + 1]:.3f}" for at in uneven[:5])
    raise RequestError(f"{name}: uneven steps of the slices, {places}, elsewhere {median:.4g} mm; accepted are even steps")


def _describe_twins(frames: list[Frame], heights: np.ndarray, twins: np.ndarray) -> str:
    """Say where images coincide and by which attributes they differ."""
    first, second = frames[twins[0]].attributes, frames[twins[0] + 1].attributes
    differing = [key for key in _DISTINGUISHING if key in first and key in second and first[key].value != second[key].value]
    shown = ", ".join(f"{key} {_plain(first[key].value)} and {_plain(second[key].value)}" for key in differing[:3])
    reason = f"they differ in {shown}: several echoes, phases or reconstructions in one series" if shown else "the same image twice?"
    where = _millimetres(sorted(set(np.round(heights[twins], 3))))
    return f"{frames[twins[0]].name} and {frames[twins[0] + 1].name} lie at the same place ({twins.size} such pairs, at {where}): {reason}"


def _check_tilt(frames: list[Frame], step: np.ndarray, name: str) -> None:
    """Refuse a gantry tilt, which shears the volume (PS3.3 C.8.15.3.5, Gantry/Detector Tilt)."""
    tilt = np.degrees(np.arccos(np.clip(step @ frames[0].normal / np.linalg.norm(step), -1, 1)))
    if tilt > TILT_TOLERANCE:
        stated = frames[0].attributes.get("GantryDetectorTilt")
        header = f" (GantryDetectorTilt is {stated})" if stated not in (None, "") else ""
        raise RequestError(
            f"{name}: sheared by a gantry tilt of {tilt:.2f} degrees between the direction of the slices and their normal{header}; "
            "accepted are slices stacked along their normal"
        )


def _check_line(frames: list[Frame], step: np.ndarray, name: str) -> None:
    """Refuse slices that lie beside the straight, even line from the first to the last."""
    even = frames[0].position + np.arange(len(frames))[:, None] * step
    off = np.linalg.norm([frame.position for frame in frames] - even, axis=1)
    worst = int(np.argmax(off))
    if off[worst] > max(POSITION_TOLERANCE, STEP_TOLERANCE * np.linalg.norm(step)):
        raise RequestError(
            f"{name}: {frames[worst].name} lies {off[worst]:.3f} mm off the even line of slices; accepted are slices on a straight line"
        )


def _millimetres(values: list[float]) -> str:
    """Write up to eight positions."""
    shown = ", ".join(f"{value:.3f}" for value in values[:8])
    return f"{shown}{', ...' if len(values) > 8 else ''} mm"


def _plain(value: object) -> str:
    """Write an attribute's value on one line."""
    return str(value).replace("\n", " ")[:60]
