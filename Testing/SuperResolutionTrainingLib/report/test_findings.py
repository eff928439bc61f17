"""The result in sentences: which model is best, by how much, how certain that is, and whether it knew the subjects."""

import pytest

from SuperResolutionTrainingLib.report.findings import findings


def subjects(number):
    return [f"s{each}" for each in range(number)]


def text(record):
    (finding,) = findings(record)
    return finding.text.replace("\u00a0", " ")


def test_the_best_model_is_told_with_its_gain_and_the_interval_over_subjects(make_record):
    record = make_record(subjects=subjects(9))
    test = next(each for each in record["tests"] if (each["first"], each["second"], each["measure"]) == ("cubic", "fast", "psnr"))
    row = next(each for each in record["models"] if each["model"] == "fast")
    low, high = (-bound for bound in reversed(test["interval"]))
    expected = (
        f"fast came nearest to the truth: {row['mean']['psnr']:.2f} dB PSNR on average, {-test['mean_difference']:.2f} dB "
        f"(95 % interval {low:.2f} to {high:.2f} dB) above cubic (9 subjects)."
    )
    assert text(record).startswith(expected)


@pytest.mark.parametrize(
    ("number", "gains", "expected"),
    [
        (1, None, "One subject cannot tell whether that holds for others."),
        (3, None, "3 subjects are too few for a test: corrected for 3 pairs of models, none can reach p < 0.05."),
        (9, None, "The difference from cubic is significant (Wilcoxon, Holm-corrected p = 0.012); so is that from the next best, linear"),
        (9, (0, 1, 1.01), "The difference from cubic is significant (Wilcoxon, Holm-corrected p = 0.012), but not that from the next best"),
        (9, (0, 0.005, 0.01), "The difference from cubic is not significant"),
    ],
)
def test_how_certain_it_is_depends_on_the_subjects(make_record, number, gains, expected):
    assert expected in text(make_record(subjects=subjects(number), gains=gains))


def test_two_models_of_six_subjects_can_be_told_apart(make_record):
    record = make_record(models=("cubic", "fast"), subjects=subjects(6))
    assert "The difference from cubic is significant (Wilcoxon, Holm-corrected p = 0.031)." in text(record)
    record = make_record(models=("cubic", "fast"), subjects=subjects(5))
    assert "5 subjects are too few for a test: none can reach p < 0.05." in text(record)


def test_a_baseline_that_no_model_beats_is_named(make_record):
    assert text(make_record(gains=(0, -3, -1))).startswith("No model came nearer to the truth than cubic: ")
    assert " above fast (3 subjects)." in text(make_record(gains=(0, -3, -1)))


def test_a_best_model_that_knows_subjects_is_told_with_the_best_that_does_not(make_record):
    record = make_record(change=lambda entry: entry | {"trained_on": (entry["model"], entry["subject"]) == ("fast", "anna")})
    linear = next(each["mean"]["psnr"] for each in record["models"] if each["model"] == "linear")
    assert text(record).endswith(
        "fast was trained on some of these subjects, so its figures say less about new ones. "
        f"Of those that knew none of them, linear came nearest: {linear:.2f} dB."
    )


def test_a_model_alone_is_held_against_nothing(make_record):
    assert text(make_record(models=["cubic"])).endswith("over 3 subjects. There is no other model to hold it against.")


def test_every_setting_has_its_finding(make_record):
    assert [each.setting for each in findings(make_record(factors=(2, 4)))] == ["×2, profile mean", "×4, profile mean"]


def test_without_tests_nothing_is_said_of_chance(make_record):
    assert "No paired test was made" in text(make_record(tests=False))


def test_a_model_without_a_mean_is_named_and_not_ranked(make_record):
    record = make_record()
    next(row for row in record["models"] if row["model"] == "fast")["mean"]["psnr"] = None
    assert "fast is not ranked: in one trial or more there is no PSNR" in text(record)


def test_the_subjects_of_a_lead_are_those_that_both_models_have(make_record):
    record = make_record(subjects=subjects(9))
    for test in record["tests"]:
        test["subjects"] = 7
    assert " above cubic (7 subjects). " in text(record)
