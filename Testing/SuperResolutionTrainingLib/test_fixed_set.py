import numpy as np
import pytest
import torch

from SuperResolutionLib.acquisition import Acquisition, degrade
from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionLib.interpolation import interpolation_operator
from SuperResolutionLib.metrics import ncc, psnr, ssim
from SuperResolutionLib.model_file import load_model, save_model
from SuperResolutionLib.network_run import NetworkRun
from SuperResolutionLib.networks import build_network
from SuperResolutionLib.upscaling import Settings
from SuperResolutionTrainingLib.fixed_set import FixedSet
from SuperResolutionTrainingLib.pairs import align
from SuperResolutionTrainingLib.patch_source import value_range
from SuperResolutionTrainingLib.samples import load_scan

CPU = torch.device("cpu")


def test_cubic_is_measured_on_the_middle_of_the_validation_scan(make_recipe, scans):
    """bert has 28 x 30 x 32 voxels: nine thick slices of three, the odd one left out at the end."""
    volume = read_volume(scans / "bert.nii.gz")
    volume = volume.with_voxels(volume.voxels.astype(np.float32))
    low, high = value_range(volume)
    truth = ((volume.voxels[:27] - low) / (high - low)).astype(np.float32)
    cubic = interpolation_operator("cubic", 9, 3)(Acquisition("mean", 3).operator(9)(truth, 0), 0)
    found = FixedSet(make_recipe(), scans, (2, 3)).cubic
    expected = [measure(cubic, truth) for measure in (psnr, ncc, ssim)]
    assert [found.psnr, found.ncc, found.ssim] == pytest.approx(expected, abs=1e-4)


def test_a_network_that_interpolates_is_as_good_as_cubic(make_recipe, scans, tmp_path):
    """A new slice_stack is Keys' cubic interpolation."""
    recipe = make_recipe()
    fixed, network = FixedSet(recipe, scans, (2,)), build_network(recipe.network, recipe.arguments).train()
    figures = fixed.measure(network, CPU, tmp_path / "preview.png")
    assert figures.psnr == pytest.approx(fixed.cubic.psnr, abs=1) and figures.ncc == pytest.approx(fixed.cubic.ncc, abs=0.01)
    assert network.training and (tmp_path / "preview.png").is_file()


@pytest.mark.parametrize("name", ["sr_dcnn", "deep_resolve", "slice_stack"])
def test_a_slab_is_made_finer_as_the_upscaler_would(make_recipe, scans, tmp_path, name):
    """The same network through the same ends of the volume."""
    arguments = {"factors": [2]} | ({"channels": 8} if name != "sr_dcnn" else {})
    card = {"id": name, "title": "random", "modalities": ("MR",), "acquisitions": ("mean",), "engine_version": "0"}
    save_model(tmp_path / "model.safetensors", build_network(name, arguments), network=name, arguments=arguments, **card)
    model = load_model(tmp_path / "model.safetensors")
    fixed = FixedSet(make_recipe(network=name), scans, (2,))
    (slab,) = fixed._slabs
    job = NetworkRun(model, slab.thick, 2, Settings(device="cpu", precision="float32"))
    # Slabs are in the units of the scan already.
    job._offset, job._scale = np.float32(0), np.float32(1)
    fine = job.upscale(lambda *_: None)
    assert fixed.measure(model.network, CPU).psnr == pytest.approx(psnr(fine, slab.truth), abs=1e-3)


@pytest.fixture
def thick(scans, plain_recipe):
    """bert as a scanner measured it, four times as thick along k: noise tells it from any that is made of the fine scan."""
    fine = read_volume(scans / "bert.nii.gz")
    thick = degrade(fine.with_voxels(fine.voxels.astype(np.float32)), 4, "k", noise=5, seed=3)
    write_volume(thick, scans / "thick.nii.gz")
    plain_recipe["scans"][1]["thick"] = "thick.nii.gz"
    return thick


def test_a_real_thick_scan_is_what_the_network_sees(make_recipe, scans, thick, tmp_path):
    fixed = FixedSet(make_recipe(), scans, (2, 4, 8))
    (slab,) = fixed._slabs
    truth = align(thick, load_scan(make_recipe().scans[1], scans), 4).fine
    low, high = value_range(truth)
    assert (slab.factor, slab.plane) == (4, False)
    np.testing.assert_allclose(slab.thick, (thick.voxels - low) / (high - low), atol=1e-4)
    np.testing.assert_allclose(slab.truth, (truth.voxels - low) / (high - low), atol=1e-4)
    arguments = make_recipe().arguments | {"factors": [2, 4, 8]}
    figures = fixed.measure(build_network("slice_stack", arguments), CPU, tmp_path / "preview.png")
    assert figures.psnr == pytest.approx(fixed.cubic.psnr, abs=1) and (tmp_path / "preview.png").is_file()


@pytest.mark.parametrize(("factors", "task"), [((2, 8), "axis"), ((4,), "plane")])
def test_a_real_pair_that_serves_neither_factor_nor_task_is_left_out(make_recipe, scans, thick, factors, task):
    assert not FixedSet(make_recipe(task=task), scans, factors)


@pytest.mark.parametrize("task", ["plane", "both"])
def test_planes_are_measured_where_the_recipe_trains_on_them(make_recipe, plain_recipe, scans, tmp_path, task):
    plain_recipe["scans"][1]["axes"] = "ijk"
    arguments = {"factors": [2], "task": task, "channels": 4}
    recipe = make_recipe(network="two_stage", arguments=arguments, task=task)
    fixed = FixedSet(recipe, scans, (2,))
    figures = fixed.measure(build_network("two_stage", arguments), CPU, tmp_path / "preview.png")
    assert fixed.cubic.psnr > figures.psnr and 0 < fixed.cubic.ssim < 1


def test_without_validation_scans_there_is_nothing_to_measure(make_recipe, plain_recipe, scans):
    assert not FixedSet(make_recipe(scans=plain_recipe["scans"][:1]), scans, (2,))


def test_a_scan_too_short_for_the_factor_is_left_out(make_recipe, scans):
    assert not FixedSet(make_recipe(), scans, (16,))
