"""The demonstration: a knee whose truth is known, made thick, written as DICOM, and made fine again by everything there is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionLib.model_zoo import find_upscaler
from SuperResolutionLib.upscaling import upscale
from SuperResolutionLib.volume import Volume

from .evaluation import Row, evaluate, format_table
from .phantom import KneePhantom, add_rician_noise
from .phantom.sampling import SAGITTAL
from .pictures import comparison_picture

SHAPE = (128, 176, 176)  # k, j, i
SPACING = (0.75, 0.75, 0.7)  # i, j, k, mm
FACTOR = 4
NOISE = 12.0  # standard deviation; cartilage is about 560
INTERPOLATIONS = ("nearest", "linear", "cubic", "lanczos")
MODEL = "auto"
SEED = 7

SIGN = "about.txt"
ABOUT = """Written by `superresolution demo`, which replaces these files when it runs again.

thick/          what a scanner would have measured of the knee phantom: every slice the mean of {factor}, with noise, as a DICOM series
upscaled/       the same by {model}: a DICOM series with slices {factor} times finer
comparison.png  input, cubic interpolation, {model} and the truth in three planes
"""

Progress = Callable[[str], None]


def run_demo(out: Path, progress: Progress | None = None) -> None:
    """Upscale the knee phantom with every interpolation and the best shipped model; print how near each comes to the truth.

    Parameters
    ----------
    out : Path
        Folder for the thick and the upscaled DICOM series and the picture; made if absent. What an earlier demo wrote is replaced,
        nothing else is touched.
    progress : callable, optional
        Called with a line of text before each step.

    Raises
    ------
    RequestError
        If no shipped model fits, or `out` holds something of these names that no demo wrote.
    WorkError
        If a file cannot be written.
    """
    say = progress or (lambda line: None)
    model = find_upscaler(MODEL, "MR", FACTOR).id
    _make_room(out, model)
    say("sampling the knee phantom")
    truth = make_truth()
    say("writing and reading the thick DICOM series")
    write_volume(make_thick(truth), out / "thick")
    thick = read_volume(out / "thick")
    rows, volumes = [], {}
    for name in (*INTERPOLATIONS, model):
        say(f"upscaling by {name}")
        result = upscale(thick, model=name, factor=FACTOR, axis="k")
        rows.append(Row(result.model, evaluate(result.volume, truth), result.seconds))
        volumes[name] = result.volume
    print(format_table(rows))
    say("writing the upscaled DICOM series and the picture")
    write_volume(volumes[model], out / "upscaled")
    comparison_picture(out / "comparison.png", thick, {name: volumes[name] for name in ("cubic", model)}, truth)
    print(f"\nWritten to {out}: thick/ and upscaled/ (DICOM), comparison.png. Research use, not for diagnosis.")


def make_truth() -> Volume:
    """Return the phantom without noise on an oblique sagittal grid, so that the geometry of every step is put to the test."""
    # Euler angles of a leg that does not lie straight.
    return KneePhantom("MR", SEED).sample(SHAPE, SPACING, directions=_turn(np.radians(7), np.radians(-5)) @ np.array(SAGITTAL, float))


def make_thick(truth: Volume) -> Volume:
    """Return what a scanner would have measured: thick slices with Rician noise, whole numbers."""
    thick = add_rician_noise(degrade(truth, factor=FACTOR, axis="k", profile="mean"), NOISE, SEED)
    return replace(thick, voxels=np.rint(thick.voxels).astype(np.int16))


def _turn(about_z: float, about_x: float) -> np.ndarray:
    cz, sz, cx, sx = np.cos(about_z), np.sin(about_z), np.cos(about_x), np.sin(about_x)
    return np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])


def _make_room(out: Path, model: str) -> None:
    """Remove the files of an earlier demo and leave a sign that this folder is one."""
    sign = out / SIGN
    folders = [out / "thick", out / "upscaled"]
    if sign.is_file():
        for folder in folders:
            for image in folder.glob("IM*.dcm"):
                image.unlink()
    strange = [folder for folder in folders if folder.exists() and any(folder.iterdir())]
    if strange:
        raise RequestError(f"{strange[0]}: holds files that no demo wrote; accepted is a new folder or that of an earlier demo")
    out.mkdir(parents=True, exist_ok=True)
    sign.write_text(ABOUT.format(factor=FACTOR, model=model), encoding="utf-8")
