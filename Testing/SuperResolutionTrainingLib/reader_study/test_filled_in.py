import csv
import json

import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib.reader_study.filled_in import take_in, write_form
from SuperResolutionTrainingLib.reader_study.reading import Reading


@pytest.fixture
def study(make_study):
    return make_study(cases=2, questions=["sharper", "structures"], structures=["Bone"])


@pytest.fixture
def saved(study, tmp_path):
    """Write what the questionnaire saves: values are text there."""

    def write(rows, **changes):
        path = tmp_path / "saved.json"
        rows = [dict(zip(("comparison", "question", "value"), answer)) for answer in rows]
        path.write_text(json.dumps({"format": 1, "study": study.id, "reader": "anna", "answers": rows} | changes))
        return path

    return write


def test_saved_answers_are_those_of_the_reader(study, saved):
    path = saved(
        [("case-01", "sharper", "left"), ("case-01", "structure:Bone:left", "4"), ("case-01", "structure:Bone:right", "not present")]
    )
    reading = take_in(study, path)
    assert (len(reading.answers), reading.remaining) == (3, 1)
    assert Reading(study, "anna").answered(reading.comparison("case-01")) == {
        "sharper": "left",
        "structure:Bone:left": 4,
        "structure:Bone:right": "not present",
    }


def test_taking_in_twice_adds_nothing_and_a_changed_answer_replaces(study, saved):
    for value in ("left", "left", "right"):
        reading = take_in(study, saved([("case-01", "sharper", value)]))
    assert [answer.value for answer in reading.answers] == ["right"]
    assert len(reading.path.read_text().splitlines()) == 2


def test_a_form_typed_from_paper(study, tmp_path):
    form = tmp_path / "form.csv"
    write_form(study, "bert", form)
    with form.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 and {row["value"] for row in rows} == {""}
    for row in rows[:-1]:
        row["value"] = " right " if row["question"] == "sharper" else "5"
    # As a spreadsheet in German saves it.
    with form.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    reading = take_in(study, form, tmp_path / "elsewhere")
    assert (len(reading.answers), reading.remaining) == (5, 1)
    assert reading.path == tmp_path / "elsewhere" / "bert.jsonl"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (("case-01", "sharper", "both"), "answer 2: sharper of case-01: found 'both'; accepted are left, right"),
        (("case-01", "structure:Bone:left", "6"), "found 6"),
        (("case-01", "structure:Bone:left", "3.5"), "found '3.5'"),
        (("case-01", "structure:Skin:left", "3"), "question 'structure:Skin:left' of case-01"),
        (("case-09", "sharper", "left"), "comparison 'case-09': accepted are case-01, case-02"),
        (("case-02", "sharper", "right"), "answered twice"),
    ],
)
def test_one_answer_that_does_not_fit_and_none_is_taken(study, saved, answer, told):
    with pytest.raises(RequestError, match=told) as error:
        take_in(study, saved([("case-02", "sharper", "left"), answer]))
    assert "\n" not in str(error.value)
    assert not (study.folder / "answers").exists()


def test_a_value_may_be_written_in_capitals(study, saved):
    reading = take_in(study, saved([("case-01", "sharper", "LEFT"), ("case-01", "structure:Bone:right", "Not present")]))
    assert reading.answered(reading.comparison("case-01")) == {"sharper": "left", "structure:Bone:right": "not present"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"study": "another"}, "of study 'another'"), ({"reader": "../key"}, "reader '../key'"), ({"answers": 3}, "accepted is the file as")],
)
def test_a_file_of_another_study_or_nobody_is_refused(study, saved, changes, told):
    with pytest.raises(RequestError, match=told):
        take_in(study, saved([("case-01", "sharper", "left")], **changes))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("study,reader\n", "header 'study,reader'"),
        ("study,reader,comparison,question,value\nX,anna,case-01,sharper\n", "row 2"),
        ("study,reader,comparison,question,value\n", "no answers"),
        ("study,reader,comparison,question,value\nX,anna,case-01,sharper,left\nX,bert,case-01,sharper,left\n", "answers of anna, bert"),
        ('study,reader,comparison,question,value\nX,anna,"case-01,sharper,left\n', "line"),
    ],
)
def test_a_table_that_is_not_the_form_is_refused(study, tmp_path, text, told):
    (tmp_path / "typed.csv").write_text(text.replace("X", study.id))
    with pytest.raises(RequestError, match=told):
        take_in(study, tmp_path / "typed.csv")


def test_other_files_are_refused(study, tmp_path):
    (tmp_path / "answers.xlsx").write_text("")
    for name, told in (("answers.xlsx", "ending '.xlsx'"), ("none.json", "none.json")):
        with pytest.raises(RequestError, match=told):
            take_in(study, tmp_path / name)
