"""Where the measurements of a comparison are carried out: one by one here, in several processes, or on a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing.connection import Connection

from SuperResolutionLib.caller import INTERRUPTED
from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.worker import unforeseen

from .measurement import Failed, Measurement, Succeeded, attempt, forget

ANSWER_S = 10
"""Time in which a scheduler has to answer."""
_ADDRESS = re.compile(r"(\w+://)?[^/\s]+:\d{1,5}/?|inproc://\S+")
Outcome = Succeeded | Failed


def one_by_one(
    measurements: Sequence[Measurement], tell: Callable[[float, str], None], follow: Callable[[float], None]
) -> Iterator[tuple[Measurement, Outcome]]:
    """Carry out measurements in this process, and yield each with what came of it.

    Parameters
    ----------
    measurements : sequence of Measurement
    tell : callable
        Called before each with the part of the work that is done and its name.
    follow : callable
        Called while a model works with the part of the work that is done.
    """
    try:
        for number, measurement in enumerate(measurements):
            tell(number / len(measurements), measurement.name)
            yield measurement, attempt(measurement, lambda fraction, done=number: follow((done + fraction) / len(measurements)))
    finally:
        forget()


def side_by_side(
    measurements: Sequence[Measurement], executor: Executor, tell: Callable[[float, str], None]
) -> Iterator[tuple[Measurement, Outcome]]:
    """Carry out measurements by an executor, and yield each with what came of it, in the order in which they are done.

    Parameters
    ----------
    measurements : sequence of Measurement
    executor : Executor
        See `processes` and `cluster`.
    tell : callable
        Called after each with the part of the work that is done and its name.
    """
    with _interrupt_later():  # processes start with the first measurements, and would die of Ctrl-C with a traceback each
        pending = {executor.submit(attempt, measurement): measurement for measurement in measurements}
    while pending:
        for future in wait(pending, return_when=FIRST_COMPLETED).done:
            measurement = pending.pop(future)
            try:
                outcome = future.result()
            except (BrokenExecutor, CancelledError) as error:
                gone = "a process that measured is gone: killed from outside, most likely as memory ran out, or the cluster ended"
                raise WorkError(f"{gone}; what was measured before is kept where there is --out") from error
            except Exception as error:  # a measurement tells its own: this one did not reach its process, or took that down
                outcome = Failed(unforeseen(error))
            yield measurement, outcome
            tell(1 - len(pending) / len(measurements), measurement.name)


@contextmanager
def _interrupt_later() -> Iterator[None]:
    """Keep Ctrl-C back until the block is left; what starts within never gets it. Without effect on Windows."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def processes(count: int) -> Iterator[Executor]:
    """Yield an executor of processes on this machine, each with its share of the cores; none of them outlives this process.

    When the block is left by an exception, they end at once.
    """
    threads = max(1, (os.cpu_count() or 1) // count)
    context = multiprocessing.get_context("spawn")  # the others would inherit the threads of torch half-way
    theirs, ours = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(count, context, _begin, (theirs, threads))
    try:
        yield executor
    finally:
        # Closed here, or by the system when this process dies: see `_begin`. Those that still work do so for nobody.
        ours.close()
        executor.shutdown(cancel_futures=True)
        theirs.close()


def _begin(caller: Connection, threads: int) -> None:
    """Make a process ready: it leaves with its caller, leaves Ctrl-C to that one, and takes no more than its share of the cores."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)
    threading.Thread(target=_leave_with, args=(caller,), daemon=True).start()


def _leave_with(caller: Connection) -> None:
    try:
        caller.recv_bytes()  # nothing is ever sent
    except (EOFError, OSError):
        os._exit(INTERRUPTED)


@contextmanager
def cluster(address: str, answer_s: float = ANSWER_S) -> Iterator[Executor]:
    """Yield an executor of a Dask cluster that runs already.

    Parameters
    ----------
    address : str
        Of its scheduler, for example ``tcp://host:8786``.
    answer_s : float
        Time in which it has to answer.

    Raises
    ------
    RequestError
        If the package is absent, the address is none, or the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        lacking = f"--scheduler needs the Python package '{error.name}', which is not installed"
        raise RequestError(f"{lacking}; install superresolution[cluster]") from error
    if not _ADDRESS.fullmatch(address):  # Dask would take half a minute, and leave a traceback
        raise RequestError(f"scheduler '{address}': accepted is an address with a port, as tcp://host:8786")
    try:
        client = Client(address, timeout=answer_s, set_as_default=False)
    except (OSError, ValueError) as error:  # also TimeoutError
        lacking = f"scheduler '{address}': no answer within {answer_s:g} s ({' '.join(str(error).split()) or type(error).__name__})"
        raise RequestError(f"{lacking}; accepted is the address of a Dask scheduler that runs, as tcp://host:8786") from error
    with client:
        executor = client.get_executor(pure=False)
        try:
            yield executor
            client.run(forget, on_error="ignore")
        finally:
            executor.shutdown(wait=False)  # what is left undone is cancelled
