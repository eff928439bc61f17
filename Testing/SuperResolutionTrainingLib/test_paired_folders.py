import os
from pathlib import Path

import numpy as np
import pytest

from dicom_phantom import Phantom, noise
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import write_volume
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.paired_folders import paired

VOLUME = Volume(np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6), np.eye(4))


@pytest.fixture
def folder(tmp_path):
    """Write volumes into a folder of a name and return it."""

    def make(name, *files):
        path = tmp_path / name
        path.mkdir(parents=True)
        for file in files:
            write_volume(VOLUME, path / file)
        return path

    return make


def silent(line):
    raise AssertionError(line)


def test_volumes_meet_by_name_whatever_their_endings(folder):
    truths, own = folder("truth", "a.nii.gz", "b.nrrd"), folder("own", "a.mha", "b.nii")
    found = paired(truths, [own, truths], silent)
    assert [(pair.name, each.id, each.path.name) for pair, each in found] == [
        ("a", "own", "a.mha"), ("a", "truth", "a.nii.gz"), ("b", "own", "b.nii"), ("b", "truth", "b.nrrd"),
    ]  # fmt: skip
    pair, candidate = found[0]
    assert np.array_equal(pair.load(truths)[1].voxels, VOLUME.voxels) and pair.load(truths)[0] is None
    assert np.array_equal(candidate.make(pair, None, None)[0].voxels, VOLUME.voxels)


def test_sub_folders_of_dicom_files_are_volumes_and_other_things_are_not(folder):
    truths, own = folder("truth", "a.nrrd"), folder("own")
    Phantom(noise()).write(own / "a")
    (own / "empty").mkdir()
    (own / "log.txt").write_text("")
    (own / ".a.nrrd").write_text("")
    ((_, candidate),) = paired(truths, [own], silent)
    assert candidate.path.name == "a" and candidate.make(None, None, None)[0].headers


def test_scans_of_a_subject_are_told_by_their_names(folder):
    truths = folder("truth", "sub-01_T1w.nii.gz", "sub-01_T2w.nii.gz", "anna.nrrd")
    assert [(pair.file, pair.subject) for pair, _ in paired(truths, [truths], silent)] == [
        ("anna.nrrd", "anna"), ("sub-01_T1w.nii.gz", "sub-01"), ("sub-01_T2w.nii.gz", "sub-01"),
    ]  # fmt: skip


def test_a_reference_without_candidate_is_told_and_left_out(folder):
    told = []
    found = paired(
        folder("truth", "a.nrrd", "b.nrrd", "c.nrrd"), [folder("own", "a.nrrd"), folder("fast", "c.nrrd", "a.nrrd")], told.append
    )
    assert [(pair.name, each.id) for pair, each in found] == [("a", "own"), ("a", "fast"), ("c", "fast")]
    assert [line.split("/")[-1] for line in told] == ["own: no candidate for 'b', 'c'", "fast: no candidate for 'b'"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["a.nrrd", "x.nrrd", "y.mha"], "own: 'x', 'y' without a reference in .*truth; accepted are volumes named as references"),
        (["a.nrrd", "a.nii.gz"], "own: 'a' is there twice, a.nii.gz and a.nrrd; accepted is one volume of a name"),
        ([], "own: no volume; accepted are .nii.gz, .nii"),
        ([f"{number}.nrrd" for number in range(8)], "'0', '1', '2', '3', '4' and 3 more without"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(folder, files, message):
    with pytest.raises(RequestError, match=message):
        paired(folder("truth", "a.nrrd"), [folder("own", *files)], silent)


def test_folders_of_one_name_or_absent_ones_are_refused(folder, tmp_path):
    truths, one, other = folder("truth", "a.nrrd"), folder("x/own", "a.nrrd"), folder("y/own", "a.nrrd")
    with pytest.raises(RequestError, match="two folders named 'own'; accepted are folders of different names"):
        paired(truths, [one, other], silent)
    with pytest.raises(RequestError, match="absent: no such folder"):
        paired(truths, [tmp_path / "absent"], silent)


def test_a_volume_that_is_written_anew_is_another(folder):
    truths, own = folder("truth", "a.nrrd"), folder("own", "a.nrrd")
    states = [paired(truths, [own], silent)[0][1].state]
    for path in (truths / "a.nrrd", own / "a.nrrd"):
        os.utime(path, (1, len(states)))
        states.append(paired(truths, [own], silent)[0][1].state)
    assert len(set(states)) == 3 and paired(truths, [own], silent)[0][1].state == states[-1]


def test_a_folder_is_named_as_it_is_called_from_elsewhere(folder, monkeypatch):
    truths, own = folder("truth", "a.nrrd"), folder("own", "a.nrrd")
    monkeypatch.chdir(own)
    ((_, candidate),) = paired(truths, [Path(".")], silent)
    assert candidate.id == "own" and candidate.path.is_absolute()
