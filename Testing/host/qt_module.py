"""The module `qt`: Qt's classes by their names, as wrapper classes."""

import types
from typing import Any

from PySide6 import QtCore, QtGui, QtNetwork, QtWidgets

from . import pythonqt
from .ui_file import QUiLoader

_PLACES = (QtWidgets, QtGui, QtCore, QtNetwork)


class QtModule(types.ModuleType):
    """Finds a class when it is first asked for; a name that Qt does not have raises."""

    Signal = QtCore.Signal

    def __getattr__(self, name: str) -> Any:
        found = next((getattr(place, name) for place in _PLACES if name.startswith("Q") and hasattr(place, name)), None)
        if not isinstance(found, type):
            raise AttributeError(f"module 'qt' has no attribute '{name}'")
        wrapper_class = pythonqt.wrapper_class(found)
        setattr(self, name, wrapper_class)
        return wrapper_class


def make() -> QtModule:
    """Return a new module `qt`."""
    module = QtModule("qt")
    module.QUiLoader = pythonqt.wrapper_class(QUiLoader)
    return module
