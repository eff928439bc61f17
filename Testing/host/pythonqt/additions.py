"""What PythonQt and CTK add to Qt's classes, and where they differ from PySide6. Each function is a method of the wrapper, `self`."""

from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from shiboken6 import Shiboken

from . import signals, waiting
from .members import Member, MethodMember, PropertyMember, property_names
from .registry import WrapperBase, unwrap, wrap


# ---------------------------------------------------------------- every object
def className(self: WrapperBase) -> str:
    found = self._object
    return found.metaObject().className() if isinstance(found, QtCore.QObject) else type(found).__name__


def inherits(self: WrapperBase, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(self._object).__mro__)


def delete(self: WrapperBase) -> None:
    Shiboken.delete(self._object)


# ---------------------------------------------------------------- QObject
def connect(self: WrapperBase, signal: str, target: object, slot: object = None) -> bool:
    """``connect(signal, callable)`` or ``connect(signal, receiver, slot)``, with signatures as in C++."""
    if slot is None:
        return signals.connect(self._object, signal, wrap(target))
    return signals.connect_to_slot(self._object, signal, target, slot)


def disconnect(self: WrapperBase, signal: str, target: object = None) -> bool:
    return signals.disconnect(self._object, signal, wrap(target))


def findChild(self: WrapperBase, kind: object, name: str | None = None) -> Any:
    return wrap(_child(self._object, _class_name(kind), name))


def findChildren(self: WrapperBase, kind: object, name: str | None = None) -> tuple:
    return wrap(_children(self._object, _class_name(kind), name))


def _class_name(kind: object) -> str:
    return kind if isinstance(kind, str) else getattr(kind, "_pyside_class", type(None)).__name__


def _child(parent: QtCore.QObject, class_name: str, name: str | None) -> QtCore.QObject | None:
    """Return the first descendant by class and name, with near ones before far ones."""
    for child in parent.children():
        if child.inherits(class_name) and name in (None, child.objectName()):
            return child
    return next(filter(None, (_child(child, class_name, name) for child in parent.children())), None)


def _children(parent: QtCore.QObject, class_name: str, name: str | None) -> list[QtCore.QObject]:
    """Return descendants by class and name; as in the application, those of a child with another name are not looked at."""
    found = []
    for child in parent.children():
        if name is None or child.objectName() == name:
            found += [child] if child.inherits(class_name) else []
            found += _children(child, class_name, name)
    return found


def property_(self: WrapperBase, name: str) -> Any:
    if isinstance(getattr(type(self), name, None), PropertyMember):
        return getattr(self, name)
    return wrap(self._object.property(name))


def setProperty(self: WrapperBase, name: str, value: object) -> bool:
    """Set a Qt property (True) or a dynamic one (False)."""
    found = self._object.setProperty(name, value)
    if name == "toolTip":
        enrich_tool_tip(self._object)
    return found


# ---------------------------------------------------------------- single classes
def exec_(self: WrapperBase) -> Any:
    return waiting.execute(self._object)


def exec_at(self: WrapperBase, position: QtCore.QPoint) -> Any:
    return wrap(self._object.exec(position))


def waitForFinished(self: WrapperBase, msecs: int = 30000) -> bool:
    return waiting.wait_for_finished(self._object, msecs)


def setToolTip(self: WrapperBase, text: str) -> None:
    self._object.setToolTip(text)
    enrich_tool_tip(self._object)


def enrich_tool_tip(widget: QtWidgets.QWidget) -> None:
    """The application makes rich text of every tool tip, so that long ones break into lines."""
    text = widget.toolTip()
    if text and not QtGui.Qt.mightBeRichText(text):
        widget.setToolTip(f"<p>{text}</p>")


def singleShot(msec: int, target: object, slot: str | None = None) -> None:
    """Call a callable, or the slot of an object, once."""
    if slot is not None:
        method = getattr(unwrap(target), slot.lstrip("1").partition("(")[0])
        QtCore.QTimer.singleShot(msec, method)
    else:
        QtCore.QTimer.singleShot(msec, lambda: signals.Slot(wrap(target))())


def setOverrideCursor(cursor: QtGui.QCursor) -> None:
    """PySide6 returns a guard that takes the cursor back when it goes."""
    QtGui.QGuiApplication.setOverrideCursor(cursor)


def value(self: WrapperBase, key: str, default: object = None) -> Any:
    """Return a setting; PySide6's own third argument, a type, is not known here."""
    return wrap(self._object.value(key, default))


def _without_filter(function: Callable) -> Callable:
    """PySide6 gives the selected filter along with the file; PythonQt gives the file."""

    def chosen(parent: QtWidgets.QWidget | None = None, caption: str = "", directory: str = "", name_filter: str = "") -> Any:
        return wrap(function(parent, caption, directory, name_filter)[0])

    return chosen


_ADDITIONS: dict[type, dict[str, Callable]] = {
    QtCore.QObject: {
        "connect": connect,
        "disconnect": disconnect,
        "findChild": findChild,
        "findChildren": findChildren,
        "property": property_,
        "setProperty": setProperty,
    },
    QtWidgets.QWidget: {"setToolTip": setToolTip},
    QtWidgets.QDialog: {"exec": exec_, "exec_": exec_},
    QtCore.QEventLoop: {"exec": exec_, "exec_": exec_},
    QtCore.QCoreApplication: {"exec": exec_, "exec_": exec_},
    QtWidgets.QMenu: {"exec": exec_at, "exec_": exec_at},
    QtCore.QProcess: {"waitForFinished": waitForFinished},
    QtCore.QSettings: {"value": value},
}
_STATIC_ADDITIONS: dict[type, dict[str, Callable]] = {
    QtCore.QTimer: {"singleShot": singleShot},
    QtGui.QGuiApplication: {"setOverrideCursor": setOverrideCursor},
    QtWidgets.QFileDialog: {
        name: _without_filter(getattr(QtWidgets.QFileDialog, name)) for name in ("getOpenFileName", "getOpenFileNames", "getSaveFileName")
    },
}


class _NameMember(PropertyMember):
    """PythonQt's short name of objectName."""

    def __init__(self) -> None:
        super().__init__("objectName")


def every_object() -> dict[str, Member]:
    """Return the members that every wrapper has."""
    return {function.__name__: MethodMember(function.__name__, function, added=True) for function in (className, inherits, delete)}


def additions_for(pyside_class: type) -> dict[str, Member]:
    """Return the members of a wrapper class that its PySide6 class does not have, or has otherwise."""
    members: dict[str, Member] = {}
    for base in reversed(pyside_class.__mro__):
        members |= {name: MethodMember(name, function, added=True) for name, function in _ADDITIONS.get(base, {}).items()}
        members |= {name: MethodMember(name, function, is_static=True) for name, function in _STATIC_ADDITIONS.get(base, {}).items()}
    if issubclass(pyside_class, QtCore.QObject) and "name" not in property_names(pyside_class):
        members["name"] = _NameMember()
    if issubclass(pyside_class, QtWidgets.QWidget):
        members["toolTip"] = PropertyMember("toolTip", written=enrich_tool_tip)
    return members
