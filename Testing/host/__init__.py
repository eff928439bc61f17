"""A strict headless host for scripted modules of 3D Slicer: real MRML from slicer-core, real Qt from PySide6, PythonQt's semantics.

    import host
    host.start()                                     # qt, ctk, vtk, slicer are in place, as without a main window
    widget = host.load_module("SuperResolution.py")  # imported, panel made and set up, as the application does
    ...                                              # click its widgets, look into slicer.mrmlScene
    assert host.failures() == []                     # what the application would only have printed

``python -m host MODULE.py`` runs a module's self-test.
It stands in for the part of the application that modules here use. What it lacks raises; nothing is silently accepted.
"""

import importlib
import os
import sys

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")  # does not look for an X server

import slicer
import slicer.util
import vtk

from . import pythonqt

__all__ = ["failures", "load_module", "set_testing", "start", "unload_module"]

# Modules of the application that the wheel lacks, and ours that stand in for them.
STAND_INS = {
    "slicer.i18n": "i18n",
    "slicer.packaging": "packaging",
    "slicer.parameterNodeWrapper": "parameter_node_wrapper",
    "slicer.ScriptedLoadableModule": "scripted_module",
    "SampleData": "sample_data",
}


def start(views: bool = False) -> None:
    """Put qt, ctk and the whole of slicer in place; once is enough.

    Parameters
    ----------
    views : bool
        Offer slice views and a layout manager. Without, the host is as the application with ``--no-main-window``.
    """
    if not hasattr(slicer, "app"):
        _start()
    application = pythonqt.unwrap(slicer.app)
    if views and application.layoutManager() is None:
        application._add_views()


def _start() -> None:
    from . import ctk_widgets, qt_module
    from .application import qSlicerApplication

    sys.modules["qt"], sys.modules["ctk"] = qt_module.make(), ctk_widgets.make()
    slicer.app = pythonqt.start(qSlicerApplication)
    application = pythonqt.unwrap(slicer.app)
    _record_vtk_errors()
    slicer.mrmlScene = application.mrmlScene()
    slicer.selfTests = {}
    for name, stand_in in STAND_INS.items():
        module = sys.modules[name] = importlib.import_module(f".{stand_in}", __name__)
        if name.startswith("slicer."):
            setattr(slicer, name.removeprefix("slicer."), module)
    from . import module_list, mrml_widgets, scripted_loader  # noqa: F401  (they make the classes that follow)

    for name, pyside_class in pythonqt.custom_classes.items():
        if name.startswith(("qMRML", "qSlicer")):
            setattr(slicer, name, pythonqt.wrapper_class(pyside_class))
    slicer.modules = module_list.Modules()
    application._start()


def _record_vtk_errors() -> None:
    """Record VTK's error messages, which nobody sees in the application either."""
    window = vtk.vtkStringOutputWindow()

    @vtk.calldata_type(vtk.VTK_STRING)
    def record(caller, event, message):
        pythonqt.failures.append(message.strip())

    window.AddObserver(vtk.vtkCommand.ErrorEvent, record)
    vtk.vtkOutputWindow.SetInstance(window)


def load_module(path: str):
    """Load a scripted module as the application does, and return its Widget object.

    Raises
    ------
    ValueError
        If a module of that name is loaded already.
    """
    from . import scripted_loader

    return scripted_loader.load(str(path))


def unload_module(name: str) -> None:
    """Take a module away as the application does at its end: its panel cleans up and goes."""
    pythonqt.unwrap(slicer.app).moduleManager()._remove(name)


def set_testing(enabled: bool) -> None:
    """Say whether slicer.app.testingEnabled(): then message boxes answer themselves. It is on at first."""
    pythonqt.unwrap(slicer.app).commandOptions()._testingEnabled = enabled


def failures() -> list[str]:
    """Return what went wrong unseen since the last call: exceptions in slots and observers, misspelt signals, VTK errors."""
    found = list(pythonqt.failures)
    pythonqt.failures.clear()
    return found
