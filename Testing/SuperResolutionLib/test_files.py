"""Volumes in and out of NIfTI, NRRD, MHA and DICOM through the two doors."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from dicom_phantom import OBLIQUE, Phantom, noise
from SuperResolutionLib import files, whole
from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.files import check_output, read_volume, spread_path, write_volume, write_volumes
from SuperResolutionLib.provenance import Provenance
from SuperResolutionLib.upscaling import check_voxels
from SuperResolutionLib.volume import Volume

SUFFIXES = [".nii", ".nii.gz", ".nrrd", ".mha"]
MADE = Provenance("mr-fast", "ab" * 32, 4, "k", "mean", "0.2", "0.01", "1.2.3")
MIRROR = np.diag([1.0, 1, -1])
# Half a turn is where a quaternion in single precision is least exact.
NEARLY_HALF_A_TURN = np.array([[1.0, 0, 0], [0, -np.cos(1e-3), np.sin(1e-3)], [0, -np.sin(1e-3), -np.cos(1e-3)]])
SHEAR = np.array([[1.0, 0, 0.1], [0, 1, 0], [0, 0, 1]])


def volume_of(directions=OBLIQUE, voxels=None, **attributes) -> Volume:
    affine = Phantom(noise(), directions).affine
    return Volume(noise(low=-999, high=3000, dtype=np.int16) if voxels is None else voxels, affine, **attributes)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("directions", [np.eye(3), OBLIQUE, OBLIQUE @ MIRROR, NEARLY_HALF_A_TURN, -np.eye(3)])
def test_every_format_keeps_values_types_and_geometry(tmp_path, suffix, directions):
    volume = volume_of(directions)
    write_volume(volume, tmp_path / f"a{suffix}")
    again = read_volume(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(again.voxels, volume.voxels)
    assert again.voxels.dtype == np.int16
    corner = [511, 511, 511]
    np.testing.assert_allclose(again.points(corner), volume.points(corner), atol=1e-3)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("directions", [OBLIQUE, OBLIQUE @ MIRROR, NEARLY_HALF_A_TURN])
def test_itk_and_with_it_slicer_see_the_same_geometry(tmp_path, suffix, directions):
    volume = volume_of(directions)
    write_volume(volume, tmp_path / f"a{suffix}")
    image = sitk.ReadImage(str(tmp_path / f"a{suffix}"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), volume.voxels)
    point = image.TransformContinuousIndexToPhysicalPoint([511.0, 511.0, 511.0])
    np.testing.assert_allclose(point, volume.points([511, 511, 511]), atol=1e-3)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"])
def test_number_types_are_kept(tmp_path, suffix, dtype):
    write_volume(volume_of(voxels=noise(high=100, dtype=np.dtype(dtype))), tmp_path / f"a{suffix}")
    assert read_volume(tmp_path / f"a{suffix}").voxels.dtype == dtype


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype, expected", [(">i2", "i2"), ("f2", "f4")])
def test_number_types_that_files_do_not_know_become_those_they_know(tmp_path, suffix, dtype, expected):
    voxels = noise(high=1000, dtype=np.dtype(dtype))
    write_volume(volume_of(voxels=voxels), tmp_path / f"a{suffix}")
    again = read_volume(tmp_path / f"a{suffix}").voxels
    assert again.dtype == expected
    np.testing.assert_array_equal(again, voxels)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("high, expected", [(4000, "i2"), (60000, "u2"), (2**31 - 1, "i4"), (2**40, "i8")])
def test_64_bit_integers_become_the_smallest_type_that_holds_them(tmp_path, suffix, high, expected):
    voxels = noise(high=high, dtype=np.int64)
    voxels[0, 0, 0] = high
    write_volume(volume_of(voxels=voxels), tmp_path / f"a{suffix}")
    again = read_volume(tmp_path / f"a{suffix}").voxels
    assert again.dtype == expected
    np.testing.assert_array_equal(again, voxels)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_provenance_modality_and_thickness_are_in_the_header(tmp_path, suffix):
    write_volume(volume_of(modality="CT", slice_thickness=4.5, provenance=MADE), tmp_path / f"a{suffix}")
    image = sitk.ReadImage(str(tmp_path / f"a{suffix}"))
    for key, value in MADE.as_fields().items():
        assert image.GetMetaData(key) == value
    again = read_volume(tmp_path / f"a{suffix}")
    assert (again.modality, again.slice_thickness) == ("CT", 4.5)


@pytest.mark.parametrize(("suffix", "uncompressed"), [(".nrrd", b"encoding: raw"), (".mha", b"CompressedData = False")])
def test_a_file_is_compressed_unless_it_is_not_to_be(tmp_path, suffix, uncompressed):
    volume = volume_of(voxels=np.repeat(noise(), 20, axis=0), modality="MR", provenance=MADE)
    small, large = tmp_path / f"small{suffix}", tmp_path / f"large{suffix}"
    write_volume(volume, small)
    write_volume(volume, large, compress=False)
    assert uncompressed in large.read_bytes() and uncompressed not in small.read_bytes()
    assert small.stat().st_size < volume.voxels.nbytes < large.stat().st_size
    for path in (small, large):
        np.testing.assert_array_equal(read_volume(path).voxels, volume.voxels)
        assert sitk.ReadImage(str(path)).GetMetaData("modality") == "MR"


@pytest.mark.parametrize(("name", "compressed"), [("a.nii", False), ("a.nii.gz", True)])
def test_a_nifti_file_is_compressed_as_its_ending_says(tmp_path, name, compressed):
    write_volume(volume_of(), tmp_path / name, compress=not compressed)
    assert (tmp_path / name).read_bytes().startswith(b"\x1f\x8b") == compressed


def test_a_nifti_file_says_how_it_was_made(tmp_path):
    made = replace(MADE, model="model-of-a-very-long-name-indeed", engine_version="10.20.30")
    write_volume(volume_of(provenance=made), tmp_path / "a.nii.gz")
    described = sitk.ReadImage(str(tmp_path / "a.nii.gz")).GetMetaData("descrip")
    assert described == "SR x4 model-of-a-very-long-nam 10.20.30; research use, not for diagnosis"


def test_nifti_says_nothing_about_modality(tmp_path):
    write_volume(volume_of(modality="CT"), tmp_path / "a.nii")
    assert read_volume(tmp_path / "a.nii").modality is None


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_a_sheared_volume_keeps_its_matrix_where_the_format_can(tmp_path, suffix):
    volume = volume_of(SHEAR)
    write_volume(volume, tmp_path / f"a{suffix}")
    np.testing.assert_allclose(read_volume(tmp_path / f"a{suffix}").affine, volume.affine, atol=1e-9)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_axes_that_are_not_quite_perpendicular_are_kept_as_they_are(tmp_path, suffix):
    volume = volume_of(OBLIQUE @ [[1, 8e-5, 0], [0, 1, 0], [0, 0, 1]])
    write_volume(volume, tmp_path / f"a{suffix}")
    image = sitk.ReadImage(str(tmp_path / f"a{suffix}"))
    np.testing.assert_allclose(image.TransformContinuousIndexToPhysicalPoint([511.0] * 3), volume.points([511] * 3), atol=1e-3)
    np.testing.assert_allclose(read_volume(tmp_path / f"a{suffix}").points([511] * 3), volume.points([511] * 3), atol=1e-3)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "folder"])
def test_a_sheared_volume_is_refused_where_the_format_cannot(tmp_path, name):
    with pytest.raises(RequestError, match="not perpendicular.*nrrd"):
        write_volume(volume_of(SHEAR), tmp_path / name)


def test_a_series_goes_through_the_same_doors(tmp_path):
    phantom = Phantom(noise((20, 16, 16))).write(tmp_path / "in")
    volume = read_volume(tmp_path / "in", "1.2.3.4")
    write_volume(volume, tmp_path / "out")
    write_volume(volume, tmp_path / "out.nii.gz")
    for name in ("out", "out.nii.gz"):
        again = read_volume(tmp_path / name)
        np.testing.assert_array_equal(again.voxels, phantom.stored)
        np.testing.assert_allclose(again.affine, phantom.affine, atol=1e-4)


def test_a_missing_file_is_refused(tmp_path, refusal):
    assert "no such file" in refusal(tmp_path / "a.nii")


def test_a_picture_is_refused_with_what_is_accepted(tmp_path, refusal):
    (tmp_path / "a.png").write_bytes(b"\x89PNG" + bytes(500))
    assert ".nrrd" in refusal(tmp_path / "a.png")


def test_a_series_cannot_be_asked_of_a_single_volume(tmp_path, refusal):
    write_volume(volume_of(), tmp_path / "a.nii")
    assert "series 1.2" in refusal(tmp_path / "a.nii", "1.2")


# Whole or not at all.


@pytest.mark.parametrize("name", ["a.png", "a.dcm", "a.txt", "a.nii.zip", "a.nhdr"])
def test_other_endings_are_refused_with_those_that_are_accepted(tmp_path, name):
    with pytest.raises(RequestError, match=r"accepted are \.nii, \.nii\.gz, \.nrrd, \.mha, or no ending"):
        write_volume(volume_of(), tmp_path / name)


@pytest.mark.parametrize("name", ["a.nii", "a.nrrd", "folder"])
def test_an_output_in_a_folder_that_does_not_exist_is_refused_before_any_work(tmp_path, name):
    with pytest.raises(RequestError, match="no folder"):
        check_output(tmp_path / "missing" / name)


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path):
    (tmp_path / "a.nii").mkdir()
    with pytest.raises(RequestError, match="is a folder"):
        check_output(tmp_path / "a.nii")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "failure, expected", [(OSError(errno.ENOSPC, "No space left on device"), WorkError), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_an_interrupted_file_leaves_the_old_one_and_nothing_else(tmp_path, suffix, failure, expected, monkeypatch):
    path = tmp_path / f"a{suffix}"
    path.write_text("old")

    def interrupted(*_):
        raise failure

    monkeypatch.setattr(whole.os, "replace", interrupted)
    with pytest.raises(expected):
        write_volume(volume_of(), path)
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [(path.name, "old")]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_old_file_is_replaced(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("old")
    write_volume(volume_of(), path)
    assert read_volume(path).shape == noise().shape
    assert os.listdir(tmp_path) == [path.name]


FULL_DISK = """
import resource, signal, sys
import numpy as np
from SuperResolutionLib.errors import WorkError
from SuperResolutionLib.files import write_volume
from SuperResolutionLib.volume import Volume
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
volume = Volume(np.random.default_rng(0).normal(0, 500, (24, 110, 110)).astype(np.int16), np.eye(4))
for name in sys.argv[1:]:
    try:
        write_volume(volume, name)
        print("no error")
    except WorkError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are of POSIX")
def test_a_disk_that_fills_up_ends_in_one_line_and_no_file(tmp_path):
    names = [str(tmp_path / f"a{suffix}") for suffix in [*SUFFIXES, ""]]
    library = str(Path(files.__file__).parents[1])
    command = [sys.executable, "-c", FULL_DISK, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": library})
    lines = done.stdout.splitlines()
    assert len(lines) == len(names) and done.stderr == ""
    assert all(line.startswith(f"{name}: not written") for line, name in zip(lines, names, strict=True))
    assert not list(tmp_path.iterdir())


def test_reading_and_writing_do_not_need_torch():
    library = str(Path(files.__file__).parents[1])
    code = "import sys, SuperResolutionLib.files; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": library})


@pytest.mark.parametrize("name", ["bad.nii", "bad.nii.gz", "bad.nrrd", "bad.mha"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_voxel_that_is_no_number_does_not_pass_for_zero(tmp_path, name, dtype):
    voxels = np.random.default_rng(0).normal(100, 20, (6, 8, 9)).astype(dtype)
    voxels[2, 3, 4] = np.nan
    write_volume(Volume(voxels, np.diag([1.0, 1.0, 3.0, 1.0])), tmp_path / name)
    with pytest.raises(RequestError, match="1 voxels are NaN or infinite"):
        check_voxels(read_volume(tmp_path / name))


@pytest.mark.parametrize(
    ("path", "beside"),
    [("a/fine.nii.gz", "a/fine-spread.nii.gz"), ("fine.1.NRRD", "fine.1-spread.NRRD"), ("a.b/fine", "a.b/fine-spread")],
)
def test_the_spread_is_written_beside_its_result(path, beside):
    assert spread_path(path) == Path(beside)


def test_a_nifti_spread_says_that_it_is_one(tmp_path):
    made = replace(MADE, model="model-of-a-very-long-name-indeed", engine_version="10.20.30", quantity="spread")
    write_volume(volume_of(provenance=made), tmp_path / "a.nii.gz")
    described = sitk.ReadImage(str(tmp_path / "a.nii.gz")).GetMetaData("descrip")
    assert described == "SR x4 model-of-a-very- 10.20.30; spread; research use, not for diagnosis"


@pytest.mark.parametrize("suffix", [".nii.gz", ""])
@pytest.mark.parametrize("failing", [1, 2])
def test_volumes_that_belong_together_appear_all_or_none(tmp_path, monkeypatch, suffix, failing):
    """The first to be put in place is the one that was written last."""
    done = []

    def replace_or_fail(source, target):
        done.append(target)
        if len(done) == failing:
            raise OSError(errno.EACCES, "Permission denied")
        rename(source, target)

    rename = os.rename
    monkeypatch.setattr(os, "replace" if suffix else "rename", replace_or_fail)
    with pytest.raises(WorkError, match="Permission denied"):
        write_volumes({tmp_path / f"a{suffix}": volume_of(modality="MR"), tmp_path / f"a-spread{suffix}": volume_of(modality="MR")})
    assert len(done) == failing and list(tmp_path.iterdir()) == []


def test_a_volume_that_cannot_be_written_keeps_what_was_there(tmp_path, monkeypatch):
    paths = [tmp_path / "a.nrrd", tmp_path / "a-spread.nrrd"]
    for path in paths:
        path.write_bytes(b"earlier")
    monkeypatch.setattr(files, "write_itk_file", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left")))
    with pytest.raises(WorkError, match="No space left"):
        write_volumes(dict.fromkeys(paths, volume_of()))
    assert [path.read_bytes() for path in paths] == [b"earlier"] * 2


@pytest.mark.parametrize("with_headers", [False, True])
def test_a_dicom_spread_is_a_series_of_its_own_in_the_study_of_its_result(tmp_path, with_headers):
    volume = volume_of(voxels=noise(low=-999, high=3000, dtype=np.int16), modality="CT", provenance=MADE)
    if with_headers:
        write_volume(volume, tmp_path / "source")
        volume = replace(read_volume(tmp_path / "source"), provenance=MADE)
        for header in volume.headers:
            header.WindowCenter, header.WindowWidth = 40, 400
            del header.FrameOfReferenceUID
    spread = replace(volume, voxels=np.abs(noise(dtype=np.float32)) / 7, provenance=replace(MADE, quantity="spread"))
    write_volumes({tmp_path / "fine": volume, tmp_path / "fine-spread": spread})
    fine, again = read_volume(tmp_path / "fine"), read_volume(tmp_path / "fine-spread")
    np.testing.assert_allclose(again.voxels, spread.voxels, atol=np.ptp(spread.voxels) / 65535)
    first, second = fine.headers[0], again.headers[0]
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID"):
        assert first[keyword].value == second[keyword].value
    assert first.SeriesInstanceUID != second.SeriesInstanceUID
    assert second.SeriesDescription.endswith("SR x4 mr-fast spread") and second.DerivationDescription.startswith("Spread (standard")
    assert float(second.WindowCenter) < np.ptp(spread.voxels) and (not with_headers or float(first.WindowCenter) == 40)
