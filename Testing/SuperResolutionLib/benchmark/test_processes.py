import os
import sys
import time
from pathlib import Path

import pytest

from SuperResolutionLib.benchmark.processes import run_measured, run_request
from SuperResolutionLib.errors import RequestError, WorkError

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def python(code, folder):
    return run_measured([sys.executable, "-c", code], folder)


def is_at_work(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_process_is_measured_whole(tmp_path):
    code = 'import time; held = bytes(300 << 20); time.sleep(0.3); print(\'hello\'); print(\'{"type": "result", "shape": [1]}\')'
    run = python(code, tmp_path)
    assert run.seconds > 0.3 and run.problem == "" and run.result == {"type": "result", "shape": [1]}


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="Windows does not tell the memory of a process")
def test_the_peak_memory_is_that_of_the_process(tmp_path):
    small, large = (python(f"held = b'1' * ({size} << 20)", tmp_path).peak_memory_mb for size in (1, 200))
    assert 180 < large - small < 220


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import sys; sys.exit(3)", "exit status 3"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import os; os.kill(os.getpid(), 9)", "killed by signal 9, most likely because memory ran out"),
        ('print(\'{"type": "error", "message": "disk full"}\'); raise SystemExit(1)', "disk full"),
    ],
)
def test_a_failure_is_told_in_one_line(tmp_path, code, problem):
    run = python(code, tmp_path)
    assert run.problem == problem and run.status != 0 and run.result == {}


@LINUX
def test_nothing_that_a_process_started_outlives_it(tmp_path):
    code = (
        "import os, subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "open('pid', 'w').write(str(p.pid)); os.kill(os.getpid(), 9)"
    )
    python(code, tmp_path)
    pid, until = int((tmp_path / "pid").read_text()), time.monotonic() + 20
    while is_at_work(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_at_work(pid)


def test_a_command_that_is_not_there_is_told(tmp_path):
    with pytest.raises(WorkError, match="no-such-command: not started"):
        run_measured(["no-such-command"], tmp_path)


def test_a_refused_request_is_refused_here_too(tmp_path):
    with pytest.raises(RequestError, match="device 'abacus'"):
        run_request("ceiling", {"device": "abacus", "matrix": 8}, tmp_path)
