"""Volume nodes in files that the engine reads."""

from __future__ import annotations

import shutil
from pathlib import Path

import slicer

from .volume_nodes import volume_of


def write_volume_node(node: slicer.vtkMRMLScalarVolumeNode, path: Path) -> None:
    """Write a volume node as an uncompressed NRRD file.

    Raises
    ------
    RequestError
        If the node has no voxels, or others than the engine takes.
    RuntimeError
        If the file cannot be written: disk full, no permission.
    """
    expected = volume_of(node).voxels.nbytes
    storage = slicer.vtkMRMLNRRDStorageNode()
    storage.SetUseCompression(0)
    storage.SetFileName(str(path))
    # The C++ writer returns success on a full disk, so look at the size as well.
    if not storage.WriteData(node) or path.stat().st_size < expected:
        free = shutil.disk_usage(path.parent).free >> 20
        room = f"{max(1, expected >> 20)} MB are needed, {free} MB are free"
        raise RuntimeError(f"{path}: the input could not be written; {room}; see Slicer's error log")
