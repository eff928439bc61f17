"""Views of the headless host: the right voxels at the right place of the picture, laid out as the layout says."""

import numpy as np
import pytest
import slicer
import slicer.util
import vtk

import host
from host.layout_manager import picture

WIDTH, HEIGHT = 640, 480
SIDE_BY_SIDE = """<layout type="vertical"><item><layout type="horizontal">
<item><view class="vtkMRMLSliceNode" singletontag="HostLeft"><property name="orientation" action="default">Axial</property></view></item>
<item><view class="vtkMRMLSliceNode" singletontag="HostRight"><property name="orientation" action="default">Coronal</property></view></item>
</layout></item></layout>"""


@pytest.fixture
def views():
    host.start(views=True)
    slicer.mrmlScene.Clear(0)
    host.failures()
    yield slicer.app.layoutManager()
    slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    assert host.failures() == []


def add_corner(right_anterior_superior: tuple[bool, bool, bool]) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a cube of 20 mm whose corner on these sides of the patient is bright."""
    voxels = np.zeros((20, 20, 20), np.int16)
    voxels[tuple(slice(10, None) if side else slice(None, 10) for side in reversed(right_anterior_superior))] = 100
    node = slicer.util.addVolumeFromArray(voxels, ijkToRAS=np.eye(4))
    node.GetDisplayNode().SetAutoWindowLevel(False)
    node.GetDisplayNode().SetWindowLevel(100, 50)
    return node


def middle_of_bright(pixels: np.ndarray) -> tuple[float, float]:
    """Return where the bright part of a picture lies: to the right and down, as parts of the whole."""
    rows, columns = np.nonzero(pixels.min(axis=2) > 250)
    return columns.mean() / pixels.shape[1], rows.mean() / pixels.shape[0]


def test_the_picture_shows_the_patient_as_radiologists_do(views):
    views.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    slicer.util.setSliceViewerLayers(background=add_corner((True, True, False)), fit=True)
    views.sliceWidget("Red").mrmlSliceNode().SetSliceOffset(3)
    right, down = middle_of_bright(picture(views, WIDTH, HEIGHT)[20:])  # below the bar
    assert right < 0.5 and down < 0.5  # the patient's right is at the left, anterior is up


def test_views_lie_as_the_layout_says(views):
    node = views.layoutLogic().GetLayoutNode()
    node.AddLayoutDescription(9001, SIDE_BY_SIDE)
    views.setLayout(9001)
    corner = add_corner((True, True, True))
    views.sliceWidget("HostRight").mrmlSliceCompositeNode().SetBackgroundVolumeID(corner.GetID())
    views.sliceWidget("HostRight").fitSliceToBackground()
    views.sliceWidget("HostRight").mrmlSliceNode().SetSliceOffset(15)
    pixels = picture(views, WIDTH, HEIGHT)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert not (pixels[30:, : WIDTH // 2 - 5] > 20).any()
    right, down = middle_of_bright(pixels[30:])
    assert right > 0.5 and down < 0.5


def test_a_view_takes_the_size_that_the_layout_gives_it(views):
    views.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    picture(views, WIDTH, HEIGHT)
    width, height, _ = views.sliceWidget("Red").mrmlSliceNode().GetDimensions()
    assert width == WIDTH and HEIGHT - 40 < height < HEIGHT
    slicer.mrmlScene.Clear(0)  # resets the slice nodes
    assert views.sliceWidget("Red").mrmlSliceNode().GetDimensions() == (width, height, 1)


def test_a_view_of_a_node_that_is_removed_goes(views):
    node = slicer.vtkMRMLSliceNode()
    node.SetName("HostExtra")
    node.SetLayoutName("HostExtra")
    slicer.mrmlScene.AddNode(node)
    assert "HostExtra" in views.sliceViewNames()
    slicer.mrmlScene.RemoveNode(node)
    assert "HostExtra" not in views.sliceViewNames() and views.sliceWidget("HostExtra") is None


def test_a_surface_is_drawn_in_the_three_dimensional_view(views):
    views.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUp3DView)
    sphere = vtk.vtkSphereSource()
    sphere.SetRadius(40)
    sphere.Update()
    model = slicer.modules.models.logic().AddModel(sphere.GetOutputPort())
    model.GetDisplayNode().SetColor(0, 1, 0)
    views.resetThreeDViews()
    pixels = picture(views, WIDTH, HEIGHT).astype(int)
    green = pixels[..., 1] - pixels[..., [0, 2]].max(axis=2) > 60
    assert green[HEIGHT // 2, WIDTH // 2] and green.mean() > 0.01
