"""Which widget can show which type of parameter, and how its value is read and written.

The pairs, the signals and the messages are those of slicer.parameterNodeWrapper.guiConnectors; a pair that is not here is refused.
"""

import enum
import math
import pathlib
import typing
from collections.abc import Callable

import ctk
import qt
import slicer

from .parameter_types import Choice, Decimals, Maximum, Minimum, SingleStep, WithinRange, find_annotation, split_annotations


class Connector:
    """Joins a widget to a parameter: `read` and `write` its value, and hear of its changes."""

    signal = "valueChanged"

    @staticmethod
    def joins(widget, kind) -> bool:
        raise NotImplementedError

    def __init__(self, widget, kind, annotations: tuple):
        self.widget = widget
        self.kind = kind
        self.callback = None

    def onChanged(self, callback: Callable[[], None] | None) -> None:
        signal = getattr(self.widget, self.signal)
        if callback is None:
            signal.disconnect(self._changed)
        elif not signal.connect(self._changed):
            raise RuntimeError(f"{self.widget.className()} has no signal {self.signal}")
        self.callback = callback

    def _changed(self):
        if self.callback:
            self.callback()

    def read(self):
        raise NotImplementedError

    def write(self, value) -> None:
        raise NotImplementedError


class BoolConnector(Connector):
    @staticmethod
    def joins(widget, kind):
        return kind is bool and type(widget) in (qt.QCheckBox, qt.QPushButton)

    def __init__(self, widget, kind, annotations):
        super().__init__(widget, kind, annotations)
        self.signal = "stateChanged" if type(widget) is qt.QCheckBox else "toggled"
        if type(widget) is qt.QPushButton:
            widget.checkable = True

    def read(self):
        return self.widget.checked

    def write(self, value):
        self.widget.checked = value


class NumberConnector(Connector):
    """Sets the limits of the widget from the annotations, too."""

    @staticmethod
    def joins(widget, kind):
        return (kind is int and type(widget) in (qt.QSlider, qt.QSpinBox)) or (
            kind is float and type(widget) in (qt.QDoubleSpinBox, ctk.ctkSliderWidget)
        )

    def __init__(self, widget, kind, annotations):
        super().__init__(widget, kind, annotations)
        bounds, lower, upper = (find_annotation(annotations, each) for each in (WithinRange, Minimum, Maximum))
        if type(widget) in (qt.QSlider, ctk.ctkSliderWidget) and not (bounds or (lower and upper)):
            raise RuntimeError("Cannot have a connection to ctkSliderWidget where the float types is unbounded.")
        for annotation, name in ((Decimals, "decimals"), (SingleStep, "singleStep")):
            if found := find_annotation(annotations, annotation):
                setattr(widget, name, found.value)
        lowest, highest = (-(2**31), 2**31 - 1) if kind is int else (-math.inf, math.inf)
        lower, upper = bounds or lower, bounds or upper
        widget.minimum = lower.minimum if lower else lowest
        widget.maximum = upper.maximum if upper else highest

    def read(self):
        return self.widget.value

    def write(self, value):
        self.widget.value = value


class ChoiceConnector(Connector):
    """Fills a combo box with the members of an enum or the values of a Choice."""

    signal = "currentIndexChanged"

    @staticmethod
    def joins(widget, kind):
        is_enum = isinstance(kind, type) and issubclass(kind, enum.Enum)
        return type(widget) in (qt.QComboBox, ctk.ctkComboBox) and (is_enum or kind in (int, float, str, bool))

    def __init__(self, widget, kind, annotations):
        super().__init__(widget, kind, annotations)
        if issubclass(kind, enum.Enum):
            label = getattr(kind, "label", lambda member: member.name)
            self.values, labels = list(kind), [label(member) for member in kind]
        elif choice := find_annotation(annotations, Choice):
            self.values, labels = choice.choices, [str(value) for value in choice.choices]
        else:
            raise RuntimeError("ComboBoxToStringableConnector requires the Choice annotation to be used.")
        widget.clear()
        for each in labels:
            widget.addItem(each)

    def read(self):
        return self.values[self.widget.currentIndex]

    def write(self, value):
        if value not in self.values:
            raise ValueError(f"Unable to find value {value} in choices {self.values}")
        self.widget.currentIndex = self.values.index(value)


class LineConnector(Connector):
    signal = "textChanged"

    @staticmethod
    def joins(widget, kind):
        return kind is str and type(widget) is qt.QLineEdit

    def read(self):
        return self.widget.text

    def write(self, value):
        self.widget.text = value


class TextConnector(Connector):
    signal = "textChanged"

    @staticmethod
    def joins(widget, kind):
        return kind is str and type(widget) is qt.QTextEdit

    def read(self):
        return self.widget.toPlainText()

    def write(self, value):
        self.widget.setPlainText(value)


class PathConnector(Connector):
    signal = "currentPathChanged"

    @staticmethod
    def joins(widget, kind):
        return isinstance(kind, type) and issubclass(kind, pathlib.PurePath) and type(widget) is ctk.ctkPathLineEdit

    def read(self):
        return self.kind(self.widget.currentPath)

    def write(self, value):
        self.widget.currentPath = str(value)


class NodeConnector(Connector):
    signal = "currentNodeChanged"

    @staticmethod
    def joins(widget, kind):
        return type(widget) is slicer.qMRMLNodeComboBox and bool(node_classes(kind))

    def __init__(self, widget, kind, annotations):
        super().__init__(widget, kind, annotations)
        widget.nodeTypes = [each().GetClassName() for each in node_classes(kind)]

    def read(self):
        return self.widget.currentNode()

    def write(self, value):
        self.widget.setCurrentNode(value)


CONNECTORS = (BoolConnector, NumberConnector, ChoiceConnector, LineConnector, TextConnector, PathConnector, NodeConnector)


def node_classes(kind) -> list[type]:
    """Return the MRML classes of a node type or of a union of them; none if it allows anything else."""
    kinds = typing.get_args(kind) if typing.get_origin(kind) is typing.Union else (kind,)
    nodes = [each for each in kinds if isinstance(each, type) and issubclass(each, slicer.vtkMRMLNode)]
    others = set(kinds) - set(nodes) - {type(None)}
    return [] if others else nodes


def make_connector(widget, annotated) -> Connector:
    """Return the connector between a widget and an (annotated) type.

    Raises
    ------
    RuntimeError
        If the widget cannot show such values.
    """
    kind, annotations = split_annotations(annotated)
    for each in CONNECTORS:
        if each.joins(widget, kind):
            return each(widget, kind, annotations)
    raise RuntimeError(f"Unable to create GUI connector from datatype '{annotated}' to widget type '{type(widget)}'")
