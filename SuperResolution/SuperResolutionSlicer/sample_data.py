"""A thick-slice volume in Sample Data, to try the module with."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import slicer
import slicer.util

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.volume import Volume

from .phantom import shepp_logan
from .volume_nodes import volume_of

SAMPLE_NAME = "SuperResolutionThickHead"
FACTOR = 4
_TITLE = "Thick-slice head"
# Slicer's own sample, by its own checksum.
_MRHEAD_SHA256 = "cc211f0dfd9a05ca3841ce1141b292898b2dd2d3f08286affadf823a7e58df93"
_MRHEAD = f"https://github.com/Slicer/SlicerTestingData/releases/download/SHA256/{_MRHEAD_SHA256}"
_PHANTOM_SIZE, _PHANTOM_SPACING = 160, 1.2
_THUMBNAIL = Path(__file__).resolve().parent.parent / "Resources" / "Icons" / "SuperResolution.png"


def register_sample_data() -> None:
    """Offer the sample in the Sample Data module; called when the application has started."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="SuperResolution",
        sampleName=SAMPLE_NAME,
        uris=_MRHEAD,
        fileNames="MR-head.nrrd",
        checksums=f"SHA256:{_MRHEAD_SHA256}",
        nodeNames="MRHead",  # what scripts get that download by name: they pass the custom downloader by
        thumbnailFileName=str(_THUMBNAIL),
        customDownloader=load_sample,
    )


def load_sample(source: object = None) -> slicer.vtkMRMLScalarVolumeNode:
    """Return a new thick-slice volume node: MRHead, or offline a phantom, with every four sagittal or axial slices made one."""
    fine = None if slicer.app.testingEnabled() else _download_head()
    volume = volume_of(fine) if fine is not None else _phantom()
    # MRHead is stored as sagittal slices along k; the phantom's are axial.
    node = _add_node(degrade(volume, FACTOR, "k"), f"{_TITLE} ({'MRHead' if fine is not None else 'phantom'})")
    _show(node)
    return node


def _download_head() -> slicer.vtkMRMLScalarVolumeNode | None:
    import SampleData

    try:
        return SampleData.SampleDataLogic().downloadMRHead()
    except (IndexError, OSError, RuntimeError, ValueError) as error:  # the first one since Slicer takes the first of no nodes
        logging.warning("SuperResolution: MRHead could not be downloaded (%s); a phantom is made instead", error)
        return None


def _phantom() -> Volume:
    affine = np.diag([_PHANTOM_SPACING] * 3 + [1.0])
    affine[:3, 3] = -_PHANTOM_SPACING * (_PHANTOM_SIZE - 1) / 2
    return Volume(shepp_logan(_PHANTOM_SIZE), affine, "MR")


def _add_node(volume: Volume, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    ijk_to_ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine
    node = slicer.util.addVolumeFromArray(np.ascontiguousarray(volume.voxels), ijk_to_ras, name)
    node.SetAttribute("modality", "MR")
    return node


def _show(node: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Show a volume in the views and make it the one in use, as a volume that was read from a file."""
    logic = slicer.app.applicationLogic()
    logic.GetSelectionNode().SetActiveVolumeID(node.GetID())
    logic.PropagateVolumeSelection()
