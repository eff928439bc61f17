"""Also attempts to unblind a study from what its readers get."""

import hashlib
import json
import re
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionTrainingLib.reader_study.prepare import FIXED_TIME, prepare
from SuperResolutionTrainingLib.reader_study.study import open_study


def key_of(tmp_path):
    return json.loads((tmp_path / "key.json").read_text())


def methods_of(tmp_path):
    return {token: each["method"] for case in key_of(tmp_path)["cases"] for token, each in case["candidates"].items()}


def header_of(path):
    return path.read_bytes().partition(b"\n\n")[0]


def test_the_key_says_which_token_is_what(make_study, tmp_path):
    study = make_study(cases=3)
    key = key_of(tmp_path)
    assert [case["case"] for case in key["cases"]] == [case.name for case in study.cases] == ["case-01", "case-02", "case-03"]
    for case, secret in zip(study.cases, key["cases"]):
        assert {file.token for file in case.candidates} == set(secret["candidates"])
        for token, each in [*secret["candidates"].items(), (case.reference.token, secret["reference"])]:
            source = read_volume(each["file"])
            found = read_volume(next(file.path for file in (*case.candidates, case.reference) if file.token == token))
            assert np.corrcoef(source.voxels.ravel(), found.voxels.ravel())[0, 1] > 0.999
            with open(each["file"], "rb") as file:
                assert each["sha256"] == hashlib.file_digest(file, "sha256").hexdigest()


def test_the_study_carries_the_hash_of_the_key(make_study, tmp_path):
    assert make_study().commitment == hashlib.sha256((tmp_path / "key.json").read_bytes()).hexdigest()


def test_the_key_is_for_its_owner_alone(make_study, tmp_path):
    make_study()
    assert (tmp_path / "key.json").stat().st_mode & 0o077 == 0


def test_no_byte_for_readers_names_a_method_a_file_or_a_patient(make_study, tmp_path):
    make_study(seed=None)
    files = [path for path in (tmp_path / "blinded").rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() + str(path.relative_to(tmp_path)).encode() for path in files)
    for word in (b"spline", b"zeta", b"smith", b"truth", b"coordinator", str(tmp_path).encode(), b".nii", b"thickness", b"modality"):
        assert word.lower() not in content.lower(), word
    assert key_of(tmp_path)["seed"].encode() not in content


def test_sizes_headers_times_and_permissions_are_those_of_any_other_volume(make_study, tmp_path):
    make_study()
    files = list((tmp_path / "blinded" / "volumes").iterdir())
    assert len(files) == 12
    assert len({path.stat().st_size for path in files}) == 1
    assert len({header_of(path) for path in files}) == 1
    assert len({path.stat().st_mode for path in files}) == 1
    everything = [tmp_path / "blinded", *(tmp_path / "blinded").rglob("*")]
    assert {path.stat().st_mtime for path in everything} == {FIXED_TIME}


def test_the_header_holds_nothing_but_type_and_place(make_study):
    header = header_of(make_study().cases[0].candidates[0].path).decode()
    fields = {line.partition(":")[0] for line in header.splitlines()[1:] if not line.startswith("#")}
    expected = {"type", "dimension", "space", "sizes", "space directions", "kinds", "endian", "encoding", "space origin"}
    assert fields == expected
    assert "encoding: raw" in header


def test_files_are_born_in_the_order_of_their_names(make_study, monkeypatch):
    from SuperResolutionTrainingLib.reader_study import prepare as module

    born = []
    write = module.write_volume
    monkeypatch.setattr(module, "write_volume", lambda volume, path, compress: (born.append(path.name), write(volume, path, compress)))
    make_study(cases=3)
    assert all(born[start : start + 3] == sorted(born[start : start + 3]) for start in (0, 3, 6))


def test_neither_order_of_tokens_nor_of_cases_follows_the_study_file(tmp_path, study_file):
    path = study_file(cases=8)
    first = []
    for seed in range(2):
        study = prepare(path, tmp_path / f"blinded{seed}", tmp_path / f"key{seed}.json", seed)
        key = json.loads((tmp_path / f"key{seed}.json").read_text())
        methods = [[case["candidates"][file.token]["method"] for file in each.candidates] for each, case in zip(study.cases, key["cases"])]
        first.append(([case["name"] for case in key["cases"]], [each[0] for each in methods]))
    assert first[0][0] != first[1][0] and first[0][0] != sorted(first[0][0])
    for _, methods in first:
        assert 0 < methods.count("zeta_net") < 8
    assert first[0][1] != first[1][1]


def test_who_knows_every_name_and_hash_but_not_the_seed_cannot_make_the_tokens(make_study, tmp_path):
    """Tokens are not hashes of what an attacker has: names, methods, files, in any order."""
    study = make_study(seed=None, cases=2)
    case = key_of(tmp_path)["cases"][0]
    known = [study.id, case["name"], case["case"], "volume", "0", "1"]
    known += [text for each in case["candidates"].values() for text in (each["method"], each["file"], each["sha256"])]
    tokens = set(methods_of(tmp_path))
    for words in (each for count in (1, 2, 3) for each in permutations(known, count)):
        for join in ("", "/", "-", " "):
            for kind in ("md5", "sha256"):
                assert hashlib.new(kind, join.join(words).encode()).hexdigest()[:32] not in tokens


def test_the_seed_has_128_random_bits_unless_one_is_given(make_study, tmp_path):
    make_study(seed=None)
    assert re.fullmatch("[0-9a-f]{32}", key_of(tmp_path)["seed"])


def test_a_given_seed_makes_the_same_study_again_and_is_warned_of(tmp_path, study_file):
    told = []
    path = study_file()
    studies = [prepare(path, tmp_path / name, tmp_path / f"{name}.json", 5, told.append) for name in ("one", "two")]
    other = prepare(path, tmp_path / "three", tmp_path / "three.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert [case.candidates[0].token for case in studies[0].cases] == [case.candidates[0].token for case in studies[1].cases]
    assert {case.candidates[0].token for case in other.cases}.isdisjoint(case.candidates[0].token for case in studies[0].cases)
    assert sum("can be guessed" in line for line in told) == 2


def test_what_is_asked_and_what_had_to_be_resampled_is_told(tmp_path, study_file, volumes):
    cases = volumes(2)
    moved = read_volume(cases[1]["candidates"]["zeta_net"])
    affine = moved.affine.copy()
    affine[0, 3] += 0.5
    write_volume(replace(moved, affine=affine), tmp_path / "moved.nrrd")
    cases[1]["candidates"]["zeta_net"] = str(tmp_path / "moved.nrrd")
    cases[1] |= {"questions": ["sharper", "structures"], "structures": ["Bone", "Fat"]}
    told = []
    prepare(study_file(entries=cases), tmp_path / "blinded", tmp_path / "key.json", tell=told.append)
    assert sorted(line.partition(": ")[2] for line in told if line.startswith("case-")) == [
        "smith0; asked: sharper, nearer",
        "smith1; asked: sharper, Bone, Fat",
    ]
    resampled = [line for line in told if "moved.nrrd: not on the grid of" in line]
    assert len(resampled) == 1 and len(told) == 3


def test_a_candidate_that_is_the_shown_reference_is_refused(tmp_path, study_file, volumes):
    cases = volumes(1)
    cases[0]["candidates"]["zeta_net"] = cases[0]["reference"]
    with pytest.raises(RequestError, match="'zeta_net' is the reference"):
        prepare(study_file(entries=cases), tmp_path / "blinded", tmp_path / "key.json")
    assert not (tmp_path / "blinded").exists() and not (tmp_path / "key.json").exists()


@pytest.mark.parametrize("key", ["blinded/key.json", "blinded/deeper/key.json", "elsewhere/../blinded/key.json"])
def test_a_key_inside_of_the_blinded_folder_is_refused(tmp_path, study_file, key):
    with pytest.raises(RequestError, match="inside of"):
        prepare(study_file(), tmp_path / "blinded", tmp_path / key)
    assert not (tmp_path / "blinded").exists()


def test_a_key_is_never_replaced(tmp_path, study_file):
    (tmp_path / "key.json").write_text("the key of another study")
    with pytest.raises(RequestError, match="never replaced"):
        prepare(study_file(), tmp_path / "blinded", tmp_path / "key.json")


def test_a_folder_that_holds_something_is_refused(tmp_path, study_file):
    (tmp_path / "blinded").mkdir()
    (tmp_path / "blinded" / "notes.txt").touch()
    with pytest.raises(RequestError, match="not empty"):
        prepare(study_file(), tmp_path / "blinded", tmp_path / "key.json")


def test_a_missing_volume_leaves_neither_folder_nor_key(tmp_path, study_file):
    path = study_file()
    (tmp_path / "volumes_of_the_coordinator" / "smith3_zeta_net.nrrd").unlink()
    with pytest.raises(RequestError, match="smith3_zeta_net.nrrd: no such file"):
        prepare(path, tmp_path / "blinded", tmp_path / "key.json")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["coordinator.yaml", "volumes_of_the_coordinator"]


def test_an_opened_study_is_the_one_that_was_prepared(make_study, tmp_path):
    made = make_study(questions=["structures"], structures=["Bone"], planes=["coronal"], ties=True)
    opened = open_study(tmp_path / "blinded")
    assert opened == made
    assert (opened.ties, opened.cases[0].structures, opened.cases[0].planes) == (True, ("Bone",), ("coronal",))


def test_a_damaged_or_incomplete_folder_is_refused(make_study, tmp_path):
    study = make_study()
    file = tmp_path / "blinded" / "study.json"
    whole = file.read_text()
    for damaged, told in (
        (whole[:100], "study.json"),
        (whole.replace('"format": 1', '"format": 9'), "format 9"),
        ('{"format": 1}', "damaged"),
    ):
        file.write_text(damaged)
        with pytest.raises(RequestError, match=told):
            open_study(tmp_path / "blinded")
    file.write_text(whole)
    study.cases[0].candidates[0].path.unlink()
    with pytest.raises(RequestError, match="no such volume of case-01"):
        open_study(tmp_path / "blinded")
