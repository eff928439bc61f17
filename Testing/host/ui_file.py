"""Loading .ui files: Qt's own loader, with our custom classes, their enums, and connections that Qt cannot know."""

import functools
import operator
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from PySide6 import QtCore, QtUiTools, QtWidgets

from .pythonqt.additions import enrich_tool_tip
from .pythonqt.members import property_names
from .pythonqt.registry import custom_classes
from .pythonqt.signals import connect_to_slot


class QUiLoader(QtUiTools.QUiLoader):
    """Makes widgets from a .ui file. A class, an object or a signal that is not there raises RuntimeError."""

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._unknown: list[str] = []

    def load(self, device: QtCore.QIODevice, parent: QtWidgets.QWidget | None = None) -> QtWidgets.QWidget:
        """Return the root widget of an open .ui file."""
        root = ET.fromstring(device.readAll().data())
        missing = {element.text for element in root.iterfind("customwidgets/customwidget/class")} - set(custom_classes)
        if missing:
            raise RuntimeError(f"the .ui file names widget classes that are not known here: {', '.join(sorted(missing))}")
        _check_properties(root)
        connections, enums = list(_take_connections(root)), list(_take_enums(root))
        for element in root.findall("customwidgets"):
            root.remove(element)
        widget = self._load(ET.tostring(root), parent)
        for object_name, property_name, value in enums:
            _find(widget, object_name).setProperty(property_name, value)
        for sender, signal, receiver, slot in connections:
            if not connect_to_slot(_find(widget, sender), signal, _find(widget, receiver), slot):
                raise RuntimeError(f"the .ui file connects {sender}.{signal} to {receiver}.{slot}, which do not exist")
        for child in [widget, *widget.findChildren(QtWidgets.QWidget)]:
            enrich_tool_tip(child)
        return widget

    def _load(self, text: bytes, parent: QtWidgets.QWidget | None) -> QtWidgets.QWidget:
        self._unknown.clear()
        buffer = QtCore.QBuffer()
        buffer.setData(text)
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(buffer, parent)
        if self._unknown or widget is None:
            raise RuntimeError(f"the .ui file cannot be loaded; unknown widget classes: {self._unknown}; {self.errorString()}")
        return widget

    def createWidget(self, className: str, parent: QtWidgets.QWidget | None = None, name: str = "") -> QtWidgets.QWidget | None:
        """Make one widget; Qt calls this for each."""
        if className not in custom_classes:
            widget = super().createWidget(className, parent, name)
            if widget is None:
                self._unknown.append(className)
            return widget
        widget = custom_classes[className](parent)
        widget.setObjectName(name)
        return widget


def _check_properties(root: ET.Element) -> None:
    """Refuse properties that a custom class does not have here: Qt would make dynamic ones of them."""
    for widget in root.iter("widget"):
        known = custom_classes.get(widget.get("class", ""))
        for each in widget.findall("property") if known else []:
            name = each.get("name", "")
            if each.get("stdset") != "0" and name not in property_names(known):
                raise RuntimeError(f"the .ui file sets {name} of {widget.get('name')}, which {known.__name__} does not have here")


def _take_connections(root: ET.Element) -> Iterator[tuple[str, str, str, str]]:
    """Take the connections out of the file: their signatures may name VTK classes."""
    for connections in root.findall("connections"):
        for each in connections.findall("connection"):
            yield tuple(each.findtext(tag, "") for tag in ("sender", "signal", "receiver", "slot"))
        root.remove(connections)


def _take_enums(root: ET.Element) -> Iterator[tuple[str, str, int]]:
    """Take the properties out of the file whose values are enums of custom classes: Qt does not know their names."""
    for widget in root.iter("widget"):
        for each in widget.findall("property"):
            text = each.findtext("set") or each.findtext("enum") or ""
            if text.partition("::")[0] in custom_classes:
                widget.remove(each)
                yield widget.get("name", ""), each.get("name", ""), functools.reduce(operator.or_, map(_value, text.split("|")))


def _value(text: str) -> int:
    class_name, *_, name = text.split("::")
    kinds = [kind for kind in vars(custom_classes[class_name]).values() if hasattr(kind, "__members__")]
    for kind in kinds:
        if name in kind.__members__:
            return int(kind[name].value)
    raise RuntimeError(f"the .ui file names {text}, which {class_name} does not have")


def _find(root: QtWidgets.QWidget, name: str) -> QtCore.QObject:
    found = root if root.objectName() == name else root.findChild(QtCore.QObject, name)
    if found is None:
        raise RuntimeError(f"the .ui file connects or sets {name}, which it does not contain")
    return found
