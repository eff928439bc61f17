"""The figures of a comparison as one table of comma-separated values (RFC 4180)."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from SuperResolutionLib.whole import whole_file

from .slice_scores import EVERY_AXIS, MEASURES, REGIONS

FILE = "comparison.csv"
_TRIAL = ("file", "series", "subject", "modality", "axis", "factor", "profile")
_MODEL = ("model", "weights_sha256", "consistency", "trained_on", "trained_for", "seconds", "device", "precision")


def write_csv(record: Mapping[str, Any], path: Path) -> None:
    """Write a row for each entry, region and set of slices: along one axis, or along all three (``ijk``).

    Columns: what names trial and model, ``region``, ``along``, ``slices``; mean and deviation of each measure over slices; and the
    measures of whole volumes that were asked for, in the rows of the whole region along all axes. What does not exist is empty.

    Raises
    ------
    WorkError
        If the file cannot be written; it appears whole or not at all.
    """
    wholes = list(dict.fromkeys(name for entry in record["entries"] for name in entry["measures"]))
    columns = [*_TRIAL, *_MODEL, "region", "along", "slices"]
    columns += [f"{measure}_{kind}" for measure in MEASURES for kind in ("mean", "deviation")]
    # No byte order mark, though Excel then takes umlauts for Latin-1: readers that know none would take it for part of the first name.
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*columns, *wholes])
        for entry in record["entries"]:
            writer.writerows(_rows(entry, wholes))


def _rows(entry: Mapping[str, Any], wholes: list[str]) -> Iterator[list[Any]]:
    named = [entry[name] for name in (*_TRIAL, *_MODEL)]
    for summary in entry["summary"]:
        figures = [summary[kind][measure] for measure in MEASURES for kind in ("mean", "deviation")]
        of_whole = (summary["region"], summary["along"]) == (REGIONS[0], EVERY_AXIS)
        measured = [entry["measures"].get(name, {}).get("value") if of_whole else None for name in wholes]
        yield [*named, summary["region"], summary["along"], summary["slices"], *figures, *measured]
