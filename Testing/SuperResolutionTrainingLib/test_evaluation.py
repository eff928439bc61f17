import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import foreground, ncc, psnr, ssim
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib import grid
from SuperResolutionTrainingLib.evaluation import CONVENTIONS, Row, evaluate, format_table
from SuperResolutionTrainingLib.kept_planes import read_trial
from SuperResolutionTrainingLib.plain_data import as_json
from SuperResolutionTrainingLib.slice_scores import Reference, summarise

K, J, I = np.indices((20, 24, 28))
BALL = np.sqrt((K - 9.5) ** 2 + (J - 11.5) ** 2 + (I - 13.5) ** 2) < 9
VOXELS = gaussian_filter(np.where(BALL, 400.0 + 40 * np.sin(I / 2), 0), 1).astype(np.float32)
AFFINE = np.array([[0.8, 0, 0.3, 5], [0.1, 0.9, 0, -7], [0, 0, 1.5, 30], [0, 0, 0, 1]])
REFERENCE = Volume(VOXELS, AFFINE, modality="MR")
NOISY = REFERENCE.with_voxels(VOXELS + np.random.default_rng(0).normal(0, 12, VOXELS.shape).astype(np.float32))


def moved(volume: Volume, *millimetres: float) -> Volume:
    affine = volume.affine.copy()
    affine[:3, 3] += millimetres
    return replace(volume, affine=affine)


def test_figures_are_those_of_the_metrics_over_whole_and_foreground():
    found = evaluate(NOISY, REFERENCE)
    body = foreground(VOXELS)
    assert not found.resampled and found.coverage == 1
    assert found.whole.psnr == psnr(NOISY.voxels, VOXELS)
    assert found.foreground.ncc == ncc(NOISY.voxels, VOXELS, body)
    assert found.foreground.ssim == ssim(NOISY.voxels, VOXELS, body)
    assert found.whole.ssim == ssim(NOISY.voxels, VOXELS)


def test_half_a_micrometre_is_still_the_same_grid():
    assert not evaluate(moved(NOISY, 5e-4, 0, 0), REFERENCE).resampled
    assert evaluate(moved(NOISY, 0.01, 0, 0), REFERENCE).resampled


def test_a_grid_that_drifts_apart_at_the_far_corner_is_another_grid():
    affine = AFFINE.copy()
    affine[0, 0] *= 1.001
    assert evaluate(replace(NOISY, affine=affine), REFERENCE).resampled


def test_the_same_image_stored_in_another_order_is_the_same_image():
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = VOXELS.shape[2] - 1
    swap = np.eye(4)[[0, 2, 1, 3]]
    stored = Volume(VOXELS[:, :, ::-1].transpose(1, 0, 2), AFFINE @ flip @ swap)
    found = evaluate(stored, REFERENCE)
    assert found.resampled and found.coverage == 1
    assert found.whole.psnr > 90


def test_a_finer_candidate_is_measured_in_patient_space():
    fine = REFERENCE.regridded(np.repeat(VOXELS, 2, axis=0), "k", 0.5)
    assert evaluate(fine, REFERENCE).whole.psnr > evaluate(moved(fine, 0, 0, 0.75), REFERENCE).whole.psnr + 6


def test_only_what_the_candidate_covers_is_measured():
    part = replace(NOISY, voxels=NOISY.voxels[5:], affine=AFFINE @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 5], [0, 0, 0, 1.0]]))
    found = evaluate(part, REFERENCE)
    assert found.coverage == pytest.approx(15 / 20)
    assert found.whole.psnr == pytest.approx(psnr(NOISY.voxels[5:], VOXELS[5:], peak=float(np.ptp(VOXELS))), abs=0.01)
    assert "75.0 %" in found.table()


def test_a_candidate_elsewhere_in_the_patient_is_refused():
    with pytest.raises(RequestError, match="beside"):
        evaluate(moved(NOISY, 500, 0, 0), REFERENCE)


def test_nan_is_refused_before_it_spreads():
    broken = VOXELS.copy()
    broken[3, 3, 3] = np.nan
    with pytest.raises(RequestError, match="NaN"):
        evaluate(moved(REFERENCE.with_voxels(broken), 0.5, 0, 0), REFERENCE)


def test_thin_volumes_have_no_ssim():
    thin = replace(REFERENCE, voxels=VOXELS[5:13])
    found = evaluate(thin.with_voxels(NOISY.voxels[5:13]), thin)
    assert found.whole.ssim is None and found.foreground.ssim is None
    assert found.table().splitlines()[3].split()[3] == "-"


def test_the_dictionary_is_valid_json_even_when_nothing_differs():
    plain = json.loads(json.dumps(evaluate(REFERENCE, REFERENCE).as_dict(), allow_nan=False))
    assert plain["whole"] == {"psnr_db": None, "ncc": pytest.approx(1), "ssim": pytest.approx(1)}
    assert plain["conventions"] == CONVENTIONS and plain["resampled"] is False


def test_the_table_has_a_line_for_each_model_and_one_of_conventions():
    rows = [Row("a-long-model-name", evaluate(NOISY, REFERENCE), 1.25), Row("same", evaluate(REFERENCE, REFERENCE))]
    lines = format_table(rows).splitlines()
    assert len(lines) == 6 and lines[-1] == CONVENTIONS
    cells = lines[3].split()
    assert (cells[0], cells[-1]) == ("a-long-model-name", "1.25")
    assert float(cells[1]) == pytest.approx(psnr(NOISY.voxels, VOXELS), abs=0.005)
    assert math.isinf(float(lines[4].split()[1]))
    assert len(lines[1]) == len(lines[2]) == len(lines[3])


def test_a_report_is_a_table_figures_and_a_picture_in_a_new_folder(tmp_path):
    found = evaluate(NOISY, REFERENCE)
    found.write_report(tmp_path / "report")
    files = ["comparison.csv", "comparison.json", "comparison.png", "evaluation.json", "planes", "report.html", "table.txt"]
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == files
    assert json.loads((tmp_path / "report" / "evaluation.json").read_text())["whole"]["psnr_db"] == found.whole.psnr
    with pytest.raises(RequestError, match="report: exists and is not empty"):
        found.write_report(tmp_path / "report")


def test_a_candidate_on_another_grid_is_resampled_once_for_figures_and_report(tmp_path, monkeypatch):
    resample, grids = grid._resampled, []
    monkeypatch.setattr(grid, "_resampled", lambda *volumes: grids.append(volumes) or resample(*volumes))
    found = evaluate(moved(NOISY, 0.4, 0, 0), REFERENCE)
    found.write_report(tmp_path / "report")
    assert len(grids) == 1
    (entry,) = json.loads((tmp_path / "report" / "comparison.json").read_text())["entries"]
    assert entry["summary"] == as_json([asdict(each) for each in summarise(Reference(REFERENCE).score(moved(NOISY, 0.4, 0, 0)))])


def test_with_the_thick_volume_every_measure_that_needs_it_is_taken(tmp_path):
    thick = degrade(REFERENCE, 2, "k")
    found = evaluate(NOISY, REFERENCE, ["period_energy", "residual"], thick)
    assert found.measures["period_energy"]["value"] is not None
    made = degrade(NOISY, 2, "k").voxels
    assert found.measures["residual"]["value"] == pytest.approx(
        np.sqrt(np.mean((made - thick.voxels) ** 2)) / np.ptp(thick.voxels), rel=1e-4
    )
    found.write_report(tmp_path / "report")
    entries = json.loads((tmp_path / "report" / "comparison.json").read_text())["entries"]
    assert read_trial(tmp_path / "report", entries).thick is not None


def test_intensities_on_another_scale_are_told():
    sound, scaled = evaluate(NOISY, REFERENCE), evaluate(NOISY.with_voxels(4 * NOISY.voxels + 100), REFERENCE)
    assert sound.describe_scale() == []
    (line,) = scaled.describe_scale()
    assert line.startswith("The candidate's intensities are on another scale") and line in scaled.table()
    assert float(line.split()[-2]) == pytest.approx(sound.whole.psnr, abs=0.2)


@pytest.mark.parametrize("moved_by", [np.diag([1, 1, -1, 1.0]), np.array([[1, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])])
def test_a_thick_volume_that_lies_elsewhere_is_refused(moved_by):
    thick = degrade(REFERENCE, 2, "k")
    with pytest.raises(
        RequestError, match="thick volume lies up to .* mm off the candidate; accepted is the one that the candidate was made"
    ):
        evaluate(NOISY, REFERENCE, ["residual"], replace(thick, affine=thick.affine @ moved_by))


def test_the_record_of_a_report_is_that_of_one_model_called_candidate(tmp_path):
    part = replace(NOISY, voxels=NOISY.voxels[5:], affine=AFFINE @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 5], [0, 0, 0, 1.0]]))
    evaluate(part, replace(REFERENCE, source="truths/anna.nii.gz"), ["mse"]).write_report(tmp_path / "report")
    record = json.loads((tmp_path / "report" / "comparison.json").read_text())
    (entry,) = record["entries"]
    assert (entry["model"], entry["file"], entry["subject"], entry["factor"]) == ("candidate", "anna.nii.gz", "anna", None)
    slices = {(each.region, each.along): each for each in summarise(Reference(REFERENCE).score(part))}
    assert entry["summary"][0]["mean"] == pytest.approx(slices["whole", "ijk"].mean), "only where the candidate is"
    mean_square = np.mean((NOISY.voxels[5:] - VOXELS[5:]) ** 2)
    assert entry["measures"]["mse"]["value"] == pytest.approx(mean_square, rel=1e-3) and record["baseline"] == "candidate"
    assert list(read_trial(tmp_path / "report", [entry]).models) == ["candidate"]


def test_measures_of_whole_volumes_stand_under_the_table_and_in_the_dictionary():
    found = evaluate(NOISY, REFERENCE, ["mse", "niqe", "period_energy"])
    lines = found.table().splitlines()
    assert lines[5] == f"mse: {np.mean((NOISY.voxels - VOXELS) ** 2, dtype=float):.5g}"
    assert lines[7].startswith("period_energy: none, needs the factor and one axis")
    assert list(found.as_dict()["measures"]) == ["mse", "niqe", "period_energy"] and "measures" not in evaluate(NOISY, REFERENCE).as_dict()
