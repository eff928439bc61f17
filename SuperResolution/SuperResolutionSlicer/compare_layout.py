"""The Compare layout as Slicer knows it: which views there are, row by row, and their tags."""

from __future__ import annotations

from collections.abc import Sequence

import slicer

LAYOUT = 5731
"""Its number among the arrangements of `vtkMRMLLayoutNode`; Slicer's own end below 101."""
VIEW_GROUP = 5731
"""Views are linked within their group, so that the user's own views stay where they are."""
COLORS = {"Input": "#B4B4B4", "Interpolation": "#C9B48A", "Result": "#7FB8DC", "Difference": "#C9A3D1"}
"""The roles of volumes in the order of the columns, with the colour of their views' bars."""


def tag(role: str, row: int) -> str:
    """Return the name of a view, which no other layout uses."""
    return f"SuperResolution{role}{row + 1 if row else ''}"


def describe(roles: Sequence[str], rows: int, stacked: bool = False) -> str:
    """Return the layout as XML: a column for each role, or, for a single row of flat pictures, all roles stacked."""
    inner, outer = ("vertical", "horizontal") if stacked else ("horizontal", "vertical")
    views = "".join(f'<item><layout type="{inner}">{"".join(_view(role, row) for role in roles)}</layout></item>' for row in range(rows))
    return f'<layout type="{outer}">{views}</layout>'


def _view(role: str, row: int) -> str:
    return (
        f'<item><view class="vtkMRMLSliceNode" singletontag="{tag(role, row)}">'
        '<property name="orientation" action="default">Axial</property>'  # without one, a saved scene gives errors when it is opened
        f'<property name="viewlabel" action="default">{role}</property>'
        f'<property name="viewcolor" action="default">{COLORS[role]}</property>'
        f'<property name="viewgroup" action="relayout">{VIEW_GROUP}</property>'
        f'<property name="viewgroup" action="default">{VIEW_GROUP}</property>'
        "</view></item>"
    )


def register(description: str | None = None) -> None:
    """Make the layout known to Slicer, if it has views; a scene that was saved in the layout opens empty where it is not.

    Parameters
    ----------
    description : str, optional
        As `describe` returns it; without it, one row of three views, unless the layout is known already.
    """
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    node = manager.layoutLogic().GetLayoutNode()
    if not node.IsLayoutDescription(LAYOUT):
        node.AddLayoutDescription(LAYOUT, description or describe(("Input", "Interpolation", "Result"), 1))
    elif description:
        node.SetLayoutDescription(LAYOUT, description)
