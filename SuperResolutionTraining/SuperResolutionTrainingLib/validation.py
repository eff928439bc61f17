"""Measures a model on scans it was not trained on: degrade, upscale, compare with the truth and with cubic interpolation."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.metrics import foreground, ncc, psnr, ssim
from SuperResolutionLib.upscaling import upscale
from SuperResolutionLib.volume import Volume, array_axis

from .recipe import Scan
from .samples import load_scan

PROTOCOL = (
    "fine scan degraded along one axis, upscaled by `upscale` with default settings but precision float32, compared with the fine scan; "
    "peak = maximum - minimum of the reference; whole volume and Otsu foreground; SSIM 3-D, Gaussian window of sigma 1.5"
)
_FIGURES = {"psnr": psnr, "ncc": ncc, "ssim": ssim}


def measure(model: str, scans: Iterable[Scan], data: Path, factors: Iterable[int], profiles: Iterable[str]) -> list[dict[str, Any]]:
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

    Returns
    -------
    list of dict
        One entry for each combination: ``subject``, ``modality``, ``factor``, ``axis``, ``profile``, and ``psnr``, ``ncc``, ``ssim`` of the
        model and, with the ending ``_cubic``, of cubic interpolation; ``psnr_foreground`` likewise.
    """
    factors, profiles = tuple(factors), tuple(profiles)
    entries = []
    for scan in scans:
        truth = load_scan(scan, data)
        for axis in scan.axes:
            for factor in factors:
                for profile in profiles:
                    where = {"subject": scan.subject, "modality": scan.modality, "factor": factor, "axis": axis, "profile": profile}
                    entries.append(where | _compared(model, truth, factor, axis, profile))
    return entries


def _compared(model: str, truth: Volume, factor: int, axis: str, profile: str) -> dict[str, float]:
    thick = degrade(truth, factor, axis, profile)
    kept = np.take(truth.voxels, np.arange(thick.shape[array_axis(axis)] * factor), axis=array_axis(axis))
    mask = foreground(kept)
    figures = {}
    for ending, name in (("", model), ("_cubic", "cubic")):
        # In single precision: which reduced one a machine would choose depends on its speed.
        candidate = upscale(thick, model=name, factor=factor, axis=axis, precision="float32").volume.voxels
        figures |= {f"{figure}{ending}": round(float(metric(candidate, kept)), 4) for figure, metric in _FIGURES.items()}
        figures[f"psnr_foreground{ending}"] = round(float(psnr(candidate, kept, mask)), 4)
    return figures


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
