"""The one Qt application."""

import ctypes
import sys

from PySide6 import QtWidgets

from .failures import record_unhandled
from .registry import wrap


def start(application_class: type[QtWidgets.QApplication] = QtWidgets.QApplication):
    """Make the Qt application, and record from now on what slots and observers raise.

    Parameters
    ----------
    application_class
        What to make: a subclass of ours, made known by `custom_class`, if module code is to see more than a QApplication.

    Returns
    -------
    wrapper
        The application as module code sees it; that of a first call, if there was one.
    """
    found = QtWidgets.QApplication.instance()
    if found is None:
        _make_constants_immortal()
        found = application_class(sys.argv[:1])
        record_unhandled()
        _alive.append(found)
    return wrap(found)


_alive: list[QtWidgets.QApplication] = []  # nothing of Qt outlives its application


def _make_constants_immortal() -> None:
    """PySide6 6.12 gives away references to None, True and False that it does not own, which only Python 3.12 and later do not mind."""
    if sys.version_info < (3, 12):
        for constant in (None, True, False):
            ctypes.c_ssize_t.from_address(id(constant)).value += 1 << 40
