"""The border between Qt objects and their wrappers: which wrapper class belongs to which Qt class, and which wrapper to which object."""

import enum
import weakref
from typing import Any

from PySide6 import QtCore
from shiboken6 import Shiboken

custom_classes: dict[str, type] = {}  # PySide6 classes of ours, by the name that .ui files and className() use
_wrapper_classes: dict[type, type] = {}
_enum_classes: dict[type, type] = {}


class WrapperBase:
    """What holds one Qt object on behalf of Python code."""

    _pyside_class: type  # of the wrapper class
    _object: Any  # of the wrapper: the PySide6 object


class EnumValue(int):
    """A value of a Qt enum: an int without a name."""


def custom_class(pyside_class: type) -> type:
    """Make a PySide6 subclass of ours known under its name, to .ui files and to module code."""
    custom_classes[pyside_class.__name__] = pyside_class
    return pyside_class


def wrapper_class(pyside_class: type) -> type:
    """Return the class through which module code sees a PySide6 class; it is made when it is first asked for."""
    if pyside_class not in _wrapper_classes:
        from .classes import build  # it stands on this module

        _wrapper_classes[pyside_class] = build(pyside_class)
    return _wrapper_classes[pyside_class]


def assign_wrapper_class(pyside_class: type, wrapper: type) -> None:
    """Say which wrapper class belongs to a PySide6 class: module code has made a subclass, and with it both."""
    _wrapper_classes[pyside_class] = wrapper


def enum_class(pyside_enum: type[enum.Enum]) -> type[EnumValue]:
    """Return the class of the values of a Qt enum: its members are attributes, and it makes values out of ints."""
    if pyside_enum not in _enum_classes:
        kind = type(pyside_enum.__name__, (EnumValue,), {"__module__": "qt"})
        for name, member in pyside_enum.__members__.items():
            setattr(kind, name, kind(member.value))
        _enum_classes[pyside_enum] = kind
    return _enum_classes[pyside_enum]


def attach(wrapper: WrapperBase, pyside_object: Any) -> None:
    """Make a wrapper the one of an object. It holds the object, and the object only points back to it."""
    object.__setattr__(wrapper, "_object", pyside_object)
    pyside_object.__dict__["_pythonqt_wrapper"] = weakref.ref(wrapper)


def existing_wrapper(pyside_object: Any) -> WrapperBase | None:
    """Return the wrapper of an object if it has one now."""
    reference = pyside_object.__dict__.get("_pythonqt_wrapper")
    return reference and reference()


def wrap(value: Any) -> Any:
    """Return what module code sees of a value that comes from Qt."""
    if isinstance(value, enum.Flag):
        return int(value.value)
    if isinstance(value, enum.Enum) and type(value).__module__.startswith("PySide6"):
        return enum_class(type(value))(value.value)
    if isinstance(value, list | tuple):
        return tuple(wrap(item) for item in value)
    if isinstance(value, dict):
        return {key: wrap(item) for key, item in value.items()}
    if isinstance(value, Shiboken.Object):
        wrapper = existing_wrapper(value)
        if wrapper is None:
            kind = wrapper_class(type(value))
            wrapper = kind.__new__(kind)
            attach(wrapper, value)
        return wrapper
    return value


def unwrap(value: Any) -> Any:
    """Return what Qt gets for a value of module code."""
    if isinstance(value, WrapperBase):
        return value._object
    if isinstance(value, list | tuple):
        return [unwrap(item) for item in value]
    if type(value) is dict:
        return {key: unwrap(item) for key, item in value.items()}
    return value


def is_alive(pyside_object: Any) -> bool:
    """Tell whether the C++ object is still there."""
    return Shiboken.isValid(pyside_object)


def is_qobject_class(pyside_class: type) -> bool:
    """Tell whether a PySide6 class has properties, signals and slots."""
    return issubclass(pyside_class, QtCore.QObject)
