import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from SuperResolutionLib import model_zoo
from SuperResolutionLib.acquisition import PROFILES, Acquisition, degrade
from SuperResolutionLib.consistency import measurement_residual
from SuperResolutionLib.devices import run_network
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.interpolation import INTERPOLATIONS, interpolation_operator
from SuperResolutionLib.networks import continuation
from SuperResolutionLib.provenance import NOTICE
from SuperResolutionLib.upscaling import Settings, choose_factor, finer_axes, modality_of, upscale
from SuperResolutionLib.version import __version__
from SuperResolutionLib.volume import AXES, Volume, array_axis

EXACT = {"device": "cpu", "precision": "float32", "factor": 2}


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """An empty folder in the place of the shipped models."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    monkeypatch.setattr(model_zoo, "SHIPPED", folder)
    return folder


@pytest.fixture
def by_network(make_model):
    """Upscale with a small network of random weights."""

    def run(volume, name="slice_stack", card=None, **settings):
        path = make_model(name, **card or {})
        return upscale(volume, model=str(path), **EXACT | settings)

    return run


def corners(volume):
    """Where in the patient the eight corners of the grid lie: outer edges, not centres."""
    return volume.points([np.array(corner) * volume.shape[::-1] - 0.5 for corner in np.ndindex(2, 2, 2)])


def finer_along(shape, axis, factor):
    """The k axis of these volumes is the thick one, which `plane` leaves as it is."""
    finer = {"all": "kji", "plane": "ji"}.get(axis, axis)
    return tuple(n * factor if name in finer else n for name, n in zip("kji", shape))


@pytest.mark.parametrize("axis", ["i", "j", "k", "plane", "all"])
@pytest.mark.parametrize("name", ["slice_stack", "sr_dcnn", "two_stage", "linear"])
@pytest.mark.parametrize("shape", [(1, 16, 16), (5, 7, 9)])
def test_the_finer_volume_covers_the_same_part_of_the_patient(make_volume, by_network, axis, name, shape):
    volume = make_volume(shape)
    assert np.linalg.det(volume.affine) < 0
    result = upscale(volume, model=name, factor=2, axis=axis) if name == "linear" else by_network(volume, name, axis=axis)
    assert result.volume.shape == finer_along(shape, axis, 2) and result.axis == axis
    np.testing.assert_allclose(corners(result.volume), corners(volume), atol=1e-3)


def test_a_sheared_grid_stays_sheared(make_volume, by_network, oblique_affine):
    shear = np.eye(4)
    shear[0, 2] = 0.3
    volume = make_volume(affine=shear @ oblique_affine)
    finer = by_network(volume, axis="k").volume
    np.testing.assert_allclose(corners(finer), corners(volume), atol=1e-3)
    np.testing.assert_allclose(finer.directions, volume.directions, atol=1e-12)


@pytest.mark.parametrize("axis", AXES)
def test_a_network_sees_each_axis_as_if_it_were_the_slices(make_volume, by_network, axis):
    volume = make_volume((7, 9, 11))
    finer = by_network(volume, axis=axis).volume.voxels
    turned = replace(volume, voxels=np.moveaxis(volume.voxels, array_axis(axis), 0))
    expected = np.moveaxis(by_network(turned, axis="k").volume.voxels, 0, array_axis(axis))
    np.testing.assert_allclose(finer, expected, atol=1e-2)


def test_all_axes_are_made_finer_one_after_the_other_from_k_to_i(make_volume, by_network):
    volume = make_volume((5, 7, 9))
    expected = volume
    for axis in ("k", "j", "i"):
        expected = by_network(expected, axis=axis).volume
    np.testing.assert_allclose(by_network(volume, axis="all").volume.voxels, expected.voxels, atol=1e-2)


def test_the_axes_of_the_plane_are_those_across_the_thick_one(make_volume, by_network):
    volume = make_volume((6, 8, 9), affine=np.diag([3.0, 0.7, 0.7, 1.0]))
    assert finer_axes(volume, "plane") == ("k", "j")
    assert by_network(volume, "two_stage", axis="plane").volume.shape == (12, 16, 9)


@pytest.mark.parametrize("name", ["slice_stack", "cubic"])
def test_what_makes_one_axis_finer_does_a_plane_one_after_the_other(make_volume, by_network, name):
    volume = make_volume((5, 7, 9))

    def run(volume, axis):
        settings = {"axis": axis, "factor": 2}
        return (upscale(volume, model=name, **settings) if name == "cubic" else by_network(volume, **settings)).volume

    expected = run(run(volume, "j"), "i").voxels
    np.testing.assert_allclose(run(volume, "plane").voxels, expected, atol=1e-2)


@pytest.mark.parametrize("name", ["srcnn", "improved_srcnn", "rrdb", "two_stage"])
def test_a_network_for_planes_makes_both_axes_finer_at_once(make_volume, by_network, make_network, name):
    volume, task = make_volume((4, 11, 12), modality="MR"), {} if name == "two_stage" else {"task": "plane"}
    plans = []
    result = by_network(volume, name, card={"arguments": task}, axis="plane", consistency=False, announce=lambda *plan: plans.append(plan))
    assert result.volume.shape == (4, 22, 24) and [plan[0] for plan in plans] == ["plane"] and plans[0][1].plane
    assert (result.axis, result.volume.provenance.axis) == ("plane", "plane")
    low, high = np.percentile(volume.voxels, (0.5, 99.8))
    network = make_network(name, **task)
    slices, rows, columns = continuation(network, plane=True)
    thick = np.pad((volume.voxels - low) / (high - low), [(beyond, beyond) for beyond in (slices, rows, columns)], mode="edge")
    fine = run_network(network, torch.from_numpy(thick).float()[None], 2, torch.float32, plane=True)[0].numpy()
    expected = fine[slices : slices + 4, 2 * rows :, 2 * columns :][:, :22, :24] * (high - low) + low
    np.testing.assert_allclose(result.volume.voxels, expected, atol=1e-3 * np.ptp(expected))


@pytest.mark.parametrize("profile", PROFILES)
def test_the_plane_degrades_to_the_input_over_both_axes(make_volume, by_network, profile):
    volume = make_volume((4, 8, 9))
    result = by_network(volume, "two_stage", card={"acquisitions": (profile,)}, axis="plane")
    assert result.acquisition == profile and result.residual_before > 0.01 and result.residual_after < 1e-5
    again = degrade(degrade(result.volume, 2, "j", profile), 2, "i", profile)
    assert np.abs(again.voxels - volume.voxels).max() < 1e-4 * np.ptp(volume.voxels)
    np.testing.assert_allclose(again.affine, volume.affine, atol=1e-9)


def test_all_axes_by_two_stages_are_the_plane_and_then_the_thick_axis(make_volume, by_network):
    volume, plans = make_volume((5, 7, 9)), []
    result = by_network(volume, "two_stage", axis="all", announce=lambda *plan: plans.append(plan))
    assert [plan[0] for plan in plans] == ["plane", "k"] and result.axis == "all"
    expected = by_network(by_network(volume, "two_stage", axis="plane").volume, "two_stage", axis="k").volume
    np.testing.assert_allclose(result.volume.voxels, expected.voxels, atol=1e-2)
    again = degrade(degrade(degrade(result.volume, 2, "k"), 2, "j"), 2, "i")
    assert np.abs(again.voxels - volume.voxels).max() < 1e-4 * np.ptp(volume.voxels)


def test_a_model_for_planes_alone_makes_its_plane_finer_if_no_axis_is_named(make_volume, by_network):
    """Along the thick axis the factor would be 4, which this model does not offer; a plane becomes twice as fine."""
    volume, card = make_volume((4, 11, 12)), {"arguments": {"factors": [2], "task": "plane"}}
    result = by_network(volume, "srcnn", card=card, factor=None)
    assert (result.axis, result.volume.provenance.axis, result.volume.shape) == ("plane", "plane", (4, 22, 24))
    expected = by_network(volume, "srcnn", card=card, axis="plane").volume
    np.testing.assert_array_equal(result.volume.voxels, expected.voxels)


def test_a_model_for_planes_alone_is_refused_along_an_axis(make_volume, by_network):
    with pytest.raises(RequestError, match="axis 'k': model 'srcnn' makes planes finer; accepted are auto and plane"):
        by_network(make_volume(), "srcnn", card={"arguments": {"task": "plane"}}, axis="k")


# Progressive use.


@pytest.mark.parametrize("factor", [4, 8])
def test_a_progressive_model_is_applied_to_its_own_result(make_volume, by_network, factor):
    volume, told, plans = make_volume((4, 9, 10)), [], []
    result = by_network(
        volume, card={"arguments": {"factors": [2]}, "progressive": True}, axis="k", factor=factor, consistency=False,
        progress=told.append, announce=lambda *plan: plans.append(plan),
    )  # fmt: skip
    once = volume
    for _ in range({4: 2, 8: 3}[factor]):
        once = by_network(once, card={"arguments": {"factors": [2]}}, axis="k", consistency=False).volume
    assert result.volume.shape == once.shape and result.factor == factor
    np.testing.assert_allclose(result.volume.voxels, once.voxels, atol=2e-2)
    assert [plan[1].factor for plan in plans] == {4: [2, 2], 8: [2, 2, 2]}[factor]
    fractions = [state.fraction for state in told if state.stage == "upscaling"]
    assert fractions == sorted(fractions) and fractions[-1] == 1 and len(fractions) == len(plans)


def test_the_whole_factor_of_a_progressive_model_is_checked(make_volume, by_network):
    volume = make_volume((4, 9, 10))
    result = by_network(volume, card={"arguments": {"factors": [2]}, "progressive": True}, axis="k", factor=4)
    assert result.residual_after < 1e-5 < result.residual_before
    assert np.abs(degrade(result.volume, 4, "k").voxels - volume.voxels).max() < 1e-4 * np.ptp(volume.voxels)


def test_other_models_offer_no_powers_of_their_factors(make_volume, by_network):
    with pytest.raises(RequestError, match="factor 4: model 'slice_stack' offers 2"):
        by_network(make_volume(), card={"arguments": {"factors": [2]}}, axis="k", factor=4)


@pytest.mark.parametrize("name", INTERPOLATIONS)
@pytest.mark.parametrize("axis", AXES)
def test_interpolations_are_models_like_any_other_and_unprojected(make_volume, name, axis):
    volume = make_volume()
    result = upscale(volume, model=name, factor=3, axis=axis)
    dimension = array_axis(axis)
    expected = interpolation_operator(name, volume.shape[dimension], 3)(volume.voxels, dimension)
    np.testing.assert_array_equal(result.volume.voxels, expected)
    assert (result.model, result.device, result.precision, result.acquisition) == (name, "", "", "mean")
    assert result.residual_before == result.residual_after > (0 if name != "nearest" else -1)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("axis", AXES)
def test_the_result_degrades_to_the_input(make_volume, by_network, profile, axis):
    volume = make_volume((8, 9, 10))
    result = by_network(volume, card={"acquisitions": (profile,)}, axis=axis)
    assert result.acquisition == profile and result.residual_before > 0.01 and result.residual_after < 1e-5
    again = degrade(result.volume, 2, axis, profile)
    assert np.abs(again.voxels - volume.voxels).max() < 1e-4 * np.ptp(volume.voxels)
    np.testing.assert_allclose(again.affine, volume.affine, atol=1e-9)


def test_without_consistency_the_result_is_left_as_the_network_made_it(make_volume, by_network):
    volume = make_volume()
    left, projected = by_network(volume, consistency=False), by_network(volume)
    assert left.residual_before == left.residual_after == pytest.approx(projected.residual_before)
    fine = left.volume.voxels
    assert left.residual_after == pytest.approx(measurement_residual(fine, volume.voxels, Acquisition("mean", 2)))
    assert np.abs(fine - projected.volume.voxels).max() > 1


def test_the_acquisition_assumed_is_the_main_one_of_the_model(make_volume, make_model):
    volume = make_volume((9, 12, 12))
    result = upscale(volume, model=str(make_model(acquisitions=("gaussian", "mean"))), consistency=False, **EXACT)
    assert result.acquisition == result.volume.provenance.acquisition == "gaussian"
    assert result.residual_before == pytest.approx(measurement_residual(result.volume.voxels, volume.voxels, Acquisition("gaussian", 2)))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("model", ["network", "cubic"])
def test_numbers_keep_their_type(make_volume, by_network, dtype, model):
    volume = make_volume(dtype=np.float64)
    volume = volume.with_voxels((volume.voxels / 10 + 50).astype(dtype))
    result = by_network(volume) if model == "network" else upscale(volume, model=model, factor=2)
    assert result.volume.voxels.dtype == dtype


def test_what_the_input_did_not_clip_is_widened_and_not_clipped(make_volume):
    volume = make_volume((6, 5, 5))
    sharp = np.zeros(volume.shape, np.uint8)
    sharp[2:4] = 255
    finer = upscale(volume.with_voxels(sharp), model="cubic", factor=2, axis="k").volume.voxels
    exact = upscale(volume.with_voxels(sharp.astype(float)), model="cubic", factor=2, axis="k").volume.voxels
    assert finer.dtype == np.int16 and finer.min() < 0 and finer.max() > 255
    np.testing.assert_array_equal(finer, np.rint(exact))


def test_hounsfield_units_and_all_that_is_known_of_the_volume_stay(make_volume, by_network):
    volume = make_volume(modality="CT", slice_thickness=2.8, source="chest.nrrd", dtype=np.int16)
    finer = by_network(volume, card={"modalities": ("CT",)}, axis="k").volume
    assert (finer.units, finer.modality, finer.source, finer.slice_thickness) == ("HU", "CT", "chest.nrrd", pytest.approx(1.4))


@pytest.mark.parametrize("axis", ["k", "all"])
def test_every_result_says_where_it_came_from(make_volume, make_model, axis):
    path = make_model()
    result = upscale(make_volume(), model=str(path), axis=axis, **EXACT)
    made = result.volume.provenance
    assert (made.model, made.model_sha256) == ("slice_stack", hashlib.sha256(path.read_bytes()).hexdigest())
    assert (made.factor, made.axis, made.acquisition, made.engine_version, made.notice) == (2, axis, "mean", __version__, NOTICE)
    assert made.residual_before == f"{result.residual_before:.3%}" and made.residual_after == f"{result.residual_after:.3%}"
    assert (result.model, result.factor, result.axis, result.device, result.precision) == ("slice_stack", 2, axis, "cpu", "float32")
    assert result.seconds > 0


def test_an_interpolation_says_so(make_volume):
    made = upscale(make_volume(), model="lanczos", factor=3).volume.provenance
    assert (made.model, made.model_sha256, made.factor, made.axis, made.notice) == ("lanczos", "", 3, "k", NOTICE)


def test_the_input_is_left_as_it_was(make_volume, by_network):
    volume = make_volume()
    before = volume.voxels.copy()
    by_network(volume, axis="all")
    np.testing.assert_array_equal(volume.voxels, before)
    assert volume.provenance is None


def test_progress_grows_within_each_stage_and_ends_at_one(make_volume, by_network):
    told, plans = [], []
    by_network(make_volume((24, 40, 42)), memory_mb=4, progress=told.append, announce=lambda *plan: plans.append(plan))
    assert [stage for stage in dict.fromkeys(state.stage for state in told)] == ["upscaling", "checking"]
    for stage in ("upscaling", "checking"):
        fractions = [state.fraction for state in told if state.stage == stage]
        assert fractions == sorted(fractions) and fractions[-1] == 1
    axis, plan, device, precision = plans[0]
    assert len(plans) == 1 and (axis, device, precision) == ("k", "cpu", "float32") and plan.shape == (24, 40, 42) and len(plan.pieces) > 1


def test_progress_over_all_axes_is_that_of_the_whole(make_volume, by_network):
    told, plans = [], []
    by_network(make_volume(), axis="all", progress=told.append, announce=lambda *plan: plans.append(plan))
    for stage in ("upscaling", "checking"):
        fractions = [state.fraction for state in told if state.stage == stage]
        assert fractions == sorted(fractions) and fractions[-1] == 1 and {1 / 3, 2 / 3} <= set(fractions)
    assert [plan[0] for plan in plans] == ["k", "j", "i"]


@pytest.mark.parametrize(
    ("spacing", "axis", "factor"),
    [
        ((0.5, 0.5, 2.0), "auto", 4),
        ((0.7, 0.7, 2.1), "auto", 3),
        ((0.8, 0.8, 1.5), "auto", 2),
        ((0.3, 0.3, 6.0), "auto", 4),
        ((3.0, 1.0, 1.0), "auto", 3),
        ((1.0, 1.0, 4.0), "all", 2),
        ((1.0, 1.0, 4.0), "plane", 2),
        ((0.6, 1.2, 2.5), "k", 3),
    ],
)
def test_the_default_factor_comes_nearest_to_isotropic_and_is_at_most_four(make_volume, spacing, axis, factor):
    volume = make_volume(affine=np.diag([*spacing, 1]))
    assert choose_factor(volume, Settings(axis=axis)) == factor
    assert upscale(volume, model="nearest", axis=axis).factor == factor


def test_isotropic_voxels_are_refused_unless_the_factor_is_named(make_volume):
    volume = make_volume(affine=np.diag([1, 1, 1.2, 1]), source="knee.nrrd")
    with pytest.raises(RequestError, match="knee.nrrd: voxels of 1 x 1 x 1.2 mm are nearly isotropic along k; name a --factor from 2"):
        upscale(volume, model="linear")
    assert upscale(volume, model="linear", factor=2).factor == 2


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_no_numbers_are_refused(make_volume, value):
    volume = make_volume(source="knee.nrrd")
    voxels = volume.voxels.copy()
    voxels[2, 3, 4:6] = value
    with pytest.raises(RequestError, match="knee.nrrd: 2 voxels are NaN or infinite"):
        upscale(volume.with_voxels(voxels), model="linear", factor=2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "no-such"}, "model 'no-such': accepted are auto, .*nearest, linear, cubic, lanczos"),
        ({"model": "cubic", "factor": 1}, "factor 1: accepted are whole numbers from 2"),
        ({"model": "cubic", "factor": 9}, "factor 9: model 'cubic' offers 2, 3, 4, 5, 6, 7, 8"),
        ({"model": "cubic", "axis": "x"}, "axis 'x': accepted are auto, i, j, k, plane, all$"),
        ({"model": "models/absent.safetensors"}, "models/absent.safetensors: .*accepted"),
    ],
)
def test_a_wrong_request_is_refused_with_what_is_accepted(make_volume, settings, message):
    with pytest.raises(RequestError, match=message):
        upscale(make_volume(), **{"factor": 2} | settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"factor": 4}, "factor 4: model 'slice_stack' offers 2, 3"),
        ({"device": "tpu"}, "device 'tpu': accepted are"),
        ({"precision": "float8"}, "precision 'float8': accepted are"),
        ({"memory_mb": 0}, "memory 0 MB: .* needs at least"),
    ],
)
def test_what_a_network_cannot_do_is_refused(make_volume, by_network, settings, message):
    with pytest.raises(RequestError, match=message):
        by_network(make_volume(), **settings)


@pytest.mark.usefixtures("shipped")
def test_without_weights_auto_is_an_error_and_not_an_interpolation(make_volume):
    with pytest.raises(RequestError, match="no shipped model for MR at factor 2; shipped are none"):
        upscale(make_volume(modality="MR"), factor=2)


def test_auto_takes_no_model_of_another_modality(make_volume, shipped, make_model):
    make_model(path=shipped / "ct-only.safetensors", modalities=("CT",))
    with pytest.raises(RequestError, match="no shipped model for MR at factor 2; shipped are ct-only: CT x2, x3"):
        upscale(make_volume(modality="MR"), factor=2)
    assert upscale(make_volume(modality="CT"), **EXACT).model == "ct-only"


@pytest.mark.parametrize(
    ("modality", "low", "found"), [(None, -1000, "CT"), (None, 0, "MR"), ("MR", -1000, "MR"), ("CT", 0, "CT"), (None, -30000, "MR")]
)
def test_the_modality_is_the_one_told_or_else_seen_in_the_values(make_volume, modality, low, found):
    volume = make_volume(modality=modality)
    voxels = volume.voxels.copy()
    voxels[:, :4] = low
    assert modality_of(volume.with_voxels(voxels)) == found


def test_every_voxel_of_a_small_volume_counts_for_its_modality(make_volume):
    """Air that lies in every other row alone is seen too."""
    voxels = np.zeros((6, 18, 20), np.int16)
    voxels[:, 1::2] = -1000
    assert modality_of(make_volume().with_voxels(voxels)) == "CT"


@pytest.mark.parametrize("shape", [(2000, 2000, 2000), (2, 60000, 60000), (9, 5, 10**8)])
@pytest.mark.parametrize(("value", "found"), [(-1000, "CT"), (100, "MR")])
def test_the_modality_of_the_largest_volume_is_found_from_a_sample(shape, value, found):
    """The voxels are one number repeated, so that they take no memory; looking at all of them would take far too much."""
    voxels = np.broadcast_to(np.int16(value), shape)
    assert modality_of(Volume(voxels, np.eye(4))) == found


def test_factors_above_four_are_called_experimental(make_volume):
    volume = make_volume(modality="MR")
    assert upscale(volume, model="cubic", factor=4).warnings == ()
    assert "factors above 4 are experimental" in upscale(volume, model="cubic", factor=5).warnings[0]


def test_a_model_of_another_modality_is_used_with_a_warning(make_volume, by_network):
    assert by_network(make_volume(modality="MR")).warnings == ()
    (warning,) = by_network(make_volume(modality="CT")).warnings
    assert warning == "model 'slice_stack' was trained on MR; this volume is CT"


@pytest.mark.parametrize(("thickness", "how"), [(2.0, "leave gaps"), (4.0, "overlap")])
def test_slices_that_do_not_touch_are_told(make_volume, by_network, thickness, how):
    assert by_network(make_volume(modality="MR", slice_thickness=2.8)).warnings == ()
    (warning,) = by_network(make_volume(modality="MR", slice_thickness=thickness)).warnings
    assert how in warning and "2.8 mm apart" in warning


def test_the_package_offers_its_doors_by_name():
    import SuperResolutionLib

    assert SuperResolutionLib.upscale is upscale and SuperResolutionLib.Volume is Volume
    with pytest.raises(AttributeError, match="no attribute 'upscaled'"):
        getattr(SuperResolutionLib, "upscaled")  # noqa: B009


def test_a_modality_taken_from_the_values_is_said_and_kept(make_volume):
    values = np.linspace(-1000, 1500, 9 * 10 * 11).reshape(9, 10, 11).astype(np.int16)
    result = upscale(Volume(values, np.diag([1.0, 1.0, 3.0, 1.0])), model="cubic", factor=2)
    assert result.volume.modality == "CT" and any("does not say its modality" in warning for warning in result.warnings)


# The spread of an ensemble.


@pytest.mark.parametrize("axis", ["i", "plane", "all"])
def test_the_spread_lies_on_the_grid_of_the_result_in_its_units(make_volume, by_network, axis):
    volume = make_volume((5, 7, 9), dtype=np.int16, modality="CT")
    result = by_network(volume, "sr_dcnn", axis=axis, ensemble=True)
    spread = result.spread
    np.testing.assert_allclose(spread.affine, result.volume.affine)
    assert (spread.shape, spread.units, spread.voxels.dtype) == (result.volume.shape, "HU", np.float32)
    assert 0 <= spread.voxels.min() < spread.voxels.max() < np.ptp(result.volume.voxels)
    tenfold = volume.with_voxels(10 * volume.voxels.astype(np.float32) + 3000)
    again = by_network(tenfold, "sr_dcnn", axis=axis, ensemble=True).spread.voxels
    np.testing.assert_allclose(again, 10 * spread.voxels, atol=1e-2 * again.max())


def test_the_spread_says_what_it_is_and_where_it_came_from(make_volume, by_network):
    result = by_network(make_volume(), ensemble=True)
    made = result.spread.provenance
    assert (made.quantity, result.volume.provenance.quantity) == ("spread", "intensity")
    assert made.as_fields()["SuperResolution.quantity"] == "spread" and made.describe().startswith("Spread (standard deviation")
    assert (made.model_sha256, made.residual_after) == (result.volume.provenance.model_sha256, "")


def test_the_measurement_check_moves_the_result_and_not_its_spread(make_volume, by_network):
    checked, bare = (by_network(make_volume(), ensemble=True, consistency=consistency) for consistency in (True, False))
    np.testing.assert_array_equal(checked.spread.voxels, bare.spread.voxels)
    assert np.abs(checked.volume.voxels - bare.volume.voxels).max() > 1


def test_variances_of_several_passes_are_added_where_later_ones_made_voxels_of_one(make_volume, by_network):
    volume, card = make_volume((4, 9, 10)), {"arguments": {"factors": [2]}}
    once = by_network(volume, card=card, axis="k", ensemble=True, consistency=False)
    again = by_network(once.volume, card=card, axis="k", ensemble=True, consistency=False)
    both = by_network(volume, card=card | {"progressive": True}, axis="k", factor=4, ensemble=True, consistency=False)
    expected = np.sqrt(np.repeat(once.spread.voxels, 2, axis=0) ** 2 + again.spread.voxels**2)
    np.testing.assert_allclose(both.spread.voxels, expected, rtol=1e-3, atol=1e-3 * expected.max())


def test_interpolations_and_single_passes_have_no_spread(make_volume, by_network):
    assert by_network(make_volume()).spread is None
    result = upscale(make_volume(modality="MR"), model="cubic", factor=2, ensemble=True)
    assert result.spread is None and "there is no spread" in result.warnings[0]
