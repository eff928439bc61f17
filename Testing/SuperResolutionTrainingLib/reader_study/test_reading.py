from collections import Counter
from pathlib import Path

import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib.reader_study.reading import Reading, sides
from SuperResolutionTrainingLib.reader_study.study import Case, Study, VolumeFile


def study_of(cases: int, candidates: int = 2, questions=("sharper",), ties: bool = False, structures=("Bone", "Vessel")) -> Study:
    def case(number: int) -> Case:
        files = tuple(VolumeFile(f"{number:02d}{place}", Path("none")) for place in range(candidates))
        return Case(f"case-{number:02d}", files, VolumeFile(f"{number:02d}r", Path("none")), ("axial",), questions, structures, (0.0, 1.0))

    return Study(Path("none"), "0123456789abcdef", "Title", "", tuple(case(number) for number in range(1, cases + 1)), ties, "hash")


@pytest.fixture
def reading_of(tmp_path):
    return lambda study, reader="anna": Reading(study, reader, tmp_path / "answers")


@pytest.mark.parametrize("reader", ["anna", "bert", "carl", "dora"])
@pytest.mark.parametrize("candidates", [2, 3])
def test_each_place_is_left_equally_often(reader, candidates):
    study = study_of(10, candidates)
    left = Counter()
    for case in study.cases:
        for pair in range(len(case.pairs)):
            tokens = sides(study, reader, case, pair)
            assert sorted(tokens) == [case.candidates[place].token for place in case.pairs[pair]]
            left[tokens[0][-1]] += 1
    assert len(left) == candidates and len(set(left.values())) == 1


def test_an_odd_number_of_cases_is_out_of_balance_by_one_either_way():
    study = study_of(7)
    first = {sum(sides(study, f"r{n}", case)[0].endswith("0") for case in study.cases) for n in range(30)}
    assert first == {3, 4}


def test_sides_are_the_same_for_a_reader_and_others_for_another():
    study = study_of(12)
    drawn = {reader: [sides(study, reader, case) for case in study.cases] for reader in ("anna", "bert")}
    assert drawn["anna"] == [sides(study, "anna", case) for case in study.cases]
    assert drawn["anna"] != drawn["bert"]


def test_comparisons_come_in_an_order_of_the_readers_own(reading_of):
    study = study_of(12)
    orders = [[each.id for each in reading_of(study, reader).comparisons] for reader in ("anna", "anna", "bert")]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2]) == [case.name for case in study.cases] != orders[0]


def test_more_than_two_candidates_are_compared_two_by_two(reading_of):
    found = reading_of(study_of(2, 4)).comparisons
    assert sorted(each.id for each in found) == [f"case-0{case}-{pair}" for case in (1, 2) for pair in range(1, 7)]
    assert len({frozenset((each.left.token, each.right.token)) for each in found}) == 12
    assert all(each.reference == each.case.reference for each in found)


def test_structures_of_each_volume_are_asked_once(reading_of):
    found = reading_of(study_of(3, 3, ("structures",))).comparisons
    asked = Counter()
    for comparison in found:
        assert comparison.questions
        for question in comparison.questions:
            file = comparison.left if question.side == "left" else comparison.right
            asked[file.token, question.structure] += 1
    assert len(asked) == 3 * 3 * 2 and set(asked.values()) == {1}


def test_questions_say_what_is_asked_and_what_is_accepted(reading_of):
    comparison = reading_of(study_of(1, questions=("sharper", "nearer", "structures"))).comparisons[0]
    structures = [f"structure:{name}:{side}" for name in ("Bone", "Vessel") for side in ("left", "right")]
    assert [question.id for question in comparison.questions] == ["sharper", "nearer", *structures]
    assert [question.kind for question in comparison.questions] == ["preference"] * 2 + ["rating"] * 4
    assert comparison.question("sharper").values == ("left", "right")
    assert comparison.question("structure:Bone:left").values == (1, 2, 3, 4, 5, "not present")
    assert comparison.question("structure:Bone:left").text == "Bone, left image"


def test_equal_is_an_answer_only_where_the_study_says_so(reading_of):
    reading_of(study_of(1, ties=True)).answer("sharper", "equal")
    with pytest.raises(RequestError, match="found 'equal'; accepted are left, right$"):
        reading_of(study_of(1), "bert").answer("sharper", "equal")


def test_a_reading_goes_on_where_it_was_left(reading_of):
    study = study_of(5, questions=("sharper", "structures"), structures=("Bone",))
    reading = reading_of(study)
    assert (reading.position, reading.remaining, reading.complete) == (0, 5, False)
    first = reading.comparisons[0]
    reading.answer("sharper", "right", seconds=3.14159)
    assert reading.position == 0
    reading.answer("structure:Bone:left", 3)
    reading.answer("structure:Bone:right", "not present")
    assert (reading.position, reading.remaining) == (1, 4)
    again = reading_of(study)
    assert (again.position, again.remaining) == (1, 4)
    assert again.answered(first) == {"sharper": "right", "structure:Bone:left": 3, "structure:Bone:right": "not present"}
    assert again.answers[0].seconds == 3.1


def test_an_answer_may_be_changed_and_comparisons_answered_in_any_order(reading_of):
    reading = reading_of(study_of(3))
    last = reading.comparisons[2]
    reading.answer("sharper", "left", last)
    assert (reading.position, reading.remaining) == (0, 2)
    reading.answer("sharper", "right", last)
    assert reading.answered(last) == {"sharper": "right"} and len(reading.answers) == 1
    for _ in range(2):
        reading.answer("sharper", "left")
    assert reading.complete and reading.position == 3
    with pytest.raises(RequestError, match="answered everything"):
        reading.answer("sharper", "left")


@pytest.mark.parametrize(("question", "value"), [("sharper", "both"), ("structure:Bone:left", 6), ("structure:Bone:left", "3")])
@pytest.mark.parametrize("kind", [None, float, bool])
def test_what_is_no_answer_is_refused(reading_of, question, value, kind):
    reading = reading_of(study_of(1, questions=("sharper", "structures")))
    with pytest.raises(RequestError, match="accepted are"):
        reading.answer(question, kind(1) if kind else value)
    with pytest.raises(RequestError, match="question 'prettier' of case-01"):
        reading.answer("prettier", "left")
    assert not reading.path.exists()


def test_answers_to_other_volumes_than_were_shown_are_refused(reading_of):
    reading = reading_of(study_of(1))
    reading.answer("sharper", "left")
    left, right = reading.comparisons[0].left.token, reading.comparisons[0].right.token
    text = reading.path.read_text()
    reading.path.write_text(text.replace(f'"{left}"', '"x"').replace(f'"{right}"', f'"{left}"').replace('"x"', f'"{right}"'))
    with pytest.raises(RequestError, match="other volumes than this reader was shown"):
        reading_of(study_of(1))
