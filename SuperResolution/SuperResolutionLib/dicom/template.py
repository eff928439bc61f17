"""The header that all images of a derived series share, made from the headers of its source."""

from __future__ import annotations

from copy import copy
from datetime import datetime

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_VR
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.uid import UID, CTImageStorage, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, MRImageStorage, generate_uid
from pydicom.valuerep import format_number_as_ds

from ..errors import RequestError
from ..provenance import NOTICE, SPREAD
from ..version import __version__
from ..volume import Volume
from .frames import frame_attributes

_STORAGE = {"CT": CTImageStorage, "MR": MRImageStorage}

# Statements about stored pixels, files or organisation of the source that are not true of the result.
_UNTRUE = {
    "CompressedSamples", "ConcatenationFrameOffsetNumber", "ConcatenationUID", "DataSetTrailingPadding", "DigitalSignaturesSequence",
    "DimensionIndexSequence", "DimensionOrganizationSequence", "DimensionOrganizationType", "EncapsulatedPixelDataValueTotalLength",
    "FloatPixelPaddingRangeLimit", "FloatPixelPaddingValue", "GantryDetectorTilt",
    "IconImageSequence", "ImagesInAcquisition", "InConcatenationNumber",
    "InConcatenationTotalNumber", "InstanceCreatorUID", "LargestPixelValueInSeries", "MACParametersSequence", "ModalityLUTSequence",
    "NumberOfFrames", "PerFrameFunctionalGroupsSequence", "PixelAspectRatio", "PixelPaddingRangeLimit", "PixelPaddingValue",
    "PrivateDataElementCharacteristicsSequence", "RealWorldValueMappingSequence", "SharedFunctionalGroupsSequence",
    "SmallestPixelValueInSeries", "StackID", "VOILUTSequence",
}  # fmt: skip
# Attributes of an enhanced image (PS3.3 C.8.13, C.8.15) that have no place in a classic one, or only under another name.
_ENHANCED_ONLY = {
    "AcquisitionContrast", "AcquisitionDateTime", "AcquisitionDuration", "ComplexImageComponent", "ContentQualification",
    "DiffusionDirectionality", "DimensionIndexValues", "EchoPulseSequence", "EffectiveEchoTime", "FrameAcquisitionDateTime",
    "FrameAcquisitionDuration", "FrameAcquisitionNumber", "FrameReferenceDateTime", "FrameType", "InStackPositionNumber",
    "InversionTimes", "PixelPresentation", "PulseSequenceName", "ResonantNucleus", "TemporalPositionIndex",
    "VolumeBasedCalculationTechnique", "VolumetricProperties",
}  # fmt: skip
# Classic attribute → where an enhanced image says the same.
_RENAMED = {"EchoTime": "EffectiveEchoTime", "ImagedNucleus": "ResonantNucleus", "ImageType": "FrameType"}
_ECHO_PULSES = {"SPIN": "SE", "GRADIENT": "GR", "BOTH": ["SE", "GR"]}

# Type 2 attributes of the modules that every image has: empty where the source says nothing.
_MAY_BE_EMPTY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID",
    "AccessionNumber", "Manufacturer", "PositionReferenceIndicator", "PatientPosition", "AcquisitionNumber",
)  # fmt: skip
_MAY_BE_EMPTY_IN = {
    "CT": ("KVP",),
    "MR": ("ScanOptions", "MRAcquisitionType", "EchoTime", "EchoTrainLength", "RepetitionTime"),
}


def derived_template(volume: Volume) -> Dataset:
    """Return what every image of a new series derived from `volume` has in common, all but pixels and positions.

    Patient, study, frame of reference and whatever else all source images agree on are kept; private elements, overlays and
    statements about the source's pixels are not. Without headers a minimal study is made up.

    Raises
    ------
    RequestError
        If the modality is one that no image class is known for.
    """
    sources = [attributes for header in volume.headers or (made_up_study(),) for attributes in _classic(header)]
    template = agreed(sources)
    template.SOPClassUID, template.Modality = storage_class(volume)
    for keyword in _MAY_BE_EMPTY + _MAY_BE_EMPTY_IN.get(template.Modality, ()):
        if keyword not in template:
            setattr(template, keyword, None)
    if "ImageLaterality" not in template:
        template.Laterality = template.get("Laterality")
    if template.Modality == "MR":
        template.ScanningSequence = template.get("ScanningSequence") or "RM"  # research mode
        template.SequenceVariant = template.get("SequenceVariant") or "NONE"
    template.StudyInstanceUID = template.get("StudyInstanceUID") or generate_uid()
    # The same for all that is derived from one series.
    series = [template.StudyInstanceUID, str(template.get("SeriesInstanceUID"))]
    template.FrameOfReferenceUID = template.get("FrameOfReferenceUID") or generate_uid(entropy_srcs=series)
    template.BurnedInAnnotation = template.get("BurnedInAnnotation") or "NO"
    if any(_is_lossy(header) for header in volume.headers):
        template.LossyImageCompression = "01"
    _describe_series(template, volume)
    _describe_derivation(template, volume)
    return template


def made_up_study() -> Dataset:
    """Return a header that volumes without one can share, so that they become series of one study and lie in one frame of reference."""
    study = Dataset()
    study.StudyInstanceUID, study.FrameOfReferenceUID = generate_uid(), generate_uid()
    return study


def storage_class(volume: Volume) -> tuple[UID, str]:
    """Return the SOP class and the modality under which a volume is stored; a volume of unknown modality as MR.

    Raises
    ------
    RequestError
        If the modality is neither CT nor MR and no source image shows its class.
    """
    modality = volume.modality or "MR"
    if modality in _STORAGE:
        return _STORAGE[modality], modality
    source = volume.headers[0] if volume.headers else Dataset()
    if source.get("SOPClassUID") and "NumberOfFrames" not in source:
        return source.SOPClassUID, modality
    raise RequestError(f"{volume.source or 'volume'}: modality {modality} cannot be written as DICOM; accepted are CT and MR")


def agreed(datasets: list[Dataset]) -> Dataset:
    """Return the public, lasting elements that all data sets have and that are equal in all."""
    kept = Dataset()
    if datasets:
        for element in datasets[0]:
            private_or_overlay = element.tag.is_private or element.tag.group >> 8 in (0x50, 0x60) or element.tag.group >= 0x7F00
            if private_or_overlay or element.tag.element == 0 or element.keyword in _UNTRUE:
                continue
            if all(element.tag in other and other[element.tag] == element for other in datasets[1:]):
                kept.add(copy(element))  # the source's own must not change with the template
    return kept


def _classic(header: Dataset) -> list[Dataset]:
    """Return one header for each image, in the attributes of the classic MR and CT images."""
    frames = frame_attributes(header)
    if frames[0] is header:
        return frames
    for frame in frames:
        for keyword, enhanced in _RENAMED.items():
            value = frame.get(enhanced)
            if value not in (None, "", []):
                # A new element: the old one belongs to the source.
                frame.add(DataElement(keyword, dictionary_VR(keyword), format_number_as_ds(value) if isinstance(value, float) else value))
        if frame.get("EchoPulseSequence") in _ECHO_PULSES:
            frame.add(DataElement("ScanningSequence", "CS", _ECHO_PULSES[frame.EchoPulseSequence]))
        for keyword in _ENHANCED_ONLY:
            if keyword in frame:
                delattr(frame, keyword)
    return frames


def _is_lossy(header: Dataset) -> bool:
    """Tell whether the source's pixels went through a lossy compression."""
    syntax = getattr(header, "file_meta", Dataset()).get("TransferSyntaxUID")
    # For JPEG 2000 only the header can tell.
    return syntax in (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)


def _describe_series(template: Dataset, volume: Volume) -> None:
    """Give the series its own identity (PS3.3 C.7.3.1)."""
    made = volume.provenance
    suffix = f" SR x{made.factor} {made.model}{f' {SPREAD}' * (made.quantity == SPREAD)}" if made else " derived"
    now = datetime.now()
    date, time = now.strftime("%Y%m%d"), now.strftime("%H%M%S.%f")
    template.SeriesInstanceUID = generate_uid()
    number = template.get("SeriesNumber")
    template.SeriesNumber = (number if isinstance(number, int) else 0) + 1000
    template.SeriesDescription = f"{template.get('SeriesDescription') or template.Modality}"[: 64 - len(suffix[:64])] + suffix[:64]
    for kind in ("Series", "Content", "InstanceCreation"):
        setattr(template, f"{kind}Date", date)
        setattr(template, f"{kind}Time", time)


def _describe_derivation(template: Dataset, volume: Volume) -> None:
    """Say that, from what and by what the images were derived (PS3.3 C.7.6.1 and C.12.1)."""
    made = volume.provenance
    described = made.describe() if made else f"Processed by SuperResolution {__version__}; {'; '.join((*volume.notes, NOTICE))}"
    kinds = list(template.get("ImageType") or [])[2:]
    if template.Modality == "CT":
        kinds[:1] = ["AXIAL"]  # the only other value that C.8.2.1.1.1 allows is LOCALIZER
    template.ImageType = ["DERIVED", "SECONDARY", *(kinds or ["OTHER"])]
    template.DerivationDescription = described[:1024]
    template.DerivationCodeSequence = [_code_item(codes.DCM.SpatialResampling)]
    # A header stands for several slices where some between were filled.
    sources = {header.SOPInstanceUID: header for header in volume.headers if header.get("SOPClassUID") and header.get("SOPInstanceUID")}
    template.SourceImageSequence = [_reference(header) for header in sources.values()]
    if not template.SourceImageSequence:
        del template.SourceImageSequence
    equipment = Dataset()
    equipment.PurposeOfReferenceCodeSequence = [_code_item(codes.DCM.ModifyingEquipment)]
    equipment.Manufacturer = "SuperResolution"
    equipment.ManufacturerModelName = (made.model if made else "SuperResolution")[:64]
    equipment.SoftwareVersions = (made.engine_version if made else __version__)[:64]
    digest = f"; model sha256 {made.model_sha256}" if made and made.model_sha256 else ""
    equipment.ContributionDescription = described[: 1024 - len(digest)] + digest
    template.ContributingEquipmentSequence = Sequence([*(template.get("ContributingEquipmentSequence") or ()), equipment])


def _code_item(code: object) -> Dataset:
    """Return the item of a code sequence (PS3.3 table 8.8-1)."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item


def _reference(header: Dataset) -> Dataset:
    """Return a reference to a source image (PS3.3 table 10-3)."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    return item
