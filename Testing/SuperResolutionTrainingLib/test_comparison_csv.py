import csv

import pytest

from SuperResolutionLib.errors import WorkError
from SuperResolutionTrainingLib.comparison_csv import write_csv


def entry(**changes):
    mean = {"psnr": 30.25, "ncc": None, "ssim": 0.9, "rmse": 1e-7}
    summary = [
        {"region": region, "along": along, "slices": 9, "mean": mean, "deviation": mean}
        for region in ("whole", "foreground")
        for along in ("ijk", "i", "j", "k")
    ]
    plain = {"file": 'a, "b".nii', "series": "", "subject": "Änne", "modality": "MR", "coarsen": [1, 1, 1], "axis": None, "factor": None}
    plain |= {"profile": None, "model": "own", "weights_sha256": "", "consistency": None, "trained_on": False, "trained_for": None}
    return plain | {"seconds": 1.5, "device": "", "precision": "", "measures": {}, "summary": summary} | changes


def read(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_there_is_a_row_for_each_entry_region_and_set_of_slices(tmp_path):
    write_csv({"entries": [entry(), entry(model="fast")]}, tmp_path / "a.csv")
    rows = read(tmp_path / "a.csv")
    assert [(row["model"], row["region"], row["along"]) for row in rows] == [
        (model, region, along) for model in ("own", "fast") for region in ("whole", "foreground") for along in ("ijk", "i", "j", "k")
    ]
    first = rows[0]
    assert (first["file"], first["subject"], first["axis"], first["slices"]) == ('a, "b".nii', "Änne", "", "9")
    assert float(first["psnr_mean"]) == 30.25 and first["ncc_mean"] == "" and float(first["rmse_deviation"]) == 1e-7


def test_measures_of_whole_volumes_stand_in_the_row_of_the_whole(tmp_path):
    measured = {"vif": {"value": 0.5, "reference": None, "reason": None}, "niqe": {"value": None, "reference": None, "reason": "no"}}
    write_csv({"entries": [entry(measures=measured), entry()]}, tmp_path / "a.csv")
    rows = read(tmp_path / "a.csv")
    assert [row["vif"] for row in rows] == ["0.5"] + [""] * 15 and {row["niqe"] for row in rows} == {""}


def test_lines_end_as_the_standard_says(tmp_path):
    write_csv({"entries": [entry()]}, tmp_path / "a.csv")
    data = (tmp_path / "a.csv").read_bytes()
    assert data.count(b"\r\n") == data.count(b"\n") == 9


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WorkError, match="absent/a.csv: not written"):
        write_csv({"entries": [entry()]}, tmp_path / "absent" / "a.csv")
