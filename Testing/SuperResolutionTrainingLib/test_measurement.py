import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib import measurement
from SuperResolutionTrainingLib.measurement import Failed, Ground, Measurement, Succeeded, attempt, forget
from SuperResolutionTrainingLib.plain_data import as_json
from SuperResolutionTrainingLib.recipe import Scan
from SuperResolutionTrainingLib.slice_scores import MEASURES, Reference, summarise
from SuperResolutionTrainingLib.trials import ScanTrial

VOXELS = 100 + gaussian_filter(np.random.default_rng(0).normal(0, 400, (14, 16, 18)), 1.5).astype(np.float32)
TRUTH = Volume(VOXELS, np.diag([1.0, 1, 1.5, 1]), modality="MR")
NOISY = TRUTH.with_voxels(VOXELS + np.random.default_rng(1).normal(0, 9, VOXELS.shape).astype(np.float32))
TRIAL = ScanTrial(Scan("bert.nii.gz", "bert", "MR"), "k", 2, "mean")


@dataclass(frozen=True)
class Model:
    """Repeats thick slices, or fails."""

    id: str = "own"
    error: type | None = None

    def as_dict(self):
        return {"model": self.id, "weights_sha256": "", "consistency": True}

    def make(self, trial, thick, follow):
        follow(0.5)
        if self.error:
            raise self.error("no\nroom")
        return thick.regridded(np.repeat(thick.voxels, trial.factor, axis=0), "k", 1 / trial.factor), {"seconds": 1.0}


def test_a_constant_candidate_is_refused():
    with pytest.raises(RequestError, match="candidate is 7 wherever the two are compared; accepted is one with at least two values"):
        Ground(None, TRUTH).measure(TRUTH.with_voxels(np.full_like(VOXELS, 7)))


@pytest.fixture(autouse=True)
def nothing_kept():
    yield
    forget()


def test_an_entry_holds_summary_and_curves_of_the_slices(scans):
    outcome = attempt(Measurement(TRIAL, Model(), scans))
    assert isinstance(outcome, Succeeded)
    _, truth = TRIAL.load(scans)
    made, _ = Model().make(TRIAL, TRIAL.load(scans)[0], lambda fraction: None)
    scores = Reference(truth).score(made)
    entry = outcome.entry
    assert [each["mean"] for each in entry["summary"]] == [each.mean for each in summarise(scores)]
    assert entry["seconds"] == 1 and entry["measures"] == {} and entry["axis"] == "k" and entry["model"] == "own"
    for each in scores:
        curve = entry["curves"][each.region][each.axis]
        assert list(curve) == ["slices", *MEASURES] and curve["slices"] == each.slices.tolist()
        assert curve["psnr"] == pytest.approx(each.values["psnr"], rel=1e-4, nan_ok=True)
    assert len(json.dumps(as_json(entry))) < 40_000


def test_planes_of_truth_thick_volume_and_result_come_with_it(scans):
    outcome = attempt(Measurement(TRIAL, Model(), scans))
    shapes = [{view: plane.pixels.shape for view, plane in each.items()} for each in (outcome.truth, outcome.result, outcome.thick)]
    assert shapes[0] == shapes[1] == {"sagittal": (28, 30), "coronal": (28, 32), "axial": (30, 32)}
    assert shapes[2] == {"sagittal": (14, 30), "coronal": (14, 32), "axial": (30, 32)}


def test_where_a_candidate_covers_nothing_its_planes_are_black_and_not_the_truth():
    part = replace(NOISY, voxels=NOISY.voxels[:, :, 6:], affine=TRUTH.affine @ np.array([[1, 0, 0, 6], *np.eye(4)[1:]]))
    told, shown = Ground(None, TRUTH).measure(part)
    assert (shown["axial"].pixels[:, :6] == VOXELS.min()).all() and (shown["axial"].pixels[:, 8:] != VOXELS.min()).any()
    assert told["curves"]["whole"]["i"]["psnr"][0] != told["curves"]["whole"]["i"]["psnr"][0]  # not a number


@pytest.mark.parametrize(
    ("error", "message"),
    [(RequestError, "no\nroom"), (MemoryError, "unforeseen MemoryError: no room"), (ValueError, "unforeseen ValueError")],
)
def test_a_model_that_fails_is_told(scans, error, message):
    outcome = attempt(Measurement(TRIAL, Model(error=error), scans))
    assert isinstance(outcome, Failed) and outcome.message.startswith(message)


def test_a_scan_that_cannot_be_read_is_told(scans):
    outcome = attempt(Measurement(replace(TRIAL, scan=Scan("gone.nii.gz", "gone", "MR")), Model(), scans))
    assert "gone.nii.gz: no such file" in outcome.message


def test_ctrl_c_ends_the_work(scans):
    with pytest.raises(KeyboardInterrupt):
        attempt(Measurement(TRIAL, Model(error=KeyboardInterrupt), scans))


def test_a_trial_is_loaded_once_for_all_its_models(scans, monkeypatch):
    loaded = []
    load = ScanTrial.load
    monkeypatch.setattr(ScanTrial, "load", lambda trial, data: loaded.append(trial.axis) or load(trial, data))
    for axis in "kj":
        for name in ("one", "two", "three"):
            attempt(Measurement(replace(TRIAL, axis=axis), Model(name), scans))
    assert loaded == ["k", "j"]
    forget()
    assert measurement.ground_of.cache_info().currsize == 0


def test_a_model_is_followed(scans):
    followed = []
    attempt(Measurement(TRIAL, Model(), scans), followed.append)
    assert followed == [0.5]
