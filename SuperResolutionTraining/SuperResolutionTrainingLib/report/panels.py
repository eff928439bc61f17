"""Pictures of one plane of a trial: thick volume, models and truth, a magnified part of each, and what each model lacks of the truth."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import psnr

from ..kept_planes import ShownPlane, TrialPlanes, read_trial
from ..planes import VIEWS
from . import wording
from .measured import Entry, MeasuredTrial

LONGEST = 400  # pixels of a picture's side, at most: a panel is seldom shown wider
_PART = 0.3  # of the plane's shorter side is magnified
_MOST = 99.0  # percentile of the differences that the colour scale ends at
_JPEG = {"quality": 88, "optimize": True}


@dataclass(frozen=True)
class Place:
    """A rectangle in a picture, in per cent of its width and height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Panel:
    """A volume in the plane: pictures as data URIs, the difference empty for thick volume and truth."""

    title: str
    caption: str
    plane: str
    part: str
    difference: str = ""
    model: str = ""


@dataclass(frozen=True)
class Panels:
    """All volumes of a trial in one plane.

    Attributes
    ----------
    title : str
    view : str
        ``sagittal``, ``coronal`` or ``axial``.
    aspect, part_aspect : float
        Width over height of the plane, and of what is magnified of it.
    part : Place
    bar, part_bar : tuple of float
        A length in mm, and its share of the picture's width in per cent: of the plane, of the part.
    letters : tuple of str
        The patient's side at the left and at the upper edge.
    most : str
        The difference at both ends of the colour scale; empty where there is no model.
    panels : list of Panel
    """

    title: str
    view: str
    aspect: float
    part_aspect: float
    part: Place
    bar: tuple[float, float]
    part_bar: tuple[float, float]
    letters: tuple[str, str]
    most: str
    panels: list[Panel]


def panels_of(title: str, trial: MeasuredTrial, folder: Path) -> Panels | str:
    """Draw a trial from the planes that were kept of it.

    Parameters
    ----------
    title : str
    trial : MeasuredTrial
    folder : Path
        Of the comparison.

    Returns
    -------
    Panels or str
        The reason in one line where there are no pictures.
    """
    try:
        kept = read_trial(folder, trial.entries.values())
    except RequestError as error:
        return str(error)
    if kept is None or not kept.models:
        return "no planes were kept"
    return _drawn(title, trial, kept)


def _drawn(title: str, trial: MeasuredTrial, kept: TrialPlanes) -> Panels:
    view = _telling_view(kept)
    truth = kept.truth[view]
    rows, columns = _busiest_part(truth)
    models = {name: shown[view].pixels for name, shown in kept.models.items() if shown[view].pixels.shape == truth.pixels.shape}
    differences = {name: pixels - truth.pixels for name, pixels in models.items()}
    most = max((float(np.percentile(np.abs(each), _MOST)) for each in differences.values()), default=0.0) or 1.0

    def panel(name: str, caption: str, pixels: np.ndarray, difference: np.ndarray | None = None) -> Panel:
        grey = _grey(pixels, kept.window)
        difference = "" if difference is None else _uri(_coloured(difference, most), "JPEG")
        return Panel(name, caption, _uri(grey, "JPEG"), _uri(grey[rows, columns], "PNG"), difference, name if name in models else "")

    panels = []
    if kept.thick:
        height, width = kept.thick[view].spacing
        panels.append(panel("thick", f"{width:.3g} × {height:.3g} mm", _stretched(kept.thick[view].pixels, truth.pixels.shape)))
    panels += [panel(name, _quality(trial.entries[name], pixels, truth), pixels, differences[name]) for name, pixels in models.items()]
    panels.append(panel("truth", "", truth.pixels))
    size = np.array(truth.pixels.shape) * truth.spacing
    part = np.array(truth.pixels[rows, columns].shape) * truth.spacing
    return Panels(
        title,
        view,
        size[1] / size[0],
        part[1] / part[0],
        _place(rows, columns, truth.pixels.shape),
        _scale_bar(size[1]),
        _scale_bar(part[1]),
        next(each.letters for each in VIEWS if each.name == view),
        wording.figure("", most) if models else "",
        panels,
    )


def _telling_view(kept: TrialPlanes) -> str:
    """Return the largest view that shows the thick axis; the largest of all where no thick volume says which that is."""

    def area(view: str) -> float:
        plane = kept.truth[view]
        return float(np.prod(plane.spacing)) * plane.pixels.size

    views = [view.name for view in VIEWS if view.name in kept.truth]
    thick = [view for view in views if kept.thick and kept.thick[view].pixels.shape != kept.truth[view].pixels.shape]
    return max(thick or views, key=area)


def _busiest_part(plane: ShownPlane) -> tuple[slice, slice]:
    """Return rows and columns of the square (in mm) in which the truth's grey values change most."""
    side = _PART * min(np.array(plane.pixels.shape) * plane.spacing)
    size = [int(np.clip(round(side / spacing), 1, length)) for spacing, length in zip(plane.spacing, plane.pixels.shape)]
    pixels = plane.pixels.astype(np.float64)
    change = sum(np.abs(np.diff(pixels, axis=axis, append=np.take(pixels, [-1], axis=axis))) for axis in (0, 1))
    detail = uniform_filter(change, size, mode="constant")
    # Where the filter's window, which is about its pixel, lies wholly inside.
    valid = detail[tuple(slice(length // 2, length // 2 + all - length + 1) for length, all in zip(size, detail.shape))]
    first = np.unravel_index(int(np.argmax(valid)), valid.shape)
    rows, columns = (slice(int(start), int(start) + length) for start, length in zip(first, size))
    return rows, columns


def _place(rows: slice, columns: slice, shape: tuple[int, ...]) -> Place:
    height, width = (100 / length for length in shape)
    return Place(columns.start * width, rows.start * height, (columns.stop - columns.start) * width, (rows.stop - rows.start) * height)


def _scale_bar(width: float) -> tuple[float, float]:
    """Return a round length of about a quarter of a picture's width, both in mm, and its share of the width in per cent."""
    power = 10.0 ** np.floor(np.log10(width / 4))
    length = max(step * power for step in (1, 2, 5) if step * power <= width / 4)
    return float(length), float(100 * length / width)


def _stretched(pixels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a thick plane on the truth's pixels, each taken from the one it lies in."""
    rows, columns = (np.arange(want) * have // want for want, have in zip(shape, pixels.shape))
    return pixels[np.ix_(rows, columns)]


def _quality(entry: Entry, pixels: np.ndarray, truth: ShownPlane) -> str:
    peak = _peak(entry)
    if peak is None or np.array_equal(pixels, truth.pixels):
        return ""
    return f"{wording.figure('psnr', float(psnr(pixels, truth.pixels, peak=peak)))} dB"


def _peak(entry: Entry) -> float | None:
    """Return maximum − minimum of the whole truth, which its PSNR was measured with: PSNR and RMSE of any slice tell it."""
    for curve in ((entry.get("curves") or {}).get("whole") or {}).values():
        for quality, error in zip(curve["psnr"], curve["rmse"]):
            if quality is not None and error:
                return error * 10 ** (quality / 20)
    return None


def _grey(pixels: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    low, high = window
    return np.rint(np.clip((pixels - low) / ((high - low) or 1.0), 0, 1) * 255).astype(np.uint8)


def _coloured(difference: np.ndarray, most: float) -> np.ndarray:
    """Return red where a model is brighter than the truth, blue where it is darker, white where it is equal."""
    from matplotlib import colormaps

    return colormaps["RdBu_r"](np.clip(difference / most, -1, 1) / 2 + 0.5, bytes=True)[..., :3]


def _uri(pixels: np.ndarray, form: str) -> str:
    """Return a picture as a data URI: JPEG to look at, made smaller where it is large; PNG keeps every pixel."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if form == "JPEG" and max(image.size) > LONGEST:
        share = LONGEST / max(image.size)
        image = image.resize([max(1, round(length * share)) for length in image.size], Image.Resampling.LANCZOS)
    stored = BytesIO()
    image.save(stored, form, **(_JPEG if form == "JPEG" else {"optimize": True}))
    return f"data:image/{form.lower()};base64,{base64.b64encode(stored.getvalue()).decode('ascii')}"
