import json

import pytest

from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionTrainingLib.comparison_record import FILE, ComparisonRecord, is_complete, state_of

PLACE = {"file": "a.nii", "series": "", "subject": "a", "coarsen": [1, 1, 1], "axis": "k", "factor": 2, "profile": "mean"}
ENTRY = PLACE | {"model": "own", "weights_sha256": "1", "consistency": True, "curves": {}, "measures": {}, "planes": "own.npz"}


def test_an_entry_is_in_the_file_at_once_and_found_again(tmp_path):
    with ComparisonRecord(tmp_path / "out") as kept:
        kept.add(ENTRY)
        assert json.loads((tmp_path / "out" / FILE).read_text()) == ENTRY
    with ComparisonRecord(tmp_path / "out") as kept:
        assert kept.get(ENTRY) == ENTRY and kept.get(ENTRY | {"weights_sha256": "2"}) is None


def test_what_was_measured_anew_takes_the_place_of_the_older(tmp_path):
    for seconds in (1, 2):
        with ComparisonRecord(tmp_path) as kept:
            kept.add(ENTRY | {"seconds": seconds})
    with ComparisonRecord(tmp_path) as kept:
        assert kept.get(ENTRY)["seconds"] == 2
    assert len((tmp_path / FILE).read_text().splitlines()) == 1


def test_volumes_whose_files_changed_are_others():
    with ComparisonRecord(None) as kept:
        kept.add(ENTRY | {"files_state": "1"})
        assert kept.get(ENTRY | {"files_state": "1"}) and not kept.get(ENTRY | {"files_state": "2"}) and not kept.get(ENTRY)


def test_the_state_of_a_file_changes_when_it_is_written_anew_and_one_that_is_gone_has_none(tmp_path):
    (tmp_path / "scan").write_text("a")
    first = state_of(tmp_path / "scan")
    assert first and first == state_of(tmp_path / "scan")
    (tmp_path / "scan").write_text("longer")
    assert state_of(tmp_path / "scan") != first and state_of(tmp_path / "gone") == ""


def test_numbers_that_do_not_exist_are_null_in_the_file_and_beyond(tmp_path):
    with ComparisonRecord(tmp_path) as kept:
        kept.add(ENTRY | {"seconds": float("nan")})
        assert kept.get(ENTRY)["seconds"] is None and "NaN" not in (tmp_path / FILE).read_text()


def test_an_entry_is_complete_with_curves_measures_and_planes(tmp_path):
    (tmp_path / "own.npz").write_text("")
    assert is_complete(ENTRY, [], tmp_path) and is_complete(ENTRY | {"measures": {"vif": {}, "mse": {}}}, ["vif"], tmp_path)
    assert is_complete(ENTRY | {"planes": None}, [], None)
    older = {name: value for name, value in ENTRY.items() if name not in ("curves", "measures", "planes")}
    for lacking in (None, older, ENTRY | {"planes": None}, ENTRY | {"planes": "gone.npz"}):
        assert not is_complete(lacking, [], tmp_path)
    assert not is_complete(ENTRY, ["vif"], tmp_path)


def test_a_folder_serves_one_process_at_a_time(tmp_path):
    with ComparisonRecord(tmp_path), pytest.raises(RequestError, match="another process measures into it"):
        ComparisonRecord(tmp_path).__enter__()
    with ComparisonRecord(tmp_path) as kept:
        kept.add(ENTRY)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError, match="file/out: not made"):
        ComparisonRecord(tmp_path / "file" / "out").__enter__()
