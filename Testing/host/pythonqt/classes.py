"""Wrapper classes: one for each Qt class, unrelated to one another, and their Python subclasses."""

import types
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore

from . import calls
from .additions import additions_for, every_object
from .members import Member, SignalMember, members_of
from .registry import WrapperBase, assign_wrapper_class, attach, existing_wrapper, is_alive, unwrap, wrap

_kept: set["Wrapper"] = set()  # wrappers that nobody holds, of objects that Qt owns, which have a Python side to lose


class Wrapper(WrapperBase):
    """A Qt object as module code sees it."""

    _is_python_subclass = False

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "_pyside_class" not in cls.__dict__:
            _make_subclass(cls)

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        pyside_class = type(self)._pyside_class
        name = pyside_class.__name__
        attach(self, calls.call(name, pyside_class, _constructors(pyside_class), (), arguments, keywords))

    def __getattr__(self, name: str) -> Any:
        """Find what no class knows: dynamic properties, and children by their name."""
        pyside_object = self.__dict__.get("_object")
        if not name.startswith("__") and isinstance(pyside_object, QtCore.QObject) and is_alive(pyside_object):
            if name.encode() in [known.data() for known in pyside_object.dynamicPropertyNames()]:
                return wrap(pyside_object.property(name))
            for child in pyside_object.children():
                if child.objectName() == name:
                    return wrap(child)
        raise AttributeError(f"{type(self).__name__} has no attribute named '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        member, pyside_object = _member(type(self), name), self.__dict__.get("_object")  # None before super().__init__()
        if member:
            member.write(self, value)
        elif isinstance(pyside_object, QtCore.QObject) and is_alive(pyside_object) and pyside_object.property(name) is not None:
            pyside_object.setProperty(name, unwrap(value))
        elif self._is_python_subclass:
            object.__setattr__(self, name, value)
        else:
            kind = type(self).__name__
            raise AttributeError(f"'{name}' does not exist on {kind} and creating new attributes on C++ objects is not allowed")

    def __eq__(self, other: object) -> bool:
        if other is None:
            return not self
        if not isinstance(other, WrapperBase):
            return NotImplemented
        return self._object is other._object or (not isinstance(self._object, QtCore.QObject) and self._object == other._object)

    def __hash__(self) -> int:
        return hash(id(self._object))

    def __bool__(self) -> bool:
        return is_alive(self._object)

    def __str__(self) -> str:
        return str(self._object.data()) if isinstance(self._object, QtCore.QByteArray) else repr(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__} ({self._object!r})" if self else f"{type(self).__name__} (destroyed)"

    def __del__(self) -> None:
        """Stay, if Qt still owns the object: a Python subclass would lose itself, and a sender its list of connections."""
        pyside_object = self.__dict__.get("_object")
        if QtCore is None:  # the interpreter ends
            return
        if not isinstance(pyside_object, QtCore.QObject) or not is_alive(pyside_object) or QtCore.QObject.parent(pyside_object) is None:
            return
        if self._is_python_subclass or "_pythonqt_connections" in pyside_object.__dict__:
            attach(self, pyside_object)
            _keep(self)


def _keep(wrapper: Wrapper) -> None:
    _kept.difference_update([one for one in _kept if not one])  # their objects are gone
    _kept.add(wrapper)


def _member(cls: type, name: str) -> Member | None:
    for base in cls.__mro__:
        found = base.__dict__.get(name)
        if found is not None:
            return found if isinstance(found, Member) else None
    return None


def _constructors(pyside_class: type) -> tuple[calls.Overload, ...]:
    """Return the overloads of the constructor: our own one's, or those of the Qt class."""
    for base in pyside_class.__mro__:
        constructor = base.__dict__.get("__init__")
        if isinstance(constructor, types.FunctionType):
            return calls.overloads(constructor)
        if base.__module__.startswith("PySide6"):
            return calls.overloads(base)
    raise TypeError(f"No constructors available for {pyside_class.__name__}")


def build(pyside_class: type) -> type[Wrapper]:
    """Make the wrapper class of a PySide6 class."""
    members = every_object() | members_of(pyside_class) | additions_for(pyside_class)
    return type(pyside_class.__name__, (Wrapper,), {**members, "_pyside_class": pyside_class, "__module__": "qt"})


def _make_subclass(cls: type[Wrapper]) -> None:
    """Make the PySide6 subclass behind a Python subclass: with its signals, and with its overrides where Qt would call them."""
    base = next(b._pyside_class for b in cls.__mro__[1:] if "_pyside_class" in b.__dict__)
    body: dict[str, Any] = {"__module__": cls.__module__}
    for name, value in list(cls.__dict__.items()):
        if isinstance(value, QtCore.Signal):
            body[name] = value
            setattr(cls, name, SignalMember(name))
        elif isinstance(value, types.FunctionType) and not name.startswith("_") and callable(getattr(base, name, None)):
            body[name] = _override(name, getattr(base, name))
    cls._pyside_class = type(base)(cls.__name__, (base,), body)
    cls._is_python_subclass = True
    assign_wrapper_class(cls._pyside_class, cls)


def _override(name: str, inherited: Callable) -> Callable:
    def overriding(pyside_object: Any, *arguments: Any) -> Any:
        wrapper = existing_wrapper(pyside_object)
        if wrapper is None:  # Qt calls while it still makes the object
            return inherited(pyside_object, *arguments)
        return unwrap(getattr(wrapper, name)(*map(wrap, arguments)))

    overriding.__name__ = name
    return overriding
