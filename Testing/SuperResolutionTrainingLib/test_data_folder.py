import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian

from dicom_phantom import Phantom, noise, save
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import write_volume
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.data_folder import find_images, find_scans, real_axes, with_scans
from SuperResolutionTrainingLib.samples import load_scan

ANY = ("MR", "CT")
SLICED = noise((4, 12, 14))


def scan(path, spacing=(1, 1, 1), shape=(20, 18, 16), **more):
    """Write a volume of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(len(path.name)).integers(0, 1000, shape).astype(np.int16)
    write_volume(Volume(voxels, np.diag([*spacing, 1.0]), **more), path)


def series(folder, uid, patient="DOE^1970", **more):
    """Write a DICOM series of a patient."""

    def edit(image, index):
        image.PatientID, image.StudyInstanceUID = patient, "1.2.9"

    Phantom(SLICED, series=uid, **({"edit": edit} | more)).write(folder)


def found(folder, **more):
    return {scan.file: scan for scan in find_scans(folder, ANY, **more).scans}


def test_files_of_every_format_are_found_in_a_folder_and_below(tmp_path):
    for name in ("anna.nii.gz", "b/bert.nii", "b/c/carl.nrrd", "dora.mha"):
        scan(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no scan")
    assert {name: entry.subject for name, entry in found(tmp_path).items()} == {
        "anna.nii.gz": "anna", "b/bert.nii": "bert", "b/c/carl.nrrd": "carl", "dora.mha": "dora",
    }  # fmt: skip
    assert not find_scans(tmp_path, ANY).skipped


def test_every_series_of_a_dicom_folder_is_a_scan(tmp_path):
    series(tmp_path / "study", "1.2.3")
    for k, file in enumerate(sorted((tmp_path / "study").iterdir())):
        file.rename(tmp_path / "study" / f"A{k}")
    series(tmp_path / "study", "1.2.4", modality="CT")
    for folder in ("left", "right"):
        (tmp_path / folder).mkdir()
    series(tmp_path / "left", "1.2.5", patient="ROE")
    for file in list((tmp_path / "left").iterdir())[:2]:
        file.rename(tmp_path / "right" / file.name)
    scans = {entry.series: entry for entry in find_scans(tmp_path, ANY).scans}
    assert {uid: (entry.file, entry.modality) for uid, entry in scans.items()} == {
        "1.2.3": ("study", "MR"), "1.2.4": ("study", "CT"), "1.2.5": (".", "MR"),
    }  # fmt: skip
    assert scans["1.2.3"].subject == scans["1.2.4"].subject != scans["1.2.5"].subject
    assert all(load_scan(entry, tmp_path).shape == SLICED.shape for entry in scans.values())


def test_a_patient_id_is_not_in_the_name_of_a_subject_yet_joins_dicom_and_converted_files(tmp_path):
    series(tmp_path / "dicom", "1.2.3", patient="P17")
    scan(tmp_path / "P17_T1.nii.gz")
    subjects = {entry.subject for entry in find_scans(tmp_path, ANY).scans}
    assert len(subjects) == 1 and "P17" not in subjects.pop()


def test_without_a_patient_id_the_series_of_a_study_are_of_one_subject_and_bids_names_count(tmp_path):
    for number, folder in enumerate(("a", "b", "sub-04/mr")):
        series(tmp_path / folder, f"1.2.{number}", patient="")
    subjects = {entry.file: entry.subject for entry in find_scans(tmp_path, ANY).scans}
    assert subjects["a"] == subjects["b"] != "" and subjects["sub-04/mr"] == "sub-04"


def test_only_axes_of_about_the_finest_spacing_are_real(tmp_path):
    scan(tmp_path / "iso.nrrd", (1, 0.9, 1.3))
    scan(tmp_path / "thick.nrrd", (0.5, 0.5, 3))
    scan(tmp_path / "sagittal.nrrd", (4, 1, 1.5))
    scan(tmp_path / "overlapping.nrrd", (1, 1, 1), slice_thickness=2.0)
    assert {name: entry.axes for name, entry in found(tmp_path).items()} == {
        "iso.nrrd": "ijk", "thick.nrrd": "ij", "sagittal.nrrd": "jk", "overlapping.nrrd": "ij",
    }  # fmt: skip


def test_a_bound_spacing_counts_as_real():
    assert real_axes(Volume(np.zeros((2, 2, 2)), np.diag([0.7, 0.7, 1.05, 1]))) == "ijk"


def test_a_series_of_uneven_slices_serves_in_its_plane_alone(tmp_path):
    phantom = Phantom(noise((6, 12, 14)), spacing=(1.0, 1.0, 1.0))

    def edit(image, index):
        image.SliceThickness = 1.0
        if index == 3:
            image.ImagePositionPatient = (np.array(phantom.position(3)) + (0, 0, 0.4)).tolist()

    replace(phantom, edit=edit).write(tmp_path / "uneven")
    entry = found(tmp_path)["uneven"]
    assert entry.resample and entry.axes == "ij" and load_scan(entry, tmp_path).notes


def test_what_is_of_no_use_is_told_in_one_line_each_and_skipped(tmp_path):
    scan(tmp_path / "good.nii.gz")
    labels = np.random.default_rng(0).integers(0, 4, (20, 20, 20)).astype(np.int16)
    write_volume(Volume(labels, np.eye(4)), tmp_path / "labels.nii.gz")
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((8, 8, 8, 3), np.uint8), isVector=True), str(tmp_path / "colours.nrrd"))
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(64.0).reshape(1, 8, 8)), str(tmp_path / "slice.mha"))
    (tmp_path / "damaged.nii").write_bytes((tmp_path / "good.nii.gz").read_bytes()[:200])
    write_volume(Volume(np.full((8, 8, 8), 5.0), np.eye(4)), tmp_path / "flat.nrrd")
    holes = np.random.default_rng(0).normal(size=(8, 8, 8)).astype(np.float32)
    holes[3, 3, 3] = np.nan
    sitk.WriteImage(sitk.GetImageFromArray(holes), str(tmp_path / "holes.mha"))
    Phantom(SLICED[:1], series="1.2.8").write(tmp_path / "single")
    series(tmp_path / "pink", "1.2.9", edit=lambda image, index: image.__setattr__("PhotometricInterpretation", "RGB"))
    told = []
    result = find_scans(tmp_path, ANY, tell=told.append)
    assert [entry.file for entry in result.scans] == ["good.nii.gz"]
    for name, reason in {
        "labels.nii.gz": "a label map", "colours.nrrd": "3 values in each voxel", "slice.mha": "one slice", "damaged.nii": "damaged",
        "flat.nrrd": "constant voxels", "holes.mha": "1 voxels are NaN or infinite", "single": "a single image", "pink": "colour images",
    }.items():  # fmt: skip
        assert [reason in line for line in result.skipped if f"/{name}" in line] == [True], name
    assert told == [f"skipped: {line}" for line in result.skipped] and not any("\n" in line for line in told)


def test_a_file_that_is_cut_off_is_told_and_its_series_used_as_far_as_it_goes(tmp_path):
    phantom = Phantom(SLICED).write(tmp_path / "series")
    last = tmp_path / "series" / phantom.file_name(3)
    last.write_bytes(last.read_bytes()[:400])
    result = find_scans(tmp_path, ANY)
    assert [load_scan(entry, tmp_path).shape[0] for entry in result.scans] == [3]
    assert len(result.skipped) == 1 and str(last) in result.skipped[0]


def test_a_damaged_header_costs_its_own_folder_alone(tmp_path):
    series(tmp_path / "good", "1.2.3")
    series(tmp_path / "bad", "1.2.4")
    broken = tmp_path / "bad" / "broken"
    save(Phantom(SLICED, syntax=DeflatedExplicitVRLittleEndian).classic(0), broken, DeflatedExplicitVRLittleEndian)
    broken.write_bytes(broken.read_bytes()[:500])
    result = find_scans(tmp_path, ANY)
    assert [entry.file for entry in result.scans] == ["good"]
    assert result.skipped and all(str(broken) in line for line in result.skipped)


def test_other_modalities_than_the_recipes_are_skipped(tmp_path):
    scan(tmp_path / "a.nrrd", modality="CT")
    scan(tmp_path / "b.nrrd", modality="MR")
    result = find_scans(tmp_path, ("MR",))
    assert [entry.file for entry in result.scans] == ["b.nrrd"]
    assert "a.nrrd: modality CT; accepted are MR" in result.skipped[0]


def test_a_folder_without_anything_of_use_is_refused(tmp_path):
    with pytest.raises(RequestError, match="nothing of use; accepted is a folder that holds scans"):
        find_scans(tmp_path, ANY)
    (tmp_path / "a.nii").write_text("")
    with pytest.raises(RequestError, match="nothing of use, 1 skipped, the first: .*a.nii: "):
        find_scans(tmp_path, ANY)
    with pytest.raises(RequestError, match="none: no such folder"):
        find_scans(tmp_path / "none", ANY)


def test_pictures_are_found_by_their_names(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (20, 20), np.uint8)
    for name in ("rose.png", "sub-01/a.jpg", "tulip.JPEG"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "broken.png").write_text("no picture")
    result = find_images(tmp_path, ("MR",))
    assert [(entry.file, entry.subject, entry.modality, entry.axes) for entry in result.scans] == [
        ("rose.png", "rose", "MR", "ij"), ("sub-01/a.jpg", "sub-01", "MR", "ij"), ("tulip.JPEG", "tulip", "MR", "ij"),
    ]  # fmt: skip
    assert len(result.skipped) == 1 and "broken.png: cannot be read" in result.skipped[0]


@pytest.fixture
def recipe(make_recipe):
    return make_recipe(scans=[], validation=0.4, patches={"slices": 4, "plane": 12, "margin": 1, "batch": 2})


def test_a_recipe_without_scans_takes_those_of_the_folder_split_by_subject(tmp_path, recipe):
    for name in "abcde":
        scan(tmp_path / "data" / f"{name}.nrrd")
        scan(tmp_path / "data" / f"{name}_T2.nrrd")
    made = with_scans(recipe, tmp_path / "data", tmp_path / "run")
    kept = {entry.subject for entry in made.scans if entry.split == "validation"}
    assert len(made.scans) == 10 and len(kept) == 2
    assert not kept & {entry.subject for entry in made.scans if entry.split == "train"}
    assert json.loads((tmp_path / "run" / "split.json").read_text())["validation"] == sorted(kept)


def test_a_resumed_run_keeps_its_split_though_scans_have_come(tmp_path, recipe):
    for name in "abc":
        scan(tmp_path / "data" / f"{name}.nrrd")
    made = with_scans(recipe, tmp_path / "data", tmp_path / "run")
    scan(tmp_path / "data" / "d.nrrd")
    assert with_scans(recipe, tmp_path / "data", tmp_path / "run", resume=True) == made
    assert len(with_scans(recipe, tmp_path / "data", tmp_path / "run").scans) == 4


def test_what_the_run_writes_is_no_data(tmp_path, recipe):
    for name in ("a.nrrd", "b.nrrd", "run/preview.nrrd"):
        scan(tmp_path / name)
    assert [entry.file for entry in with_scans(recipe, tmp_path, tmp_path / "run").scans] == ["a.nrrd", "b.nrrd"]


def test_what_another_run_wrote_is_no_data_and_told(tmp_path, recipe):
    for name in ("a.nrrd", "b.nrrd", "runs/first/data/volume-1.nrrd"):
        scan(tmp_path / name)
    (tmp_path / "runs" / "first" / "split.json").write_text("{}")
    (tmp_path / "split.json").write_text("a file of the user's own")
    told = []
    scans = with_scans(recipe, tmp_path, tmp_path / "runs" / "second", tell=told.append).scans
    assert [entry.file for entry in scans] == ["a.nrrd", "b.nrrd"]
    assert told == [f"skipped: {tmp_path / 'runs' / 'first'}: the folder of a training run; accepted are folders without split.json"]


def test_scans_that_a_recipe_lists_are_taken_as_they_are(tmp_path, make_recipe, scans):
    recipe = make_recipe()
    assert with_scans(recipe, scans, tmp_path / "run") == recipe
    assert json.loads((tmp_path / "run" / "split.json").read_text())["validation"] == ["bert"]


def test_a_recipe_for_pictures_takes_the_pictures_of_the_folder(tmp_path, recipe):
    scan(tmp_path / "a.nrrd")
    for name in ("rose", "tulip"):
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 20), np.uint8)).save(tmp_path / f"{name}.png")
    made = with_scans(replace(recipe, images=True), tmp_path, tmp_path / "run")
    assert [entry.file for entry in made.scans] == ["rose.png", "tulip.png"]
