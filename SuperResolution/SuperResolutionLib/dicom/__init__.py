"""DICOM series: finding, reading and writing them."""

from .reading import read_dicom
from .series import SeriesInfo, list_series
from .writing import write_dicom

__all__ = ["SeriesInfo", "list_series", "read_dicom", "write_dicom"]
