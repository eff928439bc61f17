"""The command `evaluate`: a volume, folders of volumes, or models on scans, measured against what is true."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .commands import DEVICES, PROFILES, add_command
from .companion import training_library
from .errors import RequestError, WorkError
from .worker import write_json_line

_COMPARED = {"out", "jobs", "scheduler", "metrics"}
_EVALUATED = {
    "data": ({"data"}, {"scans", "models", "factors", "axes", "profiles", "no_consistency", "device"} | _COMPARED),
    "references": ({"references", "candidates"}, _COMPARED),
    "candidate": ({"candidate", "reference"}, {"report", "metrics", "thick", "profile", "spread"}),
}
"""The three things that can be evaluated by the option that tells them apart: the options that each needs, and those that it takes."""


def add_evaluate_command(commands: Any) -> None:
    """Add the command to what `ArgumentParser.add_subparsers` returned."""
    text = "compare a volume with a reference, folders of volumes with one of references, or models on scans that are made thick for it"
    command = add_command(commands, "evaluate", _evaluate, text, json=True)
    command.add_argument("candidate", metavar="CANDIDATE", nargs="?")
    command.add_argument("reference", metavar="REFERENCE", nargs="?")
    command.add_argument("--report", metavar="DIR", help="also write table, figures, picture and report of the two to a new folder")
    command.add_argument("--metrics", nargs="+", default=[], metavar="NAME", help="measures of whole volumes besides, or all")
    command.add_argument("--thick", metavar="FILE", help="what CANDIDATE was made from: shown in the report, and some measures need it")
    command.add_argument("--profile", choices=PROFILES, help="slice profile of the thick volume (default: mean)")
    command.add_argument("--spread", metavar="FILE", help="that of CANDIDATE, by upscale --ensemble: is it large where CANDIDATE is wrong?")
    folders = command.add_argument_group("folders of volumes")
    folders.add_argument("--references", metavar="DIR", help="folder of references: volume files and sub-folders of DICOM files")
    folders.add_argument("--candidates", nargs="+", metavar="DIR", help="folders of volumes named as their references; each is a model")
    scans = command.add_argument_group("models on scans")
    scans.add_argument("--data", metavar="DIR", help="folder of fine scans")
    scans.add_argument("--scans", metavar="RECIPE", help="only the validation scans that a recipe lists (default: all of the folder)")
    scans.add_argument("--models", nargs="+", metavar="ID|FILE", help="default: all that offer the factors")
    scans.add_argument("--factors", nargs="+", type=int, metavar="N", help="default: 4")
    scans.add_argument("--axes", metavar="AXES", help="array axes to make thick, one at a time (default: ijk); or plane, or all")
    scans.add_argument("--profiles", nargs="+", choices=PROFILES, help="slice profiles (default: mean)")
    scans.add_argument("--no-consistency", action="store_true", help="measure networks bare, without the projection onto the measurement")
    scans.add_argument("--device", choices=DEVICES, help="default: auto")
    both = command.add_argument_group("both of these")
    both.add_argument("--out", metavar="DIR", help="folder for record, CSV and report; what was measured there is not measured again")
    both.add_argument("--jobs", type=int, metavar="N", help="processes that measure at once (default: 1)")
    both.add_argument("--scheduler", metavar="ADDRESS", help="let a Dask cluster measure that runs and sees the same files")


def _evaluate(options: argparse.Namespace) -> None:
    given = {name for name, value in vars(options).items() if value not in (None, False, [])}
    kind = next((name for name in _EVALUATED if name in given), None)
    if kind is None or not given >= _EVALUATED[kind][0]:
        forms = "CANDIDATE and REFERENCE, --data, or --references and --candidates"
        raise RequestError(f"evaluate needs {forms}; see superresolution evaluate --help")
    known = set().union(*(needed | optional for needed, optional in _EVALUATED.values()))
    needed, optional = _EVALUATED[kind]
    if foreign := sorted((given & known) - needed - optional):
        raise RequestError(f"evaluate: {_spelt(foreign[0])} does not go with {_spelt(kind)}; see superresolution evaluate --help")
    if options.metrics:
        options.metrics = training_library("volume_measures").measures_named(options.metrics)
    if kind == "candidate":
        _evaluate_pair(options)
    else:
        _compare(options)


def _spelt(option: str) -> str:
    """Return an option of evaluate as it is written on the command line."""
    return option.upper() if option in ("candidate", "reference") else f"--{option.replace('_', '-')}"


def _evaluate_pair(options: argparse.Namespace) -> None:
    from .files import read_volume

    candidate, reference = read_volume(options.candidate), read_volume(options.reference)
    if options.profile and not options.thick:
        raise RequestError("evaluate: --profile without --thick; accepted is it with the thick volume whose profile it is")
    thick = read_volume(options.thick) if options.thick else None
    spread = read_volume(options.spread) if options.spread else None
    profile = options.profile or "mean"
    evaluation = training_library("evaluation").evaluate(candidate, reference, options.metrics, thick, profile, spread)
    if options.report:
        evaluation.write_report(Path(options.report))
    print(json.dumps(evaluation.as_dict()) if options.json else evaluation.table())


def _compare(options: argparse.Namespace) -> None:
    library = training_library("model_comparison")

    def tell(fraction: float, line: str) -> None:
        message = {"type": "progress", "stage": line, "fraction": round(fraction, 4)}
        write_json_line(message) if options.json else print(line, file=sys.stderr, flush=True)

    def warn(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    jobs = 1 if options.jobs is None else options.jobs
    if jobs < 1 or (options.scheduler and options.jobs):
        raise RequestError(f"evaluate: --jobs {jobs}; accepted are whole numbers from 1, and none with --scheduler")
    out = Path(options.out) if options.out else None
    how = {"measures": options.metrics, "jobs": jobs, "scheduler": options.scheduler, "tell": tell}
    how["failed"] = lambda line: warn(f"failed: {line}")
    if options.references:
        folders = [Path(folder) for folder in options.candidates]
        record = library.compare_folders(Path(options.references), folders, out, warn=warn, **how)
    else:
        factors, data = options.factors or [4], Path(options.data)
        trials = training_library("trials")
        scans = trials.scans_to_compare_on(data, options.scans, warn)
        asked = trials.trials_of(scans, options.axes or "ijk", factors, options.profiles or ["mean"], warn)
        models = options.models or training_library("contestants").models_for(factors, options.axes or "ijk")
        how |= {"consistency": not options.no_consistency, "device": options.device or "auto"}
        record = library.compare(models, asked, data, out, **how)
    write_json_line({"type": "result"} | record) if options.json else print(training_library("comparison_totals").format_comparison(record))
    if record["failures"]:
        raise WorkError(library.failure_in_words(record["failures"]))
