"""Fits a model to one thick scan, with nothing but that scan: its planes teach its thick axis.

The idea is that of SMORE (Zhao et al., IEEE Trans. Med. Imaging 2021) and ECLARE (Remedios et al., 2025), which train a network for
each scan from nothing. Here a trained model is the start and, where the scan does not improve it, also the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
from torch import nn

from SuperResolutionLib.acquisition import Acquisition
from SuperResolutionLib.consistency import project
from SuperResolutionLib.devices import choose_device, place_network, run_network
from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.model_file import Card, load_model, save_model
from SuperResolutionLib.model_zoo import UpscalerInfo, find_upscaler
from SuperResolutionLib.upscaling import Progress, Settings, check_voxels, choose_factor, finer_axes, modality_of, upscale
from SuperResolutionLib.version import __version__
from SuperResolutionLib.volume import Volume, array_axis
from SuperResolutionLib.whole import check_place

from .distributed import Group
from .learner import Learner
from .losses import build_loss
from .made import Setting
from .network_pass import NetworkPass, make
from .own_pairs import OwnPairs, teaching_axes
from .patch_source import value_range
from .precision import choose_training_precision
from .recipe import PRECISIONS, Augmentation, DrawnAcquisition, Patches, Recipe, Stage
from .slice_profile import estimate_profile
from .timetable import Timetable

PROFILES = ("mean", "gaussian", "auto")
_SHARES = (0.25, 0.5, 0.75, 1.0)
"""How far weights may move from the model's towards the fitted ones (WiSE-FT: Wortsman et al., CVPR 2022)."""
_LEAST_GAIN_DB = 0.01
_NAMELESS = "adapted"  # what a file is called that is not kept
_ENDLESS = 1_000_000
_LEARNING_RATE = 5e-4
_FITTING_SHARE = 0.93  # of the time left after preparation; the rest is for judging
_REPORT_EVERY_S = 0.5


@dataclass(frozen=True)
class Adapted:
    """A model that was fitted to a scan.

    Attributes
    ----------
    path : Path
        The model file.
    base : str
        Id of the model that it started from.
    profiles : tuple of str
        Slice profiles it was fitted to undo; the first is that of the measurement check.
    share : float
        How far the weights moved towards the fitted ones; 0: fitting did not help, they are those of the base.
    gain_db : float
        PSNR over the base on slices of the scan that it was not fitted to, in the plane; 0 where `share` is.
    steps : int
    seconds : float
    """

    path: Path
    base: str
    profiles: tuple[str, ...]
    share: float
    gain_db: float
    steps: int
    seconds: float

    def describe(self) -> str:
        """Return what came of it as one line."""
        spent = f"{self.steps} steps, {self.seconds:.0f} s, slice profile {' or '.join(self.profiles)}"
        if not self.share:
            return f"adapting '{self.base}' to this volume did not help ({spent}): its own weights are used"
        return f"'{self.base}' adapted to this volume ({spent}): {self.gain_db:+.2f} dB over it on slices of the volume kept apart"


def adapt(
    volume: Volume,
    out: Path,
    settings: Settings | None = None,
    *,
    minutes: float = 3.0,
    profile: str = "auto",
    seed: int = 1,
    steps: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Adapted:
    """Fit a model to a thick volume and write the result as a model file.

    Parameters
    ----------
    volume : Volume
        Thick along one axis, clearly finer along another.
    out : Path
        The model file, ending in ``.safetensors``. Its name without the ending becomes the model's id, so that several can be kept in
        one folder; a file called ``adapted``, as one that is not kept, holds "BASE adapted to this volume". BASE, the id of the model
        it started from, stands in the card's ``training`` as ``adapted_from``.
    settings : Settings, optional
        Model to start from, factor, axis, device and memory limit.
    minutes : float
        Time for everything but the writing; a slow machine takes fewer steps in it.
    profile : {"mean", "gaussian", "auto"}
        Slice profile of the volume; ``auto`` estimates it, and takes both where that fails; see `estimate_profile`.
    seed : int
        Of the batches.
    steps : int, optional
        Steps of the fit, whatever time they take: in float32 the model then is the same on every run.
    progress : callable, optional
        Called with a `Progress` of stage ``adapting``.

    Raises
    ------
    RequestError
        If the volume cannot teach its thick axis, the model is no network for one axis, or a value is not accepted.
    WorkError
        If the model file cannot be written.
    """
    started = time.perf_counter()
    budget = 60 * minutes
    if not budget > 0 or profile not in PROFILES:
        raise RequestError(f"{minutes:g} minutes and profile '{profile}': accepted are minutes above 0 and {', '.join(PROFILES)}")
    if out.suffix != ".safetensors":
        raise RequestError(f"{out}: accepted are model files, which end in .safetensors")
    check_place(out)
    check_voxels(volume)
    settings = settings or Settings()
    report = _reporter(progress, started, budget)
    axis, factor, info = _base(volume, settings)
    taught = {array_axis(name): count for name, count in teaching_axes(volume, axis, factor).items()}
    first = array_axis(axis)
    # The axes of the arrays from here on: the thick one first.
    order = [first, *(dimension for dimension in range(3) if dimension != first)]
    taught = [(order.index(dimension), count) for dimension, count in taught.items()]
    thick = np.moveaxis(volume.voxels, first, 0).astype(np.float32)
    thick_taught = [(dimension, count * factor) for dimension, count in taught]
    profiles = estimate_profile(thick, thick_taught) if profile == "auto" else (profile,)
    acquisition = Acquisition(profiles[0], factor)
    fine = _made_fine(volume, thick, axis, factor, acquisition, replace(settings, model=str(info.path)), report)
    model = load_model(info.path)
    recipe = _recipe(model.card, profiles, settings.precision, seed, steps)
    pairs = OwnPairs(fine, taught, factor, recipe)
    seconds = max(0.5 * budget, _FITTING_SHARE * (budget - (time.perf_counter() - started)))
    base, fitted = model.network, deepcopy(model.network)
    device = choose_device(settings.device)
    done = _fit(fitted, pairs, replace(recipe, minutes=0 if steps else seconds / 60), settings.device, report)
    network, share, gain = _best_mixture(place_network(base, device), fitted, pairs, factor, acquisition, device)
    adapted = Adapted(out, info.id, profiles, share, gain, done, time.perf_counter() - started)
    _save(network.cpu(), model.card, model.sha256, adapted, volume)
    report(done=True)
    return adapted


def _base(volume: Volume, settings: Settings) -> tuple[str, int, UpscalerInfo]:
    """Return the thick axis, the factor and the model to start from."""
    axes = finer_axes(volume, settings.axis)
    if len(axes) != 1:
        raise RequestError(f"axis '{settings.axis}': a volume teaches one thick axis; accepted are auto, i, j, k")
    factor = choose_factor(volume, settings)
    info = find_upscaler(settings.model, modality_of(volume), factor)
    if info.card is None or info.card.task == "plane" or factor not in info.card.factors:
        found = info.kind if info.card is None else f"of task {info.card.task} for x{', x'.join(map(str, info.card.factors))}"
        raise RequestError(f"model '{info.id}': {found}; accepted for adapting are networks that make one axis {factor} times finer")
    return axes[0], factor, info


def _made_fine(
    volume: Volume,
    thick: np.ndarray,
    axis: str,
    factor: int,
    acquisition: Acquisition,
    settings: Settings,
    report: Callable[[], None],
) -> np.ndarray:
    """Return the volume made fine by the model as it is, thick axis first, in units of the scan's range."""
    low, high = value_range(volume)
    exact = volume.with_voxels(volume.voxels.astype(np.float32))
    wanted = {name: getattr(settings, name) for name in ("model", "device", "precision", "memory_mb")}
    result = upscale(exact, factor=factor, axis=axis, consistency=False, progress=lambda _: report(), **wanted)
    fine = np.ascontiguousarray(np.moveaxis(result.volume.voxels, array_axis(axis), 0))
    project(fine, thick, acquisition)
    fine -= np.float32(low)
    fine /= np.float32(high - low)
    return fine


def _recipe(card: Card, profiles: tuple[str, ...], precision: str, seed: int, steps: int | None) -> Recipe:
    return Recipe(
        id=card.id,
        title=card.title,
        network=card.network,
        arguments=card.arguments,
        modalities=card.modalities,
        stages=(Stage(steps or _ENDLESS, {"l2": 10.0}, _LEARNING_RATE),),
        acquisitions=tuple(map(DrawnAcquisition, profiles)),
        patches=Patches(slices=8, plane=32, margin=2, batch=4),
        augmentation=Augmentation(noise=0.003, contrast_changes=0.0),
        precision=precision if precision in PRECISIONS else "auto",
        validate_every=0,
        seed=seed,
    )


def _fit(network: nn.Module, pairs: OwnPairs, recipe: Recipe, device: str, report: Callable[[], None]) -> int:
    """Train the network on the pairs until time or steps are over, and return the steps done."""
    group = Group(device)
    place_network(network.train(), group.device)
    setting = Setting(network, recipe, group.device, group)
    learner = Learner(network, setting, NetworkPass(network, False))
    timetable, started, reported, step = Timetable(recipe), time.perf_counter(), 0.0, 0
    ((name, weight),) = recipe.stages[0].losses.items()
    loss = build_loss(name, setting)

    def loss_of(number: int, dtype: torch.dtype) -> torch.Tensor:
        return weight * loss(make(learner.passing, pairs.batch(number), recipe.patches, dtype, group.device))

    dtype = choose_training_precision(recipe.precision, group.device, lambda kind: loss_of(0, kind).backward())
    while not timetable.is_over(point := timetable.point(step, time.perf_counter() - started)):
        try:
            learner.learn(loss_of(step, dtype), timetable.learning_rate(step, point))
        except WorkError:
            # Not a number: the weights are still those of the step before, and are judged as they are.
            break
        step += 1
        if time.perf_counter() - reported >= _REPORT_EVERY_S:
            reported = time.perf_counter()
            report()
    network.eval()
    return step


def _best_mixture(
    base: nn.Module, fitted: nn.Module, pairs: OwnPairs, factor: int, acquisition: Acquisition, device: torch.device
) -> tuple[nn.Module, float, float]:
    """Return the network between base and fitted that is best on the slices kept apart, its share of the fitted, and its gain in dB."""
    held_out = pairs.held_out()
    reference = _errors(base, held_out, factor, acquisition, device)
    best, best_share, best_gain = base, 0.0, _LEAST_GAIN_DB
    for share in _SHARES:
        network = _mixed(base, fitted, share)
        errors = _errors(network, held_out, factor, acquisition, device)
        gain = float(np.mean(10 * np.log10(reference / errors)))
        if gain > best_gain:
            best, best_share, best_gain = network, share, gain
    return best, best_share, best_gain if best_share else 0.0


def _mixed(base: nn.Module, fitted: nn.Module, share: float) -> nn.Module:
    network = deepcopy(base)
    with torch.no_grad():
        for weight, target in zip(network.parameters(), fitted.parameters()):
            weight.lerp_(target, share)
    return network


def _errors(
    network: nn.Module, held_out: list[tuple[np.ndarray, np.ndarray]], factor: int, acquisition: Acquisition, device: torch.device
) -> np.ndarray:
    """Return the mean squared error for each pair, after the measurement check as in use."""
    errors = []
    for thick, fine in held_out:
        result = run_network(network, torch.from_numpy(thick)[None].to(device), factor, torch.float32)[0].cpu().numpy()
        project(result, thick, acquisition)
        errors.append(max(float(np.square(result - fine).mean()), np.finfo(np.float32).tiny))
    return np.array(errors)


def _save(network: nn.Module, card: Card, digest: str, adapted: Adapted, volume: Volume) -> None:
    training = {
        "adapted_from": card.id,
        "adapted_from_sha256": digest,
        "trained_on": [f"one volume, {Path(volume.source).name or 'not named'}, from '{card.id}'", *card.training.get("trained_on", [])],
        "date": date.today().isoformat(),
        "steps": adapted.steps,
        "seconds": round(adapted.seconds),
        "share": adapted.share,
        "gain_db": round(adapted.gain_db, 3),
    }
    save_model(
        adapted.path,
        network,
        id=f"{card.id} adapted to this volume" if adapted.path.stem == _NAMELESS else adapted.path.stem,
        title=f"{card.id}, adapted to one volume on {date.today().isoformat()}: not for others",
        network=card.network,
        arguments=card.arguments,
        modalities=card.modalities,
        acquisitions=adapted.profiles,
        normalisation=card.normalisation,
        precisions=card.precisions,
        progressive=card.progressive,
        engine_version=__version__,
        training=training,
        protocol="gain over the model it started from, in the plane, on slices of the volume kept apart; nothing else was measured",
    )


def _reporter(progress: Callable[[Progress], None] | None, started: float, budget: float) -> Callable[..., None]:
    """Return what reports how much of the time is used, or that all is done."""

    def report(done: bool = False) -> None:
        if progress:
            used = time.perf_counter() - started
            progress(Progress("adapting", 1.0, 0.0) if done else Progress("adapting", min(used / budget, 0.99), max(0.0, budget - used)))

    return report
