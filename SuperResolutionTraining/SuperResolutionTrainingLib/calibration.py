"""Calibration of a spread: whether it tells where a volume is wrong, and by how much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import foreground
from SuperResolutionLib.volume import Volume

from .grid import same_grid

BINS = 10
CONVENTIONS = (
    "Spread: error = candidate - reference; rank correlation = Spearman's of |error| and spread; factor = RMS error / RMS spread; "
    "within 1, 2 = voxels whose error is within one, two spreads times the factor (68.3 %, 95.4 % if errors were normal); "
    "RMS by spread = from the tenth of the voxels with the smallest spreads to that with the largest."
)


@dataclass(frozen=True)
class Agreement:
    """How a spread agrees with the error over one set of voxels; errors and spreads are in the units of the volume.

    Attributes
    ----------
    rank_correlation : float or None
        Spearman's, of |error| and spread: 1 if the spread orders voxels by their error, 0 if it tells nothing; None where one of the two is
        the same everywhere.
    factor : float
        What the spread must be multiplied by for its root mean square to be that of the error.
    within_one, within_two : float
        Share of the voxels whose error is within one, two of the spreads times `factor`.
    rms_error, rms_spread : tuple of float
        Root mean square of either in ten bins of equally many voxels, from the smallest spreads to the largest.
    """

    rank_correlation: float | None
    factor: float
    within_one: float
    within_two: float
    rms_error: tuple[float, ...]
    rms_spread: tuple[float, ...]


@dataclass(frozen=True)
class Calibration:
    """A spread held against the error: over every voxel, and over those of the patient."""

    whole: Agreement
    foreground: Agreement

    def as_dict(self) -> dict[str, Any]:
        """Return figures and conventions as plain data for JSON."""
        return asdict(self) | {"conventions": CONVENTIONS}

    def table(self) -> str:
        """Return the figures as plain-text tables: a row for each set of voxels, and their bins under it."""
        sets = {"whole volume": self.whole, "foreground": self.foreground}
        lines = [f"{'spread':12}  {'rank corr.':>10} {'factor':>7} {'within 1':>8} {'within 2':>8}"]
        for name, each in sets.items():
            correlation = "-" if each.rank_correlation is None else f"{each.rank_correlation:.3f}"
            lines.append(f"{name:12}  {correlation:>10} {each.factor:7.2f} {each.within_one:8.1%} {each.within_two:8.1%}")
        for name, each in sets.items():
            lines += [f"RMS by spread, {name}", _row("spread", each.rms_spread), _row("error", each.rms_error)]
        return "\n".join([*lines, CONVENTIONS])


def calibrate(spread: Volume, candidate: Volume, reference: Volume) -> Calibration:
    """Compare the spread of a candidate with its error.

    Parameters
    ----------
    spread, candidate, reference : Volume
        On one grid to 1e-3 mm.

    Raises
    ------
    RequestError
        If the volumes lie on different grids, or the spread is negative, not finite or zero everywhere.
    """
    for name, volume in (("spread", spread), ("candidate", candidate)):
        if not same_grid(volume, reference):
            raise RequestError(f"{name} on another grid than the reference; for the calibration of a spread all three share one")
    deviation = spread.voxels.astype(np.float32, copy=False)
    # NaN passes through minimum and maximum.
    if not (deviation.min() >= 0 and 0 < deviation.max() < np.inf):
        raise RequestError(f"spread from {deviation.min():.4g} to {deviation.max():.4g}; accepted are numbers from 0 that are not all 0")
    error = np.abs(candidate.voxels.astype(np.float32) - reference.voxels)
    body = foreground(reference.voxels)
    return Calibration(_agreement(error.ravel(), deviation.ravel()), _agreement(error[body], deviation[body]))


def _agreement(error: np.ndarray, spread: np.ndarray) -> Agreement:
    factor = _rms(error) / (_rms(spread) or math.inf)
    order = np.argsort(spread)
    bins = np.array_split(order, min(BINS, order.size))
    return Agreement(
        _rank_correlation(error, spread),
        factor,
        float(np.mean(error <= factor * spread)),
        float(np.mean(error <= 2 * factor * spread)),
        tuple(_rms(error[each]) for each in bins),
        tuple(_rms(spread[each]) for each in bins),
    )


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    from scipy.stats import spearmanr

    if min(np.ptp(first), np.ptp(second)) == 0:
        return None
    return float(spearmanr(first, second).statistic)


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _row(name: str, values: Sequence[float]) -> str:
    return f"{name:8}" + "".join(f" {value:8.4g}" for value in values)
