"""From segments to surfaces for a 3D printer, made by Slicer's own conversion on a copy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from SuperResolutionLib.errors import RequestError, WorkError

from .shells import drop_shells
from .surface_check import SurfaceReport, check_surface
from .surface_files import write_surfaces
from .triangle_surface import TriangleSurface

# As in vtkSegmentationConverter, which is not to be had yet when Slicer starts and imports its modules.
_BINARY_LABELMAP, _CLOSED_SURFACE = "Binary labelmap", "Closed surface"


def takes_smoothing(segmentation: slicer.vtkMRMLSegmentationNode) -> bool:
    """Tell whether surfaces are made of voxels, and so can be smoothed and decimated; imported surfaces are written as they are."""
    return segmentation.GetSegmentation().GetSourceRepresentationName() != _CLOSED_SURFACE


def segment_surfaces(
    segmentation: slicer.vtkMRMLSegmentationNode,
    segment_ids: Sequence[str],
    smoothing: float | None = None,
    decimation: float | None = None,
) -> list[TriangleSurface]:
    """Make the surfaces of segments with Slicer's own conversion, parent transform applied, and leave the segmentation as it is.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
        In the application's scene.
    segment_ids : sequence of str
        At least one.
    smoothing, decimation : float, optional
        Slicer's conversion parameters "Smoothing factor" and "Decimation factor", 0 to 1. As set in the segmentation if not given.

    Raises
    ------
    RequestError
        If no segment is named, one is unknown or empty, or a factor cannot be used.
    """
    _check_request(segmentation, segment_ids, smoothing, decimation)
    segment_ids = list(dict.fromkeys(segment_ids))
    copy = _converted(segmentation, segment_ids, smoothing, decimation)
    to_world = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(segmentation.GetParentTransformNode(), None, to_world)
    return [_surface_in_world(segmentation, copy.GetSegment(segment_id), to_world) for segment_id in segment_ids]


def _check_request(segmentation, segment_ids: Sequence[str], smoothing: float | None, decimation: float | None) -> None:
    """Refuse what cannot be made into surfaces."""
    if segmentation is None or not segmentation.IsA("vtkMRMLSegmentationNode") or segmentation.GetScene() is not slicer.mrmlScene:
        found = "no node" if segmentation is None else f"'{segmentation.GetName()}', a {segmentation.GetClassName()}"
        raise RequestError(f"surfaces: found {found}; accepted is a segmentation of the current scene")
    name = segmentation.GetName()
    if not segment_ids:
        raise RequestError(f"'{name}': no segment chosen; accepted is at least one")
    known = list(segmentation.GetSegmentation().GetSegmentIDs())
    for segment_id in segment_ids:
        if segment_id not in known:
            raise RequestError(
                f"'{name}': there is no segment '{segment_id}'; accepted are {', '.join(known) or 'none, it has no segments'}"
            )
    for word, factor in (("smoothing", smoothing), ("decimation", decimation)):
        if factor is not None and not 0 <= factor <= 1:
            raise RequestError(f"{word}: {factor}; accepted are factors from 0 to 1")
        if factor and not takes_smoothing(segmentation):
            raise RequestError(f"{word}: '{name}' is made of imported surfaces, which are written as they are; accepted is 0")


def _converted(segmentation, segment_ids: Sequence[str], smoothing: float | None, decimation: float | None) -> slicer.vtkSegmentation:
    """Return a segmentation with the same voxels, not copied, and surfaces of its own."""
    original, display = segmentation.GetSegmentation(), segmentation.GetDisplayNode()
    source = original.GetSourceRepresentationName()
    copy = slicer.vtkSegmentation()
    copy.SetSourceRepresentationName(source)
    copy.CopyConversionParameters(original)
    rule = slicer.vtkBinaryLabelmapToClosedSurfaceConversionRule
    for parameter, factor in ((rule.GetSmoothingFactorParameterName(), smoothing), (rule.GetDecimationFactorParameterName(), decimation)):
        if factor is not None:
            copy.SetConversionParameter(parameter, str(factor))
    for segment_id in segment_ids:
        segment = original.GetSegment(segment_id)
        twin = slicer.vtkSegment()
        twin.SetName(segment.GetName() or segment_id)
        twin.SetLabelValue(segment.GetLabelValue())
        twin.SetColor(*(display.GetSegmentColor(segment_id) if display else segment.GetColor()))
        twin.AddRepresentation(source, segment.GetRepresentation(source))
        copy.AddSegment(twin, segment_id)
    if not copy.CreateRepresentation(_CLOSED_SURFACE):
        raise WorkError(f"no surfaces could be made of '{source}'; what Slicer said is in its log")
    return copy


def _surface_in_world(segmentation, segment: slicer.vtkSegment, to_world: vtk.vtkGeneralTransform) -> TriangleSurface:
    """Return the surface of a converted segment in world RAS."""
    drawn_mm3 = _drawn_volume(segment, segmentation)
    moved = vtk.vtkTransformPolyDataFilter()
    moved.SetTransform(to_world)
    moved.SetInputData(segment.GetRepresentation(_CLOSED_SURFACE))
    moved.Update()
    surface = TriangleSurface.from_poly_data(moved.GetOutput(), segment.GetName(), segment.GetColor(), drawn_mm3)
    if not len(surface.triangles):
        why = "Slicer makes no surface of it with this smoothing and decimation" if drawn_mm3 else "it is empty"
        raise RequestError(f"segment '{surface.name}' of '{segmentation.GetName()}': {why}; accepted are segments with a surface")
    return surface


def _drawn_volume(segment: slicer.vtkSegment, segmentation) -> float | None:
    """Return the volume of a segment's voxels in the world, mm³, or None where voxels or the world have no such volume."""
    voxels = segment.GetRepresentation(_BINARY_LABELMAP)
    parent = segmentation.GetParentTransformNode()
    if voxels is None or (parent is not None and not parent.IsTransformToWorldLinear()):
        return None
    scalars = voxels.GetPointData().GetScalars()
    if scalars is None:
        return 0.0
    to_ras, to_world = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    voxels.GetImageToWorldMatrix(to_ras)
    if parent is not None:
        parent.GetMatrixTransformToWorld(to_world)
    count = np.count_nonzero(vtk_to_numpy(scalars) == segment.GetLabelValue())
    return float(count * abs(to_ras.Determinant() * to_world.Determinant()))


def export_segments(
    segmentation: slicer.vtkMRMLSegmentationNode,
    segment_ids: Sequence[str],
    folder: str | Path,
    *,
    smoothing: float | None = None,
    decimation: float | None = None,
    smallest_shell_mm3: float = 0.0,
    largest_shell_only: bool = False,
    **how_written,
) -> tuple[list[Path], list[SurfaceReport]]:
    """Make, check and write the surfaces of segments: `segment_surfaces`, `drop_shells`, `check_surface` and `write_surfaces` in one.

    Returns
    -------
    paths : list of Path
        The files written.
    reports : list of SurfaceReport
        What the check found, in the order of the segments.

    Raises
    ------
    RequestError, WorkError
        As the four do.
    """
    surfaces = segment_surfaces(segmentation, segment_ids, smoothing, decimation)
    reports = [check_surface(drop_shells(surface, smallest_shell_mm3, largest_shell_only)) for surface in surfaces]
    return write_surfaces(reports, folder, segmentation.GetName() or "Segmentation", **how_written), reports
