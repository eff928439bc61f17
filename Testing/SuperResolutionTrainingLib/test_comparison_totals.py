import numpy as np
import pytest

from SuperResolutionTrainingLib.comparison_totals import format_comparison, overall
from SuperResolutionTrainingLib.plain_data import as_json
from SuperResolutionTrainingLib.slice_scores import MEASURES, REGIONS


def entry(model, subject, psnr, factor=4, profile="mean", trained_on=False):
    mean = dict.fromkeys(MEASURES, 0.5) | {"psnr": psnr}
    summary = [{"region": region, "along": along, "mean": mean} for region in REGIONS for along in ("ijk", "k")]
    place = {"file": f"{subject}.nii", "series": "", "subject": subject, "coarsen": [1, 1, 1], "axis": "k", "factor": factor}
    return place | {"profile": profile, "model": model, "trained_on": trained_on, "summary": summary}


ENTRIES = [entry("cubic", "a", 30), entry("own", "a", 33), entry("cubic", "b", 34), entry("own", "b", 35, trained_on=True)]


def row(rows, model, region="whole"):
    return next(each for each in rows if (each["model"], each["region"]) == (model, region))


def test_mean_deviation_and_gain_are_over_the_trials():
    own = row(overall(ENTRIES, "cubic"), "own")
    assert (own["trials"], own["subjects"], own["trained_on"]) == (2, 2, True)
    assert (own["mean"]["psnr"], own["deviation"]["psnr"], own["gain_db"], own["worst_gain_db"]) == (34, 1, 2, 1)


def test_gains_are_over_the_baseline_asked_for():
    cubic = row(overall(ENTRIES, "own"), "cubic")
    assert (cubic["gain_db"], cubic["worst_gain_db"]) == (-2, -3)
    assert row(overall(ENTRIES, "own"), "own")["gain_db"] == 0


def test_without_the_baseline_in_one_of_the_trials_there_is_no_gain():
    rows = overall(ENTRIES[1:], "cubic")
    assert np.isnan(row(rows, "own")["gain_db"]) and np.isnan(row(rows, "own")["worst_gain_db"])
    assert row(rows, "cubic")["gain_db"] == 0 and row(rows, "own")["mean"]["psnr"] == 34


def test_factors_and_profiles_are_told_apart():
    entries = [entry("cubic", "a", 30, factor, profile) for factor in (2, 4) for profile in ("mean", "kspace")]
    found = {(each["factor"], each["profile"]) for each in overall(entries, "cubic")}
    assert found == {(2, "mean"), (2, "kspace"), (4, "mean"), (4, "kspace")}


def record(entries, baseline="cubic"):
    return as_json({"conventions": "as always", "baseline": baseline, "models": overall(entries, baseline), "entries": entries})


def test_the_table_has_the_best_model_first_and_says_what_gains_are_over():
    lines = format_comparison(record(ENTRIES)).splitlines()
    assert lines[3].split()[:10] == ["own", "4", "mean", "34.00", "±", "1.00", "+2.00", "+1.00", "0.5000", "±"]
    assert lines[3].endswith("trained on some of these subjects") and lines[4].split()[0] == "cubic"
    assert lines[-1] == "gain: PSNR over that of cubic in the same trial. as always"


@pytest.mark.parametrize("psnr", [31.0, None])
def test_pairs_without_factor_or_baseline_have_dashes(psnr):
    lines = format_comparison(record([entry("ours", "a", psnr or np.nan, None, None)], "theirs")).splitlines()
    assert lines[3].split()[:3] == ["ours", "-", "-"] and lines[3].split().count("-") == (4 if psnr else 5)
