import csv
import json

import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib.reader_study.reading import Reading
from SuperResolutionTrainingLib.reader_study.result_tables import as_text, tables, write_results
from SuperResolutionTrainingLib.reader_study.results import TYPED_SEED, results

STRUCTURE = 'Bone, "outer" <b>'


@pytest.fixture
def found(make_study, tmp_path):
    study = make_study(cases=2, questions=["sharper", "structures"], structures=[STRUCTURE], title="Bones & <i>blobs</i>")
    for reader in ("anna", "bert"):
        reading = Reading(study, reader)
        for comparison in reading.comparisons:
            for question in comparison.questions:
                reading.answer(question.id, "left" if question.kind == "preference" else 4)
    return results(study.folder, tmp_path / "key.json")


def test_files_appear_together_in_a_new_folder(found, tmp_path):
    write_results(found, tmp_path / "out", tmp_path / "blinded")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["answers.csv", "results.html", "results.json", "results.txt"]
    assert json.loads((tmp_path / "out" / "results.json").read_text()) == json.loads(json.dumps(found.record))
    with pytest.raises(RequestError, match="not empty"):
        write_results(found, tmp_path / "out", tmp_path / "blinded")


def test_csv_is_rfc_4180_whatever_is_in_a_name(found, tmp_path):
    write_results(found, tmp_path / "out", tmp_path / "blinded")
    content = (tmp_path / "out" / "answers.csv").read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") == 1 + 2 * 2 * 3
    with (tmp_path / "out" / "answers.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert {row["structure"] for row in rows} == {"", STRUCTURE}
    assert {row["method"] for row in rows} == {"spline_up", "zeta_net"}


def test_the_page_escapes_what_the_coordinator_wrote(found, tmp_path):
    write_results(found, tmp_path / "out", tmp_path / "blinded")
    page = (tmp_path / "out" / "results.html").read_text()
    assert "Bones &amp; &lt;i&gt;blobs" in page and "<i>" not in page and "<b>" not in page
    assert "http" not in page


def test_the_text_says_every_figure_and_its_convention(found):
    text = as_text(found.record)
    lines = text.splitlines()
    assert lines[0] == "Bones & <i>blobs</i>: 2 readers, 2 cases"
    preference = next(line for line in lines if line.startswith("sharper") and " all readers " in line)
    row = found.record["preferences"][0]
    assert f"{row['for_first']} : {row['for_second']}" in preference and f"{100 * row['share_first']:.1f} %" in preference
    assert any("4.00 ± 0.00" in line for line in lines)
    assert "–" in next(line for line in lines if "quadratic" in line)  # all rated 4: no kappa
    assert found.record["conventions"] in text and "Clopper-Pearson" in text


def test_a_typed_seed_is_told_with_the_results_and_a_drawn_one_is_nothing_to_tell(make_study, tmp_path):
    for seed, told in ((3, True), (None, False)):
        (tmp_path / str(seed)).mkdir()
        study = make_study(seed=seed, cases=1, place=tmp_path / str(seed))
        Reading(study, "anna").answer("sharper", "left")
        found = results(study.folder, tmp_path / str(seed) / "key.json")
        write_results(found, tmp_path / str(seed) / "out", study.folder)
        for name in ("results.txt", "results.html", "results.json"):
            assert (TYPED_SEED in (tmp_path / str(seed) / "out" / name).read_text(encoding="utf-8")) == told


def test_a_figure_that_rounds_to_nothing_has_no_sign(found):
    row = {"on": "Bone", "pair": None, "readers": 2, "items": 6, "kind": "Cohen", "kappa": -1e-17, "icc_2_1": -0.0004, "icc_2_k": -0.25}
    agreement = tables(found.record | {"agreement": [row]})[-1]
    assert agreement.rows[0][3:] == ("0.000", "Cohen", "0.000", "-0.250")


def test_nothing_unblinded_comes_into_the_blinded_folder(found, tmp_path):
    with pytest.raises(RequestError, match="inside of the blinded folder"):
        write_results(found, tmp_path / "blinded" / "results", tmp_path / "blinded")
