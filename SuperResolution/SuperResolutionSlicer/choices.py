"""Menus whose entries change at run time: the parameter node wrapper can only connect those that are fixed when a class is defined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import qt

# Role under which a standard item keeps its flags (Qt::UserRole - 1), and the flags of one that cannot be chosen.
_FLAGS_ROLE = qt.Qt.UserRole - 1
_NOT_SELECTABLE = 0


@dataclass(frozen=True)
class MenuEntry:
    """One line of a menu: what it stands for, what is shown, what the tooltip says, whether it can be chosen."""

    value: Any
    label: str
    tip: str = ""
    enabled: bool = True


class Menu:
    """A combo box that is filled again only where its entries have changed, and stays silent while it is."""

    def __init__(self, box: qt.QComboBox) -> None:
        self._box = box
        self._entries: Sequence[MenuEntry] | None = None

    def fill(self, entries: Sequence[MenuEntry], value: Any) -> None:
        """Show entries and select the one that stands for `value`; none if there is none."""
        blocked = self._box.blockSignals(True)
        try:
            if entries != self._entries:
                self._entries = list(entries)
                self._box.clear()
                for number, entry in enumerate(entries):
                    self._box.addItem(entry.label, entry.value)
                    self._box.setItemData(number, entry.tip, qt.Qt.ToolTipRole)
                    if not entry.enabled:
                        self._box.setItemData(number, _NOT_SELECTABLE, _FLAGS_ROLE)
            self._box.setCurrentIndex(self._box.findData(value))
        finally:
            self._box.blockSignals(blocked)
