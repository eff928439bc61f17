import threading

from SuperResolutionTrainingLib.control import Control


def test_files_of_an_earlier_run_are_removed(tmp_path):
    (tmp_path / "pause").touch()
    (tmp_path / "stop").touch()
    control = Control(tmp_path)
    assert not control.is_stopped and list(tmp_path.iterdir()) == []


def test_a_run_that_nothing_pauses_does_not_wait(tmp_path):
    told = []
    assert Control(tmp_path).wait_while_paused(lambda: told.append("before"), lambda: told.append("after")) == 0 and told == []


def test_a_paused_run_waits_until_the_file_is_gone(tmp_path):
    control, told = Control(tmp_path), []
    (tmp_path / "pause").touch()

    def before():
        told.append("before")
        threading.Timer(0.3, (tmp_path / "pause").unlink).start()

    assert 0.3 <= control.wait_while_paused(before, lambda: told.append("after")) < 2 and told == ["before", "after"]


def test_a_paused_run_can_be_stopped(tmp_path):
    control = Control(tmp_path)
    (tmp_path / "pause").touch()
    control.wait_while_paused((tmp_path / "stop").touch, lambda: None)
    assert control.is_stopped
    control.clear()
    assert not control.is_stopped and list(tmp_path.iterdir()) == []
