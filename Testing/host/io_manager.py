"""slicer.app.ioManager(): reads and writes nodes with MRML's own storage nodes. File types that it does not read are refused."""

import os

import slicer
import vtk
from PySide6 import QtCore

from .pythonqt import custom_class

FILE_TYPES = {
    "SegmentationFile": (".seg.nrrd", ".seg.nhdr"),
    "VolumeFile": (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd", ".dcm"),
    "ModelFile": (".stl", ".ply", ".obj", ".vtk", ".vtp"),
    "TransformFile": (".h5", ".tfm"),
}
WRITER_TYPES = {
    "vtkMRMLVolumeNode": "VolumeFile",
    "vtkMRMLSegmentationNode": "SegmentationFile",
    "vtkMRMLModelNode": "ModelFile",
    "vtkMRMLTransformNode": "TransformFile",
    "vtkMRMLTableNode": "TableFile",
    "vtkMRMLTextNode": "TextFile",
    "vtkMRMLMarkupsNode": "MarkupsFile",
}
# Bits of vtkSlicerVolumesLogic::AddArchetypeVolume, by the property of loadVolume that sets them.
VOLUME_OPTIONS = {"labelmap": 1, "center": 2, "singleFile": 4, "autoWindowLevel": 8, "discardOrientation": 16}


@custom_class
class qSlicerIOManager(QtCore.QObject):
    def __init__(self, application_logic: slicer.vtkSlicerApplicationLogic, scene: slicer.vtkMRMLScene):
        super().__init__()
        self._application_logic = application_logic
        self._scene = scene

    def fileType(self, fileName: str) -> str:
        return next((kind for kind, extensions in FILE_TYPES.items() if fileName.lower().endswith(extensions)), "NoFile")

    def fileWriterFileType(self, node: vtk.vtkObject, format: str = "") -> str:
        return next((kind for name, kind in WRITER_TYPES.items() if node.IsA(name)), "NoFile")

    def loadNodes(self, fileType: str, parameters: dict, loadedNodes: vtk.vtkCollection, userMessages: vtk.vtkObject) -> bool:
        readers = {
            "VolumeFile": self._load_volume,
            "SegmentationFile": self._load_segmentation,
            "ModelFile": lambda name, parameters: self._logic("Models").AddModel(name),
            "TransformFile": lambda name, parameters: self._logic("Transforms").AddTransform(name, self._scene),
        }
        if fileType not in readers:
            raise NotImplementedError(f"{parameters['fileName']}: the host does not read {fileType}, only {', '.join(readers)}")
        node = readers[fileType](parameters["fileName"], parameters)
        if node is not None and loadedNodes is not None:
            loadedNodes.AddItem(node)
        return node is not None

    def saveNodes(self, fileType: str, parameters: dict, userMessages: vtk.vtkObject) -> bool:
        node, name = self._scene.GetNodeByID(parameters["nodeID"]), parameters["fileName"]
        if not isinstance(name, str):  # Qt makes an empty string of a pathlib.Path
            return False
        if not node.AddDefaultStorageNode():
            return False
        storage = node.GetStorageNode()
        storage.SetFileName(name)
        storage.SetURI(None)
        if "useCompression" in parameters:
            storage.SetUseCompression(parameters["useCompression"])
        return bool(storage.WriteData(node))

    def _logic(self, name):
        return self._application_logic.GetModuleLogic(name)

    def _load_volume(self, name, parameters):
        options = sum(bit for option, bit in VOLUME_OPTIONS.items() if parameters.get(option))
        files = vtk.vtkStringArray()
        for each in parameters.get("fileNames", []):
            files.InsertNextValue(each)
        node_name = parameters.get("name", os.path.basename(name).split(".")[0])
        node = self._logic("Volumes").AddArchetypeVolume(name, node_name, options, files if files.GetNumberOfValues() else None)
        if node is None:
            return None
        if "colorNodeID" in parameters:
            node.GetDisplayNode().SetAndObserveColorNodeID(parameters["colorNodeID"])
        if parameters.get("show", True):
            selection = self._application_logic.GetSelectionNode()
            is_labelmap = node.IsA("vtkMRMLLabelMapVolumeNode")
            (selection.SetReferenceActiveLabelVolumeID if is_labelmap else selection.SetReferenceActiveVolumeID)(node.GetID())
            self._application_logic.PropagateVolumeSelection()
        return node

    def _load_segmentation(self, name, parameters):
        return self._logic("Segmentations").LoadSegmentationFromFile(name, parameters.get("autoOpacities", True), parameters.get("name"))
