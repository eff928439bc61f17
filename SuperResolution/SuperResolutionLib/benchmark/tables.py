"""The tables of a benchmark, for a terminal and for the README."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .contestants import FACTOR
from .promises import judge, size_in_words
from .record import Record
from .timing import Timing, flatness

Rows = list[list[str]]
_COMPARED = ["", "runs in", "seconds (range)", "network s", "around it", "Mvoxel/s", "of ceiling", "peak MB"]


def in_text(record: Record) -> str:
    """Return a record as aligned tables."""
    parts = [machine_in_words(record), _ceiling(record), "", _conditions(record), "", *_aligned(_compared(record))]
    if growth := _growth(record):
        parts += ["", _growth_in_words(), "", *_aligned(growth)]
    return "\n".join([*parts, "", *_notes(record), *map(str, judge(record))])


def in_markdown(records: Iterable[Record]) -> str:
    """Return records as the README shows them, one after the other."""
    return "\n".join(_in_markdown(record) for record in records)


def _in_markdown(record: Record) -> str:
    parts = [f"**{machine_in_words(record)}.** Ceiling: {_ceiling(record)}. {_conditions(record)}.", "", *_piped(_compared(record))]
    if growth := _growth(record):
        parts += ["", f"{_growth_in_words()}:", "", *_piped(growth)]
    lines = [*_notes(record), *map(str, judge(record)), f"`{record.command}`, {record.date}"]
    return "\n".join([*parts, "", *(f"- {line}" for line in lines), ""])


def machine_in_words(record: Record) -> str:
    """Return what a record says of its machine, in one line."""
    machine = record.machine
    told = [
        f"{machine['cpu']}, {machine['cores']} cores",
        " ".join(machine["flags"]),
        machine["gpu"],
        f"{machine['memory_gb']} GB" if machine["memory_gb"] else "",
        f"{machine['system']}, Python {machine['python']}, torch {machine['torch']}, {machine['threads']} threads",
        f"load {machine['load']} before" if machine["load"] is not None else "",
    ]
    return "; ".join(filter(None, told))


def _ceiling(record: Record) -> str:
    return str(record.ceiling)


def _conditions(record: Record) -> str:
    columns, rows, slices = record.volume
    thick = size_in_words((columns, rows, slices // FACTOR))
    runs = f"median of {record.repeats} in turn" if record.repeats > 1 else "one run"
    return f"{thick} to {size_in_words(record.volume)} voxels, int16, .nii.gz to .nii.gz, whole commands from start to end, {runs}"


def _compared(record: Record) -> Rows:
    return [_COMPARED, *(_row(timing, record) for timing in record.compared() if timing.seconds)]


def _row(timing: Timing, record: Record) -> list[str]:
    rate = timing.voxels_per_second / 1e6
    where = " ".join(filter(None, (timing.device, timing.precision)))
    figures = [_figure(timing.network_seconds, ".2f"), _figure(timing.share_around, ".0%"), f"{rate:.2f}"]
    return [timing.contestant, where, _seconds(timing), *figures, _figure(timing.share_of(record.ceiling), ".0%"), _peak(timing)]


def _growth_in_words() -> str:
    return "Nanoseconds a voxel of the result without starting; peak MB"


def _growth(record: Record) -> Rows:
    """Return a row for each of our upscalers that was run in several sizes."""
    ours = {timing.contestant: record.of(timing.contestant) for timing in record.timings if timing.kind != "peer"}
    several = {name: timings for name, timings in ours.items() if len(timings) > 1}
    sizes = sorted({timing.size for timings in several.values() for timing in timings}, key=lambda size: size[0] * size[1] * size[2])
    rows = []
    for name, timings in several.items():
        of_size = {timing.size: timing for timing in timings}
        cells = [
            f"{_figure(of_size[size].nanoseconds_a_voxel, '.0f')}; {_peak(of_size[size])}" if size in of_size else "" for size in sizes
        ]
        rows.append([name, *cells, _figure(flatness(timings), ".2f")])
    return [["", *map(size_in_words, sizes), "largest / smallest"], *rows] if rows else []


def _notes(record: Record) -> list[str]:
    """Return what the tables have no room for: how peers were run, those on another volume, and what has no figures."""
    notes = []
    for timing in record.timings:
        if timing.problem:
            notes.append(f"{timing.contestant}, {size_in_words(timing.size)}: {timing.problem}")
        elif timing.kind == "peer" and timing.size != record.volume:
            beside = [f"{other.contestant} {_seconds(other)} s" for other in record.timings if _stands_beside(other, timing)]
            found = f"{_seconds(timing)} s, peak {_peak(timing)} MB"
            notes.append(f"{timing.contestant}, {size_in_words(timing.size)}: {found} ({timing.about}); {', '.join(beside)}")
        elif timing.about:
            notes.append(f"{timing.contestant}: {timing.about}")
    counted = "of ceiling: operations of the network, halos included, over the seconds it ran and the matrix product in the same precision"
    return [*notes, counted]


def _stands_beside(other: Timing, peer: Timing) -> bool:
    return other.size == peer.size and other.kind == "network" and bool(other.seconds)


def _seconds(timing: Timing) -> str:
    low, high = min(timing.seconds), max(timing.seconds)
    return f"{timing.median_seconds:.2f}" + (f" ({low:.2f}-{high:.2f})" if len(timing.seconds) > 1 else "")


def _peak(timing: Timing) -> str:
    return _figure(timing.peak_memory_mb, ",d")


def _figure(value: Any, form: str) -> str:
    return "-" if value is None else format(value, form)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = (
        [cell.ljust(width) if number == 0 else cell.rjust(width) for number, (cell, width) in enumerate(zip(row, widths))] for row in rows
    )
    return ["  ".join(line).rstrip() for line in lines]


def _piped(rows: Sequence[Sequence[str]]) -> list[str]:
    header, *body = rows
    return [_pipe(header), "|" + "---|" * len(header), *map(_pipe, body)]


def _pipe(row: Sequence[str]) -> str:
    return f"| {' | '.join(row)} |".replace("|  |", "| |")
