"""The questionnaire for a reader without Slicer: one HTML file that works offline, on a screen and on paper."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SuperResolutionLib.files import read_volume
from SuperResolutionLib.volume import Volume
from SuperResolutionLib.whole import check_place, whole_file

from ..planes import VIEWS, View, anatomical_axes, plane_through
from .answers import check_reader
from .reading import RATING_QUESTION, SCALE, Comparison, Question, comparisons_of
from .study import Case, Study
from .templating import render


@dataclass(frozen=True)
class Picture:
    """A slice as it is shown: a PNG as base64, its width over its height in the patient, and what it is."""

    png: str
    ratio: float
    name: str


@dataclass(frozen=True)
class Page:
    """A comparison as it is shown.

    Attributes
    ----------
    comparison : Comparison
    columns : tuple of str
        What each picture of a row is: left, reference, right.
    rows : list of list of Picture
    preferences : list of Question
        One below the other.
    ratings : dict of str to list of Question
        A line for each structure, with one image or both.
    """

    comparison: Comparison
    columns: tuple[str, ...]
    rows: list[list[Picture]]
    preferences: list[Question]
    ratings: dict[str, list[Question]]


def write_questionnaire(study: Study, reader: str, path: str | Path) -> None:
    """Write the questionnaire of one reader, with the comparisons in the reader's own order.

    Of each plane that the study shows, three slices: the one in the middle, and before and behind it those with the most detail.

    Parameters
    ----------
    study : Study
    reader : str
    path : path
        Of the HTML file; it appears whole or not at all.

    Raises
    ------
    RequestError
        If the reader's name is none, or a volume cannot be read.
    WorkError
        If the file cannot be written.
    """
    path = Path(path)
    check_place(path)
    comparisons = comparisons_of(study, check_reader(reader))
    pictures = {token: shown for case in study.cases for token, shown in _pictures(case).items()}
    pages = [_page(comparison, pictures) for comparison in comparisons]
    words = {"rating_question": RATING_QUESTION, "scale": SCALE}
    with whole_file(path) as partial:
        partial.write_text(render("questionnaire.html", study=study, reader=reader, pages=pages, **words), encoding="utf-8")


def _page(comparison: Comparison, pictures: dict[str, list[Picture]]) -> Page:
    middle = {"Reference": comparison.reference} if comparison.reference else {}
    shown = {"Left": comparison.left, **middle, "Right": comparison.right}
    ratings: dict[str, list[Question]] = {}
    for question in comparison.questions:
        if question.structure:
            ratings.setdefault(question.structure, []).append(question)
    rows = [list(row) for row in zip(*(pictures[file.token] for file in shown.values()), strict=True)]
    return Page(comparison, tuple(shown), rows, [each for each in comparison.questions if each.kind == "preference"], ratings)


def _pictures(case: Case) -> dict[str, list[Picture]]:
    """Return the slices of each volume of a case, the same ones of all."""
    files = [*case.candidates, *([case.reference] if case.reference else [])]
    volumes = {file.token: read_volume(file.path) for file in files}
    first = next(iter(volumes.values()))
    # What all show decides which slices are shown, lest one of them be favoured.
    mean = first.with_voxels(np.mean([volume.voxels for volume in volumes.values()], axis=0, dtype=np.float32))
    views = sorted((view for view in VIEWS if view.name in case.planes), key=lambda view: case.planes.index(view.name))
    places = [(view, place) for view in views for place in _slices(mean, view)]
    return {token: [_picture(volume, view, place, case.window) for view, place in places] for token, volume in volumes.items()}


def _slices(volume: Volume, view: View) -> list[int]:
    """Return the slice in the middle, and those with the most detail before and behind it, away from it and from the ends."""
    normal = 2 - anatomical_axes(volume)[view.normal]
    gradients = (np.abs(np.diff(volume.voxels, axis=axis)) for axis in range(3) if axis != normal)
    detail = sum(each.mean(axis=tuple(axis for axis in range(3) if axis != normal)) for each in gradients)
    middle, margin, gap = len(detail) // 2, len(detail) // 6, len(detail) // 12
    stretches = (range(margin, middle - gap), (middle,), range(middle + gap + 1, len(detail) - margin))
    return [max(stretch, key=lambda place: detail[place]) for stretch in stretches if len(stretch)]


def _picture(volume: Volume, view: View, place: int, window: tuple[float, float]) -> Picture:
    from PIL import Image

    axis = anatomical_axes(volume)[view.normal]
    index = (np.array(volume.shape[::-1]) - 1) / 2
    index[axis] = place
    plane = plane_through(volume, view, volume.points(index))
    low, high = window
    grey = np.clip((plane.pixels - low) / (high - low), 0, 1)
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(np.rint(255 * grey).astype(np.uint8))).save(file, "PNG")
    left, right, bottom, top = plane.extent
    name = f"{view.name}, slice {place + 1} of {volume.shape[2 - axis]}"
    return Picture(base64.b64encode(file.getvalue()).decode(), abs(right - left) / abs(top - bottom), name)
