"""Signals: connections by signature and by attribute, slots that get only the arguments they can take."""

import inspect
import re
import sys
from typing import Any

from PySide6 import QtCore

from .failures import mistake
from .registry import is_alive, unwrap, wrap

_VTK_POINTER = re.compile(r"\bvtk\w+\*")


def normalized(signature: str) -> str:
    """Return a signal's signature as Qt writes it; VTK objects travel as PyObject."""
    text = QtCore.QMetaObject.normalizedSignature(signature)
    return _VTK_POINTER.sub("PyObject", text if isinstance(text, str) else bytes(text).decode())


def signature_of(pyside_object: QtCore.QObject, name: str) -> str:
    """Return the signature of the signal that is called `name`: of overloads, the one declared first."""
    meta = pyside_object.metaObject()
    for index in range(meta.methodCount()):
        method = meta.method(index)
        if method.methodType() == QtCore.QMetaMethod.MethodType.Signal and method.name() == name.encode():
            return method.methodSignature().data().decode()
    raise AttributeError(f"{meta.className()} has no signal named '{name}'")


def _has_signal(pyside_object: QtCore.QObject, signature: str) -> bool:
    meta = pyside_object.metaObject()
    found = meta.indexOfSignal(signature) >= 0
    if not found:
        mistake(f"PythonQt: QObject::connect() signal '{signature}' does not exist on {meta.className()}")
    return found


class Slot:
    """What is connected: calls a Python callable with as many arguments as it can take, and hands its exceptions to `sys.excepthook`."""

    def __init__(self, target: Any) -> None:
        self.target = target

    def __call__(self, *arguments: Any) -> None:
        try:
            self.target(*[wrap(argument) for argument in arguments[: self._takes()]])
        except Exception:
            sys.excepthook(*sys.exc_info())

    def _takes(self) -> int | None:
        """Return how many arguments a signal or a Python function takes; None for any other callable, which simply gets all."""
        if isinstance(self.target, BoundSignal):
            return self.target.parameter_count()
        function = self.target.__func__ if inspect.ismethod(self.target) else self.target
        if not inspect.isfunction(function) or function.__code__.co_flags & inspect.CO_VARARGS:
            return None
        return function.__code__.co_argcount - inspect.ismethod(self.target)


def _connections(pyside_object: QtCore.QObject) -> list[tuple[str, Any, QtCore.QMetaObject.Connection]]:
    return pyside_object.__dict__.setdefault("_pythonqt_connections", [])


def connect(pyside_object: QtCore.QObject, signature: str, target: Any) -> bool:
    """Connect a signal to a callable, which is held until the object goes.

    Returns
    -------
    bool
        False, and a line on stderr, where the object has no such signal.
    """
    signature = normalized(signature)
    if not _has_signal(pyside_object, signature):
        return False
    slot = Slot(target)
    connection = QtCore.QObject.connect(pyside_object, QtCore.SIGNAL(signature), lambda *arguments: slot(*arguments))
    _connections(pyside_object).append((signature, target, connection))
    return True


def connect_to_slot(sender: QtCore.QObject, signature: str, receiver: QtCore.QObject, slot: str) -> bool:
    """Connect a signal to the slot of another object, by signatures as in C++ or in a .ui file."""
    name, _, types = normalized(slot).rstrip(")").partition("(")
    method = getattr(receiver, name, None)
    if not callable(method):
        mistake(f"QObject::connect: No such slot {receiver.metaObject().className()}::{slot}")
        return False
    count = types.count(",") + 1 if types else 0
    return connect(sender, signature, lambda *arguments: is_alive(receiver) and method(*map(unwrap, arguments[:count])))


def disconnect(pyside_object: QtCore.QObject, signature: str, target: Any = None) -> bool:
    """Take away one connection of a signal to a callable, or all of the signal's if none is given; False if there was none."""
    signature = normalized(signature)
    if not _has_signal(pyside_object, signature):
        return False
    connections = _connections(pyside_object)
    found = [entry for entry in connections if entry[0] == signature and (target is None or entry[1] == target)]
    for entry in found if target is None else found[:1]:
        QtCore.QObject.disconnect(entry[2])
        connections.remove(entry)
    return bool(found)


class BoundSignal:
    """What ``button.clicked`` gives: something to connect to, and to call."""

    def __init__(self, pyside_object: QtCore.QObject, name: str) -> None:
        self._object, self._name = pyside_object, name

    def connect(self, *target: Any) -> bool:
        if len(target) != 1:
            raise ValueError("Called connect with wrong number of arguments")
        return connect(self._object, signature_of(self._object, self._name), *target)

    def disconnect(self, *target: Any) -> bool:
        if len(target) > 1:
            raise ValueError("Called disconnect with wrong number of arguments")
        return disconnect(self._object, signature_of(self._object, self._name), *target)

    def emit(self, *arguments: Any) -> None:
        signal = getattr(self._object, self._name)
        for index in self._types(len(arguments)):
            return signal[index].emit(*map(unwrap, arguments))
        raise ValueError(f"Could not find matching overload for given arguments:\n{arguments!r}\n of signal {self._name}")

    __call__ = emit

    def parameter_count(self) -> int:
        types = signature_of(self._object, self._name).partition("(")[2]
        return 0 if types == ")" else types.count(",") + 1

    def _types(self, count: int) -> list[str]:
        """Return the types of each overload that takes so many arguments."""
        meta = self._object.metaObject()
        methods = map(meta.method, range(meta.methodCount()))
        signals = [m for m in methods if m.name() == self._name.encode() and m.methodType() == QtCore.QMetaMethod.MethodType.Signal]
        return [m.methodSignature().data().decode().partition("(")[2][:-1] for m in signals if m.parameterCount() == count]
