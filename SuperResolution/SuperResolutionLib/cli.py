"""The command line: a thin door into the engine's functions."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from .bars import Bars
from .benchmark_command import add_benchmark_command
from .commands import DEVICES, PROFILES, add_command
from .companion import training_library
from .errors import RequestError, SuperResolutionError
from .evaluate_command import add_evaluate_command
from .reproduce_command import add_reproduce_command
from .study_command import add_study_command
from .version import __version__
from .worker import MODALITIES, Job, run_job, stop_cleanly_when_terminated, unforeseen, write_json_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0 done, 1 the work failed, 2 the request was wrong, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # What a failure is told by while the options are not read yet.
    options = argparse.Namespace(debug="--debug" in given, json="--json" in given)
    stop_cleanly_when_terminated()
    try:
        options = _parser().parse_args(given)
        options.command(options)
        sys.stdout.flush()
    except SuperResolutionError as error:
        return _failed(options, str(error), error.exit_status)
    except KeyboardInterrupt:
        return _failed(options, "interrupted", 130)
    except BrokenPipeError:
        # The reader of the output went away; there is nobody to tell, and nowhere for what is still buffered.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        return _failed(options, f"{unforeseen(error)}; --debug shows where", 1)
    return 0


class _Parser(argparse.ArgumentParser):
    """Tells a wrong option in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        raise RequestError(f"{message}; see {self.prog} --help")


def _failed(options: argparse.Namespace, message: str, status: int) -> int:
    if options.debug:
        traceback.print_exc()
    if getattr(options, "json", False):
        write_json_line({"type": "error", "message": message, "exit_status": status})
    print(f"superresolution: {message}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="superresolution",
        description="Makes thick-slice MR and CT volumes sharp. Research use, not for diagnosis.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"superresolution {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    command = add_command(commands, "models", _models, "list everything there is to upscale with", json=True)

    command = add_command(commands, "info", _info, "say what a DICOM folder or volume file is", json=True)
    command.add_argument("path", metavar="PATH")
    command.add_argument("--series", metavar="UID", help="which series of a DICOM folder")
    _add_resample(command)

    command = add_command(commands, "upscale", _upscale, "make a volume finer", json=True)
    command.add_argument("input", metavar="INPUT", help="DICOM folder or file, .nii, .nii.gz, .nrrd, .mha")
    command.add_argument("output", metavar="OUTPUT", help="a file of those kinds, or a folder for a DICOM series")
    command.add_argument("--model", default="auto", metavar="auto|ID|FILE", help="see the command models (default: auto)")
    command.add_argument("--factor", type=int, metavar="N", help="default: the one nearest to isotropic voxels, at most 4")
    command.add_argument(
        "--axis",
        default="auto",
        choices=("auto", "i", "j", "k", "plane", "all"),
        help="array axis, i fastest (default: largest spacing), or the plane across the one with the largest spacing",
    )
    command.add_argument("--series", metavar="UID", help="which series of a DICOM folder")
    _add_resample(command)
    command.add_argument("--device", default="auto", choices=DEVICES)
    command.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16", "float16"))
    text = "average over all flips: eight times slower, a little better; how they spread becomes a volume beside OUTPUT"
    command.add_argument("--ensemble", action="store_true", help=text)
    command.add_argument("--memory", type=int, metavar="MB", help="limit for volumes and pieces")
    command.add_argument("--no-consistency", action="store_true", help="do not force the result to degrade to the input")

    command = add_command(commands, "adapt", _adapt, "fit a model to a thick volume, then make that finer with it", json=True)
    command.add_argument("input", metavar="INPUT", help="DICOM folder or file, .nii, .nii.gz, .nrrd, .mha")
    command.add_argument("output", metavar="OUTPUT", help="a file of those kinds, or a folder for a DICOM series")
    command.add_argument("--minutes", type=float, default=3.0, metavar="N", help="time for the fit (default: 3)")
    command.add_argument("--model", default="auto", metavar="auto|ID|FILE", help="what to start from (default: auto)")
    command.add_argument("--factor", type=int, metavar="N", help="default: the one nearest to isotropic voxels, at most 4")
    command.add_argument("--axis", default="auto", choices=("auto", "i", "j", "k"), help="the thick array axis (default: largest spacing)")
    command.add_argument(
        "--profile", default="auto", choices=("auto", "mean", "gaussian"), help="slice profile (default: estimated, else both)"
    )
    command.add_argument("--series", metavar="UID", help="which series of a DICOM folder")
    _add_resample(command)
    command.add_argument("--device", default="auto", choices=DEVICES)
    command.add_argument("--memory", type=int, metavar="MB", help="limit for volumes and pieces while the volume is made finer")
    command.add_argument("--keep", metavar="MODEL", help="also write the fitted model to this .safetensors file")

    command = add_command(commands, "degrade", _degrade, "make the thick volume a scanner would have measured")
    command.add_argument("input", metavar="INPUT")
    command.add_argument("output", metavar="OUTPUT")
    command.add_argument("--factor", type=int, required=True, metavar="N")
    command.add_argument("--axis", default="auto", choices=("auto", "i", "j", "k"))
    command.add_argument("--profile", default="mean", choices=PROFILES, help="slice profile (default: mean)")
    command.add_argument("--series", metavar="UID", help="which series of a DICOM folder")
    _add_resample(command)

    add_evaluate_command(commands)
    add_study_command(commands)
    add_reproduce_command(commands)

    command = add_command(commands, "train", _train, "train the network of a recipe", json=True)
    command.add_argument("recipe", metavar="RECIPE", help="YAML file, or the name of a shipped recipe")
    command.add_argument("--data", required=True, metavar="DIR", help="folder of the recipe's scans")
    command.add_argument("--out", required=True, metavar="DIR", help="folder for checkpoint, record and model file")
    command.add_argument("--scans", metavar="RECIPE", help="take the scans that another recipe lists, with their subjects and split")
    command.add_argument("--resume", action="store_true", help="continue from the checkpoint in --out")
    command.add_argument("--minutes", type=float, metavar="N", help="time for the training, in place of the recipe's; 0 for no limit")
    command.add_argument("--device", default="auto", choices=DEVICES)

    command = add_command(commands, "import", _import, "make a model file of weights that were trained elsewhere")
    command.add_argument("weights", metavar="WEIGHTS", help=".pt, .pth or .safetensors: a state dict, and nothing that needs code")
    command.add_argument("out", metavar="OUT", help="the model file, ending in .safetensors")
    command.add_argument("--network", required=True, metavar="NAME", help="architecture; rrdb also takes ESRGAN's and Real-ESRGAN's files")
    command.add_argument("--arguments", default="{}", metavar="YAML", help="its arguments: YAML or JSON, or a file of either")
    command.add_argument("--id", required=True, help="name of the model")
    command.add_argument("--title", required=True, help="one line on what it is")
    command.add_argument("--licence", required=True, help="under which the weights may be used")
    command.add_argument("--modality", action="append", choices=MODALITIES, help="offer it for this one alone (default: MR and CT)")
    command.add_argument("--profile", default="mean", choices=PROFILES, help="slice profile that it undoes (default: mean)")

    add_benchmark_command(commands)

    command = add_command(commands, "demo", _demo, "upscale a knee phantom whose truth is known; table and picture")
    command.add_argument("out", metavar="OUT", nargs="?", default="demo", help="folder (default: demo)")
    return parser


def _add_resample(command: argparse.ArgumentParser) -> None:
    text = "fill missing slices, even out steps and straighten a sheared DICOM series by linear interpolation"
    command.add_argument("--resample", action="store_true", help=text)


def _models(options: argparse.Namespace) -> None:
    from .model_zoo import list_upscalers

    for info in list_upscalers():
        gains = {str(factor): info.card.mean_gain(factor) for factor in info.factors} if info.card else {}
        gains = {factor: round(gain, 2) for factor, gain in gains.items() if gain is not None}
        if options.json:
            told = {"id": info.id, "title": info.title, "kind": info.kind, "factors": info.factors, "modalities": info.modalities}
            write_json_line(told | {"path": str(info.path or ""), "gain_db": gains, "problem": info.problem})
            continue
        gain = ", ".join(f"x{factor} {gain:+.2f} dB" for factor, gain in gains.items())
        offers = f"{'/'.join(info.modalities) or 'any':6}  x{', x'.join(map(str, info.factors))}"
        print(f"{info.id:12}  {info.problem or f'{offers:22}  {info.title}' + (f' (over cubic: {gain})' if gain else '')}")


def _info(options: argparse.Namespace) -> None:
    from .description import describe_in_words, describe_volume
    from .files import read_volume

    description = describe_volume(read_volume(options.path, options.series, options.resample))
    write_json_line(description) if options.json else print(describe_in_words(description))


def _upscale(options: argparse.Namespace) -> None:
    settings = {
        "model": options.model,
        "factor": options.factor,
        "axis": options.axis,
        "device": options.device,
        "precision": options.precision,
        "ensemble": options.ensemble,
        "memory_mb": options.memory,
        "consistency": not options.no_consistency,
    }
    _run_and_tell(Job(options.input, options.output, options.series, settings, options.resample), options)


def _adapt(options: argparse.Namespace) -> None:
    if not options.minutes > 0:
        raise RequestError(f"argument --minutes: {options.minutes:g}; accepted are numbers above 0")
    settings = {name: getattr(options, name) for name in ("model", "factor", "axis", "device")} | {"memory_mb": options.memory}
    fit = {"adapt_minutes": options.minutes, "adapt_profile": options.profile, "adapt_keep": options.keep}
    _run_and_tell(Job(options.input, options.output, options.series, settings, options.resample, **fit), options)


def _run_and_tell(job: Job, options: argparse.Namespace) -> None:
    if options.json:
        run_job(job, write_json_line)
        return
    with Bars() as bars:
        run_job(job, bars.show)
    result = bars.result
    matrix = " x ".join(map(str, reversed(result["shape"])))
    spacing = " x ".join(f"{length:.4g}" for length in result["spacing"])
    residual = f"{result['residual_before']:.2%} -> {result['residual_after']:.2%} of the range"
    spread = f"; spread of the ensemble: {result['spread']}" if result["spread"] else ""
    print(
        f"{result['output']}: {matrix} voxels of {spacing} mm, "
        f"x{result['factor']} along {result['axis']} by {result['model']} in {result['seconds_total']:.1f} s; "
        f"measurement residual ({result['acquisition']}) {residual}{spread}"
    )


def _degrade(options: argparse.Namespace) -> None:
    from .acquisition import degrade
    from .files import check_output, read_volume, write_volume

    check_output(options.output)
    volume = read_volume(options.input, options.series, options.resample)
    for note in volume.notes:
        print(f"warning: {note}", file=sys.stderr)
    write_volume(degrade(volume, options.factor, options.axis, options.profile), options.output)


def _train(options: argparse.Namespace) -> None:
    run = training_library("training_run").run
    in_words = training_library("in_words").in_words

    def tell(message: dict[str, Any]) -> None:
        if options.json:
            write_json_line(message)
        elif line := in_words(message):
            print(line, file=sys.stderr, flush=True)

    data, out = Path(options.data), Path(options.out)
    run(options.recipe, data, out, options.resume, scans=options.scans, minutes=options.minutes, device=options.device, tell=tell)


def _import(options: argparse.Namespace) -> None:
    library = training_library("importing")
    card = library.import_weights(
        Path(options.weights),
        options.network,
        Path(options.out),
        id=options.id,
        title=options.title,
        licence=options.licence,
        arguments=library.parse_arguments(options.arguments),
        modalities=options.modality or MODALITIES,
        profile=options.profile,
    )
    print(f"{options.out}: model '{card.id}', {card.network} with {card.arguments}; its quality was not measured")


def _demo(options: argparse.Namespace) -> None:
    training_library("demo").run_demo(Path(options.out), progress=lambda line: print(line, file=sys.stderr))


if __name__ == "__main__":
    sys.exit(main())
