"""Checked surfaces become STL, OBJ or 3MF files, whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import slicer

from SuperResolutionLib.errors import RequestError, WorkError

from .surface_check import SurfaceReport
from .three_mf import write_three_mf
from .triangle_surface import TriangleSurface

FILE_FORMATS = ("stl", "obj", "3mf")
_STL_HEAD, _STL_TRIANGLE = 84, 50  # bytes of a binary STL file
_UNNAMED = "not named yet"  # what Slicer writes first; no final name has spaces


def write_surfaces(
    reports: Sequence[SurfaceReport],
    folder: str | Path,
    title: str,
    *,
    file_format: str = "stl",
    merged: bool = False,
    lps: bool = True,
    overwrite: bool = False,
    accept_flaws: bool = False,
) -> list[Path]:
    """Write checked surfaces, in millimetres, to STL, OBJ or 3MF files that appear whole or not at all.

    STL and OBJ are written by Slicer's own exporter, which says the coordinate system in the file's head.

    Parameters
    ----------
    reports : sequence of SurfaceReport
        At least one: only what was checked is written.
    folder : str or Path
        It exists.
    title : str
        The segmentation's name; files are named `title_segment.stl`, or `title.stl` when merged.
    file_format : str
        One of `FILE_FORMATS`.
    merged : bool
        All surfaces in one file; STL then makes one body of them.
    lps : bool
        LPS coordinates, which other programs expect, else RAS.
    overwrite : bool
        Replace files of the same name.
    accept_flaws : bool
        Write surfaces that bound no solid too; STL and OBJ only.

    Returns
    -------
    list of Path
        The files, those of materials (.mtl) that come with OBJ included.

    Raises
    ------
    RequestError
        If nothing is given, the format is unknown, a surface is flawed, the folder cannot be used or a file exists.
    WorkError
        If a file cannot be written; what the folder held before is still there, unless a file was already replaced by a whole one.
    """
    folder = Path(folder)
    if file_format not in FILE_FORMATS:
        raise RequestError(f"file format: {file_format!r}; accepted are {', '.join(FILE_FORMATS)}")
    if not reports:
        raise RequestError("no surface to write; accepted is at least one")
    for report in reports:
        if report.flaws and not (accept_flaws and file_format != "3mf"):
            raise RequestError(
                f"segment '{report.surface.name}': {'; '.join(report.flaws)}; accepted are closed surfaces that face outwards "
                "(less smoothing or decimation, or leaving out small shells, may help)"
            )
    surfaces = [report.surface for report in reports]
    bodies = [surfaces] if merged else [[surface] for surface in surfaces]
    stems = [_safe_name(title)] if merged else _segment_stems(title, surfaces)
    endings = (".obj", ".mtl") if file_format == "obj" else (f".{file_format}",)
    paths = [folder / f"{stem}{ending}" for stem in stems for ending in endings]
    _check_places(folder, paths, overwrite)
    try:
        with tempfile.TemporaryDirectory(prefix=".surfaces-", dir=folder) as partial:
            for body, stem in zip(bodies, stems):
                if file_format == "3mf":
                    write_three_mf(Path(partial) / f"{stem}.3mf", body, title, lps)
                else:
                    _write_with_slicer(Path(partial), stem, body, file_format, lps)
            for path in paths:
                os.replace(Path(partial) / path.name, path)
    except OSError as error:
        raise WorkError(f"{error.filename or folder}: not written, {error.strerror or error}") from error
    return paths


def _check_places(folder: Path, paths: Sequence[Path], overwrite: bool) -> None:
    """Refuse a folder that cannot be written to, and files that exist."""
    if not folder.is_dir():
        raise RequestError(f"{folder}: there is no such folder; accepted are folders that exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RequestError(f"{folder}: no permission to write; accepted are folders that can be written to")
    for path in paths:
        if path.exists() and not (overwrite and path.is_file()):
            raise RequestError(f"{path}: exists already; accepted is a new name, or a file that may be overwritten")


def _segment_stems(title: str, surfaces: Sequence[TriangleSurface]) -> list[str]:
    """Return a file name for each surface, without ending; segments of the same name get numbers."""
    stems: list[str] = []
    for surface in surfaces:
        stem = wanted = f"{_safe_name(title)}_{_safe_name(surface.name)}"
        number = 1
        while stem.casefold() in (other.casefold() for other in stems):
            number += 1
            stem = f"{wanted}_{number}"
        stems.append(stem)
    return stems


def _safe_name(name: str) -> str:
    """Return a name for a file: spaces go too, since OBJ names its material file in a line that they would break."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "surface"


def _write_with_slicer(folder: Path, stem: str, surfaces: Sequence[TriangleSurface], file_format: str, lps: bool) -> None:
    """Have Slicer's exporter write one STL or OBJ file, and look at what it wrote, since it reports success in any case."""
    scene = slicer.vtkMRMLScene()  # of its own: no view shows these segments, and no user's colours change
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", _UNNAMED)
    node.CreateDefaultDisplayNodes()
    node.SetSourceRepresentationToClosedSurface()
    for number, surface in enumerate(surfaces):
        segment = slicer.vtkSegment()
        segment.SetName(str(number))
        segment.SetColor(surface.colour)
        segment.AddRepresentation(node.GetSegmentation().GetSourceRepresentationName(), surface.poly_data())
        node.GetSegmentation().AddSegment(segment, str(number))
    merge = True  # of STL only: OBJ files always hold all segments, each as a group
    slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsClosedSurfaceRepresentationToFiles(
        str(folder), node, None, file_format.upper(), lps, 1.0, merge
    )
    triangles = sum(len(surface.triangles) for surface in surfaces)
    if file_format == "stl":
        _finish_stl(folder / f"{_UNNAMED}.stl", folder / f"{stem}.stl", triangles)
    else:
        _finish_obj(folder / f"{_UNNAMED}.obj", folder / f"{stem}.obj", triangles)


def _finish_stl(written: Path, path: Path, triangles: int) -> None:
    """Give an STL file its name if it is whole."""
    if not written.exists() or written.stat().st_size != _STL_HEAD + _STL_TRIANGLE * triangles:
        raise WorkError(f"{path.name}: not written whole; is the disk full?")
    os.replace(written, path)


def _finish_obj(written: Path, path: Path, triangles: int) -> None:
    """Give an OBJ file and its materials their names if they are whole."""
    materials = written.with_suffix(".mtl")
    text = written.read_text("utf-8") if written.exists() else ""
    if text.count("\nf ") != triangles or not text.endswith("\n") or not materials.exists():
        raise WorkError(f"{path.name}: not written whole; is the disk full?")
    path.write_text(text.replace(f"mtllib {materials.name}", f"mtllib {path.with_suffix('.mtl').name}", 1), "utf-8")
    written.unlink()
    os.replace(materials, path.with_suffix(".mtl"))
