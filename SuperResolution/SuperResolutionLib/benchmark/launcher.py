"""Starts a command, waits for it and writes its seconds, peak memory and exit status to a file: ``python launcher.py FIGURES COMMAND …``.

A process starts out with the peak memory of the one that started it, so that one has to be as small as this. It leads a group, and ends
all of it at once when its standard input is closed: who reads the figures is gone.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time


def _launch(command: list[str]) -> dict[str, object]:
    started, peak = time.perf_counter(), None
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    except OSError as error:
        return {"not_started": f"{command[0]}: not started, {error.strerror or error}"}
    threading.Thread(target=_end_with_reader, args=(process,), daemon=True).start()
    if hasattr(os, "wait4"):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = usage.ru_maxrss >> (20 if sys.platform == "darwin" else 10)
    else:
        process.wait()
    return {"seconds": time.perf_counter() - started, "peak_memory_mb": peak, "status": process.returncode}


def _end_with_reader(process: subprocess.Popen) -> None:
    while os.read(0, 4096):
        pass
    if hasattr(os, "killpg"):
        os.killpg(os.getpgrp(), signal.SIGKILL)
    process.kill()


if __name__ == "__main__":
    figures = _launch(sys.argv[2:])
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(figures, file)
