"""Calling methods as PythonQt does: the first overload that takes the arguments, strictly if one does, and with conversions if not."""

import contextlib
import functools
import inspect
import typing
from collections.abc import Callable, Sequence
from typing import Any

from shibokensupport.signature import get_signature

from .conversion import Mismatch, convert
from .registry import wrap

Overload = tuple[list[Any], int]  # the annotations of the parameters, and how many of them are needed


@functools.cache
def overloads(function: Callable) -> tuple[Overload, ...]:
    """Return the overloads of a function of PySide6, or the one of a function of ours; the object itself (``self``) is no parameter."""
    found = None if inspect.isfunction(function) else get_signature(function)
    if found is None:
        found = inspect.signature(function)
    signatures = found if isinstance(found, list) else [found]
    hints = typing.get_type_hints(function) if inspect.isfunction(function) else {}
    return tuple(_overload(signature, hints) for signature in signatures)


def _overload(signature: inspect.Signature, hints: dict[str, Any]) -> Overload:
    parameters = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name != "self"]
    return [hints.get(p.name, p.annotation) for p in parameters], sum(p.default is p.empty for p in parameters)


def call(name: str, function: Callable, choices: Sequence[Overload], receiver: tuple, arguments: tuple, keywords: dict[str, Any]) -> Any:
    """Call a function of Qt with arguments of module code.

    Parameters
    ----------
    name
        How the function is called in errors.
    function, choices
        The function and its overloads, without `receiver`.
    receiver
        Nothing, or the PySide6 object that goes before the arguments.

    Raises
    ------
    ValueError
        Keywords, which PythonQt does not know, or arguments that no overload takes.
    """
    if keywords:
        raise ValueError(f"Called {name} with keyword arguments, but called slot does not support kwargs.")
    for strict in (True, False):
        for kinds, needed in choices:
            if not needed <= len(arguments) <= len(kinds):
                continue
            with contextlib.suppress(Mismatch):
                converted = [convert(argument, kind, strict) for argument, kind in zip(arguments, kinds)]
                return _call(function, receiver, converted)
    raise ValueError(_no_overload(name, choices, arguments))


def _call(function: Callable, receiver: tuple, converted: list) -> Any:
    try:
        return function(*receiver, *converted)
    except TypeError as error:
        if "called with wrong argument" in str(error):  # PySide6 has its own opinion about an overload
            raise Mismatch from None
        raise


def _no_overload(name: str, choices: Sequence[Overload], arguments: tuple) -> str:
    shown = "(" + ", ".join(map(repr, arguments)) + ")"
    if len(choices) == 1 and choices[0][1] == len(choices[0][0]):
        wrong = "arguments" if len(arguments) == choices[0][1] else "number of arguments"
        return f"Called {name} with wrong {wrong}: {shown}"
    listed = "\n".join(f"{name}({', '.join(getattr(kind, '__name__', str(kind)) for kind in kinds)})" for kinds, _ in choices)
    return f"Could not find matching overload for given arguments:\n{shown}\n The following slots are available:\n{listed}"


def call_and_wrap(name: str, function: Callable, receiver: tuple, arguments: tuple, keywords: dict[str, Any]) -> Any:
    """Call a function of Qt, and return what module code sees of its result."""
    return wrap(call(name, function, overloads(function), receiver, arguments, keywords))
