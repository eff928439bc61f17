"""Charts: every value is where its axis says."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from SuperResolutionTrainingLib.report.charts import FEWEST_FOR_A_BOX, box_plot, curves, limits_of
from SuperResolutionTrainingLib.report.palette import inks_for

INKS = inks_for(["cubic", "<b>&fast"], "cubic")


def number(text):
    return float(text.replace("−", "-"))


def axis(chart, along, across):
    """Return the line that turns a position into a value, from the ticks of an axis."""
    texts = [each for each in chart.iter("text") if re.fullmatch(r"[−\d.]+", each.text) and each.get("text-anchor") == across]
    ticks = [(float(each.get(along)), number(each.text)) for each in texts]
    return np.poly1d(np.polyfit(*zip(*ticks), 1))


def test_nought_has_no_sign():
    chart = box_plot({"cubic": dict(zip("ab", (-1.0, 32.0)))}, INKS, "PSNR, dB")
    assert ">0</text>" in chart and "−0" not in chart


def test_points_median_and_quartiles_are_where_the_axis_says():
    values = {"cubic": dict(zip("abcde", (30.1, 31.4, 32.2, 33.3, 39.0))), "<b>&fast": dict(zip("abcde", (31.0, 32.0, 34.0, 35.0, 36.0)))}
    chart = ElementTree.fromstring(box_plot(values, INKS, "PSNR, dB"))
    value = axis(chart, "x", "middle")
    points = [float(value(float(each.get("cx")))) for each in chart.iter("circle")]
    assert points == pytest.approx([each for row in values.values() for each in row.values()], abs=0.02)
    assert [each.find("title").text for each in chart.iter("circle")][:2] == ["a: 30.10", "b: 31.40"]
    medians = [float(value(float(each.get("x1")))) for each in chart.iter("line") if each.get("class") == "median"]
    assert medians == pytest.approx([32.2, 34.0], abs=0.02)
    boxes = [
        (float(value(float(each.get("x")))), float(value(float(each.get("x")) + float(each.get("width"))))) for each in chart.iter("rect")
    ]
    assert boxes == [pytest.approx(np.percentile(list(row.values()), (25, 75)), abs=0.04) for row in values.values()]
    # 39 is more than 1.5 quartile ranges beyond the box.
    whisker = next(each for each in chart.iter("line") if each.get("class") == "whisker")
    assert float(value(float(whisker.get("x2")))) == pytest.approx(33.3, abs=0.02)


def test_few_subjects_have_no_box():
    values = {"cubic": {str(each): 30.0 + each for each in range(FEWEST_FOR_A_BOX - 1)}}
    chart = ElementTree.fromstring(box_plot(values, INKS, "PSNR, dB"))
    assert not list(chart.iter("rect")) and len(list(chart.iter("circle"))) == FEWEST_FOR_A_BOX - 1


def test_curves_are_where_the_axes_say_and_broken_where_there_is_no_value():
    values = [30.0, 31.0, None, 35.0, 34.0]
    lines = {"cubic": (range(10, 15), values), "<b>&fast": (range(10, 15), [None] * 5)}
    chart = ElementTree.fromstring(curves(lines, INKS, "slice along k", limits_of(values)))
    x, y = axis(chart, "x", "middle"), axis(chart, "y", "end")
    first, second = (each.get("d") for each in chart.iter("path"))
    assert re.sub(r"[\d. ]+", " ", first).split() == ["M", "h", "L", "M", "h", "L"] and second == ""
    found = [(float(x(float(a))), float(y(float(b) + 4))) for a, b in re.findall(r"[ML]([\d.]+) ([\d.]+)", first)]
    expected = [(slice, value) for slice, value in zip(range(10, 15), values) if value is not None]
    assert found == [pytest.approx(each, abs=0.1) for each in expected]


def test_equal_values_have_an_axis_too():
    ElementTree.fromstring(box_plot({"cubic": {"a": 30.0, "b": 30.0}}, INKS, "PSNR, dB"))
    assert limits_of([None]) == (0, 1)


def test_each_model_keeps_its_ink_and_no_two_share_one():
    models = ["cubic", *(f"m{each}" for each in range(20))]
    inks = inks_for(models, "cubic")
    assert len(set(inks.values())) == 21
    assert inks_for(models[:5], "cubic") == {model: inks[model] for model in models[:5]}
