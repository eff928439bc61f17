"""The headless host behaves as the application: runs the conformance suite that lies beside the checkout, where there is one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SUITE = ROOT.parent / "shared" / "conformance" / "conformance.py"
KNOWN = ROOT / "Testing" / "host" / "known-differences.txt"
WITH_VIEWS = ["layout"]
TIMEOUT = 120  # seconds

RUN = """
import runpy, sys
import host, host.console, host.pythonqt
host.start(views="--views" in sys.argv)
host.pythonqt.set_strict(False)  # the suite makes mistakes on purpose
with host.console.console():
    runpy.run_path(sys.argv[1])
"""

pytestmark = pytest.mark.skipif(not SUITE.is_file(), reason=f"there is no conformance suite at {SUITE}")


def run_suite(only: list[str], *options: str) -> list[str]:
    """Run the checks (all, if none is named) in a process of their own, and return what they print."""
    environment = os.environ | {"CONFORMANCE_KNOWN": str(KNOWN), "CONFORMANCE_ONLY": " ".join(only)}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "Testing"), environment.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", RUN, str(SUITE), *options]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", timeout=TIMEOUT)
    # Lines of a failed check that follow the first are indented.
    lines = [line for line in process.stdout.splitlines() if line.startswith(("PASS ", "FAIL ", "SKIP ", "       "))]
    assert process.returncode == 0, f"the suite ended with status {process.returncode}:\n{process.stderr[-2000:]}"
    return lines


def test_everything_holds_without_a_main_window():
    lines = run_suite([])
    assert [line for line in lines if line.startswith(("FAIL ", "       "))] == []
    assert [line.split(":")[0] for line in lines if line.startswith("SKIP ")] == ["SKIP layout"]
    assert len([line for line in lines if line.startswith("PASS ")]) > 40


def test_the_layout_holds_with_views():
    assert run_suite(WITH_VIEWS, "--views") == ["PASS layout"]
