"""The CTK widgets that panels use, with the properties, signals and slots that module code sees of the originals.

The originals are in commontk/CTK, Libs/Widgets. As in the application, a C++ method that is neither a slot nor the accessor of a property
is not there: ``slider.setRange`` raises.
"""

import enum
import re
import types
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

from . import pythonqt
from .pythonqt import custom_class


def forwarded(kind: type, part: str, name: str) -> Property:
    """Return a property that is one of a widget inside: of `part`, under the same `name`."""
    setter = "set" + name[0].upper() + name[1:]
    return Property(
        kind, lambda self: getattr(getattr(self, part), name)(), lambda self, value: getattr(getattr(self, part), setter)(value)
    )


def stored(kind: type | str, name: str, changed: Callable[[Any], None] = lambda self: None) -> Property:
    """Return a property that is kept in the attribute `name`; `changed` is called with the widget after it is set."""

    def write(self: Any, value: Any) -> None:
        setattr(self, name, value)
        changed(self)

    return Property(kind, lambda self: getattr(self, name), write)


# ---------------------------------------------------------------- boxes that collapse
_EXPLICIT = QtCore.Qt.WidgetAttribute.WA_WState_ExplicitShowHide


def show_children(parent: QtWidgets.QWidget, visible: bool) -> None:
    """Show or hide what is inside, except what somebody else has hidden."""
    for child in parent.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindChildOption.FindDirectChildrenOnly):
        if child.isWindow() or child.isHidden() == (not visible) or (child.isHidden() and child.testAttribute(_EXPLICIT)):
            continue
        child.setVisible(visible)
        child.setAttribute(_EXPLICIT, False)


def hide_new_children(box: QtWidgets.QWidget, event: QtCore.QEvent) -> None:
    """Hide what a collapsed box had before it was first shown, and what it gets later: that is polished in the midst of being shown."""
    if event.type() == QtCore.QEvent.Type.Polish and box.collapsed:
        show_children(box, False)
    elif event.type() == QtCore.QEvent.Type.ChildPolished and box.collapsed:
        QtCore.QTimer.singleShot(0, box, lambda: show_children(box, not box.collapsed))


@custom_class
class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    """A header with an arrow; what is below it shows while the button is checked."""

    contentsCollapsed = Signal(bool)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        self._collapsed = False  # before Qt sends the first event
        super().__init__(parent)
        self._collapsed_height, self._open_maximum = 10, self.maximumHeight()
        self.setCheckable(True)
        self.setChecked(True)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Minimum, QtWidgets.QSizePolicy.Policy.Preferred)
        self.setContentsMargins(0, self._header_size().height(), 0, 0)
        self.setBackgroundRole(QtGui.QPalette.ColorRole.Window)
        self.toggled.connect(lambda checked: self._collapse(not checked))

    collapsed = Property(bool, lambda self: self._collapsed, lambda self, value: self.setChecked(not value), notify=contentsCollapsed)
    collapsedHeight = stored(int, "_collapsed_height", lambda self: self.updateGeometry())

    def _collapse(self, collapsed: bool) -> None:
        self._collapsed = collapsed
        if collapsed:
            self._open_maximum = self.maximumHeight()
        self.setMaximumHeight(self.sizeHint().height() if collapsed else self._open_maximum)
        show_children(self, not collapsed)
        self.updateGeometry()
        self.contentsCollapsed.emit(collapsed)

    def _header_size(self) -> QtCore.QSize:
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        text = self.fontMetrics().size(QtCore.Qt.TextFlag.TextShowMnemonic.value, self.text() or "XXXX")
        side = self.style().pixelMetric(QtWidgets.QStyle.PixelMetric.PM_IndicatorHeight, option, self)
        inside = QtCore.QSize(text.width() + 2 * side, max(side, text.height()))
        return self.style().sizeFromContents(QtWidgets.QStyle.ContentsType.CT_PushButton, option, inside, self)

    # Qt calls these.
    def event(self, event: QtCore.QEvent) -> bool:
        hide_new_children(self, event)
        return super().event(event)

    def sizeHint(self) -> QtCore.QSize:
        header = self._header_size()
        closed = QtCore.QSize(header.width(), header.height() + self._collapsed_height)
        return closed if self._collapsed else super().sizeHint().expandedTo(closed)

    def minimumSizeHint(self) -> QtCore.QSize:
        return self.sizeHint() if self._collapsed else super().minimumSizeHint().expandedTo(self._header_size())

    def hitButton(self, position: QtCore.QPoint) -> bool:
        return position.y() < self._header_size().height()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        style, painter = self.style(), QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.state |= QtWidgets.QStyle.StateFlag.State_Sunken if self.isDown() else QtWidgets.QStyle.StateFlag.State_Raised
        option.rect.setHeight(self._header_size().height())
        painter.drawControl(QtWidgets.QStyle.ControlElement.CE_PushButtonBevel, option)
        side = style.pixelMetric(QtWidgets.QStyle.PixelMetric.PM_IndicatorHeight, option, self)
        margin = (option.rect.height() - side) // 2
        draw_arrow(painter, self, QtCore.QRect(margin, margin, side, side), self._collapsed)
        place = option.rect.adjusted(2 * margin + side, 0, 0, 0)
        left = QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignVCenter
        painter.drawItemText(place, left.value, self.palette(), self.isEnabled(), self.text(), QtGui.QPalette.ColorRole.ButtonText)


def draw_arrow(painter: QtWidgets.QStylePainter, widget: QtWidgets.QWidget, place: QtCore.QRect, collapsed: bool) -> None:
    """Draw the arrow that tells whether a box is collapsed."""
    option = QtWidgets.QStyleOption()
    option.initFrom(widget)
    option.rect = place
    arrows = QtWidgets.QStyle.PrimitiveElement
    painter.drawPrimitive(arrows.PE_IndicatorArrowDown if collapsed else arrows.PE_IndicatorArrowUp, option)


@custom_class
class ctkCollapsibleGroupBox(QtWidgets.QGroupBox):
    """A group box that shows its contents while it is checked."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._collapsed_height, self._open_maximum = 14, self.maximumHeight()
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(self._expand)

    collapsed = Property(bool, lambda self: not self.isChecked(), lambda self, value: self.setChecked(not value))
    collapsedHeight = stored(int, "_collapsed_height")

    def _expand(self, expand: bool) -> None:
        if not expand:
            self._open_maximum = self.maximumHeight()
        self.setMaximumHeight(self._open_maximum if expand else self.fontMetrics().height() + self._collapsed_height)
        show_children(self, expand)
        self.updateGeometry()

    # Qt calls these.
    def event(self, event: QtCore.QEvent) -> bool:
        hide_new_children(self, event)
        return super().event(event)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        super().paintEvent(event)
        option = QtWidgets.QStyleOptionGroupBox()
        self.initStyleOption(option)
        control = QtWidgets.QStyle.SubControl.SC_GroupBoxCheckBox
        place = self.style().subControlRect(QtWidgets.QStyle.ComplexControl.CC_GroupBox, option, control, self)
        painter = QtWidgets.QStylePainter(self)
        painter.fillRect(place, self.palette().window())
        draw_arrow(painter, self, place, not self.isChecked())


# ---------------------------------------------------------------- numbers
@custom_class
class ctkSliderWidget(QtWidgets.QWidget):
    """A slider and a spin box that show one value."""

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)

    _POSITIONS = 1000  # of the slider

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._page_step = 10.0
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal, self)
        self._slider.setRange(0, self._POSITIONS)
        self._box = QtWidgets.QDoubleSpinBox(self)
        self._box.setSizePolicy(QtWidgets.QSizePolicy.Policy.Minimum, QtWidgets.QSizePolicy.Policy.Preferred)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._slider, 1)
        row.addWidget(self._box)
        self._slider.valueChanged.connect(self._slide)
        self._box.valueChanged.connect(self._change)

    value = forwarded(float, "_box", "value")
    decimals = forwarded(int, "_box", "decimals")
    singleStep = forwarded(float, "_box", "singleStep")
    prefix = forwarded(str, "_box", "prefix")
    suffix = forwarded(str, "_box", "suffix")
    pageStep = stored(float, "_page_step")

    def _set_limit(self, set_limit: Callable[[float], None], value: float) -> None:
        set_limit(value)
        self._show_position()

    minimum = Property(float, lambda self: self._box.minimum(), lambda self, value: self._set_limit(self._box.setMinimum, value))
    maximum = Property(float, lambda self: self._box.maximum(), lambda self, value: self._set_limit(self._box.setMaximum, value))
    tracking = Property(bool, lambda self: self._slider.hasTracking(), lambda self, value: self._slider.setTracking(value))
    spinBoxVisible = Property(bool, lambda self: self._box.isVisibleTo(self), lambda self, value: self._box.setVisible(value))

    def setValue(self, value: float) -> None:
        self._box.setValue(value)

    def setSpinBoxVisible(self, visible: bool) -> None:
        self._box.setVisible(visible)

    def reset(self) -> None:
        self._box.setValue(0.0)

    def _change(self, value: float) -> None:
        self._show_position()
        self.valueChanged.emit(value)

    def _slide(self, position: int) -> None:
        span = self._box.maximum() - self._box.minimum()
        self._box.setValue(self._box.minimum() + span * position / self._POSITIONS)

    def _show_position(self) -> None:
        span = self._box.maximum() - self._box.minimum()
        blocker = QtCore.QSignalBlocker(self._slider)
        self._slider.setValue(round(self._POSITIONS * (self._box.value() - self._box.minimum()) / span) if span else 0)
        blocker.unblock()


@custom_class
class ctkDoubleSpinBox(QtWidgets.QWidget):
    """A spin box."""

    valueChanged = Signal(float)
    editingFinished = Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QtWidgets.QDoubleSpinBox(self)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._box)
        self._box.valueChanged.connect(self.valueChanged)
        self._box.editingFinished.connect(self.editingFinished)

    value = forwarded(float, "_box", "value")
    minimum = forwarded(float, "_box", "minimum")
    maximum = forwarded(float, "_box", "maximum")
    singleStep = forwarded(float, "_box", "singleStep")
    decimals = forwarded(int, "_box", "decimals")
    prefix = forwarded(str, "_box", "prefix")
    suffix = forwarded(str, "_box", "suffix")

    def setValue(self, value: float) -> None:
        self._box.setValue(value)

    def stepUp(self) -> None:
        self._box.stepUp()

    def stepDown(self) -> None:
        self._box.stepDown()

    def selectAll(self) -> None:
        self._box.selectAll()


# ---------------------------------------------------------------- paths
def _pattern(name_filters: list[str]) -> re.Pattern:
    """Return what paths must match: one of the endings; CTK takes only their first part, and lets their last letter be missing."""
    endings = re.findall(r"\*\.(\w+)", " ".join(name_filters))
    return re.compile("|".join(rf".*\.{ending}?" for ending in endings) or ".+")


@custom_class
class ctkPathLineEdit(QtWidgets.QWidget):
    """A line with a path, a history and a button to browse. A path that does not match the name filters is shown, but not signalled."""

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    class Filter(enum.IntFlag):
        Dirs, Files, Drives, NoSymLinks = 0x1, 0x2, 0x4, 0x8
        AllEntries, TypeMask = 0x7, 0xF
        Readable, Writable, Executable, PermissionMask = 0x10, 0x20, 0x40, 0x70
        Modified, Hidden, System, AccessMask = 0x80, 0x100, 0x200, 0x3F0
        AllDirs, CaseSensitive, NoDotAndDotDot, NoDot, NoDotDot = 0x400, 0x800, 0x1000, 0x2000, 0x4000

    _HISTORY_LENGTH = 5

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._label, self._key, self._name_filters, self._valid, self._show_history = "", "", [], False, True
        kinds = self.Filter
        self._filters = int(kinds.AllEntries | kinds.NoDot | kinds.NoDotDot | kinds.Readable | kinds.Executable)
        self._box = QtWidgets.QComboBox(self)
        self._box.setEditable(True)
        self._box.setInsertPolicy(QtWidgets.QComboBox.InsertPolicy.NoInsert)
        self._browse = QtWidgets.QToolButton(self)
        self._browse.setText("...")
        self._browse.setToolTip("Open a dialog")
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._box, 1)
        row.addWidget(self._browse)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        self._box.lineEdit().textChanged.connect(self._signal)
        self._browse.clicked.connect(lambda checked: self.browse())

    currentPath = Property(str, lambda self: self._box.currentText(), lambda self, value: self.setCurrentPath(value))
    nameFilters = stored("QStringList", "_name_filters")
    filters = stored(int, "_filters")
    label = stored(str, "_label")
    settingKey = stored(str, "_key", lambda self: self.retrieveHistory())
    showBrowseButton = Property(bool, lambda self: self._browse.isVisibleTo(self), lambda self, value: self._browse.setVisible(value))
    showHistoryButton = stored(bool, "_show_history", lambda self: self._show_history_arrow())

    def setCurrentPath(self, path: str) -> None:
        self._box.lineEdit().setText(path)

    def browse(self) -> None:
        """Let the user choose a file, or a folder where no file is wanted."""
        if not self._filters & self.Filter.Files:
            path = QtWidgets.QFileDialog.getExistingDirectory(self, "Select a directory...", self._box.currentText())
        elif self._filters & self.Filter.Writable:
            path, _ = QtWidgets.QFileDialog.getSaveFileName(self, "Select a file to save", self._box.currentText(), self._dialog_filter())
        else:
            path, _ = QtWidgets.QFileDialog.getOpenFileName(self, "Open a file", self._box.currentText(), self._dialog_filter())
        if path:
            self.setCurrentPath(path)

    def retrieveHistory(self) -> None:
        """List the paths that were kept under the setting key, and take the latest one if there is none now."""
        path = self._box.currentText()
        self._box.clear()
        self._box.addItems(self._history()[: self._HISTORY_LENGTH])
        if path:
            self.setCurrentPath(path)

    def addCurrentPathToHistory(self) -> None:
        path = self._box.currentText()
        if path:
            kept = [path, *(other for other in self._history() if other != path)]
            QtCore.QSettings().setValue(self._setting(), kept[: self._HISTORY_LENGTH])
            self.retrieveHistory()

    def _show_history_arrow(self) -> None:
        self._box.setStyleSheet("" if self._show_history else "QComboBox::drop-down { width: 0; border: 0 }")

    def _setting(self) -> str:
        return "ctkPathLineEdit/" + (self._key or self.objectName())

    def _history(self) -> list[str]:
        found = QtCore.QSettings().value(self._setting(), [])
        return [found] if isinstance(found, str) else list(found or [])

    def _dialog_filter(self) -> str:
        return ";;".join(self._name_filters)

    def _signal(self, path: str) -> None:
        was_valid, self._valid = self._valid, _pattern(self._name_filters).fullmatch(path) is not None
        if self._valid:
            self.currentPathChanged.emit(path)
        if self._valid != was_valid:
            self.validInputChanged.emit(self._valid)


# ---------------------------------------------------------------- Qt's own widgets, and a little more
@custom_class
class ctkComboBox(QtWidgets.QComboBox):
    """A combo box that can show a text while nothing is chosen."""

    defaultTextChanged = Signal(str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)

    def _set_default_text(self, text: str) -> None:
        if text != self.placeholderText():
            self.setPlaceholderText(text)
            self.defaultTextChanged.emit(text)

    defaultText = Property(str, lambda self: self.placeholderText(), _set_default_text, notify=defaultTextChanged)


@custom_class
class ctkCheckBox(QtWidgets.QCheckBox):
    """A check box."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)


@custom_class
class ctkMessageBox(QtWidgets.QMessageBox):
    """A message box that can be told not to appear again."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._again = QtWidgets.QCheckBox("Don't show this message again", self)
        self._again.hide()

    dontShowAgain = Property(bool, lambda self: self._again.isChecked(), lambda self, value: self._again.setChecked(value))

    def _set_check_box(self, visible: bool) -> None:
        if visible:
            self.setCheckBox(self._again)

    dontShowAgainVisible = Property(bool, lambda self: self.checkBox() is not None, _set_check_box)

    def setDontShowAgain(self, dont_show: bool) -> None:
        self._again.setChecked(dont_show)


class CtkModule(types.ModuleType):
    """The module `ctk`; a widget that is not here raises."""

    def __getattr__(self, name: str) -> type:
        if not name.startswith("ctk") or name not in pythonqt.custom_classes:
            raise AttributeError(f"module 'ctk' has no attribute '{name}'")
        return pythonqt.wrapper_class(pythonqt.custom_classes[name])


def make() -> CtkModule:
    """Return a new module `ctk`."""
    return CtkModule("ctk")
