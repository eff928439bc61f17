"""Two readers with a known bias, from the prepared study to the figures."""

import json

import numpy as np
import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib.reader_study.reading import Reading
from SuperResolutionTrainingLib.reader_study.results import results

CASES = 8


@pytest.fixture
def key(tmp_path):
    return lambda: json.loads((tmp_path / "key.json").read_text())


@pytest.fixture
def read_as(key):
    """Let a scripted reader, who has seen the key, answer everything: `prefer` gives a method, `rate` a rating of a method in a case."""

    def read(study, reader, prefer, rate=lambda method, number: 3):
        methods = {token: each["method"] for case in key()["cases"] for token, each in case["candidates"].items()}
        reading = Reading(study, reader)
        while not reading.complete:
            comparison = reading.comparisons[reading.position]
            number = int(comparison.case.name[-2:])
            shown = {"left": methods[comparison.left.token], "right": methods[comparison.right.token]}
            for question in comparison.questions:
                if question.kind == "rating":
                    value = rate(shown[question.side], number)
                else:
                    wanted = prefer(question.id, number, shown.values())
                    value = next((side for side, method in shown.items() if method == wanted), "equal")
                reading.answer(question.id, value, seconds=1)
        return reading

    return read


@pytest.fixture
def two_readers(make_study, read_as):
    """anna always finds zeta_net sharper, bert in all but two cases; anna finds spline_up nearer in every case, bert in every other."""
    study = make_study(cases=CASES, questions=["sharper", "nearer", "structures"], structures=["Bone"])
    read_as(study, "anna", lambda question, number, shown: "zeta_net" if question == "sharper" else "spline_up", rate_of_anna)
    read_as(study, "bert", bert_prefers, rate_of_bert)
    return study


def rate_of_anna(method, number):
    return 4 + number % 2 if method == "zeta_net" else 2


def rate_of_bert(method, number):
    if number == 1:
        return "not present"
    return 4 + (number + (number == 8)) % 2 if method == "zeta_net" else 2


def bert_prefers(question, number, shown):
    if question == "sharper":
        return "spline_up" if number in (2, 5) else "zeta_net"
    return "spline_up" if number % 2 else "zeta_net"


def row(rows, **wanted):
    (found,) = [each for each in rows if all(each[name] == value for name, value in wanted.items())]
    return found


def test_the_bias_of_the_readers_is_found_whatever_side_the_methods_were_on(two_readers, tmp_path):
    found = results(two_readers.folder, tmp_path / "key.json")
    sharper = row(found.record["preferences"], question="sharper", reader="all readers")
    assert (sharper["first"], sharper["second"]) == ("spline_up", "zeta_net")
    assert (sharper["for_first"], sharper["for_second"], sharper["equal"], sharper["share_first"]) == (2, 14, 0, 2 / 16)
    # statsmodels 0.15.0: proportion_confint(14, 16, method="beta") = (0.6165237631507364, 0.9844863961845861)
    assert sharper["interval"] == pytest.approx([1 - 0.9844863961845861, 1 - 0.6165237631507364])
    assert sharper["p"] == pytest.approx(2 * (120 + 16 + 1) / 2**16)
    by_reader = {
        name: row(found.record["preferences"], question="sharper", reader=name) for name in ("anna", "bert", "majority of readers")
    }
    assert [(each["for_first"], each["for_second"]) for each in by_reader.values()] == [(0, 8), (2, 6), (0, 6)]
    assert by_reader["majority of readers"]["equal"] == 2
    assert by_reader["anna"]["p"] == pytest.approx(2 / 2**8)
    nearer = row(found.record["preferences"], question="nearer", reader="all readers")
    assert (nearer["for_first"], nearer["for_second"]) == (12, 4)


def test_ratings_are_means_over_volumes_and_readers(two_readers, tmp_path):
    ratings = results(two_readers.folder, tmp_path / "key.json").record["ratings"]
    values = [rate_of_anna("zeta_net", number) for number in range(1, 9)] + [rate_of_bert("zeta_net", number) for number in range(2, 9)]
    found = row(ratings, structure="Bone", method="zeta_net", reader="all readers")
    assert (found["n"], found["not_present"]) == (15, 1)
    assert (found["mean"], found["standard_deviation"]) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    spline = row(ratings, structure="Bone", method="spline_up", reader="bert")
    assert (spline["n"], spline["mean"], spline["standard_deviation"], spline["not_present"]) == (7, 2, 0, 1)
    assert row(ratings, structure="all structures", method="zeta_net", reader="all readers")["mean"] == found["mean"]


def test_agreement_is_that_of_the_answers(two_readers, tmp_path):
    agreement = results(two_readers.folder, tmp_path / "key.json").record["agreement"]
    # anna said one thing throughout, so chance explains all that agrees.
    assert row(agreement, on="sharper")["kappa"] == pytest.approx(0)
    assert (row(agreement, on="sharper")["items"], row(agreement, on="sharper")["kind"]) == (8, "Cohen")
    rated = row(agreement, on="Bone")
    assert rated["items"] == 14  # of 16 volumes, the two of the case where bert saw no bone are left out
    anna = [2] * 7 + [rate_of_anna("zeta_net", number) for number in range(2, 9)]
    bert = [2] * 7 + [rate_of_bert("zeta_net", number) for number in range(2, 9)]
    squares = np.subtract(anna, bert) ** 2
    chance = np.subtract.outer(anna, bert) ** 2
    assert rated["kappa"] == pytest.approx(1 - squares.mean() / chance.mean())
    assert 0.9 < rated["icc_2_1"] < rated["icc_2_k"] < 1


def test_three_readers_and_three_methods(make_study, read_as, tmp_path):
    study = make_study(cases=4, methods=("aa", "bb", "cc"), questions=["sharper"], ties=True)
    best = {"anna": "aa", "bert": "aa", "carl": "bb"}
    for reader, method in best.items():
        read_as(study, reader, lambda question, number, shown, method=method: method)
    record = results(study.folder, tmp_path / "key.json").record
    found = row(record["preferences"], first="aa", second="bb", reader="all readers")
    assert (found["for_first"], found["for_second"], found["equal"]) == (8, 4, 0)
    neither = row(record["preferences"], first="bb", second="cc", reader="majority of readers")
    assert (neither["for_first"], neither["for_second"], neither["equal"]) == (4, 0, 0)
    assert row(record["preferences"], first="bb", second="cc", reader="anna")["interval"] is None
    assert row(record["agreement"], pair=["aa", "bb"]) == {
        "on": "sharper",
        "pair": ["aa", "bb"],
        "readers": 3,
        "items": 4,
        # Each item: two for aa, one for bb. Observed 1/3, chance 4/9 + 1/9.
        "kappa": pytest.approx((1 / 3 - 5 / 9) / (1 - 5 / 9)),
        "kind": "Fleiss",
    }


def test_answers_are_unblinded_one_by_one(two_readers, tmp_path, key):
    found = results(two_readers.folder, tmp_path / "key.json").answers
    assert len(found) == 2 * CASES * 4
    assert {answer.method for answer in found if answer.reader == "anna" and answer.question == "sharper"} == {"zeta_net"}
    for answer in found:
        assert {answer.left, answer.right} == {"spline_up", "zeta_net"}
        assert answer.name == next(case["name"] for case in key()["cases"] if case["case"] == answer.case)
        if answer.structure:
            assert answer.method == (answer.left if answer.side == "left" else answer.right)


def test_a_reader_who_is_not_done_counts_with_what_is_there(two_readers, tmp_path):
    reading = Reading(two_readers, "carl")
    reading.answer("sharper", "left")
    record = results(two_readers.folder, tmp_path / "key.json").record
    assert row(record["readers"], reader="carl") == {"reader": "carl", "comparisons": CASES, "remaining": CASES}
    assert row(record["agreement"], on="sharper")["items"] == 1


def test_a_key_that_was_touched_is_refused(two_readers, tmp_path):
    path = tmp_path / "key.json"
    path.write_text(path.read_text().replace("spline_up", "zeta_two"))
    with pytest.raises(RequestError, match="not the key that"):
        results(two_readers.folder, path)
    with pytest.raises(RequestError, match="No such file"):
        results(two_readers.folder, tmp_path / "lost.json")


def test_a_study_without_answers_has_no_results(make_study, tmp_path):
    with pytest.raises(RequestError, match="no answers"):
        results(make_study().folder, tmp_path / "key.json")
