"""SampleData: keeps the data sources that modules register, in slicer.modules.sampleDataSources, and downloads nothing.

Signatures and defaults follow Modules/Scripted/SampleData/SampleData.py of Slicer.
"""

import slicer


class SampleDataSource:
    """A data set; each file has a URI, a file name, a node name and a checksum."""

    def __init__(
        self,
        sampleName=None,
        sampleDescription=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        checksums=None,
        loadFiles=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileTypes=None,
        loadFileProperties=None,
        loadFileType=None,
    ):
        if loadFileType is not None and loadFileTypes is not None:
            raise ValueError("loadFileType and loadFileTypes cannot be specified at the same time")
        if isinstance(uris, str):
            uris, fileNames, nodeNames, checksums, loadFiles = [uris], [fileNames], [nodeNames], [checksums], [loadFiles]
        count = len(uris)
        self.sampleName = sampleName
        self.sampleDescription = sampleName if sampleDescription is None else sampleDescription
        self.uris = uris
        self.fileNames = fileNames
        self.nodeNames = [None] * count if nodeNames is None else nodeNames
        self.checksums = [None] * count if checksums is None else checksums
        self.loadFiles = [None] * count if loadFiles is None else loadFiles
        self.customDownloader = customDownloader
        self.thumbnailFileName = thumbnailFileName
        self.loadFileTypes = loadFileTypes if loadFileTypes is not None else loadFileType
        self.loadFileProperties = loadFileProperties or {}
        lengths = {name: len(getattr(self, name)) for name in ("uris", "fileNames", "nodeNames", "checksums", "loadFiles")}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"All fields of sample data source must have the same length: {lengths}")

    def __eq__(self, other):
        return isinstance(other, SampleDataSource) and vars(self) == vars(other)


class SampleDataLogic:
    @staticmethod
    def registerCustomSampleDataSource(
        category="Custom",
        sampleName=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileTypes=None,
        loadFiles=None,
        loadFileProperties={},  # noqa: B006  (the application's own signature)
        checksums=None,
        loadFileType=None,
    ):
        source = SampleDataSource(
            sampleName=sampleName,
            uris=uris,
            fileNames=fileNames,
            nodeNames=nodeNames,
            customDownloader=customDownloader,
            thumbnailFileName=thumbnailFileName,
            loadFileTypes=loadFileTypes,
            loadFiles=loadFiles,
            loadFileProperties=loadFileProperties,
            checksums=checksums,
            loadFileType=loadFileType,
        )
        sources = SampleDataLogic.sampleDataSourcesByCategory().setdefault(category, [])
        if source not in sources:
            sources.append(source)

    @staticmethod
    def sampleDataSourcesByCategory(category=None):
        if not hasattr(slicer.modules, "sampleDataSources"):
            slicer.modules.sampleDataSources = {}
        return slicer.modules.sampleDataSources if category is None else slicer.modules.sampleDataSources.get(category, [])
