"""The SuperResolution module: makes thick-slice MR and CT volumes sharp, compares, and hands on to segmentation and printing."""

import sys

import slicer
import slicer.util
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from SuperResolutionSlicer import compare_layout
from SuperResolutionSlicer.logic import SuperResolutionLogic
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


class SuperResolutionWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: three sections that share one parameter node."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._sections = []
        self._parameterNode = None
        self._guiTag = None
        self._observedVolume = None
        self._importing = False

    def setup(self) -> None:
        """Make the panel; called when it is opened for the first time."""
        from SuperResolutionSlicer.printing_section import PrintingSection
        from SuperResolutionSlicer.review_section import ReviewSection
        from SuperResolutionSlicer.upscaling_section import UpscalingSection

        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/SuperResolution.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = SuperResolutionLogic()
        self.upscaling = UpscalingSection(self.ui, self.logic)
        self.review = ReviewSection(self.ui, self.logic)
        self.printing = PrintingSection(self.ui)
        self._sections = [self.upscaling, self.review, self.printing]
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self._onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self._onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartImportEvent, self._onSceneStartImport)
        # After the selectors have filled themselves, which they do at the same event.
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndBatchProcessEvent, self._onSceneEndBatchProcess, priority=-1.0)
        # Before the selectors take the node off their lists.
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeAboutToBeRemovedEvent, self._onNodeAboutToBeRemoved, priority=1.0)
        self._initializeParameterNode()

    def cleanup(self) -> None:
        """End everything that runs; called when the module is reloaded or the application quits."""
        if self.logic:
            self.logic.abandon()
        for section in self._sections:
            section.close()
        # Last: when the application quits, the widgets may be gone already.
        self._setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        """Take the state up again; called when the user comes to the module."""
        self._initializeParameterNode()
        self._onModified()  # segments and structures may have changed in other modules

    def exit(self) -> None:
        """Called when the user goes to another module: a run goes on, and so do the connections that wait for its result."""

    def onReload(self) -> None:
        """Reload the module with the packages below it; Slicer itself only executes this file again."""
        self.cleanup()
        for name in [name for name in sys.modules if name.split(".")[0] in ("SuperResolutionSlicer", "SuperResolutionLib")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def _initializeParameterNode(self) -> None:
        if self._parameterNode is None and self.logic:
            parameterNode = self.logic.getParameterNode()
            if parameterNode.inputVolume is None:
                parameterNode.inputVolume = _volume_in_use()
            self._setParameterNode(parameterNode)

    def _setParameterNode(self, parameterNode) -> None:
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(self._parameterNode.parameterNode, vtk.vtkCommand.ModifiedEvent, self._onModified)
            self._observeVolume(None)
        self._parameterNode = parameterNode
        if parameterNode is not None:
            self._guiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode.parameterNode, vtk.vtkCommand.ModifiedEvent, self._onModified)
            self._observeVolume(parameterNode.inputVolume)
        for section in self._sections:
            section.setParameterNode(parameterNode)

    def _observeVolume(self, volume) -> None:
        """Notice when the input itself changes: its voxels, its place, its name."""
        for event in (vtk.vtkCommand.ModifiedEvent, slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent):
            if self._observedVolume is not None:
                self.removeObserver(self._observedVolume, event, self._onModified)
            if volume is not None:
                self.addObserver(volume, event, self._onModified)
        self._observedVolume = volume

    def _onModified(self, caller=None, event=None) -> None:
        if self._parameterNode is None:
            return
        if self._parameterNode.inputVolume is not self._observedVolume:
            self._observeVolume(self._parameterNode.inputVolume)
        for section in self._sections:
            section.update()

    def _onSceneStartClose(self, caller, event) -> None:
        self.logic.abandon()
        self._setParameterNode(None)

    def _onSceneEndClose(self, caller, event) -> None:
        if self.parent.isEntered:
            self._initializeParameterNode()

    def _onSceneStartImport(self, caller, event) -> None:
        # A selector does not know a node that is just being read, shows none, and would empty the parameter that came with the scene.
        self._importing = self._parameterNode is not None
        self._setParameterNode(None)

    def _onSceneEndBatchProcess(self, caller, event) -> None:
        if self._importing:
            self._importing = False
            self._initializeParameterNode()

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
