import json

import pytest

from SuperResolutionLib.benchmark.record import read_record
from SuperResolutionLib.errors import RequestError


def test_a_record_survives_its_file(make_record, make_timing, tmp_path):
    record = make_record(make_timing(), make_timing(contestant="eclare", kind="peer", seconds=(), stages=(), problem="not measured"))
    record.write(tmp_path / "record.json")
    assert read_record(tmp_path / "record.json") == record
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_a_record_holds_the_figures_that_follow(make_record):
    timing = make_record().as_dict()["timings"][0]
    assert timing["share_of_ceiling"] == pytest.approx(0.6) and timing["share_around"] == pytest.approx(0.2)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 99}', '{"format": 1, "date": "today"}'])
def test_anything_else_is_refused(tmp_path, text):
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(RequestError, match="record.json.*accepted"):
        read_record(path)


def test_a_record_with_a_broken_timing_is_refused(make_record, tmp_path):
    data = make_record().as_dict()
    del data["timings"][0]["seconds"]
    (tmp_path / "record.json").write_text(json.dumps(data))
    with pytest.raises(RequestError, match="seconds"):
        read_record(tmp_path / "record.json")
