"""Writes 3MF files: a zip archive with one XML model, after the 3MF Core Specification 1.4.0 (github.com/3MFConsortium/spec_core).

Of the formats that Slicer writes, STL and OBJ, neither knows units, and STL no names and colours.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from SuperResolutionLib.version import __version__

from .triangle_surface import TriangleSurface

# Appendix C: standard namespaces and content types.
CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
_MODEL_PART = "3D/3dmodel.model"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_CONTENT_TYPES = (
    _HEAD + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>\n'
)
_RELATIONSHIPS = (
    _HEAD + '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="model" Target="/{_MODEL_PART}" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>\n'
)
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2
_MATERIALS = 1  # resource id; the objects follow
_LINES = 20000  # lines formatted at once


def write_three_mf(path: Path, surfaces: Sequence[TriangleSurface], title: str, lps: bool = True) -> None:
    """Write closed surfaces to a 3MF file, each as an object with its name and colour.

    Vertices stay at their place in the patient; the one build item moves the whole into the positive octant (section 3.3). Several
    surfaces become components of one object, so that they keep their places (section 4.2).

    Parameters
    ----------
    path : Path
        A file name that ends in .3mf.
    surfaces : sequence of TriangleSurface
        At least one; each closed, with triangles that point outwards.
    title : str
        The document's title.
    lps : bool
        Vertices are in LPS mm, else in RAS mm; both are right-handed.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _CONTENT_TYPES)
        archive.writestr("_rels/.rels", _RELATIONSHIPS)
        with archive.open(_MODEL_PART, "w", force_zip64=True) as part:
            for text in _model(surfaces, title, lps):
                part.write(text.encode())


def _model(surfaces: Sequence[TriangleSurface], title: str, lps: bool) -> Iterable[str]:
    """Yield the model part, piece by piece."""
    yield f'{_HEAD}<model unit="millimeter" xml:lang="und" xmlns="{CORE}">\n'
    about = {
        "Title": title,
        "Application": f"SuperResolution for 3D Slicer {__version__}",
        "Description": f"Vertices in millimetres, SPACE={'LPS' if lps else 'RAS'}. For research use, not for diagnosis.",
    }
    for name, value in about.items():
        yield f'<metadata name="{name}">{escape(_clean(value))}</metadata>\n'
    yield f'<resources>\n<basematerials id="{_MATERIALS}">\n'
    for surface in surfaces:
        yield f'<base name={_quoted(surface.name)} displaycolor="{_hexadecimal(surface.colour)}"/>\n'
    yield "</basematerials>\n"
    for index, surface in enumerate(surfaces):
        yield from _object(_MATERIALS + 1 + index, index, surface, lps)
    built = _MATERIALS + 1
    if len(surfaces) > 1:
        yield from _assembly(built + len(surfaces), range(built, built + len(surfaces)), title)
        built += len(surfaces)
    lowest = np.min([surface.points_in(lps).min(axis=0) for surface in surfaces], axis=0)
    onto_bed = "1 0 0 0 1 0 0 0 1 {:.5f} {:.5f} {:.5f}".format(*-np.floor(lowest))
    yield f'</resources>\n<build>\n<item objectid="{built}" transform="{onto_bed}"/>\n</build>\n</model>\n'


def _object(number: int, material: int, surface: TriangleSurface, lps: bool) -> Iterable[str]:
    """Yield one mesh object."""
    yield f'<object id="{number}" type="model" name={_quoted(surface.name)} pid="{_MATERIALS}" pindex="{material}"><mesh>\n<vertices>\n'
    yield from _lines('<vertex x="{:.5f}" y="{:.5f}" z="{:.5f}"/>\n', surface.points_in(lps))
    yield "</vertices>\n<triangles>\n"
    yield from _lines('<triangle v1="{}" v2="{}" v3="{}"/>\n', surface.triangles)
    yield "</triangles>\n</mesh></object>\n"


def _assembly(number: int, components: Iterable[int], title: str) -> Iterable[str]:
    """Yield the object that holds the others at their places."""
    yield f'<object id="{number}" type="model" name={_quoted(title)}><components>\n'
    for component in components:
        yield f'<component objectid="{component}"/>\n'
    yield "</components></object>\n"


def _lines(template: str, rows: np.ndarray) -> Iterable[str]:
    """Yield the rows of a table as text, many at a time."""
    for start in range(0, len(rows), _LINES):
        yield "".join(template.format(*row) for row in rows[start : start + _LINES].tolist())


def _clean(text: str) -> str:
    """Leave out what XML cannot hold."""
    return _NOT_IN_XML.sub("", text)


def _quoted(text: str) -> str:
    """Return a text as the value of an attribute."""
    return quoteattr(_clean(text))


def _hexadecimal(colour: tuple[float, float, float]) -> str:
    """Return a colour as #RRGGBB."""
    return "#" + "".join(f"{round(255 * min(max(part, 0.0), 1.0)):02X}" for part in colour)
