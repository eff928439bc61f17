"""The third section of the panel: Segment Editor on the result, and surfaces for a 3D printer."""

from __future__ import annotations

from typing import Any

import qt

from SuperResolutionLib.errors import SuperResolutionError

from .connections import connect
from .parameters import SuperResolutionParameterNode
from .segmenting import open_segment_editor, segmentation_of
from .shells import drop_shells
from .surface_check import SurfaceReport, check_surface
from .surface_files import write_surfaces
from .surfaces import segment_surfaces, takes_smoothing


class PrintingSection:
    """Hands the result to Segment Editor, checks surfaces and writes them.

    Parameters
    ----------
    ui : object
        The panel's widgets by name.
    """

    def __init__(self, ui: Any) -> None:
        self.ui = ui
        self._parameters: SuperResolutionParameterNode | None = None
        self._segment_ids: list[str] = []
        connect(ui.segmentButton, "clicked()", self._segment)
        connect(ui.checkButton, "clicked()", self._check)
        connect(ui.exportButton, "clicked()", self._export)
        connect(ui.folderEdit, "currentPathChanged(QString)", lambda _: self._show_buttons())
        connect(ui.segmentsList, "itemChanged(QListWidgetItem*)", lambda _: self._show_buttons())

    def setParameterNode(self, parameters: SuperResolutionParameterNode | None) -> None:
        """Show another state, or none while the scene is being closed."""
        self._parameters = parameters
        self.update()

    def close(self) -> None:
        """Nothing runs in the background here."""

    def update(self) -> None:
        """Bring the widgets in step with the parameter node and its segmentation."""
        if self._parameters is not None:
            self._show_segments()
            self._show_buttons()

    def _show_segments(self) -> None:
        segmentation = self._parameters.segmentation
        ids = list(segmentation.GetSegmentation().GetSegmentIDs()) if segmentation else []
        names = [segmentation.GetSegmentation().GetSegment(each).GetName() for each in ids]
        shown = [self.ui.segmentsList.item(row).text() for row in range(self.ui.segmentsList.count)]
        if (ids, names) == (self._segment_ids, shown):
            return
        left_out = {each for each in self._segment_ids if each not in self._checked_ids()}
        blocked = self.ui.segmentsList.blockSignals(True)
        self._segment_ids = ids
        self.ui.segmentsList.clear()
        for row, (segment_id, name) in enumerate(zip(ids, names)):
            self.ui.segmentsList.addItem(name)
            self.ui.segmentsList.item(row).setCheckState(qt.Qt.Unchecked if segment_id in left_out else qt.Qt.Checked)
        self.ui.segmentsList.blockSignals(blocked)

    def _checked_ids(self) -> list[str]:
        rows = range(min(self.ui.segmentsList.count, len(self._segment_ids)))
        return [self._segment_ids[row] for row in rows if self.ui.segmentsList.item(row).checkState() == qt.Qt.Checked]

    def _show_buttons(self) -> None:
        result = self._parameters.resultVolume if self._parameters else None
        self.ui.segmentButton.enabled = result is not None
        tip = "Open Segment Editor on the result, with the geometry of the result."
        self.ui.segmentButton.toolTip = tip if result is not None else "Select a result in the section Review."
        reasons = []
        if not self._checked_ids():
            reasons.append("Select a segmentation and at least one of its segments.")
        self.ui.checkButton.enabled = not reasons
        if not self.ui.folderEdit.currentPath:
            reasons.append("Select a folder.")
        self.ui.exportButton.enabled = not reasons
        self.ui.exportButton.toolTip = "\n".join(reasons) or "Check the surfaces and write them in millimetres."

    def _segment(self) -> None:
        try:
            self._parameters.segmentation = segmentation_of(self._parameters.resultVolume)
            open_segment_editor(self._parameters.resultVolume)
            self._say("")
        except SuperResolutionError as error:
            self._say(str(error))

    def _reports(self) -> list[SurfaceReport]:
        parameters = self._parameters
        made_of_voxels = takes_smoothing(parameters.segmentation)
        factors = (parameters.smoothing, parameters.decimation) if made_of_voxels else (0.0, 0.0)
        surfaces = segment_surfaces(parameters.segmentation, self._checked_ids(), *factors)
        return [check_surface(drop_shells(surface, largest_only=self.ui.largestOnlyBox.checked)) for surface in surfaces]

    def _check(self) -> None:
        try:
            self._say("\n".join(report.describe() for report in self._reports()))
        except SuperResolutionError as error:
            self._say(str(error))

    def _export(self) -> None:
        parameters = self._parameters
        try:
            reports = self._reports()
            written = write_surfaces(
                reports,
                self.ui.folderEdit.currentPath,
                parameters.segmentation.GetName(),
                file_format=parameters.surfaceFormat.lower(),
                merged=parameters.oneFile,
                overwrite=self.ui.replaceFilesBox.checked,
            )
        except SuperResolutionError as error:
            self._say(str(error))
            return
        told = [f"Written in millimetres, LPS: {', '.join(path.name for path in written)}"]
        self._say("\n".join(told + [report.describe() for report in reports]))

    def _say(self, text: str) -> None:
        self.ui.printingMessage.text = text
