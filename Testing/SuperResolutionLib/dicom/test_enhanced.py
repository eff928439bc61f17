"""Enhanced multi-frame images are read as their classic counterparts are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from dicom_phantom import OBLIQUE, Phantom, item, noise, save
from SuperResolutionLib.dicom import list_series, read_dicom
from SuperResolutionLib.errors import RequestError


@pytest.mark.parametrize("modality", ["MR", "CT"])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEGLSLossless, RLELossless], ids=["raw", "jpeg-ls", "rle"])
def test_frames_are_put_in_their_places(tmp_path, modality, syntax):
    phantom = Phantom(noise(), OBLIQUE, modality=modality)
    save(phantom.enhanced(), tmp_path / "multi.dcm", syntax)
    volume = read_dicom(tmp_path / "multi.dcm")
    np.testing.assert_array_equal(volume.voxels, phantom.stored)
    np.testing.assert_allclose(volume.affine, phantom.affine, atol=1e-6)
    assert (volume.modality, volume.slice_thickness, len(volume.headers)) == (modality, 4.0, 1)


def test_shared_rescale_applies_to_all_frames(tmp_path):
    phantom = Phantom(noise(), modality="CT", slope=1, intercept=-1024)
    save(phantom.enhanced(), tmp_path / "multi.dcm")
    volume = read_dicom(tmp_path)
    assert volume.voxels.dtype == np.int16
    np.testing.assert_array_equal(volume.voxels, phantom.stored.astype(int) - 1024)


def test_rescale_of_each_frame_applies_to_that_frame(tmp_path):
    phantom = Phantom(noise(), slope=0.5, intercept=3)
    save(phantom.enhanced(scale_in_frames=True), tmp_path / "multi.dcm")
    expected = phantom.stored * 0.5 + 3 + np.arange(6)[:, None, None]
    np.testing.assert_allclose(read_dicom(tmp_path).voxels, expected, rtol=1e-6)


def test_enhanced_files_of_one_frame_each_make_one_volume(tmp_path):
    phantom = Phantom(noise(), OBLIQUE)
    for k in range(6):
        slab = replace(phantom, stored=phantom.stored[k : k + 1], origin=tuple(phantom.position(k)))
        save(slab.enhanced(), tmp_path / f"{5 - k}")
    volume = read_dicom(tmp_path)
    np.testing.assert_array_equal(volume.voxels, phantom.stored)
    assert len(volume.headers) == 6


def test_several_echoes_in_one_file_are_refused_and_named(tmp_path):
    def edit(groups: Dataset, k: int) -> None:
        groups.PlanePositionSequence[0].ImagePositionPatient = [0, 0, 3.0 * (k // 2)]
        groups.MREchoSequence = [item(EffectiveEchoTime=[10.0, 80.0][k % 2])]

    save(Phantom(noise(), edit=edit).enhanced(), tmp_path / "multi.dcm")
    with pytest.raises(RequestError, match=r"same place.*EffectiveEchoTime (10\.0 and 80\.0|80\.0 and 10\.0).*one image at each"):
        read_dicom(tmp_path / "multi.dcm")


def test_several_stacks_in_one_file_are_refused_and_named(tmp_path):
    def edit(groups: Dataset, k: int) -> None:
        groups.FrameContentSequence[0].StackID = "left" if k < 3 else "right"

    save(Phantom(noise(), edit=edit).enhanced(), tmp_path / "multi.dcm")
    with pytest.raises(RequestError, match="2 stacks.*left, right"):
        read_dicom(tmp_path)


def test_a_frame_without_position_is_refused(tmp_path):
    def edit(groups: Dataset, k: int) -> None:
        if k == 2:
            del groups.PlanePositionSequence

    save(Phantom(noise(), edit=edit).enhanced(), tmp_path / "multi.dcm")
    with pytest.raises(RequestError, match="ImagePositionPatient is missing"):
        read_dicom(tmp_path)


def test_frames_are_counted_when_series_are_listed(tmp_path):
    save(Phantom(noise()).enhanced(), tmp_path / "multi.dcm")
    assert [series.images for series in list_series(tmp_path)] == [6]
