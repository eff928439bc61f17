"""What is done with a result: comparison, structures, segmentation, surfaces."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import slicer
import slicer.util
import vtk

from .. import compare_layout
from ..spread import SPREAD_REFERENCE
from .steps import Steps, thick_node


class ReviewTest(Steps):
    """Review and hand-over, with and without views."""

    def test_compare_shows_three_volumes_or_says_why_not(self) -> None:
        result = self.upscale(thick_node(), "lanczos")
        manager = slicer.app.layoutManager()
        if manager is None:
            self.assertFalse(self.ui.compareButton.enabled)
            self.assertIn("no views", self.ui.compareButton.toolTip)
            return
        before = manager.layout
        self.ui.differenceBox.checked = True
        self.ui.compareButton.click()
        self.wait_until(lambda: self.panel.review.comparison.shown)
        shown = [manager.sliceWidget(name).mrmlSliceCompositeNode().GetBackgroundVolumeID() for name in manager.sliceViewNames()]
        names = [slicer.mrmlScene.GetNodeByID(each).GetName() for each in shown if each]
        for name in ("knee", "knee ×4 cubic", "knee ×4 lanczos", f"{result.GetName()} − knee ×4 cubic"):
            self.assertIn(name, names)
        self.ui.backButton.click()
        self.assertEqual(manager.layout, before)

    def test_the_spread_of_an_ensemble_is_laid_over_the_views_and_taken_away(self) -> None:
        self.need_packages()
        self.assertFalse(self.ui.showSpreadBox.enabled)
        self.ui.ensembleBox.checked = True
        result = self.upscale(thick_node(), "fast")
        spread = result.GetNodeReference(SPREAD_REFERENCE)
        self.assertEqual(spread.GetName(), "knee ×4 fast spread")
        self.assertEqual(spread.GetImageData().GetDimensions(), result.GetImageData().GetDimensions())
        deviation = slicer.util.arrayFromVolume(spread)
        self.assertTrue(0 < deviation.max() < np.ptp(slicer.util.arrayFromVolume(result)))
        self.assertEqual(self.ui.resultSelector.nodeCount(), 1)  # a spread is no result to be compared
        manager = slicer.app.layoutManager()
        self.assertEqual(self.ui.showSpreadBox.enabled, manager is not None)
        if manager is None:
            self.assertIn("no views", self.ui.showSpreadBox.toolTip)
            return
        view = manager.sliceWidget("Red").mrmlSliceCompositeNode()
        before = view.GetForegroundVolumeID(), view.GetForegroundOpacity()
        self.ui.showSpreadBox.checked = True
        self.assertEqual((view.GetForegroundVolumeID(), view.GetForegroundOpacity()), (spread.GetID(), 0.5))
        self.ui.compareButton.click()
        self.wait_until(lambda: self.panel.review.comparison.shown)
        self.assertEqual((view.GetForegroundVolumeID(), view.GetForegroundOpacity()), before)
        compared = manager.sliceWidget(compare_layout.tag("Result", 0)).mrmlSliceCompositeNode()
        self.assertEqual(compared.GetForegroundVolumeID(), spread.GetID())
        self.ui.backButton.click()
        self.assertEqual(view.GetForegroundVolumeID(), spread.GetID())
        self.ui.showSpreadBox.checked = False
        self.assertEqual((view.GetForegroundVolumeID(), view.GetForegroundOpacity()), before)

    def test_structures_keep_their_positions_in_the_scene(self) -> None:
        self.ui.structureNameEdit.text = "Fabella"
        self.ui.addStructureButton.click()
        rows = self.ui.structuresList.count
        self.assertEqual(self.ui.structuresList.item(rows - 1).text(), "Fabella (no position yet)")
        slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode").SetCrosshairRAS(1.0, -2.0, 3.0)
        self.ui.structuresList.setCurrentRow(rows - 1)
        self.ui.storePositionButton.click()
        self.assertEqual(self.ui.structuresList.item(rows - 1).text(), "Fabella: R 1.0 P 2.0 S 3.0 mm")
        slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode").SetCrosshairRAS(0, 0, 0)
        self.ui.goToButton.click()
        crosshair = slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode").GetCrosshairRAS()
        self.assertEqual(tuple(crosshair), (1.0, -2.0, 3.0))

    def test_a_segment_of_the_result_becomes_a_closed_surface_in_millimetres(self) -> None:
        result = self.upscale(thick_node(), "cubic")
        self.ui.segmentButton.click()
        segmentation = self.ui.segmentationSelector.currentNode()
        segment = segmentation.GetSegmentation().AddEmptySegment("box", "box")
        mask = np.zeros((32, 20, 24), np.uint8)
        mask[8:24, 5:15, 6:18] = 1
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentation, segment, result)
        self.leave()  # to Segment Editor
        self.enter()
        self.ui.smoothingSlider.value = 0
        self.ui.checkButton.click()
        self.assertIn("box: closed", self.ui.printingMessage.text)
        with tempfile.TemporaryDirectory() as folder:
            self.ui.folderEdit.currentPath = folder
            self.ui.exportButton.click()
            written = list(Path(folder).glob("*.stl"))
            self.assertEqual(len(written), 1, self.ui.printingMessage.text)
            reader = vtk.vtkSTLReader()
            reader.SetFileName(str(written[0]))
            reader.Update()
            bounds = np.reshape(reader.GetOutput().GetBounds(), (3, 2))
            np.testing.assert_allclose(sorted(bounds[:, 1] - bounds[:, 0]), sorted((12.0, 7.5, 9.0)), atol=1.0)
            self.ui.folderEdit.currentPath = ""
