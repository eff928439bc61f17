"""Plain data, as YAML and JSON hold it: turned into dataclasses with every value checked, made of figures, read line by line."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.errors import RequestError


def build(kind: Any, value: Any, where: str) -> Any:
    """Turn plain `value` into `kind`: a dataclass, tuple, dict or scalar type.

    Parameters
    ----------
    kind : type
        What is wanted; the entries of a dataclass by their annotations.
    value : object
        Mappings, lists and scalars.
    where : str
        Name of the value, with which an error begins.

    Raises
    ------
    RequestError
        If a key is unknown or missing, or a value has the wrong type.
    """
    if is_dataclass(kind):
        return _build_dataclass(kind, value, where)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return _build_tuple(parts, value, where)
    expected = origin or kind
    if expected is dict and isinstance(value, Mapping):
        return {key: build(parts[1], item, f"{where}: {key}") for key, item in value.items()} if parts else dict(value)
    if expected is Any:
        return value
    if expected is float and type(value) is int:
        return float(value)
    if type(value) is not expected:
        raise RequestError(f"{where}: found {value!r}; accepted is a value of type {expected.__name__}")
    return value


def _build_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise RequestError(f"{where}: found {value!r}; accepted is a mapping with the keys of a {kind.__name__}")
    types_of = typing.get_type_hints(kind)
    unknown = sorted(set(value) - set(types_of), key=str)
    if unknown:
        raise RequestError(f"{where}: unknown key '{unknown[0]}'; accepted are {', '.join(types_of)}")
    missing = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING and f.name not in value]
    if missing:
        raise RequestError(f"{where}: key '{missing[0]}' is missing")
    return kind(**{name: build(types_of[name], item, f"{where}: {name}") for name, item in value.items()})


def _build_tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise RequestError(f"{where}: found {value!r}; accepted is a list")
    if kinds[-1] is types.EllipsisType or kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(value) != len(kinds):
        raise RequestError(f"{where}: found {len(value)} values; accepted are {len(kinds)}")
    return tuple(build(kind, item, f"{where}[{index}]") for index, (kind, item) in enumerate(zip(kinds, value)))


def as_json(value: Any) -> Any:
    """Return a value as JSON knows it: arrays become lists, and numbers that are not finite None."""
    if isinstance(value, Mapping):
        return {name: as_json(each) for name, each in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [as_json(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file of JSON lines; none where there is no file, and none from a line on that a killed process left half."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found
