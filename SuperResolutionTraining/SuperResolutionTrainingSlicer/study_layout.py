"""The layout of the reader study: two or three slice views side by side, whose names say nothing but where they are."""

from __future__ import annotations

from collections.abc import Sequence

import slicer

LAYOUT = 5732
"""Its number among the arrangements of `vtkMRMLLayoutNode`, beside that of the Compare layout."""
VIEW_GROUP = 5732
"""Views are linked within their group, so that the user's own views stay where they are."""
LEFT, REFERENCE, RIGHT = ROLES = ("Left", "Reference", "Right")
_COLORS = {LEFT: "#B4B4B4", REFERENCE: "#8FB8A0", RIGHT: "#B4B4B4"}


def tag(role: str) -> str:
    """Return the name of a view, which no other layout uses."""
    return f"ReaderStudy{role}"


def describe(roles: Sequence[str]) -> str:
    """Return the layout as XML: one row with a view for each role."""
    return f'<layout type="horizontal">{"".join(_view(role) for role in roles)}</layout>'


def _view(role: str) -> str:
    return (
        f'<item><view class="vtkMRMLSliceNode" singletontag="{tag(role)}">'
        '<property name="orientation" action="default">Axial</property>'  # without one, a saved scene gives errors when it is opened
        f'<property name="viewlabel" action="default">{role}</property>'
        f'<property name="viewcolor" action="default">{_COLORS[role]}</property>'
        f'<property name="viewgroup" action="relayout">{VIEW_GROUP}</property>'
        f'<property name="viewgroup" action="default">{VIEW_GROUP}</property>'
        "</view></item>"
    )


def register(roles: Sequence[str] | None = None) -> None:
    """Make the layout known to Slicer, if it has views; a scene that was saved in the layout opens empty where it is not.

    Parameters
    ----------
    roles : sequence of str, optional
        The views; without it, all three, unless the layout is known already.
    """
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    node = manager.layoutLogic().GetLayoutNode()
    if not node.IsLayoutDescription(LAYOUT):
        node.AddLayoutDescription(LAYOUT, describe(roles or ROLES))
    elif roles:
        node.SetLayoutDescription(LAYOUT, describe(roles))
