"""How near a candidate comes to a reference, as a row of a table."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import foreground, mean_ssim, ncc, psnr, ssim_map
from SuperResolutionLib.metrics.ssim import WINDOW
from SuperResolutionLib.volume import Volume

from .calibration import Calibration, calibrate
from .grid import corner_offset, on_grid_of, same_grid
from .made_thick import how_made, on_finer_grid

_ALIKE, _LOST_BY_SCALE = 0.9, 6  # NCC from which, and dB of PSNR from which, another scale of intensities is told
CONVENTIONS = (
    "PSNR in dB: peak = maximum - minimum of the whole reference. NCC: zero mean. "
    "SSIM: 3-D Gaussian window, sigma 1.5 voxels (Wang 2004), range = the same peak. "
    "Foreground: Otsu's threshold on the reference, largest component, closed and filled."
)


@dataclass(frozen=True)
class Scores:
    """The measures over one set of voxels; `ssim` is None for volumes smaller than its window."""

    psnr: float
    ncc: float
    ssim: float | None


@dataclass(frozen=True)
class Evaluation:
    """A candidate measured against a reference.

    Attributes
    ----------
    whole : Scores
        Over every voxel of the reference that the candidate covers.
    foreground : Scores
        Over those of the patient.
    resampled : bool
        Whether the candidate lay on another grid and was brought onto the reference's by cubic B-spline interpolation.
    covered : ndarray of bool
        Where the candidate covers the reference: everywhere on the same grid.
    candidate, reference : Volume
        What was compared, both on the reference's grid; the candidate has the reference's values where it covers nothing.
    measures : dict
        The measures of whole volumes that were asked for, as `volume_measures.measure_volume` returns them.
    thick : Volume, optional
        What the candidate was made from.
    calibration : Calibration, optional
        How the candidate's spread agrees with its error.
    """

    whole: Scores
    foreground: Scores
    resampled: bool
    covered: np.ndarray = field(repr=False)
    candidate: Volume = field(repr=False)
    reference: Volume = field(repr=False)
    measures: dict[str, Any] = field(default_factory=dict)
    thick: Volume | None = field(default=None, repr=False)
    calibration: Calibration | None = None

    @property
    def coverage(self) -> float:
        """Share of the reference's voxels that the candidate covers."""
        return float(self.covered.mean())

    def as_dict(self) -> dict[str, object]:
        """Return numbers and conventions as plain data for JSON; an infinite PSNR (no difference at all) becomes None."""
        sets = {"whole": self.whole, "foreground": self.foreground}
        more = {"measures": self.measures} if self.measures else {}
        more |= {"calibration": self.calibration.as_dict()} if self.calibration else {}
        return {
            **{name: {"psnr_db": _finite(s.psnr), "ncc": s.ncc, "ssim": s.ssim} for name, s in sets.items()},
            "resampled": self.resampled,
            "coverage": self.coverage,
            "conventions": CONVENTIONS,
        } | more

    def table(self, name: str = "candidate") -> str:
        """Return the figures as a plain-text table of one row, with a line for each measure of whole volumes and one on the grid."""
        measures = [f"{name}: {_in_words(found)}" for name, found in self.measures.items()]
        calibration = [self.calibration.table()] if self.calibration else []
        return "\n".join([format_table([Row(name, self)]), *measures, self.describe_grid(), *self.describe_scale(), *calibration])

    def write_report(self, folder: str | Path) -> None:
        """Write ``table.txt``, ``evaluation.json``, ``comparison.png`` and ``report.html`` to a new or empty folder, all or none.

        With them come the record that the report is made of and the planes that it shows, see `model_comparison.report_pair`.

        Raises
        ------
        RequestError
            If the folder holds something, or the reference has fewer than three slices along an axis.
        WorkError
            If it cannot be written to.
        """
        from SuperResolutionLib.whole import whole_folder

        from .model_comparison import report_pair
        from .pictures import comparison_picture

        if Path(folder).is_dir() and any(Path(folder).iterdir()):
            raise RequestError(f"{folder}: exists and is not empty; accepted is a new or empty folder")
        with whole_folder(Path(folder)) as partial:
            (partial / "table.txt").write_text(self.table() + "\n", encoding="utf-8")
            (partial / "evaluation.json").write_text(json.dumps(self.as_dict(), indent=2) + "\n", encoding="utf-8")
            comparison_picture(partial / "comparison.png", None, {"candidate": self.candidate}, self.reference)
            report_pair(self.candidate, self.covered, self.reference, partial, self.measures, self.thick, self.calibration)

    def describe_grid(self) -> str:
        """Return one line on how the candidate came to lie on the reference's grid."""
        if not self.resampled:
            return "The candidate lies on the reference's grid."
        return (
            f"The candidate lies on another grid: resampled by cubic B-splines in patient space, covers {100 * self.coverage:.1f} % of "
            "the reference; the resampling is part of the figures."
        )

    def describe_scale(self) -> list[str]:
        """Return a line where the candidate's intensities are on another scale than the reference's, else none."""
        unexplained = (1 - self.whole.ncc**2) * float(self.reference.voxels.std(dtype=np.float64)) ** 2
        fitted = 10 * math.log10(float(np.ptp(self.reference.voxels)) ** 2 / unexplained) if unexplained > 0 else math.inf
        if self.whole.ncc < _ALIKE or not fitted > self.whole.psnr + _LOST_BY_SCALE:
            return []
        told = "The candidate's intensities are on another scale than the reference's: with gain and offset fitted, which no figure here"
        return [f"{told} is, PSNR would be about {fitted:.1f} dB."]


@dataclass(frozen=True)
class Row:
    """A line of a table: what was evaluated, its figures, and how long it took to make, where known."""

    name: str
    evaluation: Evaluation
    seconds: float | None = None


def evaluate(
    candidate: Volume,
    reference: Volume,
    measures: Sequence[str] = (),
    thick: Volume | None = None,
    profile: str = "mean",
    spread: Volume | None = None,
) -> Evaluation:
    """Measure a candidate against a reference in the patient's space.

    Parameters
    ----------
    candidate, reference : Volume
        On the same grid to 1e-3 mm at every corner; a candidate on another grid is resampled onto the reference's, and the result says so.
    measures : sequence of str
        Measures of whole volumes besides, of `volume_measures.VOLUME_MEASURES`.
    thick : Volume, optional
        What the candidate was made from; some measures need it.
    profile : str
        Slice profile of the thick volume, see `acquisition`.
    spread : Volume, optional
        The candidate's, see `upscaling.Result`: is it large where the candidate is wrong?

    Raises
    ------
    RequestError
        If the candidate covers nothing of the patient in the reference, a value is not finite, one of them is constant, the thick
        volume is not one of N times fewer voxels along some axes, or lies elsewhere, or the spread is refused (see `calibrate`).
    """
    calibration = None if spread is None else calibrate(spread, candidate, reference)
    made = {}
    if thick is not None:
        factor, axis = how_made(thick, candidate)
        if (off := corner_offset(on_finer_grid(candidate.voxels, thick, factor, axis), candidate)) > min(candidate.spacing) / 10:
            raise RequestError(
                f"thick volume lies up to {off:.3g} mm off the candidate; accepted is the one that the candidate was made from"
            )
        made = {"thick": thick, "factor": factor, "axis": axis, "profile": profile}
    brought, covered = on_grid_of(reference, candidate)
    body = foreground(reference.voxels)
    if not (body & covered).any():
        raise RequestError("candidate covers nothing of the patient in the reference; accepted is one that overlaps it")
    similarity = ssim_map(brought.voxels, reference.voxels) if min(reference.shape) >= WINDOW else None
    mask = None if covered.all() else covered
    return Evaluation(
        whole=_scores(brought.voxels, reference.voxels, similarity, mask),
        foreground=_scores(brought.voxels, reference.voxels, similarity, body & covered),
        resampled=not same_grid(candidate, reference),
        covered=covered,
        candidate=brought,
        reference=reference,
        measures=_of_whole(measures, brought, reference, mask=mask, **made) if measures else {},
        thick=thick,
        calibration=calibration,
    )


def format_table(rows: Sequence[Row]) -> str:
    """Return the rows as a plain-text table with the conventions in a line under it."""
    width = max(len("model"), *(len(row.name) for row in rows))
    measures = f"{'PSNR':>7} {'NCC':>7} {'SSIM':>7}"
    lines = [
        f"{'':{width}}  {'whole volume':^23}  {'foreground':^23}",
        f"{'model':{width}}  {measures}  {measures}  {'seconds':>8}",
    ]
    lines.append("-" * len(lines[-1]))
    for row in rows:
        seconds = "" if row.seconds is None else f"{row.seconds:.2f}"
        lines.append(f"{row.name:{width}}  {_cells(row.evaluation.whole)}  {_cells(row.evaluation.foreground)}  {seconds:>8}".rstrip())
    return "\n".join([*lines, CONVENTIONS])


def _scores(candidate: np.ndarray, reference: np.ndarray, similarity: np.ndarray | None, mask: np.ndarray | None) -> Scores:
    return Scores(
        psnr=psnr(candidate, reference, mask),
        ncc=ncc(candidate, reference, mask),
        ssim=None if similarity is None else mean_ssim(similarity, mask),
    )


def _of_whole(measures: Sequence[str], candidate: Volume, reference: Volume, **known: Any) -> dict[str, Any]:
    from .volume_measures import Context, measure_volume

    return measure_volume(measures, candidate, reference, Context(**known))


def _cells(scores: Scores) -> str:
    similarity = "-" if scores.ssim is None else f"{scores.ssim:.4f}"
    return f"{scores.psnr:7.2f} {scores.ncc:7.4f} {similarity:>7}"


def _in_words(found: Mapping[str, Any]) -> str:
    """Return a measure of whole volumes as text: its value and that of the reference, or why there is none."""
    if found["value"] is None:
        return f"none, {found['reason']}"
    return f"{found['value']:.5g}" + ("" if found["reference"] is None else f" (reference {found['reference']:.5g})")


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
