"""The sample is there without a network too, and is what the user then looks at."""

import SampleData
import slicer

from SuperResolutionSlicer import sample_data


def test_a_download_that_fails_as_slicers_own_gives_nothing(scene, monkeypatch):
    monkeypatch.setattr(SampleData.SampleDataLogic, "downloadMRHead", lambda logic: [][0], raising=False)
    assert sample_data._download_head() is None


def test_a_phantom_takes_the_place_of_a_download_and_is_the_volume_in_use(scene, monkeypatch):
    monkeypatch.setattr(sample_data, "_PHANTOM_SIZE", 16)
    node = sample_data.load_sample()
    assert node.GetName() == "Thick-slice head (phantom)"
    assert node.GetImageData().GetDimensions() == (16, 16, 4)
    assert slicer.app.applicationLogic().GetSelectionNode().GetActiveVolumeID() == node.GetID()
