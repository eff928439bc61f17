"""One picture that compares candidates with the truth in three planes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from SuperResolutionLib.metrics import psnr
from SuperResolutionLib.volume import Volume
from SuperResolutionLib.whole import whole_file

from .grid import on_grid_of
from .planes import VIEWS, Plane, View, plane_through, telling_point

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

WIDTH = 2300  # pixels, at most
DPI = 150
WIDEST = 3.5  # inches, of a panel: few columns make a narrower picture rather than a very high one
BACKGROUND, INK, FAINT = "black", "#f2f2f2", "#a6a6a6"
HIGHEST = 1.5  # height of a panel over its width, at most: longer planes are shown narrower instead
CT_WINDOW = (-200.0, 900.0)  # HU, soft tissue and bone in one

Colouring = dict[str, object]


@dataclass(frozen=True)
class _Column:
    """A column of panels: its title, how to get the plane of a view, the text under it, and its kind: image, truth or difference."""

    title: str
    plane: Callable[[View], Plane]
    caption: Callable[[View], str] = lambda view: ""
    kind: str = "image"


def comparison_picture(path: str | Path, input: Volume | None, candidates: Mapping[str, Volume], truth: Volume) -> None:
    """Write a PNG: input, candidates and truth, then what each candidate lacks of the truth, in three planes.

    The planes pass through the point of the truth with the most detail; anterior or superior is up. One grey window and one scale of
    differences serve all panels. The PSNR under a panel is that of its plane, with maximum − minimum of the whole truth as peak.

    Parameters
    ----------
    path : path
        Of the PNG; it appears whole or not at all.
    input : Volume, optional
        The thick volume, shown as acquired.
    candidates : mapping of str to Volume
        Title and volume, in the order of the columns; those on another grid are resampled onto the truth's.
    truth : Volume

    Raises
    ------
    RequestError
        If a candidate does not overlap the truth.
    WorkError
        If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    point = telling_point(truth)
    on_grid = {name: on_grid_of(truth, volume)[0] for name, volume in candidates.items()}
    columns = _columns(input, on_grid, truth, point)
    figure = _figure(columns)
    FigureCanvasAgg(figure)
    with whole_file(Path(path)) as partial:
        figure.savefig(partial, format="png", dpi=DPI, facecolor=BACKGROUND)


def grey_window(seen: np.ndarray) -> tuple[float, float]:
    """Return the values that are shown black and white, chosen from the pixels of the truth."""
    low, high = np.percentile(seen.astype(np.float32), (0.5, 99.7))
    return CT_WINDOW if low < -500 else (float(low), float(high))


def _columns(input: Volume | None, candidates: Mapping[str, Volume], truth: Volume, point: np.ndarray) -> list[_Column]:
    peak = float(truth.voxels.max()) - float(truth.voxels.min())

    def shown(volume: Volume) -> Callable[[View], Plane]:
        return lambda view: plane_through(volume, view, point)

    def difference(volume: Volume) -> Callable[[View], Plane]:
        def plane(view: View) -> Plane:
            have, want = plane_through(volume, view, point), plane_through(truth, view, point)
            return Plane(np.abs(have.pixels.astype(np.float32) - want.pixels.astype(np.float32)), want.extent)

        return plane

    def quality(volume: Volume) -> Callable[[View], str]:
        def caption(view: View) -> str:
            planes = (plane_through(each, view, point).pixels for each in (volume, truth))
            return f"{psnr(*planes, peak=peak):.2f} dB"

        return caption

    columns = []
    if input is not None:
        voxel = " × ".join(f"{length:.3g}" for length in input.spacing)
        columns.append(_Column("input", shown(input), lambda view: f"{voxel} mm"))
    columns += [_Column(name, shown(volume), quality(volume)) for name, volume in candidates.items()]
    columns.append(_Column("truth", shown(truth), kind="truth"))
    columns += [_Column(f"|{name} − truth|", difference(volume), kind="difference") for name, volume in candidates.items()]
    return columns


def _figure(columns: list[_Column]) -> Figure:
    """Lay out the panels: a row for each view, as high as its plane, and a line of scales below."""
    from matplotlib.figure import Figure

    planes = [[column.plane(view) for column in columns] for view in VIEWS]
    truth = next(index for index, column in enumerate(columns) if column.kind == "truth")
    ratios = [min(HIGHEST, abs((e[3] - e[2]) / (e[1] - e[0]))) for e in (row[truth].extent for row in planes)]
    left, right, gap, top, caption, foot = 0.30, 0.10, 0.06, 0.42, 0.27, 0.90  # inches
    around = left + right + gap * (len(columns) - 1)
    panel = min(WIDEST, (WIDTH / DPI - around) / len(columns))
    width = around + panel * len(columns)
    height = top + panel * sum(ratios) + caption * len(VIEWS) + foot
    figure = Figure(figsize=(width, height), facecolor=BACKGROUND)
    grey, difference = _scales(columns, planes, truth)
    y = height - top
    for view, row, ratio in zip(VIEWS, planes, ratios, strict=True):
        y -= panel * ratio
        for number, (column, plane) in enumerate(zip(columns, row, strict=True)):
            x = left + number * (panel + gap)
            axes = figure.add_axes((x / width, y / height, panel / width, panel * ratio / height))
            image = _show(axes, plane, difference if column.kind == "difference" else grey, row[truth].extent)
            axes.set_xlabel(column.caption(view), color=FAINT, fontsize=9, labelpad=3)
            if view is VIEWS[0]:
                axes.set_title(column.title, color=INK, fontsize=11, pad=6)
                if number in (truth, len(columns) - 1):
                    _colour_bar(figure, image, column.kind == "difference", (x / width, 0.66 / height, panel / width, 0.10 / height))
            if number == 0:
                axes.set_ylabel(view.name, color=INK, fontsize=11, labelpad=5)
                _letters(axes, view)
        y -= caption
    convention = "PSNR of the plane shown; peak = maximum − minimum of the whole truth"
    figure.text(left / width, 0.10 / height, convention, color=FAINT, fontsize=9)
    return figure


def _scales(columns: list[_Column], planes: list[list[Plane]], truth: int) -> tuple[Colouring, Colouring]:
    """Return the colouring of images and of differences, shared by all panels of the kind."""
    low, high = grey_window(np.concatenate([row[truth].pixels.ravel() for row in planes]))
    differences = [
        plane.pixels.ravel() for row in planes for plane, column in zip(row, columns, strict=True) if column.kind == "difference"
    ]
    most = float(np.percentile(np.concatenate(differences), 99.5)) if differences else 0.0
    grey = {"cmap": "gray", "vmin": low, "vmax": high}
    return grey, {"cmap": "inferno", "vmin": 0.0, "vmax": most or 1.0}


def _show(axes: Axes, plane: Plane, colouring: Colouring, frame: tuple[float, ...]) -> AxesImage:
    image = axes.imshow(plane.pixels, extent=plane.extent, interpolation="nearest", aspect="equal", **colouring)
    axes.set_xlim(frame[0], frame[1])
    axes.set_ylim(frame[2], frame[3])
    axes.set_facecolor(BACKGROUND)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)
    return image


def _letters(axes: Axes, view: View) -> None:
    """Name the patient's sides at the left and upper edges."""
    at_left, at_top = view.letters
    style = {"transform": axes.transAxes, "color": "#ffd166", "fontsize": 9, "fontweight": "bold"}
    axes.text(0.02, 0.5, at_left, va="center", ha="left", **style)
    axes.text(0.5, 0.985, at_top, va="top", ha="center", **style)


def _colour_bar(figure: Figure, image: AxesImage, is_difference: bool, place: tuple[float, float, float, float]) -> None:
    bar = figure.colorbar(image, cax=figure.add_axes(place), orientation="horizontal", extend="max" if is_difference else "neither")
    bar.ax.tick_params(colors=FAINT, labelsize=8, length=2)
    bar.outline.set_edgecolor(FAINT)
    bar.ax.locator_params(nbins=4)
    bar.set_label("difference" if is_difference else "intensity", color=FAINT, fontsize=9, labelpad=2)
