"""Views of the application, drawn off screen: the nodes, logics, displayable managers and mouse handling are MRML's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

# What the application's slice and 3-D views register, and what its modules add to them.
SLICE_MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLScalarBarDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLTransformsDisplayableManager2D",
)
THREED_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager3D",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
)
FIRST_SIZE = (256, 256)


class View:
    """A render window with the displayable managers of one view node.

    Parameters
    ----------
    node : vtkMRMLAbstractViewNode
        In the scene.
    factory : vtkMRMLDisplayableManagerFactory
        Makes the displayable managers of this kind of view.
    style : vtkMRMLViewInteractorStyle
        Turns events of the interactor into what the mouse does in the application.
    """

    def __init__(self, node, factory, style) -> None:
        self.node = node
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(0)
        self.window.SetSize(*FIRST_SIZE)
        self.renderer = vtk.vtkRenderer()
        self.window.AddRenderer(self.renderer)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self.managers = factory.InstantiateDisplayableManagers(self.renderer)
        self.style = style
        self.style.SetDisplayableManagers(self.managers)
        self.style.SetInteractor(self.interactor)
        self.interactor.Enable()
        self.managers.SetMRMLDisplayableNode(node)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.window.GetSize()

    def resize(self, width: int, height: int) -> None:
        """Give the view another size in pixels."""
        self.window.SetSize(width, height)
        self.interactor.UpdateSize(width, height)

    def render(self) -> None:
        """Draw at once."""
        self.window.Render()

    def picture(self) -> np.ndarray:
        """Return what the view shows now, (height, width, RGB), 8 bits, first row on top."""
        self.render()
        width, height = self.size
        pixels = vtk.vtkUnsignedCharArray()
        self.window.GetPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        return np.flipud(vtk_to_numpy(pixels).reshape(height, width, 3)).copy()

    def send(self, event: str, x: int = 0, y: int = 0, shift: bool = False, control: bool = False) -> None:
        """Let the mouse do something at a pixel counted from the lower left, e.g. ``send("MouseWheelForwardEvent", 10, 10)``."""
        self.interactor.SetEventInformation(x, y, int(control), int(shift))
        self.interactor.InvokeEvent(event)

    def close(self) -> None:
        """Let go of the node and the window."""
        self.style.SetInteractor(None)
        self.style.SetDisplayableManagers(None)
        self.managers.SetMRMLDisplayableNode(None)
        self.window.Finalize()


class SliceView(View):
    """A slice view: `logic` is its vtkMRMLSliceLogic, which makes the composite node."""

    def __init__(self, node, application_logic) -> None:
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        _register(factory, SLICE_MANAGERS)
        super().__init__(node, factory, slicer.vtkMRMLSliceViewInteractorStyle())
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLScene(node.GetScene())
        self.logic.SetMRMLApplicationLogic(application_logic)
        self.logic.SetSliceNode(node)
        self.style.SetSliceLogic(self.logic)
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._image = vtk.vtkActor2D()
        self._image.SetMapper(self._mapper)
        self._image.GetProperty().SetDisplayLocationToBackground()

    def resize(self, width: int, height: int) -> None:
        """Give the view another size in pixels; the slice node keeps its height in mm, as when a window is pulled larger."""
        super().resize(width, height)
        self.logic.ResizeSliceNode(width, height)

    def render(self) -> None:
        """Draw the blended volumes and what the displayable managers put on top."""
        blended = self.logic.GetImageDataConnection()
        if blended:
            self._mapper.SetInputConnection(blended)
            self.renderer.AddViewProp(self._image)
        else:
            self.renderer.RemoveViewProp(self._image)
        super().render()

    def close(self) -> None:
        self.style.SetSliceLogic(None)
        super().close()
        self.logic.SetMRMLScene(None)


class ThreeDView(View):
    """A 3-D view: surfaces, markups and segmentations as the application's managers draw them."""

    def __init__(self, node, application_logic) -> None:
        factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(application_logic)
        _register(factory, THREED_MANAGERS)
        super().__init__(node, factory, slicer.vtkMRMLThreeDViewInteractorStyle())
        self.logic = slicer.vtkMRMLViewLogic()
        self.logic.SetName(node.GetLayoutName())
        self.logic.SetMRMLScene(node.GetScene())
        self.logic.SetMRMLApplicationLogic(application_logic)
        self.logic.AddViewNode(node.GetLayoutName())

    def reset_focal_point(self) -> None:
        """Turn the camera to the middle of what is shown."""
        bounds = self.renderer.ComputeVisiblePropBounds()
        if vtk.vtkMath.AreBoundsInitialized(bounds):
            self.renderer.GetActiveCamera().SetFocalPoint(*(np.asarray(bounds).reshape(3, 2).mean(axis=1)))

    def reset_camera(self) -> None:
        """Move the camera so that all is in view."""
        self.renderer.ResetCamera()

    def close(self) -> None:
        super().close()
        self.logic.SetMRMLScene(None)


def _register(factory, names: Sequence[str]) -> None:
    for name in names:
        if not factory.IsDisplayableManagerRegistered(name):
            factory.RegisterDisplayableManager(name)
