"""The report of a comparison of models, for people: one HTML file with tables, charts and pictures."""

from .page import FILE, write_report

__all__ = ["FILE", "write_report"]
