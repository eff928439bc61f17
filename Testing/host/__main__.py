"""Run the self-tests of scripted modules as ``Slicer --testing`` does: python -m host MODULE.py [MODULE.py ...] [--views]

Each ``test_*`` method of ``<Name>Test`` runs with its setUp and gives one line. A test also fails if something went wrong unseen while it
ran: an exception in a slot or an observer, a signal that does not exist, a VTK error. The exit status is 1 if anything failed.
"""

import argparse
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

import slicer

import host
from host.console import console


def run_tests(path: str) -> Iterator[tuple[str, list[str]]]:
    """Load a module, run its tests, unload it; yield the name and the failures of each step."""
    name = Path(path).stem
    host.load_module(path)
    yield f"{name}: load", host.failures()
    test_class = getattr(sys.modules[name], name + "Test")
    tests = unittest.TestLoader().getTestCaseNames(test_class)
    if not tests:
        yield f"{name}: {name}Test", ["has no test_* methods"]
    for test in tests:
        result = unittest.TestResult()
        test_class(test).run(result)
        slicer.app.processEvents()
        yield f"{name}: {test}", [text for _, text in result.failures + result.errors] + host.failures()
    host.unload_module(name)
    slicer.app.processEvents()
    yield f"{name}: unload", host.failures()


def main(arguments: list[str] | None = None) -> int:
    """Run the tests of the modules on the command line, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m host", description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="+", metavar="MODULE.py")
    parser.add_argument("--views", action="store_true", help="with slice views, as with a main window")
    options = parser.parse_args(arguments)
    host.start(views=options.views)
    failed = 0
    with console():
        for step, failures in (each for path in options.modules for each in run_tests(path)):
            print(f"FAIL {step}" if failures else f"ok   {step}")
            for failure in failures:
                print("     " + failure.replace("\n", "\n     "))
            failed += bool(failures)
        print(f"{failed} failed")
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
