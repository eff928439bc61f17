"""A small study: blobs, and what two methods with telling names made of them."""

import numpy as np
import pytest
import yaml
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.files import write_volume
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.reader_study.prepare import prepare

METHODS = ("spline_up", "zeta_net")


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """Let answers be written without waiting until they are on the disk: a test does not lose its power."""
    monkeypatch.setattr("os.fsync", lambda file: None)


@pytest.fixture
def volumes(tmp_path):
    """Write the scans of some cases: the reference, a smooth floating-point volume of spline_up, a noisy integer one of zeta_net."""
    folder = tmp_path / "volumes_of_the_coordinator"
    folder.mkdir()

    def write(cases: int, methods: tuple[str, ...] = METHODS) -> list[dict]:
        entries = []
        for number in range(cases):
            random = np.random.default_rng(number)
            truth = 300 + 900 * gaussian_filter(random.normal(size=(12, 14, 16)), 1.5)
            write_volume(Volume(truth.astype(np.int16), np.eye(4), modality="MR"), folder / f"smith{number}_truth.nii.gz")
            files = {}
            for place, method in enumerate(methods):
                voxels = gaussian_filter(truth, 1.0).astype(np.float32) - 7.3 if place == 0 else truth + random.normal(0, 20, truth.shape)
                voxels = voxels if place == 0 else voxels.astype(np.int16)
                path = folder / f"smith{number}_{method}.nrrd"
                write_volume(Volume(voxels, np.eye(4), modality="MR", slice_thickness=1.25 + place), path)
                files[method] = str(path)
            entries.append({"name": f"smith{number}", "candidates": files, "reference": str(folder / f"smith{number}_truth.nii.gz")})
        return entries

    return write


@pytest.fixture
def study_file(tmp_path, volumes):
    """Write a study file."""

    def write(cases: int = 4, methods: tuple[str, ...] = METHODS, entries: list[dict] | None = None, **changes):
        plain = {"title": "Blobs", "questions": ["sharper", "nearer"], "cases": entries or volumes(cases, methods)} | changes
        path = tmp_path / "coordinator.yaml"
        path.write_text(yaml.safe_dump(plain, sort_keys=False))
        return path

    return write


@pytest.fixture
def make_study(tmp_path, study_file):
    """Prepare a study; its folder is ``blinded``, its key ``key.json``."""

    def make(seed=11, place=tmp_path, **changes):
        return prepare(study_file(**changes), place / "blinded", place / "key.json", seed)

    return make
