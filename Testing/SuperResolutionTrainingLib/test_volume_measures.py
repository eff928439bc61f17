import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from SuperResolutionLib import metrics
from SuperResolutionLib.acquisition import Acquisition
from SuperResolutionLib.consistency import measurement_residual
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.upscaling import upscale
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.made_thick import make_thick
from SuperResolutionTrainingLib.plain_data import as_json
from SuperResolutionTrainingLib.volume_measures import VOLUME_MEASURES, Context, measure_volume, measures_named

NAMES = ["mse", "rmse", "ms_ssim", "ifc", "vif", "niqe", "perceptual_index", "period_energy", "edge_width_mm", "residual"]
FINE = 0.6  # mm along k


@pytest.fixture(scope="module")
def truth():
    """A block of tissue with texture in air."""
    random = np.random.default_rng(13)
    voxels = np.zeros((76, 74, 72))
    voxels[20:61, 6:-6, 6:-6] = 800
    voxels = gaussian_filter(voxels, 0.6) + 60 * gaussian_filter(random.normal(size=voxels.shape), 1)
    return Volume(np.rint(voxels).astype(np.int16), np.diag([0.5, 0.7, FINE, 1]), modality="MR")


@pytest.fixture(scope="module")
def thick(truth):
    return make_thick(truth, 4, "k", "mean")[0]


@pytest.fixture(scope="module")
def nearest(thick):
    return upscale(thick, model="nearest", factor=4, axis="k").volume


@pytest.fixture(scope="module")
def context(thick):
    return Context(factor=4, axis="k", thick=thick, profile="mean")


@pytest.fixture(scope="module")
def measured(truth, nearest, context):
    """Everything about the candidate but what pyiqa knows."""
    return measure_volume([name for name in NAMES if name not in ("niqe", "perceptual_index")], nearest, truth, context)


def test_every_measure_has_a_label_and_a_convention():
    assert set(NAMES) <= set(VOLUME_MEASURES)
    for measure in VOLUME_MEASURES.values():
        assert measure.label and measure.convention.endswith(".") and len(measure.convention) > 40


def test_all_stands_for_every_name_and_each_counts_once():
    assert measures_named(["all"]) == tuple(VOLUME_MEASURES)
    assert measures_named(["vif", "mse", "vif"]) == ("vif", "mse")
    with pytest.raises(RequestError, match="measure 'sharpness': accepted are all, mse, rmse"):
        measures_named(["mse", "sharpness"])


def test_every_figure_is_that_of_its_function(measured, truth, nearest, thick):
    c, r = nearest.voxels, truth.voxels
    values = {name: found["value"] for name, found in measured.items()}
    assert values["mse"] == metrics.mse(c, r) and values["rmse"] == math.sqrt(values["mse"])
    assert values["ms_ssim"] == metrics.ms_ssim(c, r, scales=3)
    assert values["ifc"] == pytest.approx(np.mean([metrics.ifc(c, r, axis=axis) for axis in range(3)]))
    assert values["vif"] == pytest.approx(np.mean([metrics.vif(c, r, axis=axis) for axis in range(3)]))
    assert values["period_energy"] == metrics.period_energy(c, 4, 0)
    assert values["residual"] == measurement_residual(c, thick.voxels, Acquisition("mean", 4), [0])
    assert all(found["reason"] is None for found in measured.values())


def test_a_measure_of_a_volume_alone_is_taken_of_the_reference_too(measured):
    alone = {name for name, found in measured.items() if found["reference"] is not None}
    assert alone == {"period_energy", "edge_width_mm"}
    assert measured["period_energy"]["reference"] < 0.1 < 0.9 < measured["period_energy"]["value"]


def test_the_edge_is_wider_in_the_candidate_and_both_are_in_millimetres(measured):
    found = measured["edge_width_mm"]
    # The truth: a blur of 0.6 voxels, and of the texture beside it. The candidate's edges lie on the border of a thick slice.
    assert found["reference"] == pytest.approx(2.563 * 0.6 * FINE, rel=0.35)
    assert found["value"] != found["reference"]
    assert found["note"].startswith("median of ") and int(found["note"].split()[2]) > 1000


def test_the_scales_that_fitted_are_told(measured):
    assert measured["ms_ssim"]["note"] == "3 of 5 scales"


def test_the_figures_are_plain_data(measured):
    assert as_json(measured) == json.loads(json.dumps(measured))


def test_what_is_not_known_is_said_and_no_figure_is_made_up(truth, nearest):
    found = measure_volume(["period_energy", "edge_width_mm", "residual"], nearest, truth)
    assert {name: each["value"] for name, each in found.items()} == dict.fromkeys(found)
    assert found["period_energy"]["reason"] == "needs the factor and one axis, told by the thick volume"
    assert found["edge_width_mm"]["reason"].startswith("needs one axis")
    assert found["residual"]["reason"].startswith("needs the thick volume")


def test_a_missing_package_is_named(truth, nearest, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    wide = [Volume(np.pad(each.voxels, 20, mode="reflect"), each.affine) for each in (nearest, truth)]
    found = measure_volume(["niqe", "perceptual_index"], *wide)
    for name in found:
        assert found[name]["value"] is None and found[name]["reference"] is None
        assert "'pyiqa' is not installed" in found[name]["reason"]


def test_a_volume_that_is_too_small_has_a_reason(truth, nearest):
    small = [Volume(each.voxels[:, :9, :9], each.affine) for each in (nearest, truth)]
    found = measure_volume(["ms_ssim", "ifc", "vif", "rmse"], *small)
    assert "at least 11 voxels" in found["ms_ssim"]["reason"]
    assert "at least 72 pixels" in found["ifc"]["reason"] and "at least 41 pixels" in found["vif"]["reason"]
    assert found["rmse"]["value"] > 0


def test_within_a_mask_only_measures_that_know_one_exist(truth, nearest, context):
    mask = np.zeros(truth.shape, bool)
    mask[:, 10:60, 10:60] = True
    within = Context(factor=4, axis="k", thick=context.thick, profile="mean", mask=mask)
    found = measure_volume(["rmse", "ms_ssim", "ifc", "vif", "period_energy", "edge_width_mm", "residual"], nearest, truth, within)
    assert found["rmse"]["value"] == metrics.rmse(nearest.voxels, truth.voxels, mask)
    assert found["period_energy"]["value"] == metrics.period_energy(nearest.voxels, 4, 0, mask)
    assert {name for name, each in found.items() if each["value"] is None} == {"ifc", "vif", "residual"}
    assert "knows no mask" in found["ifc"]["reason"]


def test_equal_volumes_have_no_infinite_figure(truth):
    found = measure_volume(["ifc", "rmse", "vif"], truth, truth)
    assert found["ifc"]["value"] is None and found["ifc"]["reason"] == "infinite: there is no difference at all"
    assert found["rmse"]["value"] == 0 and found["vif"]["value"] == pytest.approx(1)


def test_the_residual_over_two_axes_and_of_another_matrix(truth):
    thick, covered = make_thick(truth, 2, "ij", "gaussian")
    context = Context(factor=2, axis="ij", thick=thick, profile="gaussian")
    assert measure_volume(["residual"], covered, covered, context)["residual"]["value"] < 1e-3
    assert "one axis" in measure_volume(["period_energy"], covered, covered, context)["period_energy"]["reason"]
    cropped = Volume(covered.voxels[:, 2:], covered.affine)
    assert "candidate of shape" in measure_volume(["residual"], cropped, cropped, context)["residual"]["reason"]


def test_what_cannot_be_compared_is_refused(truth, nearest):
    with pytest.raises(RequestError, match="another grid"):
        measure_volume(["rmse"], Volume(truth.voxels, np.diag([0.5, 0.7, 0.7, 1])), truth)
    with pytest.raises(RequestError, match="NaN"):
        measure_volume(["rmse"], nearest.with_voxels(np.full(truth.shape, np.nan)), truth)
    with pytest.raises(RequestError, match="everywhere"):
        measure_volume(["rmse"], nearest, truth.with_voxels(np.ones(truth.shape)))


def test_a_measure_whose_package_is_absent_is_missing_and_names_it(truth, nearest, monkeypatch):
    def absent(*given, **more):
        raise ModuleNotFoundError("No module named 'pyrtools'", name="pyrtools")

    monkeypatch.setitem(VOLUME_MEASURES, "ifc", replace(VOLUME_MEASURES["ifc"], take=absent))
    found = measure_volume(["mse", "ifc"], nearest, truth)
    assert found["mse"]["value"] > 0 and found["ifc"]["reason"] == "the Python package 'pyrtools' is not installed"
