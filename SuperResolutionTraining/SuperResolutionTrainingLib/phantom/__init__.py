"""A knee made of formulas: the truth is known at every point, so that any acquisition of it can be computed."""

from .knee import Tissue
from .sampling import KneePhantom, add_rician_noise

__all__ = ["KneePhantom", "Tissue", "add_rician_noise"]
