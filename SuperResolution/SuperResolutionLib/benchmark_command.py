"""The command `benchmark`: this machine's ceiling, and what the upscalers and their peers make of it."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from .commands import DEVICES, add_command
from .errors import RequestError
from .whole import check_place
from .worker import write_json_line


def add_benchmark_command(commands: Any) -> None:
    """Add the command to what `ArgumentParser.add_subparsers` returned."""
    text = "measure this machine, every upscaler on it and the peers that are installed; or print the README's table of records"
    command = add_command(commands, "benchmark", _benchmark, text, json=True)
    command.add_argument("--models", nargs="+", metavar="ID|FILE", help="default: all that offer factor 4")
    command.add_argument("--device", default="auto", choices=DEVICES)
    command.add_argument("--repeats", type=int, default=3, metavar="N", help="processes for each figure (default: 3)")
    command.add_argument("--no-peers", action="store_true", help="leave out plain torch, MONAI and ECLARE")
    command.add_argument("--volume", metavar="IxJxK", help="result on which all are compared (default: 384x384x160)")
    command.add_argument(
        "--sizes", nargs="*", metavar="IxJxK", help="results by which growth is measured (default: 64x64x64 128x128x128 256x256x256)"
    )
    command.add_argument("--full", action="store_true", help="with 512x512x600 too, which takes minutes and gigabytes for each model")
    command.add_argument("--out", metavar="FILE", help="write the record, JSON")
    command.add_argument("--table", nargs="+", metavar="RECORD", help="measure nothing, print the Markdown table of records")


def _benchmark(options: argparse.Namespace) -> None:
    from .benchmark.course import Course, run_benchmark
    from .benchmark.record import read_record
    from .benchmark.tables import in_markdown, in_text

    if options.table:
        print(in_markdown(read_record(Path(path)) for path in options.table))
        return
    if options.repeats < 1:
        raise RequestError(f"argument --repeats: {options.repeats}; accepted are whole numbers from 1")
    if options.out:
        check_place(Path(options.out))
        if Path(options.out).is_dir():
            raise RequestError(f"{options.out}: is a folder; accepted is the name of a file")

    def tell(message: dict[str, Any]) -> None:
        if options.json:
            write_json_line(message)
        elif message["type"] == "progress":
            print(f"{message['fraction']:4.0%}  {message['message']}", file=sys.stderr, flush=True)

    command = _as_typed(options)
    course = Course(tuple(options.models or ()), options.device, options.repeats, not options.no_peers, **_sizes(options))
    record = run_benchmark(course, command, tell)
    if options.out:
        record.write(Path(options.out))
    write_json_line({"type": "result"} | record.as_dict()) if options.json else print(in_text(record))


def _sizes(options: argparse.Namespace) -> dict[str, Any]:
    """Return what a `Course` takes of the sizes that were asked for."""
    from .benchmark.course import LARGEST, SIZES

    chosen = SIZES if options.sizes is None else tuple(map(_size, options.sizes))
    sizes = {"sizes": (*chosen, LARGEST) if options.full and LARGEST not in chosen else chosen}
    return sizes | ({"volume": _size(options.volume)} if options.volume else {})


def _size(text: str) -> tuple[int, int, int]:
    from .benchmark.contestants import FACTOR

    numbers = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)x([1-9]\d*)", text)
    size = tuple(map(int, numbers.groups())) if numbers else (0, 0, 0)
    if min(size) < 8 or size[2] % FACTOR:
        raise RequestError(f"size '{text}': accepted are columns x rows x slices from 8, as 64x64x64, slices a multiple of {FACTOR}")
    return size


def _as_typed(options: argparse.Namespace) -> str:
    """Return the command with what decides its figures; models by name, since a record is no place for somebody's paths."""
    words = ["superresolution", "benchmark"]
    if options.models:
        words += ["--models", *(Path(model).name for model in options.models)]
    if options.device != "auto":
        words += ["--device", options.device]
    if options.repeats != 3:
        words += ["--repeats", str(options.repeats)]
    if options.volume:
        words += ["--volume", options.volume]
    if options.sizes is not None:
        words += ["--sizes", *options.sizes]
    words += [f"--{name.replace('_', '-')}" for name in ("no_peers", "full") if getattr(options, name)]
    return shlex.join(words)
