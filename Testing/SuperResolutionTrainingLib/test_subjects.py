from pathlib import PurePosixPath

import pytest

from SuperResolutionTrainingLib.subjects import file_subjects, without_identity


def subjects(*paths):
    return list(file_subjects(map(PurePosixPath, paths)).values())


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        ("sub-03/anat/sub-03_T1w.nii.gz", "sub-03"),
        ("study/sub-A1_ses-2_FLAIR.nii", "sub-A1"),
        ("sub-07/scan.nrrd", "sub-07"),
        ("anna.nii.gz", "anna"),
        ("knees/anna.mha", "anna"),
        ("anna_T1.nii.gz", "anna"),
        ("BraTS20_001_t1ce.nii", "BraTS20_001"),
        ("subtle-1.nii", "subtle-1"),
        ("T1.nii", "T1"),
        ("flower.JPEG", "flower"),
        ("scan.2024.nrrd", "scan.2024"),
    ],
)
def test_a_subject_is_named_by_bids_or_by_the_file(path, subject):
    assert subjects(path) == [subject]


def test_folders_are_the_subjects_where_their_files_share_names():
    found = subjects("anna/T1.nii", "bert/T1.nii", "anna/odd.nii", "carl.nii", "more/dora.nii")
    assert found == ["anna", "bert", "anna", "carl", "dora"]


def test_a_patient_id_is_not_told():
    assert without_identity("DOE^1970") == without_identity("DOE^1970") != without_identity("DOE^1971")
    assert "DOE" not in without_identity("DOE^1970")
