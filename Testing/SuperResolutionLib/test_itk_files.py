"""What NIfTI, NRRD and MetaImage files can get wrong, each refused in one line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from dicom_phantom import Phantom, noise
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionLib.nifti import NIFTI1
from SuperResolutionLib.volume import Volume

SUFFIXES = [".nii", ".nii.gz", ".nrrd", ".mha"]
VOLUME = Volume(noise(low=-999, high=3000, dtype=np.int16), Phantom(noise()).affine)


def nifti(path: Path, **fields) -> Path:
    """Write a NIfTI file whose header fields are then changed."""
    write_volume(VOLUME, path)
    content = bytearray(path.read_bytes())
    header = np.frombuffer(content, NIFTI1, count=1)[0]
    for name, value in fields.items():
        header[name] = value
    content[:348] = header.tobytes()
    path.write_bytes(content)
    return path


# What NIfTI headers can get wrong without SimpleITK saying so.


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("lost", [1, 700])
def test_a_nifti_file_cut_off_is_refused(tmp_path, suffix, lost, refusal):
    path = tmp_path / f"a{suffix}"
    write_volume(VOLUME, path)
    path.write_bytes(path.read_bytes()[:-lost])
    assert "cut off" in refusal(path)


def test_a_whole_archive_of_half_a_nifti_file_is_refused(tmp_path, refusal):
    write_volume(VOLUME, tmp_path / "a.nii")
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress((tmp_path / "a.nii").read_bytes()[:-100]))
    assert "cut off, 1692 bytes of 1792" in refusal(tmp_path / "a.nii.gz")


@pytest.mark.parametrize("qform_code", [0, 1])
def test_a_sheared_sform_is_refused(tmp_path, qform_code, refusal):
    srow = [[-0.5, 0, 0.3, 0], [0, -0.75, 0, 0], [0, 0, 3, 0]]
    refusal(nifti(tmp_path / "a.nii", srow=srow, qform_code=qform_code))


def test_a_sform_and_a_qform_that_disagree_are_refused(tmp_path, refusal):
    srow = [[0.5, 0, 0, 0], [0, -0.75, 0, 0], [0, 0, 3, 0]]
    message = refusal(nifti(tmp_path / "a.nii", srow=srow, sform_code=4, qform_code=1))
    assert "sform and qform" in message


def test_voxel_sizes_that_disagree_with_the_sform_are_refused(tmp_path, refusal):
    assert "voxel sizes" in refusal(nifti(tmp_path / "a.nii", pixdim=[1, 0.5, 0.75, 5, 0, 0, 0, 0], qform_code=0))


def test_a_left_handed_sform_is_kept(tmp_path):
    srow = [[0.5, 0, 0, 7], [0, -0.75, 0, 0], [0, 0, 3, 0]]
    volume = read_volume(nifti(tmp_path / "a.nii", srow=srow, qform_code=0))
    np.testing.assert_allclose(volume.affine[:3], [[-0.5, 0, 0, -7], [0, 0.75, 0, 0], [0, 0, 3, 0]], atol=1e-6)


@pytest.mark.parametrize("code, unit", [(0, 1.0), (1, 1000.0), (3, 0.001)])
def test_lengths_in_other_units_become_millimetres(tmp_path, code, unit):
    volume = read_volume(nifti(tmp_path / "a.nii", xyzt_units=code))
    np.testing.assert_allclose(volume.spacing, np.array([0.5, 0.75, 3]) * unit, rtol=1e-6)


def test_a_qform_alone_is_followed(tmp_path):
    volume = read_volume(nifti(tmp_path / "a.nii", sform_code=0, srow=0))
    np.testing.assert_allclose(volume.affine, VOLUME.affine, atol=1e-4)


def test_scaled_nifti_values_are_read_as_numbers(tmp_path):
    volume = read_volume(nifti(tmp_path / "a.nii", scl_slope=0.5))
    np.testing.assert_allclose(volume.voxels, VOLUME.voxels * 0.5)


# What is no single grey volume.


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "image, reason",
    [
        (sitk.Image([8, 8, 8], sitk.sitkVectorUInt8, 3), "3 values in each voxel"),
        (sitk.Image([8, 8, 8, 5], sitk.sitkInt16), "4 axes"),
        (sitk.Image([8, 8, 1], sitk.sitkInt16), "one slice|2 axes"),
    ],
    ids=["colours", "time series", "one slice"],
)
def test_other_images_are_refused(tmp_path, suffix, image, reason):
    sitk.WriteImage(image, str(tmp_path / f"a{suffix}"))
    with pytest.raises(RequestError, match=reason):
        read_volume(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"no image " * 100, b"NRRD0004\ntype: short\n", b"\x1f\x8b damaged"])
def test_damaged_files_are_refused_in_one_line_and_nothing_is_printed(tmp_path, suffix, content, capfd, refusal):
    (tmp_path / f"a{suffix}").write_bytes(content)
    refusal(tmp_path / f"a{suffix}")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("compressed", [False, True])
def test_files_cut_off_are_refused_in_one_line_and_nothing_is_printed(tmp_path, suffix, compressed, capfd, refusal):
    path = tmp_path / f"a{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(noise()), str(path), useCompression=compressed)
    path.write_bytes(path.read_bytes()[:-200])
    refusal(path)
    assert capfd.readouterr() == ("", "")


def test_files_that_call_themselves_segmentations_are_refused(tmp_path, refusal):
    image = sitk.GetImageFromArray(noise())
    sitk.WriteImage(image, str(tmp_path / "a.seg.nrrd"))
    image.SetMetaData("Segment0_ID", "Segment_1")
    sitk.WriteImage(image, str(tmp_path / "b.nrrd"))
    for path in (tmp_path / "a.seg.nrrd", tmp_path / "b.nrrd", nifti(tmp_path / "c.nii", intent_code=1002)):
        assert "segmentation (label map)" in refusal(path)
