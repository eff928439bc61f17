import json

import numpy as np
import pytest
from scipy.stats import rankdata

from SuperResolutionLib.cli import main
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import write_volume
from SuperResolutionLib.metrics import foreground
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.calibration import calibrate
from SuperResolutionTrainingLib.evaluation import evaluate

SHAPE = (20, 22, 24)


def volume(voxels):
    return Volume(voxels.astype(np.float32), np.diag([0.5, 0.6, 0.7, 1]))


@pytest.fixture
def reference():
    k, j, i = np.ogrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j, -1 : 1 : SHAPE[2] * 1j]
    return volume(1000.0 * (k**2 + j**2 + i**2 < 0.6) + 50 * k)


@pytest.fixture
def make_candidate(reference):
    """Return a spread, and a candidate whose error is normal with so many times that spread."""

    def make(times):
        random = np.random.default_rng(0)
        spread = random.uniform(1, 20, SHAPE)
        return volume(spread), volume(reference.voxels + times * spread * random.normal(size=SHAPE))

    return make


def test_a_spread_that_is_the_error_orders_all_voxels(reference, make_candidate):
    _, candidate = make_candidate(3)
    error = np.abs(candidate.voxels - reference.voxels)
    found = calibrate(volume(error / 4), candidate, reference)
    for each in (found.whole, found.foreground):
        assert each.rank_correlation == pytest.approx(1) and each.factor == pytest.approx(4, rel=1e-4)
        assert each.within_two == 1
        np.testing.assert_allclose(each.rms_error, 4 * np.array(each.rms_spread), rtol=1e-4)
        assert list(each.rms_spread) == sorted(each.rms_spread) and len(each.rms_spread) == 10


def test_a_spread_that_has_nothing_to_do_with_the_error_tells_nothing(reference, make_candidate):
    spread, _ = make_candidate(1)
    candidate = volume(reference.voxels + np.random.default_rng(1).normal(0, 5, SHAPE))
    found = calibrate(spread, candidate, reference).whole
    assert abs(found.rank_correlation) < 0.05
    np.testing.assert_allclose(found.rms_error, 5, rtol=0.1)


def test_normal_errors_lie_within_the_scaled_spread_as_they_should(reference, make_candidate):
    found = calibrate(*make_candidate(2.5), reference).whole
    assert found.factor == pytest.approx(2.5, rel=0.03)
    assert (found.within_one, found.within_two) == pytest.approx((0.683, 0.954), abs=0.01)
    assert 0.3 < found.rank_correlation < 0.8


def test_the_bins_hold_equally_many_voxels_and_all_of_the_error(reference, make_candidate):
    spread, candidate = make_candidate(1)
    found, error = calibrate(spread, candidate, reference), candidate.voxels - reference.voxels
    assert np.mean(np.square(found.whole.rms_error)) == pytest.approx(np.mean(np.square(error)), rel=1e-2)
    inside = foreground(reference.voxels)
    lowest = np.square(spread.voxels[inside])[rankdata(spread.voxels[inside]) <= inside.sum() / 10]
    assert found.foreground.rms_spread[0] == pytest.approx(np.sqrt(lowest.mean()), rel=1e-2)


def test_where_there_is_no_error_there_is_no_order(reference, make_candidate):
    found = calibrate(make_candidate(1)[0], reference, reference).whole
    assert (found.rank_correlation, found.factor, found.within_one) == (None, 0, 1)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda spread: 0 * spread, "accepted are numbers from 0 that are not all 0"),
        (lambda spread: spread - 5, "spread from -"),
        (lambda spread: np.where(spread > 19, np.nan, spread), "spread from nan"),
        (lambda spread: spread[:-1], "spread on another grid than the reference"),
    ],
)
def test_what_is_no_spread_of_the_candidate_is_refused(reference, make_candidate, change, found):
    spread, candidate = make_candidate(1)
    with pytest.raises(RequestError, match=found):
        calibrate(volume(change(spread.voxels)), candidate, reference)


def test_a_candidate_on_another_grid_than_the_reference_is_refused(reference, make_candidate):
    spread, candidate = make_candidate(1)
    with pytest.raises(RequestError, match="candidate on another grid than the reference"):
        calibrate(spread, volume(candidate.voxels[:-1]), reference)


def test_the_report_and_its_record_carry_the_calibration(reference, make_candidate, tmp_path):
    spread, candidate = make_candidate(1)
    evaluation = evaluate(candidate, reference, spread=spread)
    evaluation.write_report(tmp_path / "report")
    expected = json.loads(json.dumps(evaluation.calibration.as_dict()))
    assert json.loads((tmp_path / "report" / "evaluation.json").read_text())["calibration"] == expected
    (entry,) = json.loads((tmp_path / "report" / "comparison.json").read_text())["entries"]
    assert entry["calibration"] == expected
    assert "rank corr." in (tmp_path / "report" / "table.txt").read_text()


def test_evaluate_with_a_spread_prints_its_calibration_under_the_metrics(reference, make_candidate, tmp_path, capsys):
    spread, candidate = make_candidate(1)
    paths = [tmp_path / f"{name}.nrrd" for name in ("fine", "truth", "fine-spread")]
    for path, each in zip(paths, (candidate, reference, spread)):
        write_volume(each, path)
    command = ["evaluate", str(paths[0]), str(paths[1]), "--spread", str(paths[2])]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines.index(next(line for line in lines if "rank corr." in line)) > lines.index(next(line for line in lines if "PSNR" in line))
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["calibration"]["whole"]["factor"] == pytest.approx(1, rel=0.05)


def test_a_spread_goes_with_a_pair_alone(tmp_path, capsys):
    assert main(["evaluate", "--data", str(tmp_path), "--spread", "fine-spread.nrrd"]) == 2
    assert "--spread does not go with --data" in capsys.readouterr().err
