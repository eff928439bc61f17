"""Planes along the voxels of a volume, turned as radiologists look at them: where slice views that compare volumes should look."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import slicer
import slicer.util
import vtk

ORIENTATIONS = ("Sagittal", "Coronal", "Axial")  # by the patient axis (R, A, S) that is normal to them


def index_to_world(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """Return the 4×4 matrix from voxel indices (i, j, k) to RAS mm in the world; a transform that is not linear is left out."""
    matrix, transform = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    if slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(node.GetParentTransformNode(), None, transform):
        vtk.vtkMatrix4x4.Multiply4x4(transform, matrix, matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def voxel_axes(node: slicer.vtkMRMLVolumeNode) -> tuple[int, int, int]:
    """Return the voxel axes (0 i, 1 j, 2 k) that run along the patient axes R, A and S, in the order of `ORIENTATIONS`."""
    to_world = index_to_world(node)[:3, :3]
    directions = to_world / np.linalg.norm(to_world, axis=0)
    # Every patient axis gets a voxel axis of its own, also at 45°, where "the nearest" is none.
    return max(permutations(range(3)), key=lambda order: sum(abs(directions[patient, axis]) for patient, axis in enumerate(order)))


def normals_by_improvement(thick: slicer.vtkMRMLVolumeNode, fine: slicer.vtkMRMLVolumeNode) -> tuple[int, int, int]:
    """Return the voxel axes (0 i, 1 j, 2 k) as normals of planes, those first whose planes show best what became finer.

    A plane shows it if it contains the axis that became finer; of the two that do, the one that is longer in mm comes first.
    """
    finer = int(np.argmax(np.divide(thick.GetSpacing(), fine.GetSpacing())))
    lengths = np.multiply(thick.GetSpacing(), thick.GetImageData().GetDimensions())
    first, second = sorted((axis for axis in range(3) if axis != finer), key=lambda axis: lengths[axis])
    return first, second, finer


def slice_to_world(node: slicer.vtkMRMLVolumeNode, normal: int, slice_node: slicer.vtkMRMLSliceNode) -> np.ndarray:
    """Return the 4×4 SliceToRAS matrix of a plane of voxels through the middle of a volume.

    Parameters
    ----------
    node : vtkMRMLVolumeNode
    normal : {0, 1, 2}
        The voxel axis that is normal to the plane.
    slice_node : vtkMRMLSliceNode
        Knows how the user likes to look: which side of the patient is left in a picture.
    """
    to_world = index_to_world(node)
    sizes = np.array(node.GetImageData().GetDimensions())
    directions = to_world[:3, :3] / np.linalg.norm(to_world[:3, :3], axis=0)
    axes = voxel_axes(node)
    preset = slicer.util.arrayFromVTKMatrix(slice_node.GetSliceOrientationPreset(ORIENTATIONS[axes.index(normal)]))

    def along(column: int) -> np.ndarray:
        patient = int(np.argmax(np.abs(preset[:3, column])))
        direction = directions[:, axes[patient]]
        return direction * np.sign(direction[patient] * preset[patient, column])

    middle = (sizes - 1) / 2
    middle[normal] = sizes[normal] // 2  # a plane of voxel centres
    right = along(0)
    out = np.cross(right, along(1))
    out /= np.linalg.norm(out)
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack([right, np.cross(out, right), out])
    if np.linalg.det(preset[:3, :3]) < 0:
        matrix[:3, 2] = -out
    matrix[:3, 3] = (to_world @ [*middle, 1])[:3]
    return matrix


def size_on(node: slicer.vtkMRMLVolumeNode, plane: np.ndarray) -> np.ndarray:
    """Return width and height, mm, that a view needs to show all of a volume around the centre of a plane."""
    corners = np.array(np.meshgrid(*((-0.5, size - 0.5) for size in node.GetImageData().GetDimensions()), [1.0])).reshape(4, -1)
    return 2 * np.abs(np.linalg.inv(plane) @ index_to_world(node) @ corners)[:2].max(axis=1)
