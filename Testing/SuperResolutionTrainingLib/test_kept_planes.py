import numpy as np
import pytest

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.kept_planes import FOLDER, names_of, read_trial, shown_planes, write_result, write_trial
from SuperResolutionTrainingLib.pictures import CT_WINDOW

# Along i to the patient's right, j to the front, k to the head: the value tells the voxel.
K, J, I = np.indices((8, 10, 12))
TRUTH = Volume((100 * K + 10 * J + I).astype(np.float32), np.diag([-1.0, -2.0, 3.0, 1.0]))
POINT = TRUTH.points(np.array([5, 4, 3]))


def entry(model="own", **changes):
    place = {"file": "a.nii", "series": "", "subject": "anna", "coarsen": [1, 1, 1], "axis": "k", "factor": 2, "profile": "mean"}
    return place | {"model": model, "weights_sha256": "", "consistency": True} | changes


def test_planes_pass_through_the_point_with_head_or_front_up_and_the_patients_right_at_the_left():
    planes = shown_planes(TRUTH, POINT)
    assert np.array_equal(planes["axial"].pixels, TRUTH.voxels[3, ::-1, ::-1]) and planes["axial"].spacing == (2, 1)
    assert np.array_equal(planes["coronal"].pixels, TRUTH.voxels[::-1, 4, ::-1]) and planes["coronal"].spacing == (3, 1)
    assert np.array_equal(planes["sagittal"].pixels, TRUTH.voxels[::-1, ::-1, 5]) and planes["sagittal"].spacing == (3, 2)
    assert all(plane.pixels.dtype == np.float32 for plane in planes.values())


def test_a_thick_volume_has_its_own_pixels_over_the_same_field_of_view():
    thick = shown_planes(degrade(TRUTH, 2, "k"), POINT)["coronal"]
    assert thick.pixels.shape == (4, 12) and thick.spacing == (6, 1)


def kept(folder, entry, truth=TRUTH, thick=None):
    trial, result = names_of(entry)
    write_trial(folder / FOLDER, trial, shown_planes(truth, POINT), thick and shown_planes(thick, POINT))
    write_result(folder / FOLDER, result, shown_planes(truth.with_voxels(truth.voxels + 1), POINT))
    return entry | {"planes": result}


def test_what_was_written_is_read(tmp_path):
    found = read_trial(tmp_path, [kept(tmp_path, entry("own"), thick=degrade(TRUTH, 2, "k")), kept(tmp_path, entry("fast"))])
    assert list(found.models) == ["own", "fast"] and list(found.truth) == ["sagittal", "coronal", "axial"]
    for view, plane in shown_planes(TRUTH, POINT).items():
        assert np.array_equal(found.truth[view].pixels, plane.pixels) and found.truth[view].spacing == plane.spacing
        assert np.array_equal(found.models["own"][view].pixels, plane.pixels + 1)
    assert found.thick is None, "the trial was written again, without a thick volume"
    assert read_trial(tmp_path, [kept(tmp_path, entry("own"), thick=degrade(TRUTH, 2, "k"))]).thick["axial"].pixels.shape == (10, 12)


def test_the_window_is_chosen_from_the_truth_and_that_of_computed_tomography_is_fixed(tmp_path):
    low, high = read_trial(tmp_path, [kept(tmp_path, entry())]).window
    seen = np.concatenate([plane.pixels.ravel() for plane in shown_planes(TRUTH, POINT).values()])
    assert (low, high) == pytest.approx(np.percentile(seen, (0.5, 99.7)))
    assert read_trial(tmp_path, [kept(tmp_path, entry(), TRUTH.with_voxels(TRUTH.voxels - 1024))]).window == CT_WINDOW


def test_models_trials_and_what_names_make_alike_have_files_of_their_own():
    entries = [entry(), entry("Own"), entry("o wn"), entry("o/wn"), entry(weights_sha256="1"), entry(axis="i"), entry(file="b.nii")]
    entries += [entry(consistency=False), entry(subject="x" * 300), entry(axis=None, factor=None, profile=None)]
    results = {names_of(each)[1].lower() for each in entries}
    assert len(results) == len(entries) and all("/" not in name and len(name) < 200 for name in results)
    assert len({names_of(each)[0] for each in entries}) == 5


def test_of_a_comparison_without_planes_there_are_none(tmp_path):
    assert read_trial(tmp_path, [entry(planes=None)]) is None


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 broken"])
def test_a_file_that_is_gone_or_damaged_is_named(tmp_path, content):
    told = kept(tmp_path, entry())
    path = tmp_path / FOLDER / told["planes"]
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RequestError, match=f"{path.name}: no planes of a comparison"):
        read_trial(tmp_path, [told])
