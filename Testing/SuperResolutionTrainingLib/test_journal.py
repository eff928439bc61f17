import json
import sys
from types import ModuleType

import pytest

from SuperResolutionLib.errors import WorkError
from SuperResolutionTrainingLib.journal import FILE, Journal

PLAN = {"type": "plan", "first_step": 0}


def progress(step, loss=1.0):
    return {"type": "progress", "step": step, "loss": loss}


def lines(folder):
    return [json.loads(line) for line in (folder / FILE).read_text().splitlines()]


def test_the_points_of_curves_are_kept_as_lines(tmp_path):
    journal = Journal(tmp_path, False)
    for message in (PLAN, progress(1), {"type": "paused", "step": 1}, {"type": "validation", "step": 1, "psnr": 30.0}):
        journal.add(message)
    assert lines(tmp_path) == journal.points == [progress(1), {"type": "validation", "step": 1, "psnr": 30.0}]


def test_a_resumed_run_forgets_what_it_does_again(tmp_path):
    first = Journal(tmp_path, False)
    for message in (PLAN, *map(progress, range(1, 6))):
        first.add(message)
    second = Journal(tmp_path, True)
    for message in (PLAN | {"first_step": 3}, progress(4, 0.5)):
        second.add(message)
    assert lines(tmp_path) == second.points == [progress(1), progress(2), progress(3), progress(4, 0.5)]


def test_a_new_run_in_the_same_folder_begins_a_new_curve(tmp_path):
    for _ in range(2):
        journal = Journal(tmp_path, False)
        journal.add(PLAN)
        journal.add(progress(1))
    assert lines(tmp_path) == [progress(1)]


def test_a_folder_that_is_gone_is_told(tmp_path):
    (tmp_path / "run").mkdir()
    journal = Journal(tmp_path / "run", False)
    (tmp_path / "run").rmdir()
    with pytest.raises(WorkError, match=rf"{FILE}: not written, No such file or directory"):
        journal.add(PLAN)


@pytest.fixture
def writer(monkeypatch):
    """Stand in for TensorBoard's writer, which is no dependency; return what it was given."""
    written = []

    class SummaryWriter:
        def __init__(self, folder):
            written.append(folder)

        def add_scalar(self, *point):
            written.append(point)

        def close(self):
            written.append("closed")

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    return written


def test_where_tensorboard_is_installed_its_logs_are_written_too(tmp_path, writer):
    journal = Journal(tmp_path, False)
    journal.add(progress(3, 0.25))
    journal.add({"type": "validation", "step": 3, "psnr": 30.0, "psnr_cubic": 28.0, "best": True})
    journal.close()
    assert writer == [str(tmp_path / "tensorboard"), ("loss", 0.25, 3), ("psnr", 30.0, 3), ("psnr_cubic", 28.0, 3), "closed"]


def test_where_it_is_not_the_lines_are_written_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    journal = Journal(tmp_path, False)
    journal.add(progress(3, 0.25))
    journal.close()
    assert len(journal.points) == 1 and not (tmp_path / "tensorboard").exists()
