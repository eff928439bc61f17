"""What a parameter node wrapper can hold: the annotations of a type, the checks of a value, and one storage for each type.

Names and messages are those of slicer.parameterNodeWrapper (Slicer, Base/Python/slicer/parameterNodeWrapper). What the modules do not use,
such as lists and parameter packs, is refused when the class is made.
"""

import enum
import pathlib
import typing
from dataclasses import dataclass

import slicer


@dataclass
class Default:
    """The value of a parameter that has none yet."""

    value: object


@dataclass
class Decimals:
    """Number of decimals that a slider or a spin box shows."""

    value: int


@dataclass
class SingleStep:
    """Step of a slider or a spin box."""

    value: float


class Validator:
    """Base of the annotations that refuse values."""

    def validate(self, value) -> None:
        raise NotImplementedError


class NotNone(Validator):
    def validate(self, value) -> None:
        if value is None:
            raise ValueError("Value must not be None")


@dataclass
class IsInstance(Validator):
    classtype: type | tuple[type, ...]

    def validate(self, value) -> None:
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(f"Value must be of type '{self.classtype}', is type '{type(value)}' value '{value}'")


@dataclass
class WithinRange(Validator):
    minimum: float
    maximum: float

    def validate(self, value) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], is {value}")


@dataclass
class Minimum(Validator):
    minimum: float

    def validate(self, value) -> None:
        if value < self.minimum:
            raise ValueError(f"Value must be greater than {self.minimum}, is {value}")


@dataclass
class Maximum(Validator):
    maximum: float

    def validate(self, value) -> None:
        if value > self.maximum:
            raise ValueError(f"Value must be greater than {self.maximum}, is {value}")  # the application says so, too


@dataclass
class Choice(Validator):
    choices: list

    def validate(self, value) -> None:
        if value not in self.choices:
            raise ValueError(f"Value is {value}, but must be in one of the following: {self.choices}")


class Storage:
    """Keeps values of one type as a text parameter of a vtkMRMLScriptedModuleNode."""

    kinds: tuple[type, ...] = ()

    @classmethod
    def stores(cls, kind) -> bool:
        return kind in cls.kinds

    def __init__(self, kind):
        self.kind = kind
        self.validators: list[Validator] = [NotNone(), IsInstance(kind)]

    def validate(self, value) -> None:
        for validator in self.validators:
            validator.validate(value)

    def default(self):
        return self.kind()

    def isIn(self, node, name: str) -> bool:
        return node.HasParameter(name)

    def write(self, node, name: str, value) -> None:
        self.validate(value)
        node.SetParameter(name, str(value))

    def read(self, node, name: str):
        return self.kind(node.GetParameter(name))

    def remove(self, node, name: str) -> None:
        node.UnsetParameter(name)


class NumberStorage(Storage):
    kinds = (int, float)

    def __init__(self, kind):
        super().__init__(kind)
        self.validators = [NotNone(), IsInstance((int, float) if kind is float else int)]

    def default(self):
        return 0


class TextStorage(Storage):
    kinds = (str,)


class PathStorage(Storage):
    kinds = tuple(getattr(pathlib, pure + system + "Path") for pure in ("", "Pure") for system in ("", "Posix", "Windows"))


class BoolStorage(Storage):
    kinds = (bool,)

    def read(self, node, name):
        return node.GetParameter(name) == "True"


class EnumStorage(Storage):
    @classmethod
    def stores(cls, kind) -> bool:
        return isinstance(kind, type) and issubclass(kind, enum.Enum)

    def __init__(self, kind):
        super().__init__(kind)
        self.validators = [IsInstance(kind)]

    def default(self):
        return next(iter(self.kind))

    def write(self, node, name, value):
        self.validate(value)
        node.SetParameter(name, value.name)

    def read(self, node, name):
        key = node.GetParameter(name)
        if key not in self.kind.__members__:
            raise ValueError(f"Found {key!r} in parameter node but it is not a name in {self.kind!r}")
        return self.kind[key]


class NodeStorage(Storage):
    """Keeps a node reference; the empty parameter of the same name tells None from never set."""

    @classmethod
    def stores(cls, kind) -> bool:
        return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)

    def __init__(self, kind):
        super().__init__(kind)
        self.validators = [IsInstance(kind)]

    def default(self):
        return None

    def write(self, node, name, value):
        self.validate(value)
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, None if value is None else value.GetID())

    def read(self, node, name):
        return node.GetNodeReference(name)

    def remove(self, node, name):
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


class NoneStorage(Storage):
    kinds = (type(None),)

    def __init__(self, kind):
        super().__init__(kind)
        self.validators = [IsInstance(kind)]

    def read(self, node, name):
        return None


class UnionStorage(Storage):
    """Keeps a value of one of several types; each type has its own parameter, ``name.0``, ``name.1`` and so on."""

    @classmethod
    def stores(cls, kind) -> bool:
        return typing.get_origin(kind) is typing.Union  # the application does not know ``int | None`` either

    def __init__(self, kind):
        super().__init__(kind)
        self.validators = []
        self.storages = [make_storage(each)[0] for each in typing.get_args(kind)]

    def default(self):
        optional = len(self.storages) == 2 and isinstance(self.storages[1], NoneStorage)
        return None if optional else self.storages[0].default()

    def isIn(self, node, name):
        return any(storage.isIn(node, f"{name}.{i}") for i, storage in enumerate(self.storages))

    def write(self, node, name, value):
        self.validate(value)
        index, storage = self._storage_for(value)
        with slicer.util.NodeModify(node):
            self.remove(node, name)
            storage.write(node, f"{name}.{index}", value)

    def _storage_for(self, value):
        refused = None
        for index, storage in enumerate(self.storages):
            if type(storage).stores(type(value)):
                try:
                    storage.validate(value)
                except (TypeError, ValueError) as error:
                    refused = error
                else:
                    return index, storage
        raise refused or TypeError(f"Unable to write value '{value}' of type '{type(value)}'")

    def read(self, node, name):
        for index, storage in enumerate(self.storages):
            if storage.isIn(node, f"{name}.{index}"):
                return storage.read(node, f"{name}.{index}")
        raise KeyError(f"Unable to find value for name: {name}")

    def remove(self, node, name):
        for index, storage in enumerate(self.storages):
            storage.remove(node, f"{name}.{index}")


STORAGES = (NumberStorage, TextStorage, PathStorage, BoolStorage, NodeStorage, NoneStorage, UnionStorage, EnumStorage)


def split_annotations(annotated) -> tuple[type, tuple]:
    """Return the type itself and its annotations, which may be none."""
    if typing.get_origin(annotated) is typing.Annotated:
        kind, *annotations = typing.get_args(annotated)
        return kind, tuple(annotations)
    return annotated, ()


def find_annotation(annotations, kind):
    """Return the first annotation of this kind, or None."""
    return next((annotation for annotation in annotations if isinstance(annotation, kind)), None)


def make_storage(annotated) -> tuple[Storage, Default | None]:
    """Return the storage for a type and the default that it is annotated with.

    Raises
    ------
    TypeError
        For a type that the host does not store, or an annotation that it does not know.
    """
    kind, annotations = split_annotations(annotated)
    storage_class = next((each for each in STORAGES if each.stores(kind)), None)
    if storage_class is None:
        raise TypeError(f"Unable to create serializer for type: {kind}")
    unknown = [each for each in annotations if not isinstance(each, (Validator, Default, Decimals, SingleStep))]
    if unknown:
        raise TypeError(f"the host does not know the annotations {unknown} of {kind}")
    storage = storage_class(kind)
    storage.validators = storage.validators + [each for each in annotations if isinstance(each, Validator)]
    return storage, find_annotation(annotations, Default)
