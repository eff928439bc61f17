"""slicer.parameterNodeWrapper: typed attributes on a vtkMRMLScriptedModuleNode, and their connection to the widgets of a panel.

Semantics follow Base/Python/slicer/parameterNodeWrapper of Slicer, also where they surprise: a misspelt parameter is set in Python only,
the node's methods are not forwarded, and the first tag is 0.
"""

import typing
import weakref
from collections.abc import Callable

import qt
import slicer
import vtk

from .parameter_gui import make_connector
from .parameter_types import (
    Choice,
    Decimals,
    Default,
    IsInstance,
    Maximum,
    Minimum,
    NotNone,
    SingleStep,
    Storage,
    Validator,
    WithinRange,
    make_storage,
)

__all__ = [
    "Choice",
    "Decimals",
    "Default",
    "IsInstance",
    "Maximum",
    "Minimum",
    "NotNone",
    "SingleStep",
    "SlicerParameterNamePropertyName",
    "Validator",
    "WithinRange",
    "isParameterNodeWrapper",
    "parameterNodeWrapper",
]

SlicerParameterNamePropertyName = "SlicerParameterName"


class ParameterInfo(typing.NamedTuple):
    """A parameter as the class declares it."""

    basename: str
    storage: Storage
    default: Default
    unalteredType: type


class Parameter:
    """A parameter of one node. Its value is kept, and read again when the node is modified by somebody else."""

    def __init__(self, info: ParameterInfo, node, prefix: str):
        self.info = info
        self.node = node
        self.name = prefix + info.basename
        self.writing = False
        if not info.storage.isIn(node, self.name):
            info.storage.write(node, self.name, info.default.value)
        self.value = self._read()
        modified = weakref.WeakMethod(self._modified)  # the node must not keep the wrapper alive
        self.tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: modified()())

    def __del__(self):
        if hasattr(self, "tag"):
            self.node.RemoveObserver(self.tag)

    def _read(self):
        if not self.info.storage.isIn(self.node, self.name):  # closing the scene empties the node
            self.info.storage.write(self.node, self.name, self.info.default.value)
        return self.info.storage.read(self.node, self.name)

    def _modified(self) -> None:
        if not self.writing:
            self.value = self._read()

    def write(self, value) -> None:
        self.writing = True
        try:
            with slicer.util.NodeModify(self.node):  # observers must find the new value
                self.info.storage.write(self.node, self.name, value)
                self.value = self._read()
        finally:
            self.writing = False


class Wrapper:
    """What parameterNodeWrapper adds to a class."""

    def __init__(self, parameterNode, prefix: str | None = None):
        self.parameterNode = parameterNode
        self._parameters = {info.basename: Parameter(info, parameterNode, prefix or "") for info in self.allParameters.values()}
        self._guis = {}
        self._nextTag = 0
        self._updatingGui = False

    def _parameter(self, name: str) -> Parameter:
        self._checkName(name)
        return self._parameters[name]

    @classmethod
    def _checkName(cls, name: str) -> None:
        if name not in cls.allParameters:
            raise ValueError(f"Cannot find a param with the given name: {name}\n  Found parameters {list(cls.allParameters)}")

    def default(self, name: str) -> Default:
        return self._parameter(name).info.default

    @classmethod
    def dataType(cls, name: str) -> type:
        cls._checkName(name)
        return cls.allParameters[name].unalteredType

    def isCached(self, name: str) -> bool:
        return self._parameter(name) is not None

    def getValue(self, name: str):
        return self._parameter(name).value

    def setValue(self, name: str, value) -> None:
        self._parameter(name).write(value)

    def StartModify(self):
        return self.parameterNode.StartModify()

    def EndModify(self, wasModifying):
        return self.parameterNode.EndModify(wasModifying)

    def Modified(self) -> None:
        self.parameterNode.Modified()

    def AddObserver(self, event, callback: Callable, priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def connectGui(self, gui) -> int:
        """Connect every widget with a SlicerParameterName that is in `gui`: a widget, or what childWidgetVariables gives."""
        is_widget = getattr(gui, "isWidgetType", lambda: False)()
        widgets = gui.findChildren(qt.QWidget) if is_widget else vars(gui).values()
        named = ((widget.property(SlicerParameterNamePropertyName), widget) for widget in widgets)
        return self.connectParametersToGui({name: widget for name, widget in named if name})

    def connectParametersToGui(self, mapping: dict) -> int:
        for name in mapping:
            self._checkName(name)
        connectors = {name: make_connector(widget, self.dataType(name)) for name, widget in mapping.items()}
        tag = self._nextTag
        self._nextTag += 1
        self._guis[tag] = connectors
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.onChanged(self._reader(name, connector))
        self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: self._updateGui())
        return tag

    def disconnectGui(self, tag: int) -> None:
        for connector in self._guis.pop(tag, {}).values():
            connector.onChanged(None)

    def _reader(self, name: str, connector) -> Callable[[], None]:
        def read():
            with slicer.util.NodeModify(self):
                if not self._updatingGui:
                    self.setValue(name, connector.read())

        return read

    def _updateGui(self) -> None:
        if self._updatingGui:
            return
        self._updatingGui = True
        try:
            with slicer.util.NodeModify(self):
                for connectors in self._guis.values():
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._updatingGui = False


def parameterNodeWrapper(classtype: type | None = None):
    """Class decorator that turns the annotations of a class into parameters."""
    return _wrap if classtype is None else _wrap(classtype)


def isParameterNodeWrapper(classOrObj) -> bool:
    return getattr(classOrObj, "_is_parameter_node_wrapper", False)


def _wrap(classtype: type) -> type:
    hints = typing.get_type_hints(classtype, include_extras=True)
    parameters = {name: _info(classtype, name, kind) for name, kind in hints.items()}
    for name in parameters:
        setattr(classtype, name, _property(name))
    added = {name: member for name, member in vars(Wrapper).items() if not name.startswith("__")}
    for name, member in (added | {"allParameters": parameters, "_is_parameter_node_wrapper": True}).items():
        if hasattr(classtype, name):
            raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
        setattr(classtype, name, member)
    classtype.__init__ = Wrapper.__init__
    return classtype


def _info(classtype: type, name: str, kind) -> ParameterInfo:
    try:
        storage, annotated = make_storage(kind)
    except TypeError as error:
        raise Exception(f"Unable to create serializer for {classtype} member {name}: {error}") from error
    default = Default(getattr(classtype, name)) if hasattr(classtype, name) else annotated or Default(storage.default())
    return ParameterInfo(name, storage, default, kind)


def _property(name: str) -> property:
    return property(lambda self: self.getValue(name), lambda self, value: self.setValue(name, value))
