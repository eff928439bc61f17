"""Loaded volumes as training data: files without the patient's name, each with the subject that it belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

from SuperResolutionLib.upscaling import modality_of
from SuperResolutionSlicer.volume_files import write_volume_node
from SuperResolutionSlicer.volume_nodes import volume_of

_FINE = 1.5
"""An axis whose spacing is larger than the smallest one by more than this holds no detail to learn from."""
_VALIDATION_SHARE = 0.2


def training_nodes() -> list[slicer.vtkMRMLScalarVolumeNode]:
    """Return the volumes of the scene that can be trained on; label maps and colour images are scalar volumes by inheritance."""
    scene = slicer.mrmlScene
    count = scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    nodes = [scene.GetNthNodeByClass(index, "vtkMRMLScalarVolumeNode") for index in range(count)]
    return [node for node in nodes if node.GetClassName() == "vtkMRMLScalarVolumeNode" and not node.GetHideFromEditors()]


def subject_of(node: slicer.vtkMRMLScalarVolumeNode) -> str:
    """Return what two volumes of one patient have in common: the patient's item in the subject hierarchy, else the node itself."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(node) if hierarchy else 0
    level = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMLevelPatient()
    patient = hierarchy.GetItemAncestorAtLevel(item, level) if item else 0
    return f"patient {patient}" if patient else node.GetID()


def write_training_volumes(nodes: list[slicer.vtkMRMLScalarVolumeNode], folder: Path) -> list[dict[str, Any]]:
    """Write volumes into a folder and return them as the scans of a recipe; of at least two subjects, the last ones validate.

    Raises
    ------
    RequestError
        If a volume has no voxels, or others than the engine takes.
    RuntimeError
        If a file cannot be written.
    """
    subjects = list(dict.fromkeys(subject_of(node) for node in nodes))
    kept_back = max(1, round(_VALIDATION_SHARE * len(subjects))) if len(subjects) > 1 else 0
    validating = set(subjects[len(subjects) - kept_back :])
    scans = []
    for number, node in enumerate(nodes, 1):
        volume, subject = volume_of(node), subject_of(node)
        write_volume_node(node, folder / f"volume-{number}.nrrd")
        scans.append(
            {
                "file": f"volume-{number}.nrrd",
                "subject": f"subject-{subjects.index(subject) + 1}",
                "modality": modality_of(volume),
                "split": "validation" if subject in validating else "train",
                "axes": "".join(axis for axis, length in zip("ijk", volume.spacing) if length <= _FINE * min(volume.spacing)),
            }
        )
    return scans
