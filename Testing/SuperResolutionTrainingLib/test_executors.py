import os
import signal
import sys
import time
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing import active_children
from types import SimpleNamespace

import pytest

from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionTrainingLib.executors import cluster, one_by_one, processes, side_by_side
from SuperResolutionTrainingLib.measurement import Measurement
from SuperResolutionTrainingLib.recipe import Scan
from SuperResolutionTrainingLib.trials import ScanTrial


@dataclass(frozen=True)
class Waiting:
    """A model that takes its time, and then nothing comes of it."""

    id: str
    seconds: float = 0
    dies: bool = False

    def as_dict(self):
        return {}

    def make(self, trial, thick, follow):
        follow(0.5)
        time.sleep(self.seconds)
        if self.dies:
            os._exit(9)
        raise RequestError(f"{self.id} in process {os.getpid()}")


def measurements(scans, *models):
    return [Measurement(ScanTrial(Scan("bert.nii.gz", "bert", "MR"), "k", 2, "mean"), model, scans) for model in models]


def test_one_by_one_each_is_told_before_and_followed(scans):
    told, followed = [], []
    found = []
    asked = measurements(scans, Waiting("a"), Waiting("b"))
    for each, outcome in one_by_one(asked, lambda *line: told.append(line), followed.append):
        found.append((each.model.id, outcome.message.split()[0]))
        assert len(told) == len(found)
    assert found == [("a", "a"), ("b", "b")] and followed == [0.25, 0.75]
    assert told == [(0, "bert, factor 2 along k, mean: a"), (0.5, "bert, factor 2 along k, mean: b")]


def test_processes_share_the_work_and_leave_when_an_error_ends_it(scans):
    """What still waits would take a minute."""
    told, found, before, started = [], [], set(active_children()), time.monotonic()
    asked = measurements(scans, *map(Waiting, "abcd"), Waiting("e", 60), Waiting("f", 60))
    with pytest.raises(WorkError, match="the disk is full"), processes(2) as executor:
        for _, outcome in side_by_side(asked, executor, lambda *each: told.append(each)):
            found.append(outcome.message)
            if len(found) == 4:
                raise WorkError("the disk is full")
    assert sorted(message[0] for message in found) == list("abcd") and not any(str(os.getpid()) in message for message in found)
    assert [round(fraction, 2) for fraction, _ in told] == [0.17, 0.33, 0.5]
    assert not set(active_children()) - before and time.monotonic() - started < 45


def test_a_process_that_is_killed_ends_the_work_in_one_line(scans):
    with pytest.raises(WorkError, match="a process that measured is gone: killed from outside"), processes(1) as executor:
        list(side_by_side(measurements(scans, Waiting("a", dies=True), Waiting("b", 60)), executor, lambda *each: None))


def test_without_the_package_a_cluster_is_refused_by_its_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(RequestError, match=r"needs the Python package 'distributed', .* install superresolution\[cluster\]"),
        cluster("tcp://x:1"),
    ):
        pass


@pytest.mark.parametrize("address", ["", "nonsense://x", "tcp://host", "host:port"])
def test_what_is_no_address_of_a_cluster_is_refused_at_once(address):
    pytest.importorskip("distributed", reason="Dask's package distributed is not installed")
    message = f"scheduler '{address}': accepted is an address with a port, as tcp://host:8786"
    with pytest.raises(RequestError, match=message), cluster(address):
        pass


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="the system cannot keep signals back")
def test_processes_start_out_of_reach_of_ctrl_c():
    """Or else each of them tells a traceback where they are interrupted as they start."""
    blocked = []

    class Starting:
        def submit(self, work, measurement):
            blocked.append(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
            done = Future()
            done.set_result(None)
            return done

    assert [
        measurement.name for measurement, _ in side_by_side([SimpleNamespace(name="one")], Starting(), lambda fraction, line: None)
    ] == ["one"]
    assert blocked == [True] and signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "no-such-host.invalid:8786"])
def test_a_cluster_that_does_not_answer_is_refused_in_one_line(address):
    pytest.importorskip("distributed", reason="Dask's package distributed is not installed")
    message = rf"scheduler '{address}': no answer within 1 s .*; accepted is the address"
    with pytest.raises(RequestError, match=message) as caught, cluster(address, 1):
        pass
    assert "\n" not in str(caught.value)
