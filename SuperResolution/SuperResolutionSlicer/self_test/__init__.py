"""The module's self-test: clicks through the panel in Slicer, with real nodes, the real process and the real model."""

from .endings import EndingsTest
from .panel import PanelTest
from .review import ReviewTest
from .steps import ijk_to_ras, thick_node
from .upscaling import UpscalingTest

__all__ = ["SuperResolutionTest", "ijk_to_ras", "thick_node"]


class SuperResolutionTest(PanelTest, UpscalingTest, EndingsTest, ReviewTest):
    """All of it, under the name that Slicer looks for."""
