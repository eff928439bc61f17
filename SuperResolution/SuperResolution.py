"""The SuperResolution module: makes thick-slice MR and CT volumes sharp, compares, and hands on to segmentation and printing."""

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule

from SuperResolutionSlicer import compare_layout
from SuperResolutionSlicer.logic import SuperResolutionLogic
from SuperResolutionSlicer.panel import Panel
from SuperResolutionSlicer.parameters import SuperResolutionParameterNode
from SuperResolutionSlicer.sample_data import register_sample_data
from SuperResolutionSlicer.self_test import SuperResolutionTest

__all__ = ["SuperResolution", "SuperResolutionLogic", "SuperResolutionParameterNode", "SuperResolutionTest", "SuperResolutionWidget"]


class SuperResolution(ScriptedLoadableModule):
    """What Slicer knows of the module before its panel is opened."""

    def __init__(self, parent) -> None:
        super().__init__(parent)
        self.parent.title = _("SuperResolution")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Filtering")]
        self.parent.dependencies = []
        self.parent.contributors = ["The SuperResolution contributors"]
        self.parent.helpText = _(
            "Turns thick-slice MR and CT volumes into sharp ones: select a volume, a trained model and a factor, and press Apply. "
            "The network runs in a background process, its result is checked against the measurement and arrives as a new volume. "
            "Compare it with an interpolation, then segment it and export surfaces for 3D printing. Research use, not for diagnosis."
        )
        self.parent.acknowledgementText = _("Built on PyTorch and SimpleITK. The model cards name the scans that taught the models.")
        slicer.app.connect("startupCompleted()", register_sample_data)
        slicer.app.connect("startupCompleted()", compare_layout.register)


class SuperResolutionWidget(Panel):
    """The panel: upscaling, review, printing."""

    packages = ("SuperResolutionSlicer", "SuperResolutionLib")
    logicClass = SuperResolutionLogic

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._observedVolume = None

    def makeSections(self) -> list:
        """Return the three sections."""
        from SuperResolutionSlicer.printing_section import PrintingSection
        from SuperResolutionSlicer.review_section import ReviewSection
        from SuperResolutionSlicer.upscaling_section import UpscalingSection

        self.upscaling = UpscalingSection(self.ui, self.logic)
        self.review = ReviewSection(self.ui, self.logic)
        self.printing = PrintingSection(self.ui)
        return [self.upscaling, self.review, self.printing]

    def setup(self) -> None:
        """Make the panel; called when it is opened for the first time."""
        super().setup()
        # Before the selectors take the node off their lists.
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeAboutToBeRemovedEvent, self._onNodeAboutToBeRemoved, priority=1.0)

    def _setParameterNode(self, parameterNode) -> None:
        if parameterNode is not None and parameterNode.inputVolume is None:
            parameterNode.inputVolume = _volume_in_use()
        self._observeVolume(parameterNode.inputVolume if parameterNode is not None else None)
        super()._setParameterNode(parameterNode)

    def _observeVolume(self, volume) -> None:
        """Notice when the input itself changes: its voxels, its place, its name."""
        for event in (vtk.vtkCommand.ModifiedEvent, slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent):
            if self._observedVolume is not None:
                self.removeObserver(self._observedVolume, event, self._onModified)
            if volume is not None:
                self.addObserver(volume, event, self._onModified)
        self._observedVolume = volume

    def _onModified(self, caller=None, event=None) -> None:
        if self._parameterNode is not None and self._parameterNode.inputVolume is not self._observedVolume:
            self._observeVolume(self._parameterNode.inputVolume)
        super()._onModified(caller, event)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAboutToBeRemoved(self, caller, event, node) -> None:
        # The selector would go on to the next volume, and the next run would replace that one.
        if self._parameterNode is not None and node is self._parameterNode.outputVolume:
            self._parameterNode.outputVolume = None


def _volume_in_use():
    """Return the volume that the user looks at, else the first of the scene, so that there is one click less; None if there is none."""
    scene, selection = slicer.mrmlScene, slicer.app.applicationLogic().GetSelectionNode()
    active = scene.GetNodeByID(selection.GetActiveVolumeID()) if selection.GetActiveVolumeID() else None
    every = [
        scene.GetNthNodeByClass(index, "vtkMRMLScalarVolumeNode")
        for index in range(scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode"))
    ]
    # Label maps and colour images are scalar volumes by inheritance.
    return next((node for node in (active, *every) if node is not None and node.GetClassName() == "vtkMRMLScalarVolumeNode"), None)
