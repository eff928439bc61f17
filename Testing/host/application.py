"""slicer.app: the application object, with the members that modules use and no others."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import slicer
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

from . import module_list, scene
from .io_manager import qSlicerIOManager
from .pythonqt import custom_class

VERSION = (5, 12, 4)


@custom_class
class ctkSettings(QtCore.QSettings):
    pass


@custom_class
class qSlicerCommandOptions(QtCore.QObject):
    """The command line that the host stands for: --testing --no-main-window."""

    def __init__(self):
        super().__init__()
        self._testingEnabled = True
        self._runPythonAndExit = False

    testingEnabled = Property(bool, lambda self: self._testingEnabled)
    noMainWindow = Property(bool, lambda self: True)
    runPythonAndExit = module_list.attribute(bool, "runPythonAndExit")


@custom_class
class qSlicerApplication(QtWidgets.QApplication):
    startupCompleted = Signal()

    def __init__(self, arguments: list[str]):
        super().__init__(arguments)
        self.setApplicationName("Slicer")
        self.setOrganizationName("slicer.org")
        self.setApplicationVersion(".".join(map(str, VERSION)))
        self._make_folders()
        self._command_options = qSlicerCommandOptions()
        self._module_manager = module_list.qSlicerModuleManager()
        self._layout_manager = None
        self._scene = slicer.vtkMRMLScene()
        self._application_logic = scene.make_application_logic(self._scene)
        self._application_logic.SetTemporaryPath(self._temporary_path)
        self._io_manager = qSlicerIOManager(self._application_logic, self._scene)

    def _make_folders(self):
        """Keep whatever the application writes in a folder of its own, and put PythonSlicer on the path, as the application does."""
        folder = Path(tempfile.mkdtemp(prefix="Slicer-host-")).resolve()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self._home, self._temporary_path = str(folder / "home"), str(folder / "temporary")
        python = folder / "home" / "bin" / "PythonSlicer"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')  # a link would lose the virtual environment
        python.chmod(0o755)
        Path(self._temporary_path).mkdir()
        QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
        QtCore.QSettings.setPath(QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope, str(folder / "settings"))
        self._startup_environment = QtCore.QProcessEnvironment.systemEnvironment()
        os.environ["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"

    def _start(self) -> None:
        """Make what needs slicer.app and slicer.mrmlScene in place."""
        module_list.add_core_modules(self._module_manager, self._application_logic)
        self._subject_hierarchy_items = scene.SubjectHierarchyItems(self._scene)

    def _add_views(self) -> None:
        from .layout_manager import qSlicerLayoutManager

        self._layout_manager = qSlicerLayoutManager(self._application_logic, self._scene)

    applicationName = Property(str, lambda self: QtWidgets.QApplication.applicationName())
    applicationVersion = Property(str, lambda self: QtWidgets.QApplication.applicationVersion())
    majorVersion = Property(int, lambda self: VERSION[0])
    minorVersion = Property(int, lambda self: VERSION[1])
    slicerHome = Property(str, lambda self: self._home)
    temporaryPath = Property(str, lambda self: self._temporary_path)

    def testingEnabled(self) -> bool:
        return self._command_options._testingEnabled

    def commandOptions(self) -> QtCore.QObject:
        return self._command_options

    def mrmlScene(self) -> slicer.vtkMRMLScene:
        return self._scene

    def applicationLogic(self) -> slicer.vtkSlicerApplicationLogic:
        return self._application_logic

    def layoutManager(self) -> QtCore.QObject:
        return self._layout_manager

    def moduleManager(self) -> QtCore.QObject:
        return self._module_manager

    def coreIOManager(self) -> QtCore.QObject:
        return self._io_manager

    def ioManager(self) -> QtCore.QObject:
        return self._io_manager

    def userSettings(self) -> QtCore.QSettings:
        return ctkSettings()

    def settings(self) -> QtCore.QSettings:
        return self.userSettings()

    def startupEnvironment(self) -> QtCore.QProcessEnvironment:
        return self._startup_environment

    def translate(self, context: str, text: str) -> str:
        return text

    @staticmethod
    def setOverrideCursor(cursor: QtGui.QCursor) -> None:
        QtWidgets.QApplication.setOverrideCursor(cursor)

    def pauseRender(self) -> None:
        self._application_logic.PauseRender()

    def resumeRender(self) -> None:
        self._application_logic.ResumeRender()

    def restart(self) -> None:
        raise NotImplementedError("the host does not start again")
