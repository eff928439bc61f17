"""The menu of devices, with the GPUs by name, which the engine tells in a process of its own: the panel itself imports no torch."""

from __future__ import annotations

from collections.abc import Callable

import qt

from .choices import Menu, MenuEntry
from .connections import connect
from .engine_process import Ending, EngineProcess, Outcome
from .packages import missing_packages

AUTOMATIC = "auto"


class DeviceMenu:
    """Fills a combo box with the devices that are here.

    Parameters
    ----------
    box : QComboBox
    chosen : callable
        Called with the id of a device (see `SuperResolutionLib.devices.list_devices`) when the user chooses it.
    failed : callable
        Called with the lines that say why the engine could not tell its devices.
    """

    def __init__(self, box: qt.QComboBox, chosen: Callable[[str], None], failed: Callable[[str], None]) -> None:
        self._box, self._menu = box, Menu(box)
        self._chosen, self._failed = chosen, failed
        self._known = [MenuEntry(AUTOMATIC, "Automatic"), MenuEntry("cpu", "CPU")]
        self._device = AUTOMATIC
        self._query: EngineProcess | None = None
        connect(box, "currentIndexChanged(int)", self._index_changed)

    def show(self, device: str) -> None:
        """Select a device; one that is not here is shown as such."""
        self._device = device
        lost = [] if device in [entry.value for entry in self._known] else [MenuEntry(device, f"{device} (not found here)")]
        self._menu.fill(self._known + lost, device)

    def ask(self) -> None:
        """Ask the engine for the devices, once; later if its packages are not there yet."""
        if self._query is None and not missing_packages():
            self._query = EngineProcess("SuperResolutionLib.devices", [], lambda _: None, self._told)
            self._query.start()

    def close(self) -> None:
        """End the process that was asked, if it still runs."""
        if self._query is not None:
            self._query.abandon()
            self._query = None

    def _told(self, outcome: Outcome) -> None:
        if outcome.ending is not Ending.DONE:
            self._failed(f"devices: {outcome.message}\n{outcome.log}")
            return
        told = [MenuEntry(each["id"], each["name"]) for each in outcome.result["devices"]]
        self._known = [MenuEntry(AUTOMATIC, f"Automatic ({told[0].label})"), *told]
        self.show(self._device)

    def _index_changed(self, index: int) -> None:
        if index >= 0:
            self._chosen(self._box.itemData(index))
