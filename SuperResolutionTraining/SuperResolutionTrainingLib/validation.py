"""Measures a model on scans it was not trained on: degrade, upscale, compare with the truth and with cubic interpolation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.metrics import foreground, ncc, psnr, ssim
from SuperResolutionLib.metrics.ssim import WINDOW
from SuperResolutionLib.upscaling import upscale
from SuperResolutionLib.volume import Volume, array_axis

from .recipe import Scan
from .samples import load_scan

_FIGURES = ("psnr", "ncc", "ssim")
Tell = Callable[[str], None]


def protocol(task: str = "axis", extent: int = 0) -> str:
    """Return in words how `measure` measures."""
    degraded = {"axis": "along one axis", "plane": "along both axes of a plane", "both": "along one axis or both axes of a plane"}[task]
    part = f"the central {extent} voxels of each axis of the fine scan" if extent else "fine scan"
    return (
        f"{part} degraded {degraded}, upscaled by `upscale` with default settings but precision float32, compared with the fine scan; "
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
        Each factor is measured with each slice profile, along each axis whose resolution is real.
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
        model and, with the ending ``_cubic``, of cubic interpolation; ``psnr_foreground`` likewise. Combinations that leave fewer than two
        thick slices are left out.
    """
    factors, profiles = tuple(factors), tuple(profiles)
    entries = []
    for scan in scans:
        truth = _central(load_scan(scan, data), extent)
        for axis, factor, profile in itertools.product(_axes(scan, task), factors, profiles):
            if min(truth.shape[array_axis(name)] for name in _finer(axis)) < 2 * factor:
                continue
            where = {"subject": scan.subject, "modality": scan.modality, "factor": factor, "axis": axis, "profile": profile}
            tell(f"{scan.subject}, factor {factor} along {axis}, {profile}")
            entries.append(where | _compared(model, truth, factor, axis, profile, device))
    return entries


def _axes(scan: Scan, task: str) -> list[str]:
    """Return what of a scan is measured for a task; its plane is that of rows and columns."""
    plane = ["plane"] if task != "axis" and {"i", "j"} <= set(scan.axes) else []
    return plane if task == "plane" else [*scan.axes, *plane]


def _finer(axis: str) -> tuple[str, ...]:
    return ("i", "j") if axis == "plane" else (axis,)


def _central(volume: Volume, extent: int) -> Volume:
    if not extent:
        return volume
    starts = [max(length - extent, 0) // 2 for length in volume.shape]
    # Where it lies in the patient plays no part.
    return replace(volume, voxels=np.ascontiguousarray(volume.voxels[tuple(slice(start, start + extent) for start in starts)]))


def _compared(model: str, truth: Volume, factor: int, axis: str, profile: str, device: str) -> dict[str, float]:
    kept, thick = truth.voxels, truth
    for name in _finer(axis):
        thick = degrade(thick, factor, name, profile)
        kept = np.take(kept, np.arange(thick.shape[array_axis(name)] * factor), axis=array_axis(name))
    if axis == "plane":
        # The plane is the one across the axis of the largest spacing, which slices made thick within it might no longer have.
        thick = Volume(thick.voxels, np.diag([1.0, 1.0, 100.0, 1.0]), modality=thick.modality)
    mask = foreground(kept)
    figures = {}
    for ending, name in (("", model), ("_cubic", "cubic")):
        # In single precision: which reduced one a machine would choose depends on its speed.
        candidate = upscale(thick, model=name, factor=factor, axis=axis, precision="float32", device=device).volume.voxels
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
