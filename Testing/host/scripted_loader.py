"""Loads scripted modules the way the application's module factory does, and makes their panels."""

import importlib.util
import sys
from pathlib import Path

import slicer
from PySide6 import QtWidgets
from PySide6.QtCore import Property

from .module_list import qSlicerAbstractCoreModule, qSlicerAbstractModuleWidget
from .pythonqt import custom_class, unwrap, wrap


@custom_class
class qSlicerScriptedLoadableModule(qSlicerAbstractCoreModule):
    def __init__(self, path: str):
        super().__init__(Path(path).stem)
        self._path = path
        self._logic = slicer.vtkSlicerScriptedLoadableModuleLogic()
        self._logic.SetMRMLApplicationLogic(slicer.app.applicationLogic())
        self._logic.SetMRMLScene(slicer.mrmlScene)
        self._python = None

    path = Property(str, lambda self: self._path)

    def logic(self):
        return self._logic

    def self(self):
        return self._python

    def _load(self) -> None:
        module = import_script(self._path)
        self._python = getattr(module, self._name)(wrap(self))
        setattr(slicer.modules, self._name + "Instance", self._python)

    def _make_panel(self) -> None:
        self._panel = qSlicerScriptedLoadableModuleWidget(self._name)
        self._panel._load()
        self._panel.setMRMLScene(slicer.mrmlScene)


@custom_class
class qSlicerScriptedLoadableModuleWidget(qSlicerAbstractModuleWidget):
    def __init__(self, module_name: str):
        super().__init__()
        self._module_name = module_name
        self._python = None
        QtWidgets.QVBoxLayout(self)

    def self(self):
        return self._python

    def setup(self) -> None:
        self._python.setup()

    def enter(self) -> None:
        super().enter()
        self._call("enter")

    def exit(self) -> None:
        super().exit()
        self._call("exit")

    def reload(self) -> None:
        self._load()

    def _load(self) -> None:
        widget_class = getattr(sys.modules[self._module_name], self._module_name + "Widget")
        self._python = widget_class(wrap(self))
        setattr(slicer.modules, self._module_name + "Widget", self._python)
        self._python.setup()

    def _call(self, name: str) -> None:
        if hasattr(self._python, name):
            getattr(self._python, name)()


def import_script(path: str):
    """Import the file of a scripted module under its own name; the folder beside it becomes importable."""
    name, folder = Path(path).stem, str(Path(path).parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def load(path: str):
    """Load a scripted module, make its panel, and return its Widget object.

    Parameters
    ----------
    path : str
        The file ``<Name>.py`` with the classes ``<Name>``, ``<Name>Widget`` and ``<Name>Logic``.

    Raises
    ------
    ValueError
        If a module of that name is loaded already.
    """
    application = unwrap(slicer.app)
    manager = application.moduleManager()
    module = qSlicerScriptedLoadableModule(path)
    if manager.module(module._name) is not None:
        raise ValueError(f"{path}: a module {module._name} is loaded already; unload it first")
    module._load()
    manager._add(module)
    application.startupCompleted.emit()  # the application makes panels only after its start
    return module.widgetRepresentation().self()
