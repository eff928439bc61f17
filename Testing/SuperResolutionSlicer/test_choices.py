"""A menu shows its entries, refuses the grey ones, and is silent while it is filled."""

import pytest
import qt
import slicer

import host
from SuperResolutionSlicer.choices import Menu, MenuEntry
from SuperResolutionSlicer.connections import connect

ENTRIES = [MenuEntry("a", "A"), MenuEntry("b", "B (no)", "B does not fit", enabled=False), MenuEntry("c", "C")]


@pytest.fixture
def box(scene):
    return qt.QComboBox()


def labels(box):
    return [box.itemText(index) for index in range(box.count)]


def press(box, key):
    slicer.app.sendEvent(box, qt.QKeyEvent(qt.QEvent.KeyPress, key, qt.Qt.NoModifier))


def test_entries_are_shown_and_the_value_is_selected(box):
    Menu(box).fill(ENTRIES, "c")
    assert labels(box) == ["A", "B (no)", "C"]
    assert (box.currentText, box.itemData(box.currentIndex)) == ("C", "c")


@pytest.mark.parametrize("value", ["x", "", 0, None])
def test_nothing_is_selected_if_no_entry_stands_for_the_value(value, box):
    Menu(box).fill(ENTRIES, value)
    assert box.currentIndex == -1


def test_a_grey_entry_says_why_and_is_passed_over(box):
    Menu(box).fill(ENTRIES, "a")
    assert box.itemData(1, qt.Qt.ToolTipRole) == "B does not fit"
    assert not box.model().item(1).isEnabled()
    press(box, qt.Qt.Key_Down)
    assert box.currentText == "C"
    press(box, qt.Qt.Key_Up)
    assert box.currentText == "A"


def test_filling_is_silent_and_choosing_is_not(box):
    heard = []
    connect(box, "currentIndexChanged(int)", heard.append)
    menu = Menu(box)
    menu.fill(ENTRIES, "a")
    menu.fill(ENTRIES[:1], "a")
    menu.fill(ENTRIES, "c")
    assert heard == []
    press(box, qt.Qt.Key_Home)
    assert heard == [0]


def test_only_changed_entries_are_filled_in_again(box):
    menu = Menu(box)
    menu.fill(ENTRIES, "a")
    box.setItemText(0, "still there")
    menu.fill(list(ENTRIES), "c")
    assert labels(box)[0] == "still there" and box.currentText == "C"
    menu.fill([MenuEntry("a", "A", enabled=False), *ENTRIES[1:]], "c")
    assert labels(box)[0] == "A"


def test_an_entry_that_fits_again_can_be_chosen_again(box):
    menu = Menu(box)
    menu.fill(ENTRIES, "a")
    menu.fill([MenuEntry(each.value, each.label) for each in ENTRIES], "a")
    press(box, qt.Qt.Key_Down)
    assert box.itemData(box.currentIndex) == "b"


def test_a_misspelt_signal_is_an_error(box):
    with pytest.raises(RuntimeError, match="QComboBox: signal 'chosen.int.' does not exist"):
        connect(box, "chosen(int)", print)
    assert len(host.failures()) == 1
