import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.cli import main
from SuperResolutionLib.files import write_volume
from SuperResolutionLib.volume import Volume


@pytest.fixture
def study_file(tmp_path):
    truth = 500 * gaussian_filter(np.random.default_rng(0).normal(size=(10, 12, 14)), 1)
    for name, sigma in (("truth", 0), ("better", 0.5), ("worse", 1)):
        write_volume(Volume(gaussian_filter(truth, sigma).astype(np.float32), np.eye(4)), tmp_path / f"{name}.nrrd")
    lines = ["title: Blobs", "cases:", "- {name: one, candidates: {soft: worse.nrrd, crisp: better.nrrd}, reference: truth.nrrd}"]
    (tmp_path / "study.yaml").write_text("\n".join(lines))
    return tmp_path / "study.yaml"


def test_a_study_from_its_file_to_its_result(study_file, tmp_path, capsys):
    blinded, key = str(tmp_path / "blinded"), str(tmp_path / "key.json")
    assert main(["study", "prepare", str(study_file), blinded, "--key", key]) == 0
    assert main(["study", "questionnaire", blinded, "--reader", "anna", str(tmp_path / "anna.html")]) == 0
    assert main(["study", "questionnaire", blinded, "--reader", "anna", str(tmp_path / "anna.csv")]) == 0
    form = tmp_path / "anna.csv"
    form.write_bytes(form.read_bytes().replace(b"sharper,\r\n", b"sharper,left\r\n"))
    assert main(["study", "import", blinded, str(form)]) == 0
    assert "1 answers of anna, 0 comparisons left" in capsys.readouterr().out
    assert main(["study", "results", blinded, "--key", key, "--out", str(tmp_path / "results"), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["type"] == "result"
    assert record["preferences"][0]["for_first"] + record["preferences"][0]["for_second"] == 1
    assert "<title>Blobs" in (tmp_path / "anna.html").read_text()
    assert (tmp_path / "results" / "answers.csv").is_file()


def test_a_questionnaire_is_html_or_csv(study_file, tmp_path, capsys):
    blinded = str(tmp_path / "blinded")
    assert main(["study", "prepare", str(study_file), blinded, "--key", str(tmp_path / "key.json")]) == 0
    assert main(["study", "questionnaire", blinded, "--reader", "anna", str(tmp_path / "anna.pdf")]) == 2
    assert "ending '.pdf'; accepted are .html" in capsys.readouterr().err
    assert not (tmp_path / "anna.pdf").exists()


def test_a_seed_is_warned_of(study_file, tmp_path, capsys):
    assert main(["study", "prepare", str(study_file), str(tmp_path / "blinded"), "--key", str(tmp_path / "key.json"), "--seed", "3"]) == 0
    assert "warning: a seed that was typed can be guessed" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["study"], ["study", "prepare", "a", "b"], ["study", "results", "nowhere", "--key", "k"]])
def test_a_wrong_request_is_told_in_one_line(arguments, capsys):
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
