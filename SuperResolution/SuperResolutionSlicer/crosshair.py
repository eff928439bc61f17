"""The crosshair of the scene: one place that all slice views mark, and that they can be sent to."""

from __future__ import annotations

from collections.abc import Sequence

import slicer


def crosshair_node() -> slicer.vtkMRMLCrosshairNode:
    """Return the node that every scene of Slicer has.

    Raises
    ------
    RuntimeError
        If the scene has none.
    """
    node = slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode")
    if node is None:
        raise RuntimeError("crosshair: the scene has no node 'default' for it; accepted is a scene of Slicer")
    return node


def position() -> tuple[float, float, float]:
    """Return where the crosshair is, RAS mm."""
    return tuple(crosshair_node().GetCrosshairRAS())


def put_at(ras: Sequence[float]) -> None:
    """Move the crosshair, RAS mm; the views stay where they are."""
    crosshair_node().SetCrosshairRAS(*ras)


def jump_to(ras: Sequence[float]) -> None:
    """Put the crosshair at a place, RAS mm, and bring it to the middle of every slice view."""
    put_at(ras)
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *ras, slicer.vtkMRMLSliceNode.CenteredJumpSlice)


def follow_in_all_views() -> tuple[int, int]:
    """Show a small crosshair, and let all views of a group go where it is moved with Shift; return the old settings for `restore`."""
    node = crosshair_node()
    settings = node.GetCrosshairMode(), node.GetCrosshairBehavior()
    node.SetCrosshairMode(node.ShowSmallBasic)
    node.SetCrosshairBehavior(node.OffsetJumpSlice)
    return settings


def restore(settings: tuple[int, int]) -> None:
    """Bring back the settings that `follow_in_all_views` returned."""
    node = crosshair_node()
    node.SetCrosshairMode(settings[0])
    node.SetCrosshairBehavior(settings[1])
