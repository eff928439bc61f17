"""The command `study`: a blinded reader study, from the coordinator's file to the result."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .companion import training_library
from .worker import write_json_line

Adder = Callable[..., argparse.ArgumentParser]


def add_study_commands(study: argparse.ArgumentParser, add: Adder) -> None:
    """Add what `study` can do.

    Parameters
    ----------
    study : ArgumentParser
        Of the command itself.
    add : callable
        Adds one command: ``add(commands, name, run, text, json=False)``.
    """
    commands = study.add_subparsers(metavar="STEP", required=True)

    command = add(commands, "prepare", _prepare, "write the blinded folder that readers get, and the key")
    command.add_argument("study", metavar="STUDY.yaml", help="title, cases, and which method made which volume")
    command.add_argument("out", metavar="OUT", help="new folder for the readers")
    command.add_argument("--key", required=True, metavar="KEY.json", help="which volume is which; keep it away from readers")
    command.add_argument("--seed", type=int, metavar="N", help="for trials only: a seed that can be guessed unblinds the study")

    command = add(commands, "questionnaire", _questionnaire, "write the questionnaire for a reader without Slicer")
    command.add_argument("out", metavar="OUT", help="the blinded folder")
    command.add_argument("file", metavar="FILE.html|FILE.csv", help="pictures and questions, or an empty table to type answers into")
    command.add_argument("--reader", required=True, metavar="NAME")

    command = add(commands, "import", _import, "take in a filled-in questionnaire")
    command.add_argument("out", metavar="OUT", help="the blinded folder")
    command.add_argument("file", metavar="FILE.json|FILE.csv", help="as saved, or a table: study,reader,comparison,question,value")
    _add_answers(command)

    command = add(commands, "results", _results, "unblind the study: preferences, ratings, agreement", json=True)
    command.add_argument("out", metavar="OUT", help="the blinded folder")
    command.add_argument("--key", required=True, metavar="KEY.json")
    command.add_argument("--out", dest="folder", metavar="DIR", help="also write CSV, JSON, text and HTML to a new folder")
    _add_answers(command)


def _add_answers(command: argparse.ArgumentParser) -> None:
    command.add_argument("--answers", metavar="DIR", help="folder of the answers (default: OUT/answers)")


def _library(module: str) -> Any:
    return training_library(f"reader_study.{module}")


def _prepare(options: argparse.Namespace) -> None:
    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    study = _library("prepare").prepare(options.study, options.out, options.key, options.seed, tell)
    print(f"{options.out}: study {study.id}, {len(study.cases)} cases, for the readers; {options.key}: the key, not for them")


def _questionnaire(options: argparse.Namespace) -> None:
    study = _library("study").open_study(options.out)
    is_table = Path(options.file).suffix.lower() == ".csv"
    write = _library("filled_in").write_form if is_table else _library("questionnaire").write_questionnaire
    write(study, options.reader, options.file)


def _import(options: argparse.Namespace) -> None:
    reading = _library("filled_in").take_in(_library("study").open_study(options.out), options.file, options.answers)
    print(f"{reading.path}: {len(reading.answers)} answers of {reading.reader}, {reading.remaining} comparisons left")


def _results(options: argparse.Namespace) -> None:
    found = _library("results").results(options.out, options.key, options.answers)
    tables = _library("result_tables")
    if options.folder:
        tables.write_results(found, options.folder, options.out)
    write_json_line({"type": "result"} | found.record) if options.json else print(tables.as_text(found.record))
