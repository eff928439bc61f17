"""A process that leaves with its caller, told from outside: what it prints, how it ends, what remains of the folder."""

import os
import signal
import subprocess
import time

import pytest

from SuperResolutionLib.caller import INTERRUPTED

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups of POSIX")

START = """
import os, sys, time
from pathlib import Path
from SuperResolutionLib.caller import leave_with_caller
folder = Path(sys.argv[1])
leave_with_caller(str(folder), lambda started: print(started["pid"], os.getpgrp(), flush=True))
"""
WORKS_ON = START + "time.sleep(300)"
SAYS_LINES = START + "while True: print('line', flush=True)"
ADDS_FILES = START + "while True: (folder / str(time.time())).touch(); time.sleep(0.002)"
# Starts a worker, holds its standard input open, says what the worker says, and waits to be killed.
CALLER = """
import subprocess, sys
worker = subprocess.Popen([sys.executable, "-c", *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
worker.stdin.write(b"held open\\n")
worker.stdin.flush()
print(worker.stdout.readline().decode(), end="", flush=True)
worker.wait()
"""


@pytest.fixture
def folder(tmp_path):
    """The temporary folder of a caller, with what a request leaves there."""
    folder = tmp_path / "temporary"
    (folder / "deeper").mkdir(parents=True)
    (folder / "request.json").write_text("{}")
    (folder / "deeper" / "input.nrrd").write_bytes(bytes(1000))
    return folder


@pytest.fixture
def start_held(start_python, folder):
    """Start a process whose standard input is held open and has a first line, and return it once it said who it is."""

    def start(code, first="held open\n", **options):
        process = start_python("-c", code, folder, stdin=subprocess.PIPE, **options)
        process.stdin.write(first)
        process.stdin.flush()
        process.identity = process.stdout.readline().split()
        return process

    return start


def test_a_process_ends_and_removes_the_folder_when_its_input_closes_and_not_before(start_held, folder):
    process = start_held(WORKS_ON)
    process.stdin.write("more lines\nthat mean nothing\n")
    process.stdin.flush()
    time.sleep(0.3)
    assert process.poll() is None and (folder / "deeper" / "input.nrrd").exists()
    process.stdin.close()
    assert process.wait(10) == INTERRUPTED and not folder.exists()


def test_a_process_ends_and_removes_the_folder_when_its_caller_is_killed(start_python, folder):
    caller = start_python("-c", CALLER, WORKS_ON, folder)
    assert caller.stdout.readline() and folder.exists()
    caller.send_signal(signal.SIGKILL)
    # The worker holds standard error too, which ends with the last of the two.
    _, errors = caller.communicate(timeout=20)
    assert errors == "" and not folder.exists()


def test_an_input_without_a_first_line_is_not_watched(start_python, folder):
    process = start_python("-c", START + "time.sleep(0.5); print('done')", folder, stdin=subprocess.DEVNULL)
    out, errors = process.communicate(timeout=20)
    assert (process.returncode, out.splitlines()[-1], errors) == (0, "done", "")
    assert (folder / "request.json").exists()


def test_a_process_that_is_done_ends_at_once_and_leaves_the_folder_to_its_caller(start_held, folder):
    process = start_held(START + "print('done')")
    assert process.wait(10) == 0 and process.stdout.read() == "done\n"
    assert (folder / "request.json").exists()


def test_a_process_leads_a_group_of_its_own(start_held):
    pid, group = start_held(WORKS_ON).identity
    assert pid == group and int(group) != os.getpgrp()


def test_a_process_that_leads_a_session_already_is_left_so(start_held, folder):
    process = start_held(WORKS_ON, start_new_session=True)
    assert process.identity == [str(process.pid)] * 2
    process.stdin.close()
    assert process.wait(10) == INTERRUPTED and not folder.exists()


@pytest.mark.parametrize("work", [SAYS_LINES, ADDS_FILES], ids=["says lines that nobody reads", "adds files to the folder"])
def test_work_that_fails_since_its_caller_is_gone_does_not_end_before_the_folder_is_removed(start_held, folder, work):
    """The folder holds so much that removing it takes longer than the work takes to fail."""
    for number in range(1500):
        (folder / f"piece-{number}").touch()
    process = start_held(work)
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()
    process.wait(20)
    assert not folder.exists()
