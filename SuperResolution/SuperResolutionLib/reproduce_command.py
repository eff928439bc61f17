"""The command `reproduce`: the benchmark of a source, done again on scans of one's own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from .commands import DEVICES, add_command
from .companion import training_library
from .errors import RequestError, WorkError
from .worker import write_json_line


def add_reproduce_command(commands: Any) -> None:
    """Add the command to what `ArgumentParser.add_subparsers` returned."""
    text = "train and measure what a paper compared, beside its figures; without --data, say what to download"
    command = add_command(commands, "reproduce", _reproduce, text, json=True)
    command.add_argument("benchmark", metavar="NAME", help="a shipped benchmark (a wrong name lists them), or a YAML file")
    command.add_argument("--data", metavar="DIR", help="folder of the scans")
    command.add_argument("--out", metavar="DIR", help="folder for networks, record and report; what is there is not done again")
    command.add_argument("--scans", metavar="RECIPE", help="take the scans that a recipe lists, with their split (default: all)")
    command.add_argument("--minutes", type=float, metavar="N", help="time for each training, in place of its recipe's steps")
    command.add_argument("--networks", nargs="+", metavar="NAME", help="train and measure only these of the benchmark")
    command.add_argument("--device", default="auto", choices=DEVICES)


def _reproduce(options: argparse.Namespace) -> None:
    library = training_library("source_benchmark")
    benchmark = library.read_benchmark(options.benchmark)
    if options.networks:
        benchmark = benchmark.with_networks(tuple(options.networks))
    if not (options.data or options.out):
        write_json_line({"type": "result"} | benchmark.as_dict()) if options.json else print(library.about(benchmark))
        return
    if not (options.data and options.out):
        raise RequestError("reproduce needs both --data and --out, or neither, which says what to download")
    if options.minutes is not None and not options.minutes > 0:
        raise RequestError(f"argument --minutes: {options.minutes:g}; accepted are numbers above 0")
    in_words = training_library("in_words").in_words

    def tell(message: dict[str, Any]) -> None:
        # The results of trainings are steps of the work here.
        stage = message["stage"] if message["type"] == "progress" and "stage" in message else ""
        if options.json:
            write_json_line(message | {"type": "trained"} if message["type"] == "result" else message)
        elif line := stage or in_words(message):
            print(line, file=sys.stderr, flush=True)

    chosen = {"scans": options.scans, "minutes": options.minutes, "device": options.device}
    record = training_library("reproduction").reproduce(benchmark, Path(options.data), Path(options.out), **chosen, tell=tell)
    table = training_library("reproduction_table").as_text
    write_json_line({"type": "result"} | record) if options.json else print(table(record))
    if record["failures"]:
        first = record["failures"][0]
        raise WorkError(f"{len(record['failures'])} pieces of work failed; {first['what']}: {first['message']}")
