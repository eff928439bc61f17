"""Pictures: one plane with the thick axis, the same part of all, differences with their sign, PSNR of the plane."""

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from SuperResolutionTrainingLib.kept_planes import FOLDER, ShownPlane, names_of, write_result, write_trial
from SuperResolutionTrainingLib.report.measured import Setting, trials_of
from SuperResolutionTrainingLib.report.panels import LONGEST, panels_of


def decoded(uri):
    kind, data = uri.removeprefix("data:image/").split(";base64,")
    return np.array(Image.open(BytesIO(base64.b64decode(data)))).astype(float)


def planes(pixels, spacing, other):
    return {"sagittal": ShownPlane(pixels.astype(np.float32), spacing), "axial": ShownPlane(other.astype(np.float32), (1.0, 1.0))}


@pytest.fixture
def drawn(make_record, tmp_path):
    """The panels of a trial: detail at rows 8 to 15, columns 10 to 25; a model too bright by 50 on the left, too dark on the right."""
    record = make_record(models=("cubic", "fast"), subjects=["anna"])
    (trial,) = trials_of(record, Setting(4, "mean"))
    truth = np.full((24, 40), 200.0)
    truth[8:16:2, 10:26:2] = 900
    truth[9:16:2, 11:26:2] = 900
    truth += 2 * np.arange(40)
    wrong = truth + np.where(np.arange(40) < 20, 50, -50)
    flat = np.full((40, 40), 200.0)
    for entry in trial.entries.values():
        entry["planes"] = names_of(entry)[1]
        write_result(tmp_path / FOLDER, entry["planes"], planes(wrong if entry["model"] == "fast" else truth, (2.0, 1.0), flat))
    thick = truth.reshape(6, 4, 40).mean(axis=1)
    write_trial(tmp_path / FOLDER, names_of(trial.first)[0], planes(truth, (2.0, 1.0), flat), planes(thick, (8.0, 1.0), flat))
    return panels_of("a title", trial, tmp_path), truth, thick


def test_the_plane_contains_the_thick_axis_in_its_true_proportions(drawn):
    panels, truth, _ = drawn
    assert panels.view == "sagittal" and panels.aspect == pytest.approx(40 / 48)
    assert [panel.title for panel in panels.panels] == ["thick", "cubic", "fast", "truth"]
    assert panels.panels[0].caption == "1 × 8 mm"


def test_the_same_part_of_all_is_magnified_where_the_detail_is(drawn):
    panels, truth, thick = drawn
    part = panels.part
    top, left = round(part.top / 100 * 24), round(part.left / 100 * 40)
    rows, columns = round(part.height / 100 * 24), round(part.width / 100 * 40)
    assert (rows, columns) == (6, 12) and panels.part_aspect == pytest.approx(1)
    assert 8 <= top <= 10 and 10 <= left <= 14
    shown = decoded(panels.panels[-1].part)
    inside = truth[top : top + rows, left : left + columns]
    assert np.array_equal(shown > 128, inside > 500)
    expected = np.repeat(thick, 4, axis=0)[top : top + rows, left : left + columns]
    shown = decoded(panels.panels[0].part)
    assert shown.shape == expected.shape and np.corrcoef(shown.ravel(), expected.ravel())[0, 1] > 0.99


def test_the_psnr_is_that_of_the_plane_with_the_range_of_the_whole_truth(drawn):
    panels, *_ = drawn
    # The record's curves were made with a peak of 1000; the model is off by 50 everywhere.
    assert panels.panels[2].caption == f"{20 * np.log10(1000 / 50):.2f} dB"
    assert panels.panels[1].caption == ""  # equal to the truth


def test_brighter_is_red_and_darker_is_blue_on_one_scale(drawn):
    panels, *_ = drawn
    assert panels.most == "50.00"
    cubic, fast = (decoded(panels.panels[number].difference) for number in (1, 2))
    assert cubic.min() > 235  # no difference: nearly white
    left, right = fast[:, :16].mean(axis=(0, 1)), fast[:, 24:].mean(axis=(0, 1))
    assert left[0] > 2 * left[2] and right[2] > 2 * right[0]
    assert not panels.panels[0].difference and not panels.panels[-1].difference


def test_scale_bars_are_round_lengths(drawn):
    panels, *_ = drawn
    assert panels.bar == (10, 25) and panels.part_bar == pytest.approx((2, 100 * 2 / 12))
    assert panels.letters == ("A", "S")


def test_large_planes_are_shown_smaller_but_their_part_is_not(make_record, tmp_path):
    record = make_record(models=("cubic", "fast"), subjects=["anna"])
    (trial,) = trials_of(record, Setting(4, "mean"))
    big = np.random.default_rng(0).random((600, 1000)) * 100
    for entry in trial.entries.values():
        entry["planes"] = names_of(entry)[1]
        write_result(tmp_path / FOLDER, entry["planes"], planes(big, (1.0, 1.0), big))
    write_trial(tmp_path / FOLDER, names_of(trial.first)[0], planes(big, (1.0, 1.0), big), None)
    panels = panels_of("a title", trial, tmp_path)
    assert decoded(panels.panels[-1].plane).shape == (240, LONGEST) and decoded(panels.panels[-1].part).shape == (180, 180)
    assert [panel.title for panel in panels.panels] == ["cubic", "fast", "truth"]


def test_why_there_are_no_pictures_is_told(make_record, tmp_path, report):
    record = make_record(planes=True)
    (first, *_) = trials_of(record, Setting(4, "mean"))
    next((tmp_path / FOLDER).glob("anna*cubic*")).unlink()
    assert "no planes of a comparison" in panels_of("a title", first, tmp_path)
    for entry in record["entries"]:
        entry["planes"] = None
    assert panels_of("a title", trials_of(record, Setting(4, "mean"))[0], tmp_path) == "no planes were kept"
    assert "No pictures: no planes were kept." in report(record).texts["pictures"]
