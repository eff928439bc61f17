"""What the trials of a comparison amount to for each model, as plain data and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .comparison_record import place_of
from .slice_scores import EVERY_AXIS, MEASURES, REGIONS


def overall(entries: Sequence[Mapping[str, Any]], baseline: str) -> list[dict[str, Any]]:
    """Return for each model, factor, profile and region what its trials amount to.

    Returns
    -------
    list of dict
        ``model``, ``factor``, ``profile``, ``region``, ``trials``, ``subjects``; ``mean`` and ``deviation`` of each measure over trials,
        each counting with its mean over the slices of all axes; ``gain_db`` and ``worst_gain_db``: PSNR over that of the baseline in the
        same trial, NaN where that is missing in one; ``trained_on``: whether the model was trained on any of the subjects.
    """
    groups: dict[tuple[Any, ...], list[tuple[Mapping[str, Any], Mapping[str, float], float]]] = {}
    base = {place_of(entry): _means(entry) for entry in entries if entry["model"] == baseline}
    for entry in entries:
        for region, means in _means(entry).items():
            place = place_of(entry)
            gain = means["psnr"] - base[place][region]["psnr"] if place in base else np.nan
            groups.setdefault((entry["model"], entry["factor"], entry["profile"], region), []).append((entry, means, gain))
    return [
        {
            **dict(zip(("model", "factor", "profile", "region"), key)),
            "trials": len(group),
            "subjects": len({entry["subject"] for entry, _, _ in group}),
            "mean": {measure: float(np.mean([means[measure] for _, means, _ in group])) for measure in MEASURES},
            "deviation": {measure: float(np.std([means[measure] for _, means, _ in group])) for measure in MEASURES},
            "gain_db": float(np.mean([gain for _, _, gain in group])),
            "worst_gain_db": float(np.min([gain for _, _, gain in group])),
            "trained_on": any(entry["trained_on"] for entry, _, _ in group),
        }
        for key, group in groups.items()
    ]


def _means(entry: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return {
        each["region"]: {measure: np.nan if value is None else value for measure, value in each["mean"].items()}
        for each in entry["summary"]
        if each["along"] == EVERY_AXIS
    }


def format_comparison(record: Mapping[str, Any]) -> str:
    """Return the models of a record as a plain-text table, the best PSNR first, with the conventions in a line under it."""
    lines = []
    for region in REGIONS:
        rows = sorted((row for row in record["models"] if row["region"] == region), key=_order)
        width = max(len("model"), *(len(row["model"]) for row in rows))
        head = f"{'model':{width}}  {'×':>2} {'profile':9} {'PSNR dB':>14} {'gain':>6} {'worst':>6} {'NCC':>15} {'SSIM':>13} {'trials':>6}"
        lines += ["", f"{region} (mean ± standard deviation over trials)", head, "-" * len(head)]
        lines += [_line(row, width) for row in rows]
    return "\n".join([*lines[1:], f"gain: PSNR over that of {record['baseline']} in the same trial. {record['conventions']}"])


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["factor"] or 0, row["profile"] or "", -(row["mean"]["psnr"] or 0)


def _line(row: Mapping[str, Any], width: int) -> str:
    def figure(measure: str, digits: int) -> str:
        mean, deviation = row["mean"][measure], row["deviation"][measure]
        return "-" if mean is None else f"{mean:.{digits}f} ± {deviation:.{digits}f}"

    seen = "  trained on some of these subjects" if row["trained_on"] else ""
    gains = " ".join("     -" if row[name] is None else f"{row[name]:+6.2f}" for name in ("gain_db", "worst_gain_db"))
    figures = f"{figure('psnr', 2):>14} {gains} {figure('ncc', 4):>15} {figure('ssim', 3):>13}"
    return f"{row['model']:{width}}  {row['factor'] or '-':>2} {row['profile'] or '-':9} {figures} {row['trials']:>6}{seen}"
