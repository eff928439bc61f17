"""The command `study`: a blinded reader study, from the coordinator's file to the result."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from .commands import add_command
from .companion import training_library
from .errors import RequestError
from .worker import write_json_line


def add_study_command(commands: Any) -> None:
    """Add the command, and the steps that it has, to what `ArgumentParser.add_subparsers` returned."""
    text = "run a blinded reader study"
    study = commands.add_parser("study", help=text, description=f"{text.capitalize()}.", allow_abbrev=False)
    steps = study.add_subparsers(metavar="STEP", required=True)

    command = add_command(steps, "prepare", _prepare, "write the blinded folder that readers get, and the key")
    command.add_argument("study", metavar="STUDY.yaml", help="title, cases, and which method made which volume")
    command.add_argument("out", metavar="OUT", help="new folder for the readers")
    command.add_argument("--key", required=True, metavar="KEY.json", help="which volume is which; keep it away from readers")
    command.add_argument("--seed", type=int, metavar="N", help="for trials only: a seed that can be guessed unblinds the study")

    command = add_command(steps, "questionnaire", _questionnaire, "write the questionnaire for a reader without Slicer")
    command.add_argument("out", metavar="OUT", help="the blinded folder")
    command.add_argument("file", metavar="FILE.html|FILE.csv", help="pictures and questions, or an empty table to type answers into")
    command.add_argument("--reader", required=True, metavar="NAME")

    command = add_command(steps, "import", _import, "take in a filled-in questionnaire")
    command.add_argument("out", metavar="OUT", help="the blinded folder")
    command.add_argument("file", metavar="FILE.json|FILE.csv", help="as saved, or a table: study,reader,comparison,question,value")
    _add_answers(command)

    command = add_command(steps, "results", _results, "unblind the study: preferences, ratings, agreement", json=True)
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
    suffix = Path(options.file).suffix.lower()
    if suffix not in (".html", ".csv"):
        raise RequestError(f"{options.file}: ending '{suffix}'; accepted are .html, which a browser prints or saves as PDF, and .csv")
    write = _library("filled_in").write_form if suffix == ".csv" else _library("questionnaire").write_questionnaire
    write(study, options.reader, options.file)
    print(f"{options.file}: questionnaire of {options.reader} for study {study.id}, {len(study.cases)} cases")


def _import(options: argparse.Namespace) -> None:
    reading = _library("filled_in").take_in(_library("study").open_study(options.out), options.file, options.answers)
    print(f"{reading.path}: {len(reading.answers)} answers of {reading.reader}, {reading.remaining} comparisons left")


def _results(options: argparse.Namespace) -> None:
    found = _library("results").results(options.out, options.key, options.answers)
    tables = _library("result_tables")
    if options.folder:
        tables.write_results(found, options.folder, options.out)
    write_json_line({"type": "result"} | found.record) if options.json else print(tables.as_text(found.record))
