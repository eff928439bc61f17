"""What Qt takes for a Python value, by PythonQt's rules: numbers are cut, anything becomes a string, a string never becomes a number.

Every function raises `Mismatch` for a value that does not fit. With `strict`, only values of exactly the right type fit: overloads are
tried strictly first, so that ``setValue("3")`` finds the overload that takes a string.
"""

import collections.abc
import contextlib
import enum
import inspect
import math
import operator
import types
import typing
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtGui
from shiboken6 import Shiboken
from vtkmodules.vtkCommonCore import vtkObjectBase

from .registry import WrapperBase, enum_class, unwrap

_AUTOMATIC = {  # the only values that PythonQt makes out of other ones
    QtGui.QCursor: (QtCore.Qt.CursorShape,),
    QtGui.QColor: (QtCore.Qt.GlobalColor,),
    QtGui.QBrush: (QtGui.QColor, QtCore.Qt.GlobalColor),
    QtGui.QPen: (QtGui.QColor, QtCore.Qt.GlobalColor),
}


class Mismatch(Exception):
    """A value is not what Qt asks for."""


def to_bool(value: Any, strict: bool) -> bool:
    if strict and not isinstance(value, bool):
        raise Mismatch
    return bool(value)


def to_int(value: Any, strict: bool) -> int:
    if type(value) is int:
        return value
    if strict:
        raise Mismatch
    if type(value) is float and math.isfinite(value):
        return math.floor(value)
    try:
        return operator.index(value)
    except TypeError:
        raise Mismatch from None


def to_float(value: Any, strict: bool) -> float:
    if type(value) is float:
        return value
    if strict or isinstance(value, str | bytes):
        raise Mismatch
    try:
        return float(value)
    except (TypeError, ValueError):
        raise Mismatch from None


def to_string(value: Any, strict: bool) -> str:
    if strict and not isinstance(value, str):
        raise Mismatch
    return str(value)


def to_bytes(value: Any, strict: bool) -> bytes:
    if isinstance(value, WrapperBase) and isinstance(value._object, QtCore.QByteArray):
        return value._object.data()
    if isinstance(value, bytes):
        return value
    if isinstance(value, str) and not strict:
        return value.encode()
    raise Mismatch


def to_list(value: Any, strict: bool, item: Any) -> list:
    is_sequence = hasattr(value, "__getitem__") and hasattr(value, "__len__") and not isinstance(value, dict)
    if not is_sequence or (strict and isinstance(value, str | bytes)):
        raise Mismatch
    return [convert(entry, item, strict=False) for entry in value]


def to_enum(value: Any, strict: bool, kind: type[enum.Enum]) -> enum.Enum:
    if strict and type(value) is not enum_class(kind):
        raise Mismatch
    try:
        return kind(to_int(value, strict=False))
    except ValueError:
        raise Mismatch from None


def to_object(value: Any, strict: bool, kind: type) -> Any:
    """Return the Qt object; None is a null pointer."""
    is_value_class = hasattr(kind, "__copy__")
    if value is None and not is_value_class:
        return None
    if isinstance(value, WrapperBase) and isinstance(value._object, kind):
        return value._object
    for accepted in () if strict else _AUTOMATIC.get(kind, ()):
        with contextlib.suppress(Mismatch):
            return kind(convert(value, accepted, strict=True))
    raise Mismatch


def to_vtk(value: Any, kind: type) -> Any:
    if value is not None and not isinstance(value, vtkObjectBase):
        raise TypeError("method requires a VTK object")
    if value is not None and not value.IsA(kind.__name__):
        raise TypeError(f"method requires a {kind.__name__}, a {value.GetClassName()} was provided.")
    return value


_SIMPLE: dict[Any, Callable[[Any, bool], Any]] = {bool: to_bool, int: to_int, float: to_float, str: to_string, bytes: to_bytes}
_VARIANT = (inspect.Parameter.empty, typing.Any, object)


def convert(value: Any, wanted: Any, strict: bool) -> Any:
    """Return what Qt takes for a value where it wants a certain type.

    Parameters
    ----------
    value
        A value of module code.
    wanted
        The annotation of a parameter: a type, a union, ``Sequence[...]``, ``Callable``; no annotation, Any and object take everything.
    strict
        Take no value of another type, even if it could be turned into one.

    Raises
    ------
    Mismatch
        The value does not fit.
    TypeError
        It is no VTK object, where one is wanted.
    """
    origin = typing.get_origin(wanted)
    if wanted in _SIMPLE:
        return _SIMPLE[wanted](value, strict)
    if wanted in _VARIANT:
        return unwrap(value)
    if origin in (typing.Union, types.UnionType):
        return _convert_to_one_of(value, typing.get_args(wanted), strict)
    if origin in (list, collections.abc.Sequence, collections.abc.Iterable):
        return to_list(value, strict, *typing.get_args(wanted))
    if wanted is QtCore.QByteArray and not isinstance(value, WrapperBase):
        return QtCore.QByteArray(to_bytes(value, strict))
    if isinstance(wanted, type):
        if issubclass(wanted, enum.Enum):
            return to_enum(value, strict, wanted)
        if issubclass(wanted, vtkObjectBase):
            return to_vtk(value, wanted)
        if issubclass(wanted, Shiboken.Object):
            return to_object(value, strict, wanted)
    if wanted is collections.abc.Callable or origin is collections.abc.Callable:
        if not callable(value):
            raise Mismatch
        return value
    return unwrap(value)


def _convert_to_one_of(value: Any, choices: tuple, strict: bool) -> Any:
    """A union says two things: that None is welcome, and what PySide6 would turn into the first type, which PythonQt would not."""
    if value is None and types.NoneType in choices:
        return None
    if isinstance(value, WrapperBase):  # a Qt value goes before what PySide6 would make one of: QKeySequence | ... | str
        with contextlib.suppress(Mismatch):
            return convert(value, choices[0], strict)
    if str in choices:
        return to_string(value, strict)
    first = choices[0]
    if first is not QtCore.QByteArray and bytes in choices:
        return to_bytes(value, strict)
    return convert(value, first, strict)


_PROPERTY_TYPES: dict[str, Any] = {
    **dict.fromkeys(("short", "ushort", "int", "uint", "long", "ulong", "qlonglong", "qulonglong"), int),
    "bool": bool,
    "double": float,
    "float": float,
    "QString": str,
    "QStringList": list[str],
    "QByteArray": QtCore.QByteArray,
    **dict.fromkeys(("QVariant", "QVariantList", "QVariantMap", "PyObject"), typing.Any),
}


def to_property(value: Any, type_name: str, is_enum: bool) -> Any:
    """Return what a property of a C++ type may take for a value; whether it does, Qt says.

    Raises
    ------
    Mismatch
        The property does not accept such a value.
    """
    if type_name in _PROPERTY_TYPES and not is_enum:
        return convert(value, _PROPERTY_TYPES[type_name], strict=False)
    if is_enum and isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if (is_enum and isinstance(value, str)) or (value is None and type_name.endswith("*")):
        return value
    if isinstance(value, WrapperBase):
        return value._object
    raise Mismatch
