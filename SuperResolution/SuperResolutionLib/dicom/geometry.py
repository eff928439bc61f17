"""From the positions of single images to the matrix of a volume, or to the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

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


# Ends the refusals of what `resampling` can amend.
_OFFER = "or resampling by linear interpolation (--resample)"


@dataclass(frozen=True, eq=False)
class Stack:
    """The images of a series on the grid of a volume.

    Attributes
    ----------
    frames : list of Frame
        In k order: along row × column, so that the axes are right-handed.
    affine : ndarray, shape (4, 4)
        Index (i, j, k, 1) → LPS mm of the grid that begins with the first image.
    places : ndarray, shape (n, 3)
        Index (i, j, k) on that grid of the first pixel of each image, k ascending. An even stack has (0, 0, number of the image).
    notes : tuple of str
        What putting the images onto the grid amends, one line each; empty for an even stack, whose images are the slices of the grid.
    """

    frames: list[Frame]
    affine: np.ndarray
    places: np.ndarray
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Fault:
    """What keeps images from being the slices of a grid: the words that refuse them, and those that say how resampling amends it."""

    refusal: str
    note: str


def stack(frames: list[Frame], name: str, resample: bool = False) -> Stack:
    """Order the images of a series along their normal and find the grid of the volume that they make.

    Parameters
    ----------
    frames : list of Frame
        In any order.
    name : str
        What to call the series in messages.
    resample : bool
        Accept missing slices, uneven steps, a gantry tilt and slices beside the line, with the places of the images on an even,
        perpendicular grid: from the first to the last position in steps nearest to the median of those found.

    Returns
    -------
    Stack
        For an even stack the k column of the affine is exact for the first and the last image (PS3.3 C.7.6.2.1.1).

    Raises
    ------
    RequestError
        If the images are no evenly spaced stack of equal, parallel images, or not even one that can be resampled.
    """
    if len(frames) < 2:
        raise RequestError(f"{name}: one slice; accepted are volumes of at least two")
    _check_alike(frames, name)
    heights = np.array([frame.position for frame in frames]) @ frames[0].normal
    order = np.argsort(heights, kind="stable")
    frames, heights = [frames[index] for index in order], heights[order]
    _check_twins(frames, heights, name)
    positions = np.array([frame.position for frame in frames])
    first, across = positions[0], positions[-1] - positions[0]
    uneven, count = _uneven_steps(heights)
    step = across / count
    tilt = _tilt(frames, step)
    line = _off_line(frames, positions, heights, step, even=not uneven)
    faults = [fault for fault in (uneven, tilt, line) if fault]
    if faults and not resample:
        raise RequestError(f"{name}: {faults[0].refusal}, {_OFFER}")
    beside = tilt is not None or (line is not None and _far(_beside(positions, heights), step))
    if beside:
        normal = frames[0].normal
        step = normal * (step @ normal) / (normal @ normal)
    affine = np.eye(4)
    affine[:3, 0] = frames[0].row * frames[0].spacing[0]
    affine[:3, 1] = frames[0].column * frames[0].spacing[1]
    affine[:3, 2] = step
    affine[:3, 3] = first
    places = np.zeros((len(frames), 3))
    places[:, 2] = np.arange(len(frames))
    if faults:
        found = np.linalg.solve(affine[:3, :3], (positions - first).T).T
        # Without a fault in their planes, images lie on the line as far as the tolerance tells.
        places = found if beside else found * [0, 0, 1]
    return Stack(frames, affine, places, tuple(fault.note for fault in faults))


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


def _check_twins(frames: list[Frame], heights: np.ndarray, name: str) -> None:
    """Refuse several images at one place. `heights`: mm along the normal, ascending."""
    twins = np.flatnonzero(np.diff(heights) < POSITION_TOLERANCE)
    if twins.size:
        raise RequestError(f"{name}: {_describe_twins(frames, heights, twins)}; accepted is one image at each position")


def _uneven_steps(heights: np.ndarray) -> tuple[_Fault | None, int]:
    """Find missing slices and uneven steps, and the number of steps that an even grid has from the first to the last image."""
    steps = np.diff(heights)
    median = float(np.median(steps))
    uneven = np.flatnonzero(np.abs(steps - median) > max(POSITION_TOLERANCE, STEP_TOLERANCE * median))
    if not uneven.size:
        return None, len(steps)
    whole = steps[uneven] / median
    if np.all(np.round(whole) >= 2) and np.all(np.abs(whole - np.round(whole)) < 0.1):
        lost = [heights[at] + median * number for at in uneven for number in range(1, round(steps[at] / median))]
        where = f"at {_millimetres(lost)} along the normal"
        missing = _Fault(
            f"missing slice {where} (slices every {median:.4g} mm from {heights[0]:.3f} to {heights[-1]:.3f}); "
            "accepted are complete series",
            f"{len(lost)} missing slice{'s' if len(lost) > 1 else ''} filled by linear interpolation {where}",
        )
        return missing, len(steps) + len(lost)
    places = "; ".join(f"{steps[at]:.4g} mm between {heights[at]:.3f} and {heights[at + 1]:.3f}" for at in uneven[:5])
    found = f"uneven steps of the slices, {places}, elsewhere {median:.4g} mm"
    count = round((heights[-1] - heights[0]) / median)
    even = (heights[-1] - heights[0]) / count
    return _Fault(f"{found}; accepted are even steps", f"{found}: interpolated linearly to even steps of {even:.4g} mm"), count


def _describe_twins(frames: list[Frame], heights: np.ndarray, twins: np.ndarray) -> str:
    """Say where images coincide and by which attributes they differ."""
    first, second = frames[twins[0]].attributes, frames[twins[0] + 1].attributes
    differing = [key for key in _DISTINGUISHING if key in first and key in second and first[key].value != second[key].value]
    shown = ", ".join(f"{key} {_plain(first[key].value)} and {_plain(second[key].value)}" for key in differing[:3])
    reason = f"they differ in {shown}: several echoes, phases or reconstructions in one series" if shown else "the same image twice?"
    where = _millimetres(sorted(set(np.round(heights[twins], 3))))
    return f"{frames[twins[0]].name} and {frames[twins[0] + 1].name} lie at the same place ({twins.size} such pairs, at {where}): {reason}"


def _tilt(frames: list[Frame], step: np.ndarray) -> _Fault | None:
    """Find a gantry tilt, which shears the volume (PS3.3 C.8.15.3.5, Gantry/Detector Tilt)."""
    tilt = np.degrees(np.arccos(np.clip(step @ frames[0].normal / np.linalg.norm(step), -1, 1)))
    if tilt <= TILT_TOLERANCE:
        return None
    stated = frames[0].attributes.get("GantryDetectorTilt")
    header = f" (GantryDetectorTilt is {stated})" if stated not in (None, "") else ""
    return _Fault(
        f"sheared by a gantry tilt of {tilt:.2f} degrees between the direction of the slices and their normal{header}; "
        "accepted are slices stacked along their normal",
        f"sheared by {tilt:.2f} degrees: slices shifted in their planes onto a perpendicular grid, the rest filled with the lowest value",
    )


def _off_line(frames: list[Frame], positions: np.ndarray, heights: np.ndarray, step: np.ndarray, even: bool) -> _Fault | None:
    """Find slices beside the straight line from the first to the last or, of even steps, off their place on it."""
    off = _beside(positions, heights)
    if even:
        off = np.linalg.norm(positions - (positions[0] + np.arange(len(positions))[:, None] * step), axis=1)
    if not _far(off, step):
        return None
    worst = int(np.argmax(off))
    return _Fault(
        f"{frames[worst].name} lies {off[worst]:.3f} mm off the even line of slices; accepted are slices on a straight line",
        f"slices up to {off[worst]:.3f} mm off the even line, interpolated linearly onto it",
    )


def _beside(positions: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Return how far each image lies, in its plane, from the line from the first to the last, mm."""
    along = (heights - heights[0]) / (heights[-1] - heights[0])
    return np.linalg.norm(positions - positions[0] - along[:, None] * (positions[-1] - positions[0]), axis=1)


def _far(off: np.ndarray, step: np.ndarray) -> bool:
    """Tell whether distances from the line are more than rounding."""
    return bool(off.max() > max(POSITION_TOLERANCE, STEP_TOLERANCE * np.linalg.norm(step)))


def _millimetres(values: list[float]) -> str:
    """Write up to eight positions."""
    shown = ", ".join(f"{value:.3f}" for value in values[:8])
    return f"{shown}{', ...' if len(values) > 8 else ''} mm"


def _plain(value: object) -> str:
    """Write an attribute's value on one line."""
    return str(value).replace("\n", " ")[:60]
