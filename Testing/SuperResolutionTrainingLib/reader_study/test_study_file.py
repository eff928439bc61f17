import pytest
import yaml

from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib.reader_study.study_file import KNEE_STRUCTURES, read_study_file

CASE = {"name": "first", "candidates": {"cubic": "a.nrrd", "fast": "b.nrrd"}, "reference": "r.nrrd"}


@pytest.fixture
def read(tmp_path):
    def read(**changes):
        plain = {"title": "Knees", "cases": [CASE]} | changes
        path = tmp_path / "study.yaml"
        path.write_text(yaml.safe_dump({key: value for key, value in plain.items() if value is not None}))
        return read_study_file(path)

    return read


def test_a_case_gets_what_it_does_not_say_from_the_study(read):
    first, second = read(planes=["axial"], cases=[CASE, CASE | {"name": "second", "planes": ["coronal"], "questions": ["nearer"]}]).cases
    assert (first.planes, second.planes) == (("axial",), ("coronal",))
    assert (first.questions, second.questions) == (("sharper",), ("nearer",))
    assert first.structures == KNEE_STRUCTURES


def test_files_are_relative_to_the_study_file(read, tmp_path):
    case = read().cases[0]
    assert case.candidates["cubic"] == str(tmp_path / "a.nrrd") and case.reference == str(tmp_path / "r.nrrd")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"title": None}, "'title' is missing"),
        ({"tilte": "x"}, "unknown key 'tilte'"),
        ({"cases": []}, "no cases"),
        ({"cases": [CASE, CASE]}, "two cases are named 'first'"),
        ({"cases": [CASE | {"candidates": {"cubic": "a.nrrd"}}]}, "at least two"),
        ({"cases": [CASE | {"candidates": {1: "a.nrrd", 2: "b.nrrd"}}]}, "under the name of its method"),
        ({"cases": [CASE | {"reference": ""}], "questions": ["nearer"]}, "'nearer' without a reference"),
        ({"cases": [CASE | {"window": [5.0, 1.0]}]}, "the lower first"),
        ({"questions": ["prettier"]}, "accepted are sharper, nearer, structures"),
        ({"planes": ["axial", "axial"]}, "each once"),
        ({"questions": ["structures"], "structures": ["a:b"]}, "structure 'a:b'"),
        ({"questions": ["structures"], "structures": ["Bone", "bone"]}, "each once"),
        ({"ties": "yes, please"}, "ties: found"),
    ],
)
def test_a_wrong_study_file_is_refused_in_one_line(read, changes, told):
    with pytest.raises(RequestError, match=told) as error:
        read(**changes)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("changes", [{"title": "Cubic or not?"}, {"instructions": "Is it fast?"}, {"structures": ["fast"]}])
def test_no_text_for_readers_may_name_a_method(read, changes):
    with pytest.raises(RequestError, match="names the method"):
        read(**changes)


def test_a_word_that_only_holds_the_name_of_a_method_is_harmless(read):
    assert read(title="Breakfasts").title == "Breakfasts"
