"""The SuperResolutionTraining module: trains networks on the user's own scans, measures volumes, and has readers compare them blindly."""

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule

try:
    from SuperResolutionSlicer.panel import Panel
except ModuleNotFoundError as error:
    raise ImportError(
        "SuperResolutionTraining: the module SuperResolution is not there; accepted is an installation of both, or the folders of both "
        "modules in Slicer's additional module paths (Edit / Application Settings / Modules)"
    ) from error

from SuperResolutionTrainingSlicer import study_layout
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
            "Evaluate measures any volume against a reference, slice by slice, or compares all models on fine scans. "
            "Reader study shows blinded volumes side by side and keeps what readers answer. "
            "Research use, not for diagnosis."
        )
        self.parent.acknowledgementText = _("Built on PyTorch, SimpleITK and scikit-image. Each recipe names the paper of its network.")
        slicer.app.connect("startupCompleted()", study_layout.register)


class SuperResolutionTrainingWidget(Panel):
    """The panel: training, evaluation, reader study."""

    packages = ("SuperResolutionTrainingSlicer", "SuperResolutionTrainingLib")
    logicClass = SuperResolutionTrainingLogic

    def makeSections(self) -> list:
        """Return the three sections."""
        from SuperResolutionTrainingSlicer.evaluate_section import EvaluateSection
        from SuperResolutionTrainingSlicer.reader_study_section import ReaderStudySection
        from SuperResolutionTrainingSlicer.train_section import TrainSection

        self.train, self.evaluate = TrainSection(self.ui, self.logic), EvaluateSection(self.ui, self.logic)
        self.study = ReaderStudySection(self.ui)
        return [self.train, self.evaluate, self.study]

    def exit(self) -> None:
        """End a reading, so that no other module shows or measures its volumes; a run goes on."""
        super().exit()
        self.study.stop()

    def setup(self) -> None:
        """Make the panel; called when it is opened for the first time."""
        super().setup()
        for event in (slicer.mrmlScene.NodeAddedEvent, slicer.mrmlScene.NodeRemovedEvent):
            self.addObserver(slicer.mrmlScene, event, self._onNodesChanged)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodesChanged(self, caller, event, node) -> None:
        if self._parameterNode is not None and node.IsA("vtkMRMLScalarVolumeNode") and not caller.IsBatchProcessing():
            self._onModified()

    def _onSceneEndBatchProcess(self, caller, event) -> None:
        super()._onSceneEndBatchProcess(caller, event)
        self._onModified()  # nodes that came and went meanwhile were not looked at one by one
