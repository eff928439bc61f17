"""What the commands of the command line share: how one is added, and the choices that several offer."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

DEVICES = ("auto", "cpu", "cuda", "mps")
PROFILES = ("mean", "gaussian", "cubic", "kspace")
"""Those of `acquisition`, which is not imported before it is needed."""


def add_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], None], text: str, json: bool = False
) -> argparse.ArgumentParser:
    """Add a command.

    Parameters
    ----------
    commands : object
        What `ArgumentParser.add_subparsers` returned.
    name : str
    run : callable
        What the command does with its options.
    text : str
        What it does in words, without a full stop.
    json : bool
        Whether it has the option ``--json``.
    """
    command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
    command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    if json:
        command.add_argument("--json", action="store_true", help="one JSON object a line on standard output, nothing else")
    command.set_defaults(command=run)
    return command
