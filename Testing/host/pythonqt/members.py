"""The members of wrapper classes: Qt properties, signals, methods and enums, as module code reads, writes and calls them."""

import enum
import functools
import inspect
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore
from shiboken6 import Shiboken

from . import calls
from .conversion import Mismatch, to_property
from .registry import WrapperBase, enum_class, is_alive, is_qobject_class, wrap, wrapper_class
from .signals import BoundSignal


class Member:
    """Something that Qt gives to the objects of a class, and that Python code cannot replace."""

    kind = "Member"

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, wrapper: WrapperBase, value: Any) -> None:
        raise AttributeError(f"{self.kind} '{self.name}' can not be overwritten on {type(wrapper).__name__} object")


class PropertyMember(Member):
    """A Q_PROPERTY."""

    def __init__(self, name: str, written: Callable[[QtCore.QObject], None] | None = None) -> None:
        super().__init__(name)
        self._written = written

    def __get__(self, wrapper: WrapperBase | None, owner: type) -> Any:
        if wrapper is None:
            return self
        if not is_alive(wrapper._object):
            raise ValueError(f"Trying to read property '{self.name}' from a destroyed {owner.__name__} object")
        return wrap(self._read(wrapper._object))

    def _read(self, pyside_object: QtCore.QObject) -> Any:
        if self._is_ours(pyside_object):
            return getattr(pyside_object, self.name)
        if self._declaration(pyside_object).isEnumType():
            return getattr(pyside_object, self.name)()
        return pyside_object.property(self.name)

    def _is_ours(self, pyside_object: QtCore.QObject) -> bool:
        """Tell whether the property is written in Python: asked directly, it does not swallow its exceptions."""
        return isinstance(getattr(type(pyside_object), self.name, None), QtCore.Property)

    def _declaration(self, pyside_object: QtCore.QObject) -> QtCore.QMetaProperty:
        meta = pyside_object.metaObject()
        return meta.property(meta.indexOfProperty(self.name))

    def write(self, wrapper: WrapperBase, value: Any) -> None:
        name, pyside_object = type(wrapper).__name__, wrapper._object
        if not is_alive(pyside_object):
            raise AttributeError(f"Trying to set property '{self.name}' on a destroyed {name} object")
        declaration = self._declaration(pyside_object)
        if not declaration.isWritable():
            raise AttributeError(f"Property '{self.name}' of {name} object is not writable")
        kind = declaration.typeName()
        try:
            self._write(pyside_object, to_property(value, kind, declaration.isEnumType()))
        except Mismatch:
            raise AttributeError(
                f"Property '{self.name}' of type '{kind}' does not accept an object of type {_type_name(value)} ({value!r})"
            ) from None
        if self._written:
            self._written(pyside_object)

    def _write(self, pyside_object: QtCore.QObject, value: Any) -> None:
        if self._is_ours(pyside_object):
            setattr(pyside_object, self.name, value)
        elif not pyside_object.setProperty(self.name, value):
            raise Mismatch


def _type_name(value: Any) -> str:
    """Return the name of a value's type as C code knows it."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


class SignalMember(Member):
    """A signal."""

    kind = "Signal"

    def __get__(self, wrapper: WrapperBase | None, owner: type) -> Any:
        if wrapper is None:
            return self
        if not is_alive(wrapper._object):
            raise ValueError(f"Trying to call '{self.name}' on a destroyed {owner.__name__} object")
        return BoundSignal(wrapper._object, self.name)


class MethodMember(Member):
    """A method or a static function; `added` functions get the wrapper itself, and their result is not wrapped."""

    kind = "Slot"

    def __init__(self, name: str, function: Callable, is_static: bool = False, added: bool = False) -> None:
        super().__init__(name)
        self.function, self.is_static, self.added = function, is_static, added

    def __get__(self, wrapper: WrapperBase | None, owner: type) -> "BoundMethod":
        return BoundMethod(self, wrapper, owner)


class BoundMethod:
    """What ``button.click`` gives: something to call."""

    def __init__(self, member: MethodMember, wrapper: WrapperBase | None, owner: type) -> None:
        self._member, self._wrapper, self._owner = member, wrapper, owner
        self.__name__ = member.name

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        member, wrapper = self._member, self._wrapper
        if member.is_static:
            return self._call_static(arguments, keywords)
        if wrapper is None:
            wrapper, arguments = self._first_argument(arguments)
        if not is_alive(wrapper._object):
            raise ValueError(f"Trying to call '{member.name}' on a destroyed {type(wrapper).__name__} object")
        if member.added:
            return calls.call(member.name, member.function, calls.overloads(member.function), (wrapper,), arguments, keywords)
        return calls.call_and_wrap(member.name, member.function, (wrapper._object,), arguments, keywords)

    def _call_static(self, arguments: tuple, keywords: dict[str, Any]) -> Any:
        """Call a static function; ``QFileInfo.exists`` is one, and a method as well, which has to be asked of the object."""
        name, wrapper = self._member.name, self._wrapper
        function = getattr(wrapper._object, name) if wrapper is not None and hasattr(wrapper._object, name) else self._member.function
        return wrap(calls.call(name, function, calls.overloads(self._member.function), (), arguments, keywords))

    def _first_argument(self, arguments: tuple) -> tuple[WrapperBase, tuple]:
        if arguments and isinstance(arguments[0], WrapperBase):
            return arguments[0], arguments[1:]
        raise ValueError(f"slot {self._member.name} requires {self._owner.__name__} instance as first argument.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundMethod) and (self._member, self._wrapper) == (other._member, other._wrapper)

    def __hash__(self) -> int:
        return hash((self._member, self._wrapper))

    def __repr__(self) -> str:
        return f"<qt slot {self._member.name} of {self._owner.__name__}>"


class EnumMember(Member):
    """An enum or one of its values."""

    def __init__(self, name: str, value: Any) -> None:
        super().__init__(name)
        self.value, self.kind = value, "EnumValue" if isinstance(value, int) else "Enum"

    def __get__(self, wrapper: WrapperBase | None, owner: type) -> Any:
        return self.value


class NestedClassMember(Member):
    """A class in a class, like QStyle.State or QFileDevice."""

    kind = "Nested class"

    def __init__(self, name: str, pyside_class: type) -> None:
        super().__init__(name)
        self._pyside_class = pyside_class

    def __get__(self, wrapper: WrapperBase | None, owner: type) -> type:
        return wrapper_class(self._pyside_class)


_FOREIGN = {"connect", "disconnect", "emit", "receivers", "sender", "isSignalConnected", "findChild", "findChildren"}  # PySide6's own ways


def members_of(pyside_class: type) -> dict[str, Member]:
    """Return what objects of a PySide6 class have for module code."""
    members: dict[str, Member] = {}
    for name in dir(pyside_class):
        if name.startswith("_") or name in _FOREIGN:
            continue
        members.update(_members_named(name, pyside_class))
    for name in property_names(pyside_class):
        if not getattr(members.get(name), "is_static", False):  # QTimer.singleShot is both
            members[name] = PropertyMember(name)
    return members


@functools.cache  # for good: PySide6 takes a class's staticMetaObject away with the first object whose metaObject() was asked for
def property_names(pyside_class: type) -> frozenset[str]:
    """Return the names of the Qt properties of a class."""
    if not is_qobject_class(pyside_class):
        return frozenset()
    if pyside_class.__module__.startswith("PySide6"):
        meta = pyside_class.staticMetaObject
        return frozenset(meta.property(index).name() for index in range(meta.propertyCount()))
    ours = frozenset(name for name, value in vars(pyside_class).items() if isinstance(value, QtCore.Property))
    return ours.union(*map(property_names, pyside_class.__bases__))


def _members_named(name: str, pyside_class: type) -> dict[str, Member]:
    found = inspect.getattr_static(pyside_class, name)
    value = getattr(pyside_class, name)
    if isinstance(value, enum.EnumMeta):
        return _enum_members(name, value)
    if isinstance(found, QtCore.Signal):
        return {name: SignalMember(name)}
    if isinstance(value, type):
        return {name: NestedClassMember(name, value)} if issubclass(value, Shiboken.Object) else {}
    if callable(value):
        return {name: MethodMember(name, value, is_static=isinstance(found, staticmethod | classmethod))}
    return {}


def _enum_members(name: str, pyside_enum: type[enum.Enum]) -> dict[str, Member]:
    kind = enum_class(pyside_enum)
    values = {key: EnumMember(key, getattr(kind, key)) for key in pyside_enum.__members__}
    return {name: EnumMember(name, kind), **values}
