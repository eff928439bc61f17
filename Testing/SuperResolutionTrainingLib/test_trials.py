import numpy as np
import pytest

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib.recipe import Scan
from SuperResolutionTrainingLib.samples import load_scan
from SuperResolutionTrainingLib.trials import ScanTrial, scans_to_compare_on, trials_of

SCAN = Scan("bert.nii.gz", "bert", "MR", axes="jk")


def test_a_scan_is_tried_in_every_way_along_the_axes_of_real_resolution():
    found = trials_of([SCAN], "ik", [2, 4], ["mean", "kspace"])
    expected = [("k", factor, profile) for factor in (2, 4) for profile in ("mean", "kspace")]
    assert [(trial.axis, trial.factor, trial.profile) for trial in found] == expected


def test_without_real_resolution_along_the_axes_there_is_no_trial():
    with pytest.raises(RequestError, match="no scan has real resolution along i; accepted are scans of fine spacing"):
        trials_of([SCAN], "i", [2], ["mean"])


def test_scans_that_are_left_out_are_told():
    told = []
    trials_of([SCAN, Scan("anna.nii.gz", "anna", "MR")], "i", [2], ["mean"], told.append)
    assert told == ["left out: bert.nii.gz: its resolution is real along j, k only, not along i"]


@pytest.mark.parametrize("axes", ["xyz", "kx", "planes", ""])
def test_letters_that_are_no_axes_are_named(axes):
    with pytest.raises(RequestError, match=f"axes '{axes}': accepted are letters of i, j, k, or plane, all"):
        trials_of([SCAN], axes, [2], ["mean"])


@pytest.mark.parametrize("factor", [1, 0, -2])
def test_factors_that_make_nothing_thick_are_refused_before_any_work(factor):
    with pytest.raises(RequestError, match=f"factor {factor}: accepted are whole numbers from 2"):
        trials_of([SCAN], "k", [4, factor], ["mean"])


def test_a_trial_loads_the_thick_volume_and_what_it_covers_of_the_scan(scans):
    fine = load_scan(SCAN, scans)
    thick, truth = ScanTrial(SCAN, "k", 3, "gaussian").load(scans)
    assert np.array_equal(thick.voxels, degrade(fine, 3, "k", "gaussian").voxels)
    assert np.array_equal(truth.voxels, fine.voxels[:27])


def test_a_trial_names_itself_in_a_record_and_in_a_line():
    trial = ScanTrial(SCAN, "k", 3, "gaussian")
    told = {"file": "bert.nii.gz", "series": "", "subject": "bert", "modality": "MR", "coarsen": [1, 1, 1]}
    assert trial.as_dict() == told | {"axis": "k", "factor": 3, "profile": "gaussian", "files_state": ""}
    assert trial.name == "bert, factor 3 along k, gaussian"


def test_a_recipe_without_validation_scans_is_refused(tmp_path, plain_recipe):
    import yaml

    for scan in plain_recipe["scans"]:
        scan["split"] = "train"
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(plain_recipe))
    with pytest.raises(RequestError, match="lists no validation scans"):
        scans_to_compare_on(tmp_path, str(tmp_path / "recipe.yaml"))


def test_planes_and_all_axes_are_tried_where_their_resolution_is_real(scans):
    isotropic = Scan("bert.nii.gz", "bert", "MR")
    (plane,) = trials_of([SCAN, isotropic], "plane", [2], ["mean"])
    (every,) = trials_of([SCAN, isotropic], "all", [2], ["mean"])
    assert (plane.axis, every.axis) == ("plane", "all") and plane.scan == every.scan == isotropic
    assert plane.name == "bert, factor 2 in the plane, mean" and every.name == "bert, factor 2 along all axes, mean"
    fine = load_scan(isotropic, scans)
    assert plane.load(scans)[0].shape == (28, 15, 16) and every.load(scans)[0].shape == (14, 15, 16)
    assert np.array_equal(every.load(scans)[1].voxels, fine.voxels)
