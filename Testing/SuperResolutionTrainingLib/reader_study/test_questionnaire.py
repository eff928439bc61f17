import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume
from SuperResolutionTrainingLib.reader_study.questionnaire import write_questionnaire
from SuperResolutionTrainingLib.reader_study.reading import RATING_QUESTION, SCALE, Reading


class Read(HTMLParser):
    """What a page holds: images by section, boxes to tick, and everything that it would fetch."""

    def __init__(self, text):
        super().__init__()
        self.images, self.boxes, self.fetched, self.section = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.section = found.get("data-comparison", self.section)
        if tag == "img" and found.get("src"):
            self.images.append((self.section, found["alt"], found["src"]))
        if tag == "input":
            self.boxes.append((self.section, found["data-question"], found["value"]))
        self.fetched += [value for name, value in attributes if name in ("src", "href") and not value.startswith("data:")]


@pytest.fixture
def page(make_study, tmp_path):
    def page(reader="anna", **changes):
        study = make_study(**({"questions": ["sharper", "nearer", "structures"], "structures": ["Bone <1>"]} | changes))
        write_questionnaire(study, reader, tmp_path / "page.html")
        return study, (tmp_path / "page.html").read_text(encoding="utf-8")

    return page


def pixels(source):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition("base64,")[2]))))


def test_each_question_of_the_reader_has_a_box_for_each_value(page):
    study, text = page()
    expected = [
        (comparison.id, question.id, str(value))
        for comparison in Reading(study, "anna").comparisons
        for question in comparison.questions
        for value in question.values
    ]
    assert Read(text).boxes == expected


def test_three_slices_of_each_plane_with_the_reference_in_the_middle(page):
    study, text = page(cases=1, planes=["coronal", "axial"])
    images = Read(text).images
    assert len(images) == 3 * 3 * 2
    assert [alt.partition(":")[0] for _, alt, _ in images[:3]] == ["Left", "Reference", "Right"]
    assert [alt.split()[1] for _, alt, _ in images] == ["coronal,"] * 9 + ["axial,"] * 9
    places = [re.search(r"slice (\d+) of (\d+)", alt).groups() for _, alt, _ in images[9::3]]
    assert [int(place) for place, _ in places] == sorted({int(place) for place, _ in places}) and places[0][1] == "12"


def test_pictures_are_the_slices_of_the_volumes_that_stand_there(page):
    study, text = page(cases=1, planes=["axial"])
    comparison = Reading(study, "anna").comparisons[0]
    low, high = comparison.case.window
    for file, (_, alt, source) in zip((comparison.left, comparison.reference, comparison.right), Read(text).images):
        place = int(re.search(r"slice (\d+)", alt).group(1)) - 1
        shown = read_volume(file.path).voxels[place].astype(float)
        assert np.array_equal(pixels(source), np.rint(255 * np.clip((shown - low) / (high - low), 0, 1)))


def test_the_scale_is_told_in_words(page):
    text = page()[1]
    assert text.count(SCALE) == text.count(RATING_QUESTION) == 4


def test_the_page_needs_nothing_else_and_tells_nothing(page):
    study, text = page()
    assert Read(text).fetched == [] and "http" not in text
    for word in ("spline", "zeta", "smith", *(file.token for case in study.cases for file in case.candidates)):
        assert word not in text.lower()
    assert "Bone &lt;1&gt;" in text and "Bone <1>" not in text


def test_pictures_carry_nothing_but_pixels(page):
    for _, _, source in Read(page(cases=1)[1]).images:
        assert Image.open(io.BytesIO(base64.b64decode(source.partition("base64,")[2]))).info == {}


def test_a_wrong_reader_or_place_is_refused(make_study, tmp_path):
    study = make_study(cases=1)
    with pytest.raises(RequestError, match="reader 'a/b'"):
        write_questionnaire(study, "a/b", tmp_path / "page.html")
    with pytest.raises(RequestError, match="there is no folder"):
        write_questionnaire(study, "anna", tmp_path / "none" / "page.html")
