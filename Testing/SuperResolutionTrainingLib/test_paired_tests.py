from itertools import product

import numpy as np
import pytest
from scipy.stats import rankdata

from SuperResolutionTrainingLib.paired_tests import compared, holm, interval, paired_tests
from SuperResolutionTrainingLib.slice_scores import MEASURES, REGIONS


def entry(model, subject, psnr, file="scan", axis="k", factor=4, profile="mean"):
    mean = dict.fromkeys(MEASURES, 0.5) | {"psnr": psnr}
    summary = [{"region": region, "along": along, "mean": mean} for region in REGIONS for along in ("ijk", "k")]
    place = {"file": file, "series": "", "subject": subject, "coarsen": [1, 1, 1], "axis": axis, "factor": factor, "profile": profile}
    return place | {"model": model, "summary": summary}


def psnr_tests(entries, region="whole"):
    return [test for test in paired_tests(entries) if (test["region"], test["measure"]) == (region, "psnr")]


def signed_rank_p(differences):
    """Count, over all ways to turn signs round, the rank sums at least as far from the middle as the one found."""
    values = np.array([value for value in differences if value])
    ranks = rankdata(np.abs(values))
    middle = ranks.sum() / 2
    found = abs(ranks[values > 0].sum() - middle)
    sums = [ranks[np.array(signs) > 0].sum() for signs in product((-1, 1), repeat=len(values))]
    return np.mean([abs(each - middle) >= found - 1e-9 for each in sums])


def step_down(p):
    """Holm's procedure as he states it: the smallest p against alpha / m, the next against alpha / (m − 1), until one is too large."""
    order = sorted(range(len(p)), key=lambda place: p[place])
    rejected_at = {}
    for alpha in np.linspace(0, 1, 10001):
        for step, place in enumerate(order):
            if p[place] > alpha / (len(p) - step) + 1e-12:
                break
            rejected_at.setdefault(place, alpha)
    return [rejected_at.get(place, 1.0) for place in range(len(p))]


@pytest.mark.parametrize("differences", [[0.3, 0.1, -0.2, 0.5, 0.7, 0.9], [1.5, -0.5], [0.25], list(np.linspace(-1, 2.1, 9))])
def test_p_is_that_of_every_way_to_turn_signs_round(differences):
    assert compared(differences)["p"] == pytest.approx(signed_rank_p(differences))


@pytest.mark.parametrize("differences", [[1, 1, -1, 2, 2, 3], [0, 0, 1, 2, 3], [0, 1, 1, -1, 4, 0, 5]])
def test_p_is_exact_with_ties_and_zeros_too(differences):
    assert compared(differences)["p"] == pytest.approx(signed_rank_p(differences))


@pytest.mark.parametrize("count", [2, 6, 10])
def test_where_all_subjects_gain_the_same_the_interval_is_a_point_and_p_the_smallest(count):
    found = compared([0.5] * count)
    assert (found["mean_difference"], found["interval"]) == (0.5, (0.5, 0.5))
    assert found["p"] == pytest.approx(2.0 ** (1 - count))


def test_no_difference_at_all_is_no_evidence():
    found = compared([0, 0, 0])
    assert (found["p"], found["interval"], found["mean_difference"]) == (1, (0, 0), 0)


def test_one_subject_has_no_interval_and_says_so():
    found = compared([0.4])
    assert (found["subjects"], found["interval"], found["p"]) == (1, None, 1)
    assert found["note"] == "too few subjects (1 that differ): p cannot fall below 1"


def test_a_note_stands_where_p_cannot_reach_five_per_cent():
    assert compared([1, 2, 3, 4, 5])["note"] == "too few subjects (5 that differ): p cannot fall below 0.0625"
    assert "note" not in compared([1, 2, 3, 4, 5, 6])
    assert "note" in compared([1, 2, 3, 4, 5, 0])


def test_the_interval_is_that_of_all_resamples_of_two_subjects():
    """Of the means of 0 and 1 drawn twice a quarter is 0 and a quarter is 1."""
    assert interval(np.array([0.0, 1.0])) == (0, 1)


def test_the_interval_of_many_is_near_the_normal_one_and_the_same_each_time():
    values = np.random.default_rng(0).normal(0.3, 1, 200)
    error = 1.96 * values.std() / np.sqrt(200)
    assert interval(values) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.02)
    assert interval(values) == interval(values)


@pytest.mark.parametrize("p", [[0.01, 0.04, 0.03, 0.005], [0.5], [0.02, 0.02, 0.02], [0.6, 0.001, 0.9]])
def test_holm_corrects_as_the_step_down_procedure_rejects(p):
    assert holm(p) == pytest.approx(step_down(p), abs=2e-4)


def test_holm_of_nothing_is_nothing():
    assert holm([]) == []


def test_the_unit_is_the_subject_with_the_mean_over_its_trials():
    values = {("anna", "i"): (31, 30), ("anna", "k"): (33, 30), ("bert", "i"): (29, 30), ("bert", "k"): (30, 30)}
    entries = [
        entry(model, *place[:1], psnr, axis=place[1]) for place, pair in values.items() for model, psnr in zip(("own", "cubic"), pair)
    ]
    (test,) = psnr_tests(entries)
    assert (test["first"], test["second"], test["subjects"]) == ("own", "cubic", 2)
    assert test["mean_difference"] == pytest.approx((2 - 0.5) / 2) and test["interval"] == (-0.5, 2)


def test_a_trial_that_one_of_the_two_lacks_counts_for_neither():
    entries = [entry("own", "anna", 31), entry("cubic", "anna", 30), entry("own", "bert", 50), entry("cubic", "carl", 10)]
    entries += [entry("own", "dora", None), entry("cubic", "dora", 3)]
    (test,) = psnr_tests(entries)
    assert (test["subjects"], test["mean_difference"]) == (1, 1)


def test_pairs_of_models_are_corrected_together_and_settings_apart():
    subjects = "abcdefg"
    entries = [
        entry(model, subject, level + 0.1 * number, factor=factor)
        for factor in (2, 4)
        for number, subject in enumerate(subjects)
        for model, level in (("cubic", 30), ("own", 31 + 0.01 * number), ("large", 32 - 0.02 * number))
    ]
    found = psnr_tests(entries)
    assert [(test["factor"], test["first"], test["second"]) for test in found] == [
        (factor, *pair) for factor in (2, 4) for pair in (("cubic", "own"), ("cubic", "large"), ("own", "large"))
    ]
    assert all(test["p"] == pytest.approx(2**-6) and test["p_holm"] == pytest.approx(3 * 2**-6) for test in found)


def test_a_single_model_is_held_against_nothing():
    assert paired_tests([entry("cubic", "anna", 30)]) == []
