"""Colour tables that the application reads from files of its own, which the wheel lacks."""

import numpy as np
import slicer


def add_diverging_table(scene: slicer.vtkMRMLScene) -> None:
    """Add DivergingBlueRed under the application's node ID: blue below, grey in the middle, red above."""
    node = slicer.vtkMRMLColorTableNode()
    node.SetTypeToFile()
    node.SetName("DivergingBlueRed")
    node.SetSingletonTag("FileDivergingBlueRed.txt")
    node.SetSaveWithScene(False)
    node.SetNumberOfColors(256)
    for index, (red, green, blue) in enumerate(_between((59, 76, 192), (221, 221, 221), (180, 4, 38))):
        node.SetColor(index, f"{index}", red, green, blue, 1.0)
    scene.AddNode(node)


def _between(*stops: tuple[int, int, int]) -> np.ndarray:
    """Return 256 colours, 0 to 1, that run evenly through the stops."""
    places = np.linspace(0, 1, len(stops))
    return np.column_stack([np.interp(np.linspace(0, 1, 256), places, channel) for channel in np.transpose(stops)]) / 255
