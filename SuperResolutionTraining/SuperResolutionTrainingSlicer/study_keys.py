"""Keyboard shortcuts that are there only while a study is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import qt

from SuperResolutionSlicer.connections import connect


class StudyKeys:
    """Makes shortcuts for the window of a widget, which work while the widget can be seen.

    Parameters
    ----------
    widget : QWidget
    """

    def __init__(self, widget: Any) -> None:
        self._widget = widget
        self._shortcuts: list[Any] = []

    def put(self, slots: Mapping[str, Callable[[], None]]) -> None:
        """Make shortcuts in place of those before: what each key does, by its name in Qt."""
        self.remove()
        for key, slot in slots.items():
            shortcut = qt.QShortcut(self._widget)
            shortcut.setKey(qt.QKeySequence(key))
            connect(shortcut, "activated()", slot)
            self._shortcuts.append(shortcut)

    def remove(self) -> None:
        """Take the shortcuts away."""
        for shortcut in self._shortcuts:
            shortcut.enabled = False  # it is deleted later only
            shortcut.deleteLater()
        self._shortcuts = []
