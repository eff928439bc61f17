"""The list of loaded volumes, of which the user checks those to train on."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer

from SuperResolutionSlicer.connections import connect
from SuperResolutionSlicer.volume_nodes import reasons_against

from .training_volumes import subject_of, training_nodes


class VolumesList:
    """A list widget with a check box for each volume of the scene.

    Parameters
    ----------
    widget : QListWidget
    changed : callable
        Called when the user checks a volume or takes the check away.
    """

    def __init__(self, widget: qt.QListWidget, changed: Callable[[], None]) -> None:
        self._widget = widget
        self._listed: list[tuple[str, str]] = []
        connect(widget, "itemChanged(QListWidgetItem*)", lambda _: changed())

    def update(self) -> None:
        """Bring the list in step with the scene; what was checked stays so."""
        listed = [(node.GetID(), node.GetName()) for node in training_nodes()]
        if listed == self._listed:
            return
        checked = set(self._checked_ids())
        blocked = self._widget.blockSignals(True)
        self._widget.clear()
        for row, (node_id, name) in enumerate(listed):
            self._widget.addItem(name)
            self._widget.item(row).setCheckState(qt.Qt.Checked if node_id in checked else qt.Qt.Unchecked)
        self._widget.blockSignals(blocked)
        self._listed = listed

    def chosen(self) -> list[slicer.vtkMRMLScalarVolumeNode]:
        """Return the checked volumes that are still in the scene."""
        nodes = [slicer.mrmlScene.GetNodeByID(each) for each in self._checked_ids()]
        return [node for node in nodes if node is not None]

    def reasons(self) -> list[str]:
        """Return why the checked volumes cannot be trained on, one line each; none if they can."""
        nodes = self.chosen()
        reasons = [reason for node in nodes for reason in reasons_against(node)]
        if len({subject_of(node) for node in nodes}) < 2:
            reasons.append("Check volumes of at least two patients: one is kept back to measure the network.")
        return reasons

    def _checked_ids(self) -> list[str]:
        items = [self._widget.item(row) for row in range(self._widget.count)]
        return [node_id for (node_id, _), item in zip(self._listed, items) if item.checkState() == qt.Qt.Checked]
