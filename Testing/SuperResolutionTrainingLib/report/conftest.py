"""Records of comparisons that were never made, the planes that belong to them, and a reader of the report's tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import numpy as np
import pytest

from SuperResolutionTrainingLib.comparison_totals import overall
from SuperResolutionTrainingLib.kept_planes import FOLDER, ShownPlane, names_of, write_result, write_trial
from SuperResolutionTrainingLib.paired_tests import paired_tests
from SuperResolutionTrainingLib.plain_data import as_json
from SuperResolutionTrainingLib.report import write_report

MEASURES = ("psnr", "ncc", "ssim", "rmse")
PEAK = 1000.0
SHAPE = (24, 30)


def _summary(region: str, along: str, quality: float, rng: np.random.Generator) -> dict:
    mean = {"psnr": quality, "ncc": 1 - 1 / quality, "ssim": quality / 50, "rmse": PEAK / 10 ** (quality / 20)}
    return {"region": region, "along": along, "slices": 66, "mean": mean, "deviation": {name: rng.random() for name in MEASURES}}


def _curves(quality: float, rng: np.random.Generator) -> dict:
    def curve() -> dict:
        psnr = (quality + rng.normal(size=22)).round(3)
        return {
            "slices": list(range(1, 23)),
            "psnr": psnr.tolist(),
            "ncc": [0.9] * 22,
            "ssim": [0.8] * 22,
            "rmse": (PEAK / 10 ** (psnr / 20)).tolist(),
        }

    return {region: {axis: curve() for axis in "ijk"} for region in ("whole", "foreground")}


def _planes(scale: float, rng: np.random.Generator, step: int = 1) -> dict[str, ShownPlane]:
    """Sagittal and coronal planes contain the thick axis, the axial one does not."""
    spacing = (2.0 * step, 1.0)
    planes = {}
    for name, rows in (("sagittal", SHAPE[0] // step), ("coronal", SHAPE[0] // step), ("axial", SHAPE[1])):
        pixels = (100 + scale * rng.random((rows, SHAPE[1]))).astype(np.float32)
        planes[name] = ShownPlane(pixels, (1.0, 1.0) if name == "axial" else spacing)
    return planes


@pytest.fixture
def make_record(tmp_path):
    """Return what makes a record of models, subjects, factors and profiles; with `planes` it leaves these in the test's folder."""

    def make(
        models=("cubic", "linear", "fast"),
        subjects=("anna", "bert", "carl"),
        factors=(4,),
        profiles=("mean",),
        axes="k",
        planes=False,
        tests=True,
        baseline="cubic",
        gains=None,
        change=lambda entry: entry,
    ):
        rng = np.random.default_rng(5)
        entries = []
        for factor in factors:
            for profile in profiles:
                for subject in subjects:
                    level = 30 + rng.normal()
                    for axis in axes:
                        trial = {"file": f"{subject}.nii.gz", "series": "", "subject": subject, "modality": "MR", "coarsen": [1, 1, 1]}
                        trial |= {"axis": axis, "factor": factor, "profile": profile}
                        ours = []
                        for place, model in enumerate(models):
                            gain = place * 0.7 if gains is None else gains[place]
                            quality = level + gain + (0.1 * rng.normal() if place else 0)
                            network = model not in ("cubic", "linear")
                            entry = trial | {"model": model, "weights_sha256": "ab" * 32 if network else "", "consistency": True}
                            entry |= {"trained_on": False, "trained_for": "mean" if network else None, "seconds": 1.25, "device": "cpu"}
                            entry |= {"precision": "float32", "measures": {}, "planes": None, "curves": _curves(quality, rng)}
                            alongs = ("ijk", "i", "j", "k")
                            regions = (("whole", quality), ("foreground", quality - 2))
                            entry["summary"] = [_summary(region, along, value, rng) for region, value in regions for along in alongs]
                            ours.append(change(entry))
                        if planes:
                            names = [names_of(entry) for entry in ours]
                            write_trial(tmp_path / FOLDER, names[0][0], _planes(400, rng), _planes(400, rng, step=factor))
                            for entry, (_, name) in zip(ours, names):
                                write_result(tmp_path / FOLDER, name, _planes(400, rng))
                                entry["planes"] = name
                        entries += ours
        record = {
            "conventions": "PSNR in dB: peak = all. NCC: in the slice.",
            "versions": {"superresolution": "1.2.3", "git_revision": None},
        }
        record |= {"baseline": baseline, "models": overall(entries, baseline), "tests": paired_tests(entries) if tests else []}
        return as_json(record | {"failures": [], "entries": entries})

    return make


@dataclass
class FoundTable:
    """A table of the page: its section's id, the heading above it, its caption, and the text of all rows, that of columns first."""

    section: str
    heading: str
    caption: str = ""
    rows: list[list[str]] = field(default_factory=list)
    bold: set[str] = field(default_factory=set)


class _Page(HTMLParser):
    """Collects the tables of a page, the text of its result, and what it refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[FoundTable] = []
        self.references: list[str] = []
        self.texts: dict[str, str] = {}
        self.tags: list[str] = []
        self._section, self._heading, self._into = "", "", ""

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        self.references += [f"{name}={value}" for name, value in attrs if name in ("src", "href", "data", "srcset", "action")]
        if tag == "section":
            self._section = attributes["id"]
        elif tag == "table":
            self.tables.append(FoundTable(self._section, self._heading))
        elif tag == "tr":
            self.tables[-1].rows.append([])
        elif tag in ("td", "th"):
            self.tables[-1].rows[-1].append("")
            self._bold = attributes.get("class") == "best"
        if tag in ("td", "th", "caption", "h3", "style", "script"):
            self._into = tag
            if tag == "h3":
                self._heading = ""

    def handle_endtag(self, tag):
        if tag == self._into:
            self._into = ""

    def handle_data(self, data):
        if self._into in ("td", "th"):
            self.tables[-1].rows[-1][-1] += data
            if self._bold:
                self.tables[-1].bold.add(data)
        elif self._into == "caption":
            self.tables[-1].caption += data
        elif self._into == "h3":
            self._heading += data
        if self._into not in ("style", "script"):
            self.texts[self._section] = self.texts.get(self._section, "") + data


@pytest.fixture
def report(tmp_path):
    """Return what writes a record's report and reads it back."""

    def read(record):
        path = write_report(record, tmp_path)
        assert path == tmp_path / "report.html"
        page = _Page()
        page.html = path.read_text(encoding="utf-8")
        page.feed(page.html)
        page.table = lambda section, **wanted: next(
            table for table in page.tables if table.section == section and all(vars(table)[key] == value for key, value in wanted.items())
        )
        return page

    return read
