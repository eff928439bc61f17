"""The second section of the panel: the Compare layout and the list of anatomical structures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from .comparison import Comparison
from .connections import connect
from .difference import make_difference
from .engine_process import Ending
from .parameters import SuperResolutionParameterNode
from .result_node import INPUT_REFERENCE
from .spread import SPREAD_REFERENCE, SpreadOverlay
from .structures import Structures
from .upscaling_run import Finished

MODEL, FACTOR, AXIS = "SuperResolution.model", "SuperResolution.factor", "SuperResolution.axis"
QUANTITY, INTENSITY = "SuperResolution.quantity", "intensity"
_SPREAD = (
    "Lay over the views how far the members of the ensemble differ. They differ most where they are most often wrong, "
    "but what all of them get wrong, it does not show."
)


class ReviewSection:
    """Shows a result beside its input and an interpolation.

    Parameters
    ----------
    ui : object
        The panel's widgets by name.
    logic : SuperResolutionLogic
    """

    def __init__(self, ui: Any, logic: Any) -> None:
        self.ui, self.logic = ui, logic
        self.comparison, self.structures, self.overlay = Comparison(), Structures(), SpreadOverlay()
        self._parameters: SuperResolutionParameterNode | None = None
        self._listed: list[str] = []
        ui.resultSelector.addAttribute("vtkMRMLScalarVolumeNode", QUANTITY, INTENSITY)
        connect(ui.compareButton, "clicked()", self._compare)
        connect(ui.backButton, "clicked()", self._back)
        connect(ui.structuresList, "itemSelectionChanged()", self._show_buttons)
        connect(ui.structuresList, "itemDoubleClicked(QListWidgetItem*)", lambda _: self._go_to())
        connect(ui.goToButton, "clicked()", self._go_to)
        connect(ui.storePositionButton, "clicked()", lambda: self._change(lambda name: self.structures.store(name)))
        connect(ui.addStructureButton, "clicked()", self._add)
        connect(ui.renameStructureButton, "clicked()", self._rename)
        connect(ui.removeStructureButton, "clicked()", lambda: self._change(lambda name: self.structures.remove(name)))
        logic.follow(changed=self._show_buttons)

    def setParameterNode(self, parameters: SuperResolutionParameterNode | None) -> None:
        """Show another state, or none while the scene is being closed."""
        self._parameters = parameters
        if parameters is None:
            self.overlay.hide()
        self.update()

    def close(self) -> None:
        """Lead back to the layout before, whose views outlive this section."""
        self.overlay.hide()
        self.comparison.leave()

    def update(self) -> None:
        """Bring the widgets in step with the parameter node and the structures in the scene."""
        if self._parameters is not None:
            self._show_structures()
            self._show_buttons()
            self._show_spread()

    # ---- the spread of an ensemble

    def _show_spread(self) -> None:
        result = self._parameters.resultVolume
        there = result is not None and result.GetNodeReference(SPREAD_REFERENCE) is not None
        views = slicer.app.layoutManager() is not None
        self.ui.showSpreadBox.enabled = there and views
        if not there:
            self.ui.showSpreadBox.toolTip = "Select a result that was made with Self-ensemble (Advanced): others have no spread."
        else:
            self.ui.showSpreadBox.toolTip = _SPREAD if views else "This Slicer has no views."
        if there and self._parameters.spread:
            self.overlay.show(result)
        else:
            self.overlay.hide()

    # ---- comparing

    def _reasons(self) -> list[str]:
        result = self._parameters.resultVolume if self._parameters else None
        if result is None:
            return ["Select a result."]
        reasons = []
        if result.GetNodeReference(INPUT_REFERENCE) is None:
            reasons.append("The volume that the result was made from is no longer in the scene.")
        if slicer.app.layoutManager() is None:
            reasons.append("This Slicer has no views.")
        if self.logic.running:
            reasons.append("Wait for the run, or cancel it.")
        return reasons

    def _show_buttons(self) -> None:
        reasons = self._reasons()
        self.ui.compareButton.enabled = not reasons
        self.ui.compareButton.toolTip = "\n".join(reasons) or "Show input, interpolation and result side by side, linked."
        self.ui.backButton.enabled = self.comparison.shown
        chosen = self._chosen()
        for button in (self.ui.storePositionButton, self.ui.renameStructureButton, self.ui.removeStructureButton):
            button.enabled = chosen is not None
        self.ui.goToButton.enabled = chosen is not None and self.structures.position(chosen) is not None

    def _compare(self) -> None:
        reasons = self._reasons()
        if reasons:
            self._say("\n".join(reasons))
            return
        parameters = self._parameters
        result, method = parameters.resultVolume, parameters.interpolation
        thick = result.GetNodeReference(INPUT_REFERENCE)
        interpolated = _made_alike(result, method)
        if result.GetAttribute(MODEL) == method or interpolated is not None:
            self._show(thick, interpolated, result)
            return
        settings = {"model": method, "factor": int(result.GetAttribute(FACTOR)), "axis": result.GetAttribute(AXIS)}
        result_id = result.GetID()

        def finished(what: Finished) -> None:
            node = slicer.mrmlScene.GetNodeByID(result_id)
            thick = node.GetNodeReference(INPUT_REFERENCE) if node is not None else None
            if what.outcome.ending is not Ending.DONE:
                self._say(f"Not compared: {what.describe()}")
            elif thick is None:
                self._say("Not compared: the result or its input was removed meanwhile")
            else:
                self._show(thick, what.node, node)

        try:
            self.logic.startUpscaling(thick, settings, finished=finished)
        except RuntimeError as error:
            self._say(str(error))

    def _show(self, thick: Any, interpolated: Any, result: Any) -> None:
        try:
            wanted = self._parameters is not None and self._parameters.difference and interpolated is not None
            difference = make_difference(result, interpolated) if wanted else None
            self.overlay.hide()
            planes = 3 if self._parameters is not None and self._parameters.threePlanes else 1
            self.comparison.show(thick, interpolated, result, difference, planes)
        except (RuntimeError, ValueError) as error:
            self._say(str(error))
            return
        self._say("Hold Shift and move the mouse: the crosshair jumps to the same point in all views.")
        self.update()

    def _back(self) -> None:
        self.overlay.hide()
        self.comparison.leave()
        self._say("")
        self.update()

    # ---- structures

    def _show_structures(self) -> None:
        names = self.structures.names()
        lines = [_with_position(name, self.structures.position(name)) for name in names]
        if lines == self._listed:
            return
        row = self.ui.structuresList.currentRow
        self.ui.structuresList.clear()
        self.ui.structuresList.addItems(lines)
        self._listed = lines
        self.ui.structuresList.setCurrentRow(min(row, len(lines) - 1))

    def _chosen(self) -> str | None:
        row, names = self.ui.structuresList.currentRow, self.structures.names()
        return names[row] if 0 <= row < len(names) else None

    def _change(self, change: Callable[[str], Any]) -> None:
        """Do something with the chosen structure, and show what came of it."""
        chosen = self._chosen()
        if chosen is None:
            return
        try:
            change(chosen)
            self._say("")
        except (RuntimeError, ValueError) as error:
            self._say(str(error))
        self.update()

    def _add(self) -> None:
        try:
            self.structures.add(self.ui.structureNameEdit.text.strip())
            self._say("")
        except ValueError as error:
            self._say(str(error))
        self.update()

    def _rename(self) -> None:
        self._change(lambda name: self.structures.rename(name, self.ui.structureNameEdit.text.strip()))

    def _go_to(self) -> None:
        self._change(lambda name: self.structures.jump(name))

    def _say(self, text: str) -> None:
        self.ui.reviewMessage.text = text


def _made_alike(result: slicer.vtkMRMLScalarVolumeNode, method: str) -> slicer.vtkMRMLScalarVolumeNode | None:
    """Return the volume that an interpolation made of the same input, by the same factor along the same axis, if there is one."""
    scene = slicer.mrmlScene
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLScalarVolumeNode")
        same = all(node.GetAttribute(name) == result.GetAttribute(name) for name in (FACTOR, AXIS))
        of_same_input = node.GetNodeReferenceID(INPUT_REFERENCE) == result.GetNodeReferenceID(INPUT_REFERENCE)
        if node is not result and same and of_same_input and node.GetAttribute(MODEL) == method:
            return node
    return None


def _with_position(name: str, position: tuple[float, float, float] | None) -> str:
    if position is None:
        return f"{name} (no position yet)"
    letters = (("R", "L"), ("A", "P"), ("S", "I"))
    told = " ".join(f"{pair[value < 0]} {abs(value):.1f}" for value, pair in zip(position, letters))
    return f"{name}: {told} mm"
