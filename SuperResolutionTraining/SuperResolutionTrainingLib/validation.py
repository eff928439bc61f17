"""Measures a model on scans it was not trained on: degrade, upscale, compare with the truth and with cubic interpolation.

Where a scan has a thick counterpart that a scanner measured, that is upscaled instead of a degraded one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.files import read_volume
from SuperResolutionLib.metrics import foreground, ncc, psnr, ssim
from SuperResolutionLib.metrics.ssim import WINDOW
from SuperResolutionLib.volume import AXES, Volume, array_axis

from .made_thick import axes_of, direction_of, make_fine, make_thick
from .pairs import Pair, align
from .recipe import Scan
from .samples import load_scan

MEASURED = "measured"
"""What entries have as their profile where the thick scan is a real one."""
_FIGURES = ("psnr", "ncc", "ssim")
Tell = Callable[[str], None]


def protocol(task: str = "axis", extent: int = 0) -> str:
    """Return in words how `measure` measures."""
    degraded = {"axis": "along one axis", "plane": "along both axes of a plane", "both": "along one axis or both axes of a plane"}[task]
    part = f"the central {extent} voxels of each axis of the fine scan" if extent else "fine scan"
    return (
        f"{part} degraded {degraded} (profile {MEASURED}: the real thick scan of the study instead), upscaled by `upscale` with default "
        "settings but precision float32, compared with the fine scan; "
        "peak = maximum - minimum of the reference; whole volume and Otsu foreground; SSIM 3-D, Gaussian window of sigma 1.5"
    )


def measure(
    model: str,
    scans: Iterable[Scan],
    data: Path,
    factors: Iterable[int],
    profiles: Iterable[str],
    *,
    task: str = "axis",
    extent: int = 0,
    device: str = "auto",
    tell: Tell = lambda line: None,
) -> list[dict[str, Any]]:
    """Measure a model on scans.

    Parameters
    ----------
    model : str
        Id or model file.
    scans : iterable of Scan
        Scans of subjects the model was not trained on.
    data : Path
        Folder of the scans.
    factors, profiles : iterable
        Each factor is measured with each slice profile, along each axis whose resolution is real. A scan with a thick counterpart is
        measured once, at the factor between the two; see `measured_pair`.
    task : {"axis", "plane", "both"}
        What is made finer: one axis, the plane of rows and columns, or either.
    extent : int
        Voxels of each axis, at the centre, that are measured; 0: all.
    device : str
        See `devices`.
    tell : callable
        Called with a line before each measurement.

    Returns
    -------
    list of dict
        One entry for each combination: ``subject``, ``modality``, ``factor``, ``axis``, ``profile``, and ``psnr``, ``ncc``, ``ssim`` of the
        model and, with the ending ``_cubic``, of cubic interpolation; ``psnr_foreground`` likewise. The profile of a scan with a thick
        counterpart is `MEASURED`. Combinations that leave fewer than two thick slices are left out.

    Raises
    ------
    RequestError
        If a scan cannot be read or is no pair with its thick counterpart, or the model cannot be used.
    """
    factors, profiles = tuple(factors), tuple(profiles)
    entries = []
    for scan in scans:
        trials = (
            _real_trials(scan, data, factors, task, extent) if scan.thick else _made_trials(scan, data, factors, profiles, task, extent)
        )
        for trial in trials:
            named = {"factor": trial.factor, "axis": trial.axis, "profile": trial.profile}
            tell(f"{scan.subject}, factor {trial.factor} {direction_of(trial.axis)}, {trial.profile}")
            entries.append({"subject": scan.subject, "modality": scan.modality} | named | _compared(model, trial, device))
    return entries


def measured_pair(scan: Scan, data: Path, factors: Sequence[int]) -> Pair | None:
    """Bring a scan and its thick counterpart together at the factor that is between their slices.

    Returns
    -------
    Pair or None
        None if that factor is none of `factors`.

    Raises
    ------
    RequestError
        If one cannot be read or the two are no pair; see `align`.
    """
    thick, fine = read_volume(data / scan.thick), load_scan(scan, data)
    along = AXES.index(thick.thick_axis)
    across = int(np.abs(thick.directions[:, along] @ fine.directions).argmax())
    factor = round(thick.spacing[along] / fine.spacing[across])
    return align(thick, fine, factor) if factor in factors else None


def central_part(pair: Pair, lengths: Sequence[int]) -> tuple[Volume, Volume]:
    """Cut the middle out of a pair.

    Parameters
    ----------
    pair : Pair
    lengths : sequence of int
        Voxels of the thick volume along (k, j, i) at most.

    Returns
    -------
    thick, fine : Volume
        Edges aligned. Where they lie in the patient is not kept.
    """
    box, first = _centre(pair.thick.shape, lengths), array_axis(pair.axis)
    thick = _cut(pair.thick, box)
    box[first] = slice(box[first].start * pair.factor, box[first].stop * pair.factor)
    return thick, _cut(pair.fine, box)


@dataclass(frozen=True, eq=False)
class _LoadedTrial:
    """A thick volume, the truth on the grid that is finer by a factor, and how the one came about."""

    thick: Volume
    truth: np.ndarray
    factor: int
    axis: str
    profile: str


def _real_trials(scan: Scan, data: Path, factors: Sequence[int], task: str, extent: int) -> Iterator[_LoadedTrial]:
    """Yield what was measured, if it serves the task and has a factor asked for."""
    pair = measured_pair(scan, data, factors) if task != "plane" else None
    if pair is None:
        return
    first = array_axis(pair.axis)
    lengths = [extent // (pair.factor if dimension == first else 1) for dimension in range(3)]
    thick, fine = central_part(pair, lengths if extent else pair.thick.shape)
    if thick.shape[first] >= 2:
        yield _LoadedTrial(thick, fine.voxels, pair.factor, pair.axis, MEASURED)


def _made_trials(scan: Scan, data: Path, factors: Sequence[int], profiles: Sequence[str], task: str, extent: int) -> Iterator[_LoadedTrial]:
    """Yield a fine scan made thick in each way."""
    volume = load_scan(scan, data)
    truth = _cut(volume, _centre(volume.shape, [extent] * 3)) if extent else volume
    for axis, factor, profile in itertools.product(_axes(scan, task), factors, profiles):
        if min(truth.shape[array_axis(name)] for name in axes_of(axis)) >= 2 * factor:
            yield _made_trial(truth, factor, axis, profile)


def _axes(scan: Scan, task: str) -> list[str]:
    """Return what of a scan is measured for a task; its plane is that of rows and columns."""
    plane = ["plane"] if task != "axis" and {"i", "j"} <= set(scan.axes) else []
    return plane if task == "plane" else [*scan.axes, *plane]


def _centre(shape: Sequence[int], lengths: Sequence[int]) -> list[slice]:
    starts = [max(length - kept, 0) // 2 for length, kept in zip(shape, lengths)]
    return [slice(start, min(start + kept, length)) for start, kept, length in zip(starts, lengths, shape)]


def _cut(volume: Volume, box: Sequence[slice]) -> Volume:
    # Where it lies in the patient plays no part.
    return replace(volume, voxels=np.ascontiguousarray(volume.voxels[tuple(box)]))


def _made_trial(truth: Volume, factor: int, axis: str, profile: str) -> _LoadedTrial:
    thick, kept = make_thick(truth, factor, axes_of(axis), profile)
    return _LoadedTrial(thick, kept.voxels, factor, axis, profile)


def _compared(model: str, trial: _LoadedTrial, device: str) -> dict[str, float]:
    kept = trial.truth
    mask = foreground(kept)
    figures = {}
    for ending, name in (("", model), ("_cubic", "cubic")):
        # In single precision: which reduced one a machine would choose depends on its speed.
        candidate = make_fine(trial.thick, trial.axis, trial.factor, model=name, precision="float32", device=device).volume.voxels
        values = (psnr(candidate, kept), ncc(candidate, kept), similarity(candidate, kept))
        figures |= {f"{figure}{ending}": round(float(value), 4) for figure, value in zip(_FIGURES, values)}
        figures[f"psnr_foreground{ending}"] = round(float(psnr(candidate, kept, mask)), 4)
    return figures


def similarity(candidate: np.ndarray, reference: np.ndarray) -> float:
    """Return the mean SSIM of volumes of any size.

    Along an axis shorter than the window both are continued by reflection; a picture then has its 2-D SSIM.
    """
    lacking = [max(WINDOW - length, 0) for length in reference.shape]
    before_after = [(lack // 2, lack - lack // 2) for lack in lacking]
    candidate, reference = (np.pad(voxels, before_after, mode="symmetric") for voxels in (candidate, reference))
    return ssim(candidate, reference)


def gains(entries: Iterable[dict[str, Any]]) -> str:
    """Return a table of PSNR gains over cubic, one line for each entry and the mean of each factor and profile."""
    lines, groups = [], {}
    for entry in entries:
        gain = entry["psnr"] - entry["psnr_cubic"]
        psnr_change = f"PSNR {entry['psnr_cubic']:6.2f} -> {entry['psnr']:6.2f} dB ({gain:+.2f})"
        groups.setdefault((entry["modality"], entry["factor"], entry["profile"]), []).append(gain)
        lines.append(
            f"{entry['subject']:24} {entry['modality']} x{entry['factor']} {entry['axis']} {entry['profile']:9} "
            f"{psnr_change}  NCC {entry['ncc_cubic']:.4f} -> {entry['ncc']:.4f}  "
            f"SSIM {entry['ssim_cubic']:.4f} -> {entry['ssim']:.4f}"
        )
    for (modality, factor, profile), values in groups.items():
        lines.append(f"mean of {len(values)}: {modality} x{factor} {profile}: {np.mean(values):+.2f} dB, worst {min(values):+.2f} dB")
    return "\n".join(lines)
