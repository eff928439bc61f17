"""Charts as inline SVG: box plots of models, and curves over slices. Drawn for a width of 340 px, so that text stays text on a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

import numpy as np

from .palette import Ink

WIDTH = 340
FEWEST_FOR_A_BOX = 5  # subjects; below, quartiles say nothing that the points do not
_LONGEST_NAME = 48
_EDGE = 14  # left and right of a box plot
_ROW = 34
_CURVE_HEIGHT, _CURVE_LEFT = 190, 38

Curve = tuple[Sequence[float], Sequence[float | None]]


def box_plot(values: Mapping[str, Mapping[str, float]], inks: Mapping[str, Ink], label: str) -> str:
    """Draw a row for each model: a point for each subject, the median, and a box from quartile to quartile where there are enough.

    Parameters
    ----------
    values : mapping of str to mapping of str to float
        Model, then subject.
    inks : mapping of str to Ink
    label : str
        Of the horizontal axis.

    Returns
    -------
    str
        An SVG element; whiskers reach to the outermost points within 1.5 interquartile ranges (Tukey 1977).
    """
    everything = [value for row in values.values() for value in row.values()]
    low, high = _range(everything)
    bottom = _ROW * len(values) + 6
    chart = _svg(bottom + 36, f"{label}: {', '.join(values)}")

    def x(value: float) -> float:
        return _EDGE + (value - low) / (high - low) * (WIDTH - 2 * _EDGE)

    for tick in _ticks(low, high):
        _line(chart, x(tick), 6, x(tick), bottom, "grid")
        _text(chart, x(tick), bottom + 14, _short(tick), "middle")
    _line(chart, _EDGE, bottom, WIDTH - _EDGE, bottom, "axis")
    _text(chart, WIDTH / 2, bottom + 31, label, "middle")
    for number, (model, row) in enumerate(values.items()):
        _box(chart, x, _ROW * number, model, row, inks[model].colour)
    return ElementTree.tostring(chart, encoding="unicode")


def _box(chart: ElementTree.Element, x, top: float, model: str, row: Mapping[str, float], colour: str) -> None:
    name = model if len(model) <= _LONGEST_NAME else f"{model[: _LONGEST_NAME - 1]}…"
    _text(chart, _EDGE, top + 13, name, "start", "name")
    middle = top + 24
    data = np.array(list(row.values()))
    if not data.size:
        return
    first, median, third = np.percentile(data, (25, 50, 75))
    if data.size >= FEWEST_FOR_A_BOX:
        reach = 1.5 * (third - first)
        inside = data[(data >= first - reach) & (data <= third + reach)]
        _line(chart, x(inside.min()), middle, x(inside.max()), middle, "whisker", stroke=colour)
        size = {"x": x(first), "y": middle - 6, "width": max(x(third) - x(first), 0.5), "height": 12}
        _add(chart, "rect", **size, **{"class": "box", "stroke": colour, "fill": colour})
    _line(chart, x(median), middle - 7, x(median), middle + 7, "median", stroke=colour)
    for number, (subject, value) in enumerate(row.items()):
        # Points of equal value lie beside each other.
        point = _add(chart, "circle", cx=x(value), cy=middle + (-2.5, 2.5, 0)[number % 3], r=2.3, fill=colour, **{"class": "point"})
        ElementTree.SubElement(point, "title").text = f"{subject}: {value:.2f}"


def curves(lines: Mapping[str, Curve], inks: Mapping[str, Ink], label: str, limits: tuple[float, float]) -> str:
    """Draw a line for each model over slices; it is broken where a slice has no value.

    Parameters
    ----------
    lines : mapping of str to (slices, values)
    inks : mapping of str to Ink
    label : str
        Of the horizontal axis.
    limits : tuple of float
        Lowest and highest value, see `limits_of`.
    """
    chart = _svg(_CURVE_HEIGHT, f"PSNR in dB by {label}: {', '.join(lines)}")
    low, high = limits
    left, right, top, bottom = _CURVE_LEFT, WIDTH - 8, 10, _CURVE_HEIGHT - 38
    slices = [number for numbers, _ in lines.values() for number in numbers] or [0]
    first, last = min(slices), max(max(slices), min(slices) + 1)

    def x(number: float) -> float:
        return left + (number - first) / (last - first) * (right - left)

    def y(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - top)

    for tick in _ticks(low, high):
        _line(chart, left, y(tick), right, y(tick), "grid")
        _text(chart, left - 5, y(tick) + 4, _short(tick), "end")
    for tick in _ticks(first, last):
        _text(chart, x(tick), bottom + 15, _short(tick), "middle")
    _line(chart, left, bottom, right, bottom, "axis")
    _text(chart, (left + right) / 2, bottom + 32, label, "middle")
    for model, (numbers, values) in lines.items():
        ink = inks[model]
        dashes = {"stroke-dasharray": ink.dashes} if ink.dashes else {}
        path = _path((x(number), None if value is None else y(value)) for number, value in zip(numbers, values, strict=True))
        line = _add(chart, "path", d=path, stroke=ink.colour, **{"class": "curve"}, **dashes)
        ElementTree.SubElement(line, "title").text = model
    return ElementTree.tostring(chart, encoding="unicode")


def limits_of(everything: Sequence[float | None]) -> tuple[float, float]:
    """Return the ends of an axis on which all values have room."""
    return _range([value for value in everything if value is not None])


def _range(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or 0.5
    return low - room, high + room


def _ticks(low: float, high: float) -> list[float]:
    """Return about five round values of a range."""
    rough = (high - low) / 5
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [float(value) for value in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step + 0.0]  # not -0


def _short(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


def _path(points) -> str:
    parts, pen_down = [], False
    for x, y in points:
        if y is not None:
            # The line of no length shows a point that has no neighbours.
            parts.append(f"L{x:.1f} {y:.1f}" if pen_down else f"M{x:.1f} {y:.1f}h0")
        pen_down = y is not None
    return "".join(parts)


def _svg(height: float, name: str) -> ElementTree.Element:
    return ElementTree.Element("svg", {"viewBox": f"0 0 {WIDTH} {height:g}", "role": "img", "aria-label": name})


def _add(parent: ElementTree.Element, tag: str, **attributes: object) -> ElementTree.Element:
    plain = {name: f"{value:.1f}" if isinstance(value, float) else str(value) for name, value in attributes.items()}
    return ElementTree.SubElement(parent, tag, plain)


def _line(chart: ElementTree.Element, x1: float, y1: float, x2: float, y2: float, kind: str, **more: str) -> None:
    _add(chart, "line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), **{"class": kind}, **more)


def _text(chart: ElementTree.Element, x: float, y: float, text: str, anchor: str, kind: str = "tick") -> None:
    _add(chart, "text", x=float(x), y=float(y), **{"text-anchor": anchor, "class": kind}).text = text
