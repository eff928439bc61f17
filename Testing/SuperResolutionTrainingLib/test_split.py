import json

import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib.recipe import Scan
from SuperResolutionTrainingLib.split import read_split, split_by_subject, subjects_by_split, write_split

SCANS = [Scan(f"{subject}_{number}.nii", subject, "MR") for subject in "abcdefghij" for number in range(2)]


def kept(scans, share=0.2, seed=1):
    return set(subjects_by_split(split_by_subject(scans, share, seed))["validation"])


def test_all_scans_of_a_subject_are_in_one_split():
    parts = subjects_by_split(split_by_subject(SCANS, 0.2, 1))
    assert len(parts["validation"]) == 2 and not set(parts["train"]) & set(parts["validation"])
    assert sorted(parts["train"] + parts["validation"]) == list("abcdefghij")


def test_the_split_depends_on_the_names_and_the_seed_alone():
    assert kept(SCANS) == kept(SCANS[::-1]) == kept(SCANS[::2])
    assert len({frozenset(kept(SCANS, seed=seed)) for seed in range(10)}) > 5


def test_at_least_one_subject_is_kept_and_never_all():
    assert len(kept(SCANS, 0.01)) == 1 and len(kept(SCANS, 0.99)) == 9 and not kept(SCANS, 0.0)


def test_one_subject_cannot_be_split():
    with pytest.raises(RequestError, match=r"1 subject \('a'\) and validation 0.2: .* accepted are two subjects or more, or validation 0"):
        split_by_subject(SCANS[:2], 0.2, 1)
    assert [scan.split for scan in split_by_subject(SCANS[:2], 0.0, 1)] == ["train", "train"]


def test_a_split_is_read_as_it_was_written(tmp_path):
    scans = split_by_subject([*SCANS, Scan("k", "k", "CT", axes="ij", coarsen=(2, 2, 1), resample=True, series="1.2")], 0.3, 7)
    write_split(tmp_path / "split.json", scans, ["broken.nii: cut off"])
    assert read_split(tmp_path / "split.json") == scans
    record = json.loads((tmp_path / "split.json").read_text())
    assert {name: record[name] for name in ("train", "validation")} == subjects_by_split(scans)
    assert record["skipped"] == ["broken.nii: cut off"]


@pytest.mark.parametrize(
    ("text", "found"), [("{", "cannot be read"), ("[]", "holds no scans"), ('{"scans": [{"file": "a"}]}', "'subject' is missing")]
)
def test_a_damaged_record_is_refused_by_name(tmp_path, text, found):
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(RequestError, match=f"split.json.*{found}"):
        read_split(tmp_path / "split.json")


def test_a_record_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RequestError, match="split.json: cannot be read"):
        read_split(tmp_path / "split.json")
