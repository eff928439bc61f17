"""3MF files, read again with zipfile and an XML parser, against the rules of the core specification."""

import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest
import vtk

from SuperResolutionSlicer.three_mf import CORE, write_three_mf
from SuperResolutionSlicer.triangle_surface import TriangleSurface

NAMESPACE = {"": CORE}


def cube(name, low, colour):
    source = vtk.vtkCubeSource()
    source.SetBounds(low, low + 10, low, low + 20, low, low + 30)
    source.Update()
    return TriangleSurface.from_poly_data(source.GetOutput(), name, colour)


@pytest.fixture
def read(tmp_path):
    """Write surfaces and return the archive's parts and the root of the model."""

    def write_and_read(*surfaces, title="knee", lps=True):
        path = tmp_path / "knee.3mf"
        write_three_mf(path, surfaces, title, lps)
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            parts = {name: archive.read(name) for name in archive.namelist()}
        return parts, ElementTree.fromstring(parts["3D/3dmodel.model"])

    return write_and_read


def vertices(mesh_object):
    return np.array([[float(v.get(axis)) for axis in "xyz"] for v in mesh_object.iterfind(".//vertex", NAMESPACE)])


def triangles(mesh_object):
    return np.array([[int(t.get(v)) for v in ("v1", "v2", "v3")] for t in mesh_object.iterfind(".//triangle", NAMESPACE)])


def test_the_package_leads_to_the_model(read):
    parts, model = read(cube("bone", -5.0, (1, 0, 0)))

    relation = ElementTree.fromstring(parts["_rels/.rels"])[0]
    assert relation.get("Target") == "/3D/3dmodel.model"
    assert relation.get("Type") == "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
    types = {entry.get("Extension"): entry.get("ContentType") for entry in ElementTree.fromstring(parts["[Content_Types].xml"])}
    assert types["model"] == "application/vnd.ms-package.3dmanufacturing-3dmodel+xml"
    assert types["rels"] == "application/vnd.openxmlformats-package.relationships+xml"
    assert model.tag == f"{{{CORE}}}model" and model.get("unit") == "millimeter"


def test_a_segment_is_an_object_with_name_colour_and_its_points_in_lps(read):
    bone = cube("bone & <cartilage> \x07", -5.0, (1.0, 0.5, 0.0))
    _, model = read(bone)

    (mesh_object,) = model.iterfind(".//object", NAMESPACE)
    (base,) = model.iterfind(".//base", NAMESPACE)
    assert mesh_object.get("name") == base.get("name") == "bone & <cartilage> "
    assert base.get("displaycolor") == "#FF8000"
    assert mesh_object.get("pid") == model.find(".//basematerials", NAMESPACE).get("id")
    assert mesh_object.get("pindex") == "0"
    np.testing.assert_allclose(vertices(mesh_object), bone.points * [-1, -1, 1], atol=1e-5)
    np.testing.assert_array_equal(triangles(mesh_object), bone.triangles)


def test_triangles_point_outwards_and_the_edges_are_manifold(read):
    _, model = read(cube("bone", 100.0, (1, 1, 1)))
    mesh_object = model.find(".//object", NAMESPACE)

    corners = (vertices(mesh_object) - vertices(mesh_object).mean(axis=0))[triangles(mesh_object)]
    assert np.linalg.det(corners).sum() / 6 == pytest.approx(6000)
    edges = [edge for a, b, c in triangles(mesh_object).tolist() for edge in ((a, b), (b, c), (c, a))]
    assert len(set(edges)) == len(edges) and set(edges) == {(b, a) for a, b in edges}


def test_the_build_item_moves_the_whole_into_the_positive_octant(read):
    _, model = read(cube("bone", -50.0, (1, 1, 1)), cube("cartilage", 7.3, (0, 0, 1)))

    (item,) = model.iterfind("./build/item", NAMESPACE)
    matrix = np.array(item.get("transform").split(), float).reshape(4, 3)
    np.testing.assert_array_equal(matrix[:3], np.eye(3))
    moved = np.concatenate([vertices(part) for part in model.iterfind(".//object", NAMESPACE) if part.find("mesh", NAMESPACE) is not None])
    assert (moved + matrix[3]).min(axis=0) == pytest.approx([0, 0, 0], abs=1)
    assert (moved + matrix[3]).min() >= 0


def test_several_segments_are_components_of_one_object(read):
    _, model = read(cube("bone", 0.0, (1, 1, 1)), cube("cartilage", 7.0, (0, 0, 1)))

    objects = {entry.get("id"): entry for entry in model.iterfind(".//object", NAMESPACE)}
    item = model.find("./build/item", NAMESPACE)
    components = [entry.get("objectid") for entry in objects[item.get("objectid")].iterfind(".//component", NAMESPACE)]
    assert [objects[number].get("name") for number in components] == ["bone", "cartilage"]
    assert list(objects) == [*components, item.get("objectid")]  # defined before they are referred to
    assert "pid" not in objects[item.get("objectid")].attrib
    ids = [entry.get("id") for entry in model.find("resources", NAMESPACE)]
    assert len(set(ids)) == len(ids)


def test_the_metadata_name_the_document_and_the_coordinate_system(read):
    for lps, space in ((True, "SPACE=LPS"), (False, "SPACE=RAS")):
        _, model = read(cube("bone", 0.0, (1, 1, 1)), title="knee", lps=lps)
        metadata = {entry.get("name"): entry.text for entry in model.iterfind("metadata", NAMESPACE)}
        assert metadata["Title"] == "knee"
        assert space in metadata["Description"] and "not for diagnosis" in metadata["Description"]
