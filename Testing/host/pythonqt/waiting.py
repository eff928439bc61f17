"""Waiting in Qt as the application does: it keeps the interpreter to itself, so that Python threads stand still meanwhile.

PySide6 lets Python threads run while Qt waits. A module that relies on them would work here and stand still in the application, so the
waits of Qt are called directly, through ctypes.PyDLL, which does not give up the interpreter.
"""

import ctypes
import functools
import pathlib
from collections.abc import Callable
from typing import Any

import PySide6
from PySide6 import QtCore, QtWidgets
from shiboken6 import Shiboken

# What a C++ compiler makes of the names on Linux and macOS.
_DIALOG_EXEC = ("Widgets", "_ZN7QDialog4execEv")
_LOOP_EXEC = ("Core", "_ZN10QEventLoop4execE6QFlagsINS_17ProcessEventsFlagEE")
_WAIT_FOR_FINISHED = ("Core", "_ZN8QProcess15waitForFinishedEi")


@functools.cache
def _function(library: str, symbol: str) -> Callable[..., int]:
    folder = pathlib.Path(PySide6.__file__).parent
    path = next(
        p for pattern in (f"Qt/lib/libQt6{library}.so.6", f"Qt/lib/Qt{library}.framework/Qt{library}") for p in folder.glob(pattern)
    )
    function = getattr(ctypes.PyDLL(str(path)), symbol)
    function.restype = ctypes.c_int
    return function


def _address(pyside_object: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(Shiboken.getCppPointer(pyside_object)[0])


def execute(pyside_object: QtWidgets.QDialog | QtCore.QEventLoop | QtCore.QCoreApplication) -> int:
    """Run a dialog, an event loop or the application until it ends, and return what it gives."""
    if isinstance(pyside_object, QtWidgets.QDialog):
        return _function(*_DIALOG_EXEC)(_address(pyside_object))
    if isinstance(pyside_object, QtCore.QEventLoop):
        return _function(*_LOOP_EXEC)(_address(pyside_object), 0)
    return pyside_object.exec()


def wait_for_finished(process: QtCore.QProcess, msecs: int) -> bool:
    """Wait for a process to end; False if it has not ended in time, or has not been started."""
    return bool(_function(*_WAIT_FOR_FINISHED)(_address(process), msecs) & 0xFF)
