from dataclasses import replace

import numpy as np
import pytest

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.upscaling import upscale
from SuperResolutionTrainingLib.contestants import contestants_of, models_for
from SuperResolutionTrainingLib.recipe import Scan
from SuperResolutionTrainingLib.samples import load_scan
from SuperResolutionTrainingLib.trials import ScanTrial

TRIAL = ScanTrial(Scan("bert.nii.gz", "bert", "MR"), "k", 2, "mean")


def test_cubic_is_always_among_them_and_nobody_twice():
    assert [each.id for each in contestants_of(["linear", "linear", "cubic"], {2})] == ["cubic", "linear"]


def test_a_model_file_says_what_taught_it_and_what_it_was_trained_for(model, tmp_path, monkeypatch):
    model(trained_on=["anna"], acquisitions=("gaussian", "mean"))
    monkeypatch.chdir(tmp_path)
    cubic, own = contestants_of(["own.safetensors"], {2}, consistency=False, precision="float32")
    assert (own.id, own.trained_on, own.trained_for) == ("own", {"anna"}, "gaussian") and own.weights_sha256
    assert own.file == str(tmp_path / "own.safetensors"), "another process may work in another folder"
    assert (cubic.id, cubic.weights_sha256, cubic.trained_for) == ("cubic", "", None)
    assert (own.consistency, own.precision) == (cubic.consistency, cubic.precision) == (False, "float32")


def test_a_contestant_makes_what_upscale_makes(scans, model):
    thick = degrade(load_scan(TRIAL.scan, scans), 2, "k")
    path, followed = model(trained_on=["bert"]), []
    _, own = contestants_of([path], {2}, precision="float32")
    made, told = own.make(TRIAL, thick, followed.append)
    expected = upscale(thick, model=path, factor=2, axis="k", precision="float32")
    assert np.array_equal(made.voxels, expected.volume.voxels) and followed[-1] == 1
    assert told | {"seconds": 0} == {"trained_on": True, "trained_for": "mean", "seconds": 0, "device": "cpu", "precision": "float32"}


def test_models_that_cannot_do_it_are_refused(model):
    for path, message in (
        (
            model("own", "sr_dcnn", channels=[4], factors=[3]),
            r"model 'own' makes factors 3; accepted are models for one axis and factors \[2\]",
        ),
        (model("flat", "srcnn", channels=[4, 4], task="plane"), "model 'flat' makes planes only"),
    ):
        with pytest.raises(RequestError, match=message):
            contestants_of([path], {2})


def test_two_models_of_one_id_are_refused(model, tmp_path):
    one = model("own")
    (tmp_path / "copy.safetensors").write_bytes((tmp_path / "own.safetensors").read_bytes())
    with pytest.raises(RequestError, match="two models have the id 'own'; accepted are models of different ids"):
        contestants_of([one, str(tmp_path / "copy.safetensors")], {2})


def test_all_that_make_one_axis_finer_by_the_factors_are_compared_by_default(model, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(tmp_path))
    model("mine")
    model("flat", "srcnn", channels=[4, 4], task="plane")
    assert "mine" in models_for([2]) and "mine" not in models_for([2, 3]) and "flat" not in models_for([2])
    assert {"fast", "cubic", "lanczos"} <= set(models_for([2, 4]))


def test_planes_are_made_fine_by_what_makes_only_planes_and_by_the_others(model, scans, tmp_path, monkeypatch):
    trial = replace(TRIAL, axis="plane")
    thick, truth = trial.load(scans)
    flat = model("flat", "srcnn", channels=[4, 4], task="plane")
    for each in contestants_of([flat, model("own"), "lanczos"], {2}, "plane", precision="float32"):
        made, _ = each.make(trial, thick, lambda fraction: None)
        assert made.shape == truth.shape and np.allclose(made.affine, truth.affine)
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(tmp_path))
    assert {"flat", "own", "cubic"} <= set(models_for([2], "plane"))


def test_self_ensemble_is_passed_on(model, scans):
    thick, _ = TRIAL.load(scans)
    path = model("own")
    own = contestants_of([path], {2}, precision="float32")[1]
    made, _ = replace(own, ensemble=True).make(TRIAL, thick, lambda fraction: None)
    expected = upscale(thick, model=path, factor=2, axis="k", precision="float32", ensemble=True)
    assert np.array_equal(made.voxels, expected.volume.voxels)
    assert not np.array_equal(made.voxels, own.make(TRIAL, thick, lambda fraction: None)[0].voxels)
