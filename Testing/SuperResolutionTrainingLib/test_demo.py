import numpy as np
import pytest

from SuperResolutionLib import model_zoo
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume
from SuperResolutionTrainingLib import demo
from SuperResolutionTrainingLib.grid import same_grid


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A demo of few voxels, with an interpolation in the place of the network."""
    monkeypatch.setattr(demo, "SHAPE", (24, 28, 32))
    monkeypatch.setattr(demo, "SPACING", (4.0, 4.2, 3.0))
    monkeypatch.setattr(demo, "MODEL", "lanczos")


def test_the_demo_leaves_two_series_a_picture_and_one_table(tmp_path, capsys):
    said = []
    demo.run_demo(tmp_path / "new" / "demo", said.append)
    assert sorted(path.name for path in (tmp_path / "new" / "demo").iterdir()) == ["about.txt", "comparison.png", "thick", "upscaled"]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[3:8]] == ["nearest", "linear", "cubic", "lanczos", "lanczos"]
    assert lines[8].startswith("PSNR in dB: peak") and "SSIM: 3-D" in lines[8]
    assert said[0] == "sampling the knee phantom"


def test_series_lie_at_the_same_place_of_the_patient_as_the_truth(tmp_path):
    demo.run_demo(tmp_path)
    thick, fine = read_volume(tmp_path / "thick"), read_volume(tmp_path / "upscaled")
    truth = demo.make_truth()
    assert thick.shape == (6, 28, 32) and thick.voxels.dtype.kind in "iu" and thick.slice_thickness == pytest.approx(12)
    assert same_grid(fine, truth)
    assert np.corrcoef(fine.voxels.ravel(), truth.voxels.ravel())[0, 1] > 0.8


def test_a_second_run_replaces_the_first(tmp_path):
    demo.run_demo(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "thick" / "IM9999.dcm").write_bytes(b"left over")
    demo.run_demo(tmp_path)
    assert len(list((tmp_path / "thick").iterdir())) == 6
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_folders_that_no_demo_made_are_left_alone(tmp_path):
    (tmp_path / "thick").mkdir()
    (tmp_path / "thick" / "IM0001.dcm").write_bytes(b"a patient")
    with pytest.raises(RequestError, match="no demo wrote"):
        demo.run_demo(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["thick", "IM0001.dcm"]


def test_files_added_to_an_earlier_demo_are_left_alone(tmp_path):
    demo.run_demo(tmp_path)
    (tmp_path / "upscaled" / "segmentation.nrrd").write_bytes(b"work")
    with pytest.raises(RequestError, match="upscaled"):
        demo.run_demo(tmp_path)
    assert (tmp_path / "upscaled" / "segmentation.nrrd").read_bytes() == b"work"


def test_without_a_shipped_model_nothing_is_started(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "MODEL", "auto")
    monkeypatch.setattr(model_zoo, "SHIPPED", tmp_path / "none")
    with pytest.raises(RequestError, match="no shipped model"):
        demo.run_demo(tmp_path / "demo")
    assert not (tmp_path / "demo").exists()
