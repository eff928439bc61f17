"""Volume nodes as the engine sees them: the same voxels, the matrix in LPS, what the DICOM study says of them."""

from __future__ import annotations

import numpy as np
import slicer
import slicer.util
import vtk

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.label_maps import refuse_label_map
from SuperResolutionLib.volume import Volume

DICOM_UIDS = "DICOM.instanceUIDs"
_ENGINE_MODALITIES = ("MR", "CT")
_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def volume_of(node: slicer.vtkMRMLScalarVolumeNode) -> Volume:
    """Return a node as a `Volume` whose voxels are a live view of the node's: look at them, do not keep them.

    Raises
    ------
    RequestError
        If the node has no voxels, or others than the engine takes.
    """
    name = node.GetName()
    image = node.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0:
        raise RequestError(f"{name}: has no voxels; accepted are volumes with an image")
    if image.GetNumberOfScalarComponents() != 1:
        raise RequestError(f"{name}: {image.GetNumberOfScalarComponents()} values in each voxel; accepted is one number")
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    affine = _LPS_FROM_RAS @ slicer.util.arrayFromVTKMatrix(matrix)
    return Volume(slicer.util.arrayFromVolume(node), affine, stated_modality(node), source=name)


def stated_modality(node: slicer.vtkMRMLVolumeNode) -> str | None:
    """Return MR or CT if the node's DICOM series or the file it came from says so, else None."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(node) if hierarchy else 0
    name = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMSeriesModalityAttributeName()
    stated = (hierarchy.GetItemAttribute(item, name) if item else "") or node.GetAttribute("modality") or ""
    return stated if stated in _ENGINE_MODALITIES else None


def reasons_against(node: slicer.vtkMRMLScalarVolumeNode) -> list[str]:
    """Return why a node cannot be made finer, one line each; none if it can."""
    try:
        volume = volume_of(node)
    except RequestError as error:
        return [str(error)]
    reasons = []
    if 1 in volume.shape:
        reasons.append(f"{node.GetName()}: one slice; accepted are volumes of at least two voxels along each axis")
    # NaN passes through minimum and infinity stays one of the two, so that no second array is needed.
    if volume.voxels.dtype.kind == "f" and not np.isfinite([volume.voxels.min(), volume.voxels.max()]).all():
        reasons.append(f"{node.GetName()}: holds NaN or infinite voxels; accepted are finite voxels")
    try:
        refuse_label_map(volume)
    except RequestError as error:
        reasons.append(str(error))
    return reasons
