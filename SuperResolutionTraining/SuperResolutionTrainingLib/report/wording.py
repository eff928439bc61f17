"""Figures as people read them."""

from __future__ import annotations

import math

DASH = "–"
LABELS = {"psnr": "PSNR, dB", "ncc": "NCC", "ssim": "SSIM", "rmse": "RMSE"}
BETTER_IS_LESS = frozenset({"rmse"})
REGIONS = {"whole": "Whole volume", "foreground": "Foreground"}
_DIGITS = {"psnr": 2, "ncc": 4, "ssim": 4}
_SIGNIFICANT = 4


def figure(measure: str, value: float | None, deviation: float | None = None, signed: bool = False) -> str:
    """Return a value with the digits that are of use for its measure, ± its deviation where there is one; a dash for None."""
    if value is None:
        return DASH
    digits = _DIGITS.get(measure, _needed(value if value or not deviation else deviation))
    spread = "" if deviation is None else f" ± {_fixed(deviation, digits)}"
    return _fixed(value, digits, signed) + spread


def interval(measure: str, bounds: tuple[float | None, float | None] | None) -> str:
    """Return the two ends of an interval; a dash where there is none."""
    if bounds is None or None in bounds:
        return DASH
    digits = _DIGITS.get(measure, _needed(max(bounds, key=abs)))
    low, high = (_fixed(bound, digits, signed=True) for bound in bounds)
    return f"{low} to {high}"


def probability(p: float | None) -> str:
    """Return a p value."""
    if p is None:
        return DASH
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: 1 subject, 2 subjects."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def listed(names: list[str]) -> str:
    """Return names as people list them: a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _needed(value: float) -> int:
    """Return the decimals that show the significant digits of a value."""
    return 0 if value == 0 else min(8, max(0, _SIGNIFICANT - 1 - math.floor(math.log10(abs(value)))))


def _fixed(value: float, digits: int, signed: bool = False) -> str:
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        return text.lstrip("-")
    return (f"+{text}" if signed and value > 0 else text).replace("-", "−")
