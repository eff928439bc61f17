"""Steps that several tests take, and the volumes that they take them with."""

from __future__ import annotations

import numpy as np
import slicer
import slicer.util
import vtk

from ..module_test import ModuleTest


class Steps(ModuleTest):
    """Selecting and upscaling through the panel."""

    def choose(self, node: slicer.vtkMRMLScalarVolumeNode) -> None:
        """Select an input volume."""
        self.ui.inputSelector.setCurrentNode(node)

    def choose_model(self, model: str) -> None:
        """Select a model by its id."""
        self.ui.modelBox.setCurrentIndex(self.ui.modelBox.findData(model))

    def run_through(self, model: str) -> None:
        """Press Apply and wait for the end."""
        self.choose_model(model)
        self.assertTrue(self.ui.applyButton.enabled, self.ui.applyButton.toolTip)
        self.ui.applyButton.click()
        self.wait_until(lambda: not self.logic.running)
        self.assertIn("Done in", self.ui.messageLabel.text)

    def upscale(self, node: slicer.vtkMRMLScalarVolumeNode, model: str) -> slicer.vtkMRMLScalarVolumeNode:
        """Make a volume four times finer through the panel."""
        self.choose(node)
        self.run_through(model)
        return self.ui.resultSelector.currentNode()


def thick_node() -> slicer.vtkMRMLScalarVolumeNode:
    """Return a small volume of eight thick sagittal slices."""
    i, j, k = np.meshgrid(np.arange(24), np.arange(20), np.arange(8), indexing="ij")
    voxels = (500 + 200 * np.sin(i / 3) + 200 * np.cos(j / 4) + 100 * np.sin(k)).T.astype(np.int16)
    matrix = np.array([[0, 0, 3.0, -10], [0.75, 0, 0, 5], [0, 0.75, 0, 20], [0, 0, 0, 1]])
    node = slicer.util.addVolumeFromArray(np.ascontiguousarray(voxels), matrix, "knee")
    node.SetAttribute("modality", "MR")
    return node


def ijk_to_ras(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """Return the matrix of a volume node."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)
