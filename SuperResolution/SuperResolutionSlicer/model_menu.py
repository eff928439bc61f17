"""The models and factors that the panel offers for a volume, in words."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.model_zoo import SAFE_FACTOR, SHIPPED, UpscalerInfo, list_upscalers, reason_against, user_folder
from SuperResolutionLib.upscaling import SEVERAL_AXES, Settings, choose_factor, modality_of
from SuperResolutionLib.volume import Volume

_DIRECTIONS = {"axis": "along any axis", "plane": "in any plane, both its axes at once", "both": "along any axis, or in any plane"}


@dataclass(frozen=True)
class ModelEntry:
    """One line of the model menu.

    Attributes
    ----------
    info : UpscalerInfo
    label : str
    reason : str
        Why it cannot be chosen for the volume; empty if it can.
    card : str
        What is known of it, as rich text.
    """

    info: UpscalerInfo
    label: str
    reason: str
    card: str


def model_entries(volume: Volume | None) -> list[ModelEntry]:
    """Return every upscaler, those that fit the volume first in the order of the zoo."""
    modality = modality_of(volume) if volume is not None else None
    entries, taken = [], set()
    for info in list_upscalers():
        reason = info.problem if modality is None else reason_against(info, modality)
        reason = reason.removeprefix(f"{info.path}: ") or (f"another model has the id '{info.id}'" if info.id in taken else "")
        taken |= set() if info.problem else {info.id}
        label = f"{info.id}: {info.title}" if info.kind == "network" and info.title else info.title or info.id
        entries.append(ModelEntry(info, label, reason, card_text(info, reason)))
    return sorted(entries, key=lambda entry: bool(entry.reason))


def models_changed() -> int:
    """Return when a model came to the user's own or left them, in ns; 0 where there are none."""
    folder = user_folder()
    return folder.stat().st_mtime_ns if folder.is_dir() else 0


def factor_entries(info: UpscalerInfo, volume: Volume | None, axis: str) -> list[tuple[int, str]]:
    """Return the factors of an upscaler with a label each."""
    best = nearest_factor(info, volume, axis)
    notes = {best: " (nearest to isotropic)"} if best else {}
    return [(factor, f"×{factor}{' (experimental)' if factor > SAFE_FACTOR else notes.get(factor, '')}") for factor in info.factors]


def nearest_factor(info: UpscalerInfo, volume: Volume | None, axis: str) -> int | None:
    """Return the upscaler's factor that comes nearest to isotropic voxels; None where the voxels are isotropic already or unknown."""
    axis = info.axis_meant(axis)
    if volume is None or not info.factors or axis in SEVERAL_AXES:
        return None
    try:
        wanted = choose_factor(volume, Settings(axis=axis))
    except RequestError:
        return None
    return min(info.factors, key=lambda factor: abs(factor - wanted))


def card_text(info: UpscalerInfo, reason: str = "") -> str:
    """Return what a model says of itself as rich text: trained on, acquisition, measured gain, licence."""
    rows = [("Not for this volume", reason)] if reason else []
    card = info.card
    if card is None:
        if info.kind == "interpolation":
            rows.append(("Kind", "interpolation: no training, nothing invented; the baseline to compare with"))
    else:
        rows += [
            ("Upscales", f"{', '.join(card.modalities)} by {', '.join(map(str, info.factors))} {_DIRECTIONS[card.task]}"),
            ("Acquisition", f"slice profile {', '.join(card.acquisitions)}"),
            ("Measured gain", _gains(info)),
            ("Measured on", _listed(card.training, "measured_on")),
            ("Protocol", card.protocol or "not stated"),
            ("Trained on", _listed(card.training, "trained_on")),
            ("Licence", _licence(info)),
        ]
    table = "".join(f"<tr><td><b>{escape(name)}</b>&nbsp;</td><td>{escape(text)}</td></tr>" for name, text in rows)
    return f"<html><b>{escape(info.title or info.id)}</b><table>{table}</table></html>"


def _listed(training: dict, entry: str) -> str:
    names = training.get(entry)
    return "; ".join(map(str, names)) if isinstance(names, (list, tuple)) and names else "not stated"


def _licence(info: UpscalerInfo) -> str:
    if info.path.parent == SHIPPED:
        return "Apache-2.0, as this extension; the scans' licences stand with them"
    return str(info.card.training.get("licence", "not stated"))


def _gains(info: UpscalerInfo) -> str:
    gains = [(factor, info.card.mean_gain(factor)) for factor in info.factors]
    told = [f"×{factor}: {gain:+.2f} dB PSNR over cubic" for factor, gain in gains if gain is not None]
    return "; ".join(told) or "not measured"
