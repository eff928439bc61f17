"""What models are compared on: fine scans, each made thick in several ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.upscaling import SEVERAL_AXES
from SuperResolutionLib.volume import AXES, Volume
from SuperResolutionLib.worker import MODALITIES

from .data_folder import find_scans
from .made_thick import axes_of, direction_of, make_thick
from .recipe import Scan
from .samples import load_scan
from .training_run import listed_scans


@dataclass(frozen=True)
class ScanTrial:
    """A scan made thick in one way.

    Attributes
    ----------
    scan : Scan
    axis : {"i", "j", "k", "plane", "all"}
        What is made thick: one axis, rows and columns, or all three, see `made_thick.axes_of`.
    factor : int
    profile : str
        Slice profile, see `acquisition`.
    state : str
        Of the scan's file, see `comparison_record.state_of`, so that a scan that changed is measured again; empty where unknown.
    """

    scan: Scan
    axis: str
    factor: int
    profile: str
    state: str = ""

    @property
    def name(self) -> str:
        """What a line of progress calls it."""
        return f"{self.scan.subject}, factor {self.factor} {direction_of(self.axis)}, {self.profile}"

    def as_dict(self) -> dict[str, Any]:
        """Return what names it in an entry of a record."""
        told = {name: getattr(self.scan, name) for name in ("file", "series", "subject", "modality")}
        made = {"axis": self.axis, "factor": self.factor, "profile": self.profile}
        return told | {"coarsen": list(self.scan.coarsen)} | made | {"files_state": self.state}

    def load(self, data: Path) -> tuple[Volume | None, Volume]:
        """Read the scan from the folder of the data and return its thick volume and the truth."""
        return make_thick(load_scan(self.scan, data), self.factor, axes_of(self.axis), self.profile)


def scans_to_compare_on(data: Path, recipe: str | None = None, tell: Callable[[str], None] = lambda line: None) -> tuple[Scan, ...]:
    """Return the validation scans that a recipe lists, or else every scan of a folder.

    Raises
    ------
    RequestError
        If there is none.
    """
    if recipe is None:
        return find_scans(data, MODALITIES, tell=tell).scans
    scans = tuple(scan for scan in listed_scans(recipe) if scan.split == "validation")
    if not scans:
        raise RequestError(f"recipe '{recipe}': lists no validation scans; accepted is a recipe that does")
    return scans


def trials_of(
    scans: Iterable[Scan],
    axes: str,
    factors: Iterable[int],
    profiles: Iterable[str],
    tell: Callable[[str], None] = lambda line: None,
) -> list[ScanTrial]:
    """Return every way to make each scan thick where its resolution is real.

    Parameters
    ----------
    scans : iterable of Scan
    axes : str
        Letters of i, j, k: along each of them, one at a time; or ``plane`` or ``all``, see `made_thick.axes_of`.
    factors, profiles : iterable
    tell : callable
        Told in one line each which scans are left out.

    Raises
    ------
    RequestError
        If there is none, or the axes or a factor are no such thing.
    """
    if axes not in SEVERAL_AXES and not (axes and set(axes) <= set(AXES)):
        raise RequestError(f"axes '{axes}': accepted are letters of {', '.join(AXES)}, or {', '.join(SEVERAL_AXES)}")
    scans, factors, profiles = tuple(scans), tuple(factors), tuple(profiles)
    if (wrong := min(factors)) < 2:
        raise RequestError(f"factor {wrong}: accepted are whole numbers from 2")
    ways = (axes,) if axes in SEVERAL_AXES else tuple(dict.fromkeys(axes))
    found = [
        ScanTrial(scan, axis, factor, profile)
        for scan in scans
        for axis in ways
        if set(axes_of(axis)) <= set(scan.axes)
        for factor in factors
        for profile in profiles
    ]
    if not found:
        raise RequestError(f"no scan has real resolution along {axes}; accepted are scans of fine spacing along the axis to be made thick")
    tried = {trial.scan for trial in found}
    for scan in scans:
        if scan not in tried:
            tell(f"left out: {scan.file}: its resolution is real along {', '.join(scan.axes) or 'no axis'} only, not along {axes}")
    return found
