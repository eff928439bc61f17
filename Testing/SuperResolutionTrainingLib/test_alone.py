import signal
import subprocess
import sys
import threading
import time

import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib.alone import alone

HOLDS = """
import sys, time
from pathlib import Path
from SuperResolutionTrainingLib.alone import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_file_that_is_held_is_refused_or_waited_for(tmp_path):
    entered = []

    def wait():
        with alone(tmp_path / "lock"):
            entered.append(time.monotonic())

    with alone(tmp_path / "lock"):
        with pytest.raises(RequestError, match="taken"), alone(tmp_path / "lock", "taken"):
            pass
        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.3)
        assert not entered
    waiting.join(5)
    assert entered
    with alone(tmp_path / "lock", "taken"):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_process_that_is_killed_lets_go(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    with pytest.raises(RequestError, match="taken"), alone(tmp_path / "lock", "taken"):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with alone(tmp_path / "lock", "taken"):
        pass
