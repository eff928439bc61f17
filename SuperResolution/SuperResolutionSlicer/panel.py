"""What the panels of both modules have in common: sections that share one parameter node, while scenes come and go."""

from __future__ import annotations

import sys
from typing import Any

import slicer
import slicer.util
import vtk
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin


class Panel(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """A module's widget, to be derived from as ``<Module>Widget``; a module adds its logic and its sections.

    Attributes
    ----------
    packages : tuple of str
        What a reload imports anew.
    logicClass : type
    """

    packages: tuple[str, ...]
    logicClass: type

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._sections: list[Any] = []
        self._parameterNode = None
        self._guiTag = None
        self._importing = False

    def makeSections(self) -> list[Any]:
        """Return the sections of the panel, whose widgets and logic are there."""
        raise NotImplementedError

    def setup(self) -> None:
        """Make the panel; called when it is opened for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath(f"UI/{self.moduleName}.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = self.logicClass()
        self._sections = self.makeSections()
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self._onSceneEndClose)
        self.addObserver(scene, scene.StartImportEvent, self._onSceneStartImport)
        # After the selectors have filled themselves, which they do at the same event.
        self.addObserver(scene, scene.EndBatchProcessEvent, self._onSceneEndBatchProcess, priority=-1.0)
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
        self._onModified()  # what the sections show may have changed meanwhile

    def exit(self) -> None:
        """Called when the user goes to another module: a run goes on, and so do the connections that wait for its result."""

    def onReload(self) -> None:
        """Reload the module with the packages below it; Slicer itself only executes the module's file again."""
        self.cleanup()
        for name in [name for name in sys.modules if name.split(".")[0] in self.packages]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def _initializeParameterNode(self) -> None:
        if self._parameterNode is None and self.logic:
            self._setParameterNode(self.logic.getParameterNode())

    def _setParameterNode(self, parameterNode: Any) -> None:
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
