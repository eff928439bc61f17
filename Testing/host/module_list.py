"""slicer.modules and slicer.app.moduleManager(): the application's modules and those that a test loads."""

import slicer
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

from .pythonqt import custom_class, wrap

# The modules of the application that the host has the logics of, and the class of each logic.
CORE_MODULES = {
    "Colors": "vtkMRMLColorLogic",
    "CropVolume": "vtkSlicerCropVolumeLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Models": "vtkSlicerModelsLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Volumes": "vtkSlicerVolumesLogic",
}


class Modules:
    """slicer.modules: the modules by their names in lower case, and whatever scripted modules leave there."""


def attribute(kind, name: str):
    """Return a Qt property that keeps its value in the object."""
    key = f"_{name}"
    return Property(kind, lambda self: getattr(self, key), lambda self, value: setattr(self, key, value))


@custom_class
class qSlicerAbstractCoreModule(QtCore.QObject):
    """What every module has. `name` is fixed, the rest is described by the module."""

    def __init__(self, name: str):
        super().__init__()
        self._name = self._title = name
        self._helpText = self._acknowledgementText = ""
        self._categories, self._dependencies, self._contributors = [], [], []
        self._icon, self._hidden, self._index = QtGui.QIcon(), False, -1
        self._panel = None

    name = Property(str, lambda self: self._name)
    title = attribute(str, "title")
    helpText = attribute(str, "helpText")
    acknowledgementText = attribute(str, "acknowledgementText")
    categories = attribute("QStringList", "categories")
    dependencies = attribute("QStringList", "dependencies")
    contributors = attribute("QStringList", "contributors")
    icon = attribute(QtGui.QIcon, "icon")
    hidden = attribute(bool, "hidden")
    index = attribute(int, "index")

    def logic(self):
        return None

    def widgetRepresentation(self) -> QtWidgets.QWidget:
        if self._panel is None:
            self._make_panel()
        return self._panel

    def _make_panel(self) -> None:
        self._panel = qSlicerAbstractModuleWidget()


@custom_class
class qSlicerAbstractModuleWidget(QtWidgets.QWidget):
    """The panel of a module."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None):
        super().__init__(parent)
        self._scene = None
        self._entered = False

    isEntered = Property(bool, lambda self: self._entered)

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)

    def setup(self) -> None:
        pass

    def enter(self) -> None:
        self._entered = True

    def exit(self) -> None:
        self._entered = False


@custom_class
class qSlicerModuleFactoryManager(QtCore.QObject):
    def __init__(self, modules: dict):
        super().__init__()
        self._modules = modules

    def loadedModuleNames(self) -> list[str]:
        return list(self._modules)


@custom_class
class qSlicerModuleManager(QtCore.QObject):
    moduleLoaded = Signal(str)
    moduleAboutToBeUnloaded = Signal(str)
    moduleUnloaded = Signal(str)

    def __init__(self):
        super().__init__()
        self._modules = {}
        self._factory_manager = qSlicerModuleFactoryManager(self._modules)

    def module(self, name: str) -> QtCore.QObject:
        return self._modules.get(name)

    def factoryManager(self) -> QtCore.QObject:
        return self._factory_manager

    def _add(self, module: qSlicerAbstractCoreModule) -> None:
        self._modules[module._name] = module
        setattr(slicer.modules, module._name.lower(), wrap(module))
        self.moduleLoaded.emit(module._name)

    def _remove(self, name: str) -> None:
        self.moduleAboutToBeUnloaded.emit(name)
        module = self._modules.pop(name)
        delattr(slicer.modules, name.lower())
        if module._panel is not None:
            module._panel.deleteLater()
            QtCore.QCoreApplication.sendPostedEvents(module._panel, QtCore.QEvent.Type.DeferredDelete)
        self.moduleUnloaded.emit(name)


def add_core_modules(manager: qSlicerModuleManager, application_logic: slicer.vtkSlicerApplicationLogic) -> None:
    """Make the application's own modules with their logics, which register their node classes with the scene."""
    for name, logic_class in CORE_MODULES.items():
        is_color = name == "Colors"
        logic = application_logic.GetColorLogic() if is_color else getattr(slicer, logic_class)()
        logic.SetMRMLApplicationLogic(application_logic)
        application_logic.SetModuleLogic(name, logic)
        if not is_color:
            logic.SetMRMLScene(application_logic.GetMRMLScene())
        manager._add(_core_module_class(name)(name, logic))


def _core_module_class(name: str) -> type:
    """Return the Qt class of one of the application's modules, as qSlicerVolumesModule."""

    def __init__(self, name: str, logic: slicer.vtkMRMLAbstractLogic):
        qSlicerAbstractCoreModule.__init__(self, name)
        self._logic = logic

    def logic(self):
        return self._logic

    return custom_class(type(f"qSlicer{name}Module", (qSlicerAbstractCoreModule,), {"__init__": __init__, "logic": logic}))
