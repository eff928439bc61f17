"""What the conformance suite cannot state, because it is about this host: mistakes are recorded, custom classes, lifetimes, .ui files."""

import gc
import weakref

import pytest
from PySide6 import QtWidgets
from PySide6.QtCore import Property, Signal

import host
from host import pythonqt

host.start()

import ctk  # noqa: E402
import qt  # noqa: E402
import slicer  # noqa: E402


@pythonqt.custom_class
class ctkHostTestWidget(QtWidgets.QWidget):
    """A custom class as the host's own ones."""

    nodeChosen = Signal(object)
    rangeChanged = Signal((float,), (float, float))

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)

    def _refuse(self, value: int) -> None:
        raise RuntimeError("out of order")

    broken = Property(int, lambda self: 1, _refuse)

    def choose(self, node: slicer.vtkMRMLNode | None) -> None:
        self.nodeChosen.emit(node)

    def partner(self) -> QtWidgets.QWidget | None:
        return self.parentWidget()

    def _hidden(self) -> None:
        pass


@pytest.fixture(autouse=True)
def nothing_failed_before():
    host.failures()
    yield
    host.failures()


def ui(widgets: str, custom: str = "") -> qt.QFile:
    """Return an open .ui file with a widget `root`."""
    classes = (
        f"<customwidgets><customwidget><class>{custom}</class><extends>QWidget</extends></customwidget></customwidgets>" if custom else ""
    )
    text = f'<ui version="4.0"><class>root</class><widget class="QWidget" name="root">{widgets}</widget>{classes}</ui>'
    buffer = qt.QBuffer()
    buffer.setData(text.encode())
    buffer.open(qt.QIODevice.ReadOnly)
    return buffer


def test_a_misspelt_signal_is_a_failure():
    button = qt.QPushButton()
    assert button.connect("clickd()", print) is False
    assert host.failures() == ["PythonQt: QObject::connect() signal 'clickd()' does not exist on QPushButton"]


def test_an_exception_in_a_slot_is_a_failure():
    button = qt.QPushButton()
    button.clicked.connect(lambda: 1 / 0)
    button.click()
    assert host.failures() == ["ZeroDivisionError: division by zero"]


def test_a_custom_class_shows_what_it_declares_and_nothing_else():
    widget = ctk.ctkHostTestWidget()
    assert (type(widget), widget.className(), widget.broken) == (ctk.ctkHostTestWidget, "ctkHostTestWidget", 1)
    for name in ("_hidden", "chosen", "nodeChosenn"):
        with pytest.raises(AttributeError, match=name):
            getattr(widget, name)
    with pytest.raises(ValueError, match="Could not find matching overload"):
        ctk.ctkHostTestWidget("text")
    with pytest.raises(ValueError, match="wrong number of arguments"):
        widget.choose()


def test_mrml_nodes_pass_the_border_untouched():
    widget, seen, node = ctk.ctkHostTestWidget(), [], slicer.vtkMRMLModelNode()
    assert widget.connect("nodeChosen(vtkMRMLNode*)", seen.append) is True
    widget.choose(node)
    widget.choose(None)
    assert seen == [node, None]
    with pytest.raises(TypeError, match="method requires a VTK object"):
        widget.choose("node")


def test_widgets_are_wrapped_when_they_leave_a_custom_class():
    parent = qt.QGroupBox("g")
    assert ctk.ctkHostTestWidget(parent).partner() is parent


def test_overloads_of_a_signal_are_told_apart_by_their_signature():
    widget, one, two = ctk.ctkHostTestWidget(), [], []
    assert widget.connect("rangeChanged(double)", one.append)
    assert widget.connect("rangeChanged(double,double)", lambda low, high: two.append((low, high)))
    widget.rangeChanged.emit(1.0, 2.0)
    widget.rangeChanged(3.0)
    assert (one, two) == ([3.0], [(1.0, 2.0)])


def test_an_exception_in_a_property_reaches_its_writer():
    with pytest.raises(RuntimeError, match="out of order"):
        ctk.ctkHostTestWidget().broken = 2


def test_a_python_subclass_lives_as_long_as_qt_owns_it():
    class Panel(qt.QWidget):
        pass

    parent = qt.QWidget()
    Panel(parent).title = "kept"
    gc.collect()
    assert [child.title for child in parent.children()] == ["kept"]
    orphan = Panel()
    gone = weakref.ref(orphan)
    del orphan
    assert gone() is None


def test_a_connection_can_be_undone_after_the_wrapper_was_made_anew():
    parent, seen = qt.QWidget(), []
    qt.QPushButton("b", parent).connect("clicked()", seen.append)
    gc.collect()
    assert parent.children()[0].disconnect("clicked()", seen.append) is True


def test_qt_calls_the_overrides_of_python_subclasses():
    class Panel(qt.QWidget):
        def __init__(self):
            self.events = []  # also before the Qt object is there
            super().__init__()

        def resizeEvent(self, event):
            self.events.append(event.size().width())
            super().resizeEvent(event)

        def eventFilter(self, watched, event):
            self.events.append((watched is button, event.type() == qt.QEvent.MouseButtonPress))
            return False

    panel, button = Panel(), qt.QPushButton()
    panel.resize(120, 30)
    panel.grab()
    button.installEventFilter(panel)
    slicer.app.sendEvent(button, qt.QEvent(qt.QEvent.Enter))
    assert panel.events[0] == 120 and panel.events[-1] == (True, False)


def test_properties_of_value_types_take_nothing_else():
    label = qt.QLabel()
    label.pixmap = qt.QPixmap(2, 2)
    assert label.pixmap.width() == 2
    for wrong in (qt.QIcon(), "x.png", 5):
        with pytest.raises(AttributeError, match="'pixmap' of type 'QPixmap' does not accept"):
            label.pixmap = wrong


def test_an_enum_parameter_takes_its_values_and_ints():
    slider = qt.QSlider(qt.Qt.Horizontal)
    slider.setOrientation(2)
    assert slider.orientation == qt.Qt.Vertical
    with pytest.raises(ValueError, match="wrong arguments"):
        slider.setOrientation("Vertical")


def test_a_ui_file_may_not_name_what_is_not_there():
    with pytest.raises(RuntimeError, match="ctkNoSuchWidget"):
        qt.QUiLoader().load(ui('<widget class="ctkNoSuchWidget" name="w"/>', "ctkNoSuchWidget"))
    with pytest.raises(RuntimeError, match="sets valu of slider, which ctkSliderWidget does not have here"):
        qt.QUiLoader().load(
            ui(
                '<widget class="ctkSliderWidget" name="slider"><property name="valu"><double>1</double></property></widget>',
                "ctkSliderWidget",
            )
        )


def test_a_collapsed_button_hides_what_it_holds_and_what_it_gets():
    button = ctk.ctkCollapsibleButton()
    form, kept_hidden = qt.QFormLayout(button), qt.QLabel("hidden")
    form.addRow(kept_hidden)
    kept_hidden.hide()
    button.show()
    button.collapsed = True
    late = qt.QLabel("late")
    form.addRow(late)
    slicer.app.processEvents()
    slicer.app.processEvents()
    assert late.visible is False
    button.collapsed = False
    assert late.visible is True and kept_hidden.visible is False


def test_a_path_is_signalled_only_if_it_matches_the_name_filters():
    line, seen = ctk.ctkPathLineEdit(), []
    line.nameFilters = ["Models (*.pt *.onnx)"]
    line.connect("currentPathChanged(QString)", seen.append)
    for path in ("/a.txt", "/a.pt", "/b.onnx"):
        line.currentPath = path
    assert seen == ["/a.pt", "/b.onnx"]


def test_a_shortcut_takes_a_key_sequence_as_it_is():
    widget = qt.QWidget()
    shortcut = qt.QShortcut(widget)
    shortcut.setKey(qt.QKeySequence("Left"))
    assert shortcut.key.toString() == "Left"
