"""A small study for the self-test: three heads, each noisy and thick beside its truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from SuperResolutionLib.files import write_volume
from SuperResolutionLib.volume import Volume
from SuperResolutionSlicer.phantom import shepp_logan

CASES = 3


def make_small_study(folder: Path) -> Path:
    """Write volumes, study file and key into a folder, and return the blinded folder below it."""
    from SuperResolutionTrainingLib.reader_study.prepare import prepare  # stands on packages that may not be installed yet

    cases = []
    for number in range(CASES):
        truth = shepp_logan(32)
        noisy = truth + np.random.default_rng(number).integers(-90, 90, truth.shape, np.int16)
        thick = truth.reshape(8, 4, 32, 32).mean(axis=1).repeat(4, axis=0).astype(np.int16)
        for name, voxels in (("truth", truth), ("noisy", noisy), ("thick", thick)):
            write_volume(Volume(voxels, np.eye(4)), folder / f"{name}-{number}.nrrd")
        candidates = {"noisy": f"noisy-{number}.nrrd", "thick": f"thick-{number}.nrrd"}
        cases.append({"name": f"head {number}", "candidates": candidates, "reference": f"truth-{number}.nrrd"})
    study = {"title": "Heads", "questions": ["sharper", "nearer", "structures"], "structures": ["Ventricles"], "cases": cases}
    (folder / "study.yaml").write_text(json.dumps(study), encoding="utf-8")  # JSON is YAML
    prepare(folder / "study.yaml", folder / "study", folder / "key.json")
    return folder / "study"
