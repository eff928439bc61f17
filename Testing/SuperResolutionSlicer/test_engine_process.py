"""The background process is read, ended and judged rightly, whatever it does."""

import time

import pytest
import slicer

from SuperResolutionSlicer import engine_process
from SuperResolutionSlicer.engine_process import Ending, EngineProcess

WRITE = """
import sys, time
def write(*pieces, to=sys.stdout):
    for piece in pieces:
        to.buffer.write(piece)
        to.buffer.flush()
        time.sleep(0.1)
"""
# A process as the worker: it leads a group, and has started another process that does not end when it is asked to.
FAMILY = """
import json, os, signal, subprocess, sys, time
os.setpgid(0, 0)
child = subprocess.Popen(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(json.dumps({"type": "started", "pid": os.getpid()}), flush=True)
print(json.dumps({"type": "child", "pid": child.pid}), flush=True)
"""


class Run:
    """A stand-in for the engine on its way, and what was heard of it."""

    def __init__(self, module, **options):
        self.received, self.ended = [], []
        self.process = EngineProcess(module, [], self.received.append, self.ended.append, **options)
        self.process.start()


@pytest.fixture
def start(scene, engine):
    """Start a few lines of Python in the engine's place."""
    runs = []

    def start_code(code, **options):
        runs.append(Run(engine(code), **options))
        return runs[-1]

    yield start_code
    for run in runs:
        run.process.abandon()


@pytest.fixture
def outcome_of(start, wait_until):
    """Run a few lines of Python in the engine's place to their end."""

    def run_code(code):
        run = start(code)
        wait_until(lambda: run.ended)
        (outcome,) = run.ended
        return outcome, run.received

    return run_code


def test_lines_arrive_whole_although_they_come_in_pieces_that_break_a_character(outcome_of):
    code = r"""write(b'{"type": "note", "message": "caf\xc3', b'\xa9"}\n{"type": "no', b'te", "message": 2}\n{"type": "result", "a": 1}')"""
    outcome, received = outcome_of(WRITE + code)
    assert received == [{"type": "note", "message": "café"}, {"type": "note", "message": 2}]
    assert (outcome.ending, outcome.result) == (Ending.DONE, {"type": "result", "a": 1})


def test_invalid_text_is_replaced_and_harms_nothing(outcome_of):
    code = r"""
write(b'\xc3( warned\n', to=sys.stderr)
write(b'{"type": "note", "message": "\xff"}\n\xfe\n{"type": "result"}\n')
"""
    outcome, received = outcome_of(WRITE + code)
    assert outcome.ending is Ending.DONE
    assert received == [{"type": "note", "message": "\ufffd"}]
    assert "\ufffd( warned" in outcome.log


def test_a_character_that_is_broken_on_standard_error_is_whole_in_the_log(outcome_of):
    outcome, _ = outcome_of(f"{WRITE}write(b'caf\\xc3', b'\\xa9\\n', to=sys.stderr)")
    assert "café" in outcome.log


def test_stray_text_on_standard_output_goes_to_the_log_and_not_to_the_panel(outcome_of):
    stray = ["a library says hello", "42", "[1]", "null", '{"no": "type"}', "{"]
    outcome, received = outcome_of("\n".join(f"print({line!r})" for line in [*stray, '{"type": "result"}']))
    assert outcome.ending is Ending.DONE
    assert received == []
    assert outcome.log.splitlines()[:-1] == stray


def test_progress_is_passed_on_but_does_not_fill_the_log(outcome_of):
    outcome, received = outcome_of("""for i in range(3): print('{"type": "progress", "fraction": %d}' % i)\nprint('{"type": "result"}')""")
    assert [message["fraction"] for message in received] == [0, 1, 2]
    assert "progress" not in outcome.log


def test_the_log_keeps_the_end_of_very_long_output(outcome_of):
    outcome, _ = outcome_of("import sys\nfor i in range(60_000): print('line', i, file=sys.stderr)\nprint('x' * 400_000)\nprint('the end')")
    assert len(outcome.log) == 200_000
    assert "the end" in outcome.log and "line 59999" not in outcome.log


@pytest.mark.parametrize("kind", ["missing", "not executable"])
def test_python_that_cannot_be_started_is_told(kind, tmp_path, monkeypatch, start, wait_until):
    python = tmp_path / "python"
    if kind != "missing":
        python.write_text("#!/bin/sh\n")
    monkeypatch.setattr(engine_process, "python_executable", lambda: str(python))
    run = start("")
    wait_until(lambda: run.ended)
    (outcome,) = run.ended
    assert outcome.ending is Ending.NOT_STARTED
    assert outcome.message.startswith(f"{python}: could not be started (")


def test_an_exit_status_without_a_word_is_told(outcome_of):
    outcome, _ = outcome_of("import sys; sys.exit(3)")
    assert outcome.ending is Ending.CRASHED
    assert outcome.message == "the background process ended with status 3 and gave no reason"


def test_the_last_words_are_taken_for_the_reason_where_there_is_none(outcome_of):
    outcome, _ = outcome_of("import sys; print('first\\nno room\\n\\n', file=sys.stderr); sys.exit(3)")
    assert outcome.message.endswith("with status 3 and gave no reason; its last words: no room")


def test_an_error_is_told_as_it_was_said(outcome_of):
    outcome, received = outcome_of("""import sys; print('{"type": "error", "message": "disk full", "exit_status": 1}'); sys.exit(1)""")
    assert (outcome.ending, outcome.message, outcome.result, received) == (Ending.FAILED, "disk full", {}, [])


@pytest.mark.parametrize(
    ("status", "ending", "words"),
    [(137, Ending.KILLED, "memory ran out"), (143, Ending.KILLED, "terminated from outside"), (139, Ending.CRASHED, "signal 11")],
)
def test_a_launcher_that_hands_on_the_signal_of_its_child_is_understood(status, ending, words, outcome_of):
    outcome, _ = outcome_of(f"import sys; sys.exit({status})")
    assert outcome.ending is ending and words in outcome.message


def test_a_launcher_that_only_says_that_its_child_was_ended_by_a_signal_is_understood(outcome_of):
    says = "error: [/opt/Slicer/bin/python-real] exit abnormally - Report the problem."
    outcome, _ = outcome_of(f"import sys; print({says!r}, file=sys.stderr); sys.exit(1)")
    assert outcome.ending is Ending.CRASHED
    assert outcome.message == "the background process crashed, or was killed by the system because memory ran out"


def test_a_result_is_none_if_the_process_fails_after_it(outcome_of):
    outcome, _ = outcome_of("""import sys; print('{"type": "result"}'); sys.exit(1)""")
    assert (outcome.ending, outcome.result) == (Ending.CRASHED, {})


def test_cancelling_before_the_process_has_said_anything_ends_it(start, wait_until):
    run = start("import time; time.sleep(60)")
    run.process.cancel()
    run.process.cancel()
    wait_until(lambda: run.ended, seconds=2)
    slicer.app.processEvents()
    assert [outcome.ending for outcome in run.ended] == [Ending.CANCELLED]


def test_a_process_that_does_not_want_to_end_is_made_to(start, wait_until, gone):
    code = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    run = start(code + """; print('{"type": "here", "pid": %d}' % os.getpid(), flush=True); time.sleep(60)""")
    wait_until(lambda: run.received)
    started = time.monotonic()
    run.process.cancel()
    wait_until(lambda: run.ended)
    assert time.monotonic() - started < 2
    assert run.ended[0].ending is Ending.CANCELLED
    assert gone(run.received[0]["pid"])


def test_what_a_cancelled_process_still_says_is_not_passed_on(start, wait_until):
    code = """
import signal, sys, time
def stop(*_):
    print('{"type": "late"}', flush=True)
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
print('{"type": "here"}', flush=True)
time.sleep(60)
"""
    run = start(code)
    wait_until(lambda: run.received)
    run.process.cancel()
    wait_until(lambda: run.ended)
    assert run.received == [{"type": "here"}]
    assert "late" in run.ended[0].log


def test_an_abandoned_process_is_gone_at_once_and_never_calls_back(start, wait_until, gone):
    run = start(FAMILY + "time.sleep(60)")
    wait_until(lambda: run.received)
    group, child = run.process.pid, run.received[0]["pid"]
    run.process.abandon()
    assert gone(group) and gone(child)
    for _ in range(20):
        slicer.app.processEvents()
        time.sleep(0.005)
    assert run.ended == [] and len(run.received) == 1


@pytest.mark.parametrize("end", ["cancelled", "done", "failed"])
def test_a_process_that_was_started_by_the_engine_ends_with_it(end, start, wait_until, gone):
    last = {"cancelled": "time.sleep(60)", "done": """print('{"type": "result"}')""", "failed": "sys.exit(1)"}
    run = start(FAMILY + last[end])
    wait_until(lambda: run.received)
    if end == "cancelled":
        run.process.cancel()
    wait_until(lambda: run.ended, seconds=5)
    assert run.ended[0].ending is {"cancelled": Ending.CANCELLED, "done": Ending.DONE, "failed": Ending.CRASHED}[end]
    assert gone(run.received[0]["pid"])


def test_a_process_that_keeps_talking_is_not_taken_for_hanging(start, wait_until):
    run = start("""import time\nfor i in range(6): print('{"type": "here"}', flush=True); time.sleep(0.2)\nprint('{"type": "result"}')""")
    wait_until(lambda: run.received)
    run.process.silence(0.8)
    wait_until(lambda: run.ended)
    assert run.ended[0].ending is Ending.DONE


def test_a_process_that_says_nothing_is_ended_and_the_seconds_are_told(start, wait_until):
    run = start("import time; time.sleep(60)", silence_s=0.2)
    wait_until(lambda: run.ended)
    assert run.ended[0].ending is Ending.SILENT
    assert run.ended[0].message == "the background process said nothing for 0.2 s and was ended"
