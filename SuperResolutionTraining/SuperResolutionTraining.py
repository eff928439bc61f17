"""The SuperResolutionTraining module: trains networks on the user's own scans, and measures volumes against a reference."""

import sys

import slicer
import slicer.util
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

try:
    import SuperResolutionSlicer  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError(
        "SuperResolutionTraining: the module SuperResolution is not there; accepted is an installation of both, or the folders of both "
        "modules in Slicer's additional module paths (Edit / Application Settings / Modules)"
    ) from error

from SuperResolutionTrainingSlicer.logic import SuperResolutionTrainingLogic
from SuperResolutionTrainingSlicer.parameters import SuperResolutionTrainingParameterNode
from SuperResolutionTrainingSlicer.self_test import SuperResolutionTrainingTest

__all__ = [
    "SuperResolutionTraining",
    "SuperResolutionTrainingLogic",
    "SuperResolutionTrainingParameterNode",
    "SuperResolutionTrainingTest",
    "SuperResolutionTrainingWidget",
]
_PACKAGES = ("SuperResolutionTrainingSlicer", "SuperResolutionTrainingLib")


class SuperResolutionTraining(ScriptedLoadableModule):
    """What Slicer knows of the module before its panel is opened."""

    def __init__(self, parent) -> None:
        super().__init__(parent)
        self.parent.title = _("SuperResolutionTraining")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Filtering")]
        self.parent.dependencies = ["SuperResolution"]
        self.parent.contributors = ["The SuperResolution contributors"]
        self.parent.helpText = _(
            "Trains networks for the module SuperResolution on your own scans: select fine scans, a recipe and a budget, and press Train. "
            "Training runs in a background process, can be paused, stopped and resumed, and its model appears among your models. "
            "Evaluate measures any volume against a reference, slice by slice. Research use, not for diagnosis."
        )
        self.parent.acknowledgementText = _("Built on PyTorch, SimpleITK and scikit-image. Each recipe names the paper of its network.")


class SuperResolutionTrainingWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: two sections that share one parameter node."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._sections = []
        self._parameterNode = None
        self._guiTag = None
        self._importing = False

    def setup(self) -> None:
        """Make the panel; called when it is opened for the first time."""
        from SuperResolutionTrainingSlicer.evaluate_section import EvaluateSection
        from SuperResolutionTrainingSlicer.train_section import TrainSection

        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/SuperResolutionTraining.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = SuperResolutionTrainingLogic()
        self.train, self.evaluate = TrainSection(self.ui, self.logic), EvaluateSection(self.ui, self.logic)
        self._sections = [self.train, self.evaluate]
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self._onSceneEndClose)
        self.addObserver(scene, scene.StartImportEvent, self._onSceneStartImport)
        # After the selectors have filled themselves, which they do at the same event.
        self.addObserver(scene, scene.EndBatchProcessEvent, self._onSceneEndBatchProcess, priority=-1.0)
        for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent):
            self.addObserver(scene, event, self._onNodesChanged)
        self._initializeParameterNode()

    def cleanup(self) -> None:
        """End everything that runs; called when the module is reloaded or the application quits. Training can be resumed later."""
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
        self._onModified()  # volumes, models and runs may have changed meanwhile

    def exit(self) -> None:
        """Called when the user goes to another module: training goes on."""

    def onReload(self) -> None:
        """Reload the module with the packages below it; Slicer itself only executes this file again."""
        self.cleanup()
        for name in [name for name in sys.modules if name.split(".")[0] in _PACKAGES]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def _initializeParameterNode(self) -> None:
        if self._parameterNode is None and self.logic:
            self._setParameterNode(self.logic.getParameterNode())

    def _setParameterNode(self, parameterNode) -> None:
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(self._parameterNode.parameterNode, vtk.vtkCommand.ModifiedEvent, self._onModified)
        self._parameterNode = parameterNode
        if parameterNode is not None:
            self._guiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode.parameterNode, vtk.vtkCommand.ModifiedEvent, self._onModified)
        for section in self._sections:
            section.setParameterNode(parameterNode)

    def _onModified(self, caller=None, event=None) -> None:
        if self._parameterNode is not None:
            for section in self._sections:
                section.update()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodesChanged(self, caller, event, node) -> None:
        if self._parameterNode is not None and node.IsA("vtkMRMLScalarVolumeNode") and not caller.IsBatchProcessing():
            self._onModified()

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
        else:
            self._onModified()
