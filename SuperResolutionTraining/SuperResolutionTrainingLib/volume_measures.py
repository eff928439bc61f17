"""Measures of a whole volume, by name: what each is called, its unit, its convention, and how it is taken."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from SuperResolutionLib import metrics
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics.pairs import check_pair, value_range
from SuperResolutionLib.volume import Volume

from . import volume_figures
from .grid import same_grid
from .volume_figures import Context, Figure, NotMeasured, Take

ALL = "all"


@dataclass(frozen=True)
class Measure:
    """A measure of a whole volume.

    Attributes
    ----------
    label : str
        What it is called in tables.
    unit : str
        Empty where there is none.
    larger_is_better : bool or None
        None where nearer to the reference's own value is better.
    convention : str
        One sentence.
    take : callable
        Measures (candidate, reference, context), see `volume_figures`.
    alone : bool
        Whether the reference has the measure too, without being compared with anything.
    """

    label: str
    unit: str
    larger_is_better: bool | None
    convention: str
    take: Take
    alone: bool = False


def measures_named(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, each once; ``all`` stands for every one.

    Raises
    ------
    RequestError
        If a name is none of `VOLUME_MEASURES`.
    """
    found: dict[str, None] = {}
    for name in names:
        if name != ALL and name not in VOLUME_MEASURES:
            raise RequestError(f"measure '{name}': accepted are {ALL}, {', '.join(VOLUME_MEASURES)}")
        found |= dict.fromkeys(VOLUME_MEASURES if name == ALL else [name])
    return tuple(found)


def measure_volume(names: Sequence[str], candidate: Volume, reference: Volume, context: Context | None = None) -> dict[str, dict[str, Any]]:
    """Take measures of a whole volume.

    Parameters
    ----------
    names : sequence of str
        Of `VOLUME_MEASURES`, or ``all``.
    candidate, reference : Volume
        On the same grid to 1e-3 mm.
    context : Context, optional

    Returns
    -------
    dict
        For each name ``value``, ``reference`` (the same figure of the reference, where a measure is taken of a volume alone), ``reason``
        (why there is no value) and ``note`` (how it was taken); each is None where there is nothing to say.

    Raises
    ------
    RequestError
        If a name is unknown, or the volumes cannot be compared.
    """
    names, context = measures_named(names), context or Context()
    if not same_grid(candidate, reference):
        raise RequestError("candidate on another grid than the reference; accepted is one that was resampled onto it")
    check_pair(candidate.voxels, reference.voxels, context.mask)
    value_range(reference.voxels)
    told = {}
    for name in names:
        measure = VOLUME_MEASURES[name]
        found = _taken(measure, candidate, reference, context)
        own = _taken(measure, reference, reference, context) if measure.alone else None
        told[name] = {
            "value": getattr(found, "value", None),
            "reference": getattr(own, "value", None),
            "reason": getattr(found, "reason", None),
            "note": getattr(found, "note", None),
        }
    return told


def _taken(measure: Measure, candidate: Volume, reference: Volume, context: Context) -> Figure | NotMeasured:
    try:
        found = measure.take(candidate, reference, context)
    except RequestError as error:
        return NotMeasured(str(error))
    except ModuleNotFoundError as error:
        return NotMeasured(f"the Python package '{error.name}' is not installed")
    if isinstance(found, Figure) and not math.isfinite(found.value):
        return NotMeasured("infinite: there is no difference at all")
    return found


_RANGE = "maximum - minimum of the whole reference"

VOLUME_MEASURES: dict[str, Measure] = {
    "mse": Measure("MSE", "", False, "Mean square error over all voxels, in the square of the reference's units.", volume_figures.mse),
    "rmse": Measure("RMSE", "", False, "Root mean square error over all voxels, in the reference's units.", volume_figures.rmse),
    "psnr_range": Measure(
        "PSNR, all voxels", "dB", True, f"Mean square error over all voxels together, peak = {_RANGE}.", volume_figures.psnr_range
    ),
    "psnr_maximum": Measure(
        "PSNR, peak = maximum",
        "dB",
        True,
        "Mean square error over all voxels together, peak = maximum of the reference.",
        volume_figures.psnr_maximum,
    ),
    "psnr_255": Measure(
        "PSNR, 8 bits",
        "dB",
        True,
        "Slices as pictures of 8 bits, the reference's minimum black and its maximum white, peak = 255; mean over all slices across the "
        "plane made finer, else along k, two equal pictures counted as 100 dB (the code of Georgescu 2020).",
        volume_figures.psnr_255,
    ),
    "ms_ssim": Measure(
        "MS-SSIM",
        "",
        True,
        "Multi-scale SSIM in 3-D (Wang, Simoncelli and Bovik 2003), Gaussian window of sigma 1.5 voxels, "
        f"range = {_RANGE}; where the volume is too small for five scales as many as fit, the exponents divided by their sum.",
        volume_figures.ms_ssim,
    ),
    "ifc": Measure(
        "IFC",
        "bit/pixel",
        True,
        "Information fidelity criterion (Sheikh, Bovik and de Veciana 2005), vector variant of the authors' code with sp5 filters; "
        f"2-D, mean over slices, then over the three axes, {_RANGE} stretched to 255.",
        volume_figures.along_every_axis(metrics.ifc),
    ),
    "vif": Measure(
        "VIFp",
        "",
        True,
        "Visual information fidelity (Sheikh and Bovik 2006), pixel-domain variant, noise variance 2; 2-D, the information summed over "
        f"slices, mean over the three axes, {_RANGE} stretched to 255.",
        volume_figures.along_every_axis(metrics.vif),
    ),
    "niqe": Measure(
        "NIQE",
        "",
        False,
        "Natural image quality evaluator (Mittal 2013) by pyiqa, fitted to photographs; mean over nine planes, at a quarter, half and "
        "three quarters of each axis, the reference's minimum black and its maximum white.",
        volume_figures.of_nine_planes(metrics.niqe),
        alone=True,
    ),
    "perceptual_index": Measure(
        "Perceptual index",
        "",
        False,
        "((10 - Ma) + NIQE) / 2 (Blau 2018) by pyiqa, fitted to photographs; the planes of NIQE.",
        volume_figures.of_nine_planes(metrics.perceptual_index),
        alone=True,
    ),
    "period_energy": Measure(
        "Period energy",
        "",
        False,
        "Energy of the mean absolute difference of neighbouring slices at the period of the factor and its harmonics, along the axis made "
        "finer; 0 without steps, 1 after nearest-neighbour interpolation.",
        volume_figures.period_energy,
        alone=True,
    ),
    "edge_width_mm": Measure(
        "Edge width",
        "mm",
        None,
        "10-90 % rise along the axis made finer, median over the boundaries at Otsu's threshold that lie within 30 degrees of across it "
        "between two plateaus of the reference.",
        volume_figures.edge_width,
        alone=True,
    ),
    "residual": Measure(
        "Residual",
        "",
        False,
        "Measurement residual: root mean square of the degraded candidate minus the thick volume, over the range of the thick volume.",
        volume_figures.residual,
    ),
}
