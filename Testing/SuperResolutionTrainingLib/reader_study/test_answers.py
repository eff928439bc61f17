import json
from dataclasses import asdict, replace

import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib.reader_study.answers import Answer, AnswersFile, check_reader

ANSWER = Answer("s1", "anna", "case-01", "case-01", "aa", "bb", "sharper", None, None, "left", 2.5, "2025-01-01T00:00:00+00:00")
RATING = replace(ANSWER, question="structure", structure="Knorpel, äußerer", side="left", value=4)


def test_answers_come_back_as_they_were_given(tmp_path):
    file = AnswersFile(tmp_path / "answers", "s1", "anna")
    for answer in (ANSWER, RATING):
        file.append(answer)
    again = AnswersFile(tmp_path / "answers", "s1", "anna")
    assert list(again.latest.values()) == [ANSWER, RATING]
    assert RATING.question_id == "structure:Knorpel, äußerer:left"


def test_a_later_answer_counts_and_the_earlier_stays_in_the_file(tmp_path):
    file = AnswersFile(tmp_path, "s1", "anna")
    for value in ("left", "right"):
        file.append(replace(ANSWER, value=value))
    assert [answer.value for answer in AnswersFile(tmp_path, "s1", "anna").latest.values()] == ["right"]
    assert len(file.path.read_text().splitlines()) == 2


@pytest.mark.parametrize("kept", range(1, 260, 37))
def test_half_a_line_of_a_killed_process_is_dropped_and_nothing_else(tmp_path, kept):
    file = AnswersFile(tmp_path, "s1", "anna")
    file.append(ANSWER)
    with file.path.open("ab") as half:
        half.write(json.dumps(asdict(RATING), ensure_ascii=False).encode()[:kept])
    file = AnswersFile(tmp_path, "s1", "anna")
    assert list(file.latest.values()) == [ANSWER]
    file.append(RATING)
    assert list(AnswersFile(tmp_path, "s1", "anna").latest.values()) == [ANSWER, RATING]


def test_a_line_that_only_lacks_its_end_is_kept(tmp_path):
    file = AnswersFile(tmp_path, "s1", "anna")
    file.append(ANSWER)
    file.path.write_bytes(file.path.read_bytes().rstrip(b"\n"))
    file = AnswersFile(tmp_path, "s1", "anna")
    file.append(RATING)
    assert list(AnswersFile(tmp_path, "s1", "anna").latest.values()) == [ANSWER, RATING]


def test_answers_of_another_study_or_reader_are_refused(tmp_path):
    AnswersFile(tmp_path, "s1", "anna").append(ANSWER)
    with pytest.raises(RequestError, match="line 1: of study s1 and reader anna"):
        AnswersFile(tmp_path, "s2", "anna")
    (tmp_path / "anna.jsonl").rename(tmp_path / "bert.jsonl")
    with pytest.raises(RequestError, match="accepted are answers of study s1 and reader bert"):
        AnswersFile(tmp_path, "s1", "bert")


@pytest.mark.parametrize("line", ['["left"]', '{"value": "left"}', '"half"'])
def test_a_line_that_is_no_answer_is_refused(tmp_path, line):
    (tmp_path / "anna.jsonl").write_text(line + "\n")
    with pytest.raises(RequestError, match="line 1: found"):
        AnswersFile(tmp_path, "s1", "anna")


def test_two_ways_to_write_a_name_are_refused(tmp_path):
    AnswersFile(tmp_path, "s1", "anna").append(ANSWER)
    with pytest.raises(RequestError, match="answers of 'anna' already"):
        AnswersFile(tmp_path, "s1", "Anna")


@pytest.mark.parametrize("name", ["", "../anna", "a b", ".anna", "-anna", "anna.jsonl", "änna", "a" * 41, "NUL", "com1", "a\n"])
def test_what_is_no_file_name_is_no_reader(name):
    with pytest.raises(RequestError, match="reader"):
        check_reader(name)


def test_plain_names_are_readers():
    assert [check_reader(name) for name in ("anna", "Reader-2", "r_3", "7")] == ["anna", "Reader-2", "r_3", "7"]
