"""What every network promises, whatever is in it: its reach, the door it is used through, and that pieces give what the whole gives."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from SuperResolutionLib.devices import run_network
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.layers import keys_interpolation
from SuperResolutionLib.model_file import load_model
from SuperResolutionLib.network_run import NetworkRun
from SuperResolutionLib.networks import build_network, network_names, prepare_input
from SuperResolutionLib.upscaling import Settings, upscale

EXACT = {"device": "cpu", "precision": "float32"}
PLANES = [("rrdb", {"task": "plane"}), ("srcnn", {"task": "plane"}), ("improved_srcnn", {"task": "plane"}), ("two_stage", {})]
CONTINUING = ["slice_stack"]
INTERPOLATED = ["deep_resolve", "improved_srcnn", "srcnn", "srcnn_3d"]
LARGER = {
    "deep_resolve": [{"layers": 2}, {"factors": [4], "kernel": 5}],
    "improved_srcnn": [{"link": 9}, {"factors": [4], "kernels": [5, 3, 3, 3]}],
    "rrdb": [{"factors": [3]}, {"factors": [4], "head": 5}],
    "slice_stack": [{"layers": 4}],
    "slice_volume": [{"blocks": 1, "neighbours": 0}, {"neighbours": 2}],
    "sr_dcnn": [{"factors": [3], "channels": [4]}],
    "sr_dcnn_3d": [{"factors": [3], "kernel": 5}, {"factors": [4], "channels": [3]}],
    "srcnn": [{"factors": [4], "kernels": [9, 3, 5]}, {"factors": [3]}, {"factors": [2, 4]}],
    "srcnn_3d": [{"factors": [3]}, {"factors": [4], "kernel": 5}],
    "two_stage": [{"factors": [3]}, {"factors": [4]}, {"factors": [5]}],
}
VARIANTS = [(name, arguments) for name in network_names() for arguments in ({}, *LARGER.get(name, []))]


@pytest.fixture
def largest_reach(make_network, reach_of):
    """Return the reach over all factors; the network is made anew for each, since measuring changes it."""

    def measure(name, arguments, plane=False):
        # Of several volumes, since a maximum hands on one of its inputs only.
        volumes = 6 if name == "improved_srcnn" else 1
        factors = make_network(name, **arguments).factors
        return tuple(np.max([reach_of(make_network(name, **arguments), factor, plane, volumes) for factor in factors], axis=0).tolist())

    return measure


@pytest.mark.parametrize(("name", "arguments"), VARIANTS)
def test_the_halo_is_exactly_the_reach(make_network, largest_reach, name, arguments):
    network = make_network(name, **arguments)
    assert largest_reach(name, arguments) == network.halo
    assert (network.halo[1] == 0) == (network.views == 2)


@pytest.mark.parametrize(("name", "arguments"), [(name, options | more) for name, options in PLANES for more in ({}, *LARGER[name])])
def test_the_halo_of_a_plane_network_is_exactly_the_reach(make_network, largest_reach, name, arguments):
    assert largest_reach(name, arguments, plane=True) == make_network(name, **arguments).plane_halo


@pytest.mark.parametrize("name", network_names())
@pytest.mark.parametrize("shape", [(24, 40, 42), (5, 47, 12)])
def test_pieces_give_what_the_whole_gives(make_model, make_volume, name, shape):
    check_pieces(load_model(make_model(name)), make_volume(shape).voxels, plane=False)


@pytest.mark.parametrize(("name", "arguments"), PLANES)
def test_pieces_of_planes_give_what_whole_planes_give(make_model, make_volume, name, arguments):
    check_pieces(load_model(make_model(name, arguments=arguments)), make_volume((3, 50, 44)).voxels, plane=True)


def check_pieces(model, thick, plane):
    job = NetworkRun(model, thick, 2, Settings(**EXACT), plane)
    assert len(job.plan.pieces) == 1
    whole = job.upscale(lambda *_: None)
    job._plans = [replace(plan, size=tuple(-(-length // 3) + 1 for length in plan.shape)) for plan in job._plans]
    assert len(job.plan.pieces) >= 12
    assert np.abs(job.upscale(lambda *_: None) - whole).max() <= 1e-5 * np.ptp(whole)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("name", [name for name in network_names() if name not in CONTINUING])
def test_what_goes_on_beyond_the_end_of_a_volume_looks_there_as_in_the_middle(make_model, name, axis):
    """Zero padding would darken it; slice_stack, which copes with its ends itself, differs there a little."""
    profile = np.random.default_rng(0).random([1 if axis == other else 12 for other in range(3)], np.float32)
    thick = np.ascontiguousarray(np.broadcast_to(profile, [40 if axis == other else 12 for other in range(3)]))
    fine = np.moveaxis(NetworkRun(load_model(make_model(name)), thick, 2, Settings(**EXACT)).upscale(lambda *_: None), axis, 0)
    for end in (slice(0, 2), slice(-2, None)):
        np.testing.assert_allclose(fine[end], fine[len(fine) // 2 :][:2], atol=1e-4 * np.ptp(fine))


@pytest.mark.parametrize("name", network_names())
@pytest.mark.parametrize("shape", [(1, 16, 16), (5, 7, 9), (2, 1, 3), (1, 1, 1)])
def test_the_smallest_volumes_are_taken(make_network, name, shape):
    network = make_network(name)
    fine = run_network(network, torch.rand(1, *shape), 2, torch.float32)
    assert fine.shape == (1, 2 * shape[0], *shape[1:]) and fine.isfinite().all()


@pytest.mark.parametrize("name", network_names())
def test_every_network_upscales_through_the_same_door(make_model, make_volume, name):
    path = make_model(name)
    card = load_model(path).card
    assert (card.interpolated, card.task) == (name in INTERPOLATED, "both" if name == "two_stage" else "axis")
    volume = make_volume()
    result = upscale(volume, model=str(path), factor=2, axis="k", **EXACT)
    assert result.volume.shape == (12, 18, 20) and result.model == name and result.residual_after < 1e-5 < result.residual_before


@pytest.mark.parametrize("name", network_names())
def test_volumes_of_a_batch_do_not_see_each_other(make_network, name):
    network = make_network(name)
    slices = torch.rand(2, 5, 9, 10, generator=torch.Generator().manual_seed(0))
    alone = [run_network(network, volume[None], 2, torch.float32) for volume in slices]
    torch.testing.assert_close(run_network(network, slices, 2, torch.float32), torch.cat(alone), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", network_names())
def test_every_network_can_be_run_in_reduced_precision_and_trained(make_network, name):
    network = make_network(name)
    slices = torch.rand(1, 4, 12, 12, generator=torch.Generator().manual_seed(0))
    exact, rough = (run_network(network, slices, 2, dtype) for dtype in (torch.float32, torch.bfloat16))
    assert 0 < (exact - rough).abs().max() < 0.1 * (1 + exact.abs().max())
    network(prepare_input(network, slices, 2), 2).square().mean().backward()
    unused = [key for key, weight in network.named_parameters() if weight.grad is None]
    # What belongs to another factor or to the other stage.
    assert all(".3." in key or key.startswith("plane_stage.") for key in unused), unused


@pytest.mark.parametrize("name", network_names())
@pytest.mark.parametrize("plane", [False, True])
def test_only_networks_that_say_so_get_interpolated_slices(make_network, name, plane):
    network, thick = make_network(name), torch.rand(1, 4, 5, 6)
    prepared = prepare_input(network, thick, 3, plane)
    if name not in INTERPOLATED:
        assert prepared is thick
    elif plane:
        torch.testing.assert_close(prepared, keys_interpolation(keys_interpolation(thick, 3, 2), 3, 3))
        assert prepared.shape == (1, 4, 15, 18)
    else:
        torch.testing.assert_close(prepared, keys_interpolation(thick, 3))


@pytest.mark.parametrize("name", INTERPOLATED)
def test_the_upscaler_interpolates_for_them(make_model, make_volume, monkeypatch, name):
    model, thick, seen = load_model(make_model(name)), make_volume().voxels, []
    model.network.register_forward_pre_hook(lambda network, inputs: seen.append(inputs[0]))
    job = NetworkRun(model, thick, 3, Settings(**EXACT))
    job.upscale(lambda *_: None)
    measured = {tuple(part.stop - part.start for part in plan.pieces[0].read) for plan in job._plans}
    assert {tuple(slices.shape[1:]) for slices in seen} == {(3 * slices, *plane) for slices, *plane in measured}
    assert len(seen) == job.plan.views


@pytest.mark.parametrize("name", ["deep_resolve", "slice_stack", "slice_volume"])
def test_residual_networks_start_as_interpolation(name):
    network, slices = build_network(name, {"factors": [2, 3]}), torch.rand(1, 4, 6, 6)
    for factor in (2, 3):
        torch.testing.assert_close(run_network(network, slices, factor, torch.float32), keys_interpolation(slices, factor))


def test_twenty_fresh_layers_still_tell_two_volumes_apart():
    """With torch's own initialisation the last of them would see the same features of every volume, and learn nothing."""
    torch.manual_seed(0)
    network = build_network("deep_resolve", {})
    torch.nn.init.ones_(network.convolutions[-1].weight)
    one, other = torch.rand(2, 1, 8, 8, 8)
    with torch.inference_mode():
        difference = network(one, 4) - one - (network(other, 4) - other)
    assert difference.abs().max() > 1


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("name", ["sr_dcnn", "sr_dcnn_3d"])
def test_deconvolutions_start_without_a_step_every_few_slices(name, factor):
    """A ramp along the slices stays a ramp, away from the ends."""
    deconvolution = build_network(name, {"factors": [factor]}).deconvolution
    ramp = (
        torch.arange(6.0).reshape(1, 1, 6, *(deconvolution.weight.ndim - 3) * (1,)).expand(1, 1, 6, *(deconvolution.weight.ndim - 3) * (5,))
    )
    with torch.inference_mode():
        steps = deconvolution(ramp)[0, 0].diff(dim=0)[factor:-factor]
    torch.testing.assert_close(steps, torch.full_like(steps, 1 / factor))


@pytest.mark.parametrize("name", ["slice_stack", "slice_volume"])
@pytest.mark.parametrize("factor", [2, 3])
def test_ours_keep_scale_and_offset(make_network, name, factor):
    network = make_network(name)
    slices = torch.rand(2, 5, 12, 13, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = 40 * network(slices, factor) - 1000
        torch.testing.assert_close(network(40 * slices - 1000, factor), expected, atol=2e-2, rtol=0)
        assert (expected - 40 * keys_interpolation(slices, factor) + 1000).abs().max() > 1


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("sr_dcnn_3d", {"factors": [2, 4]}, "accepted is exactly one"),
        ("two_stage", {"factors": [2, 4]}, "accepted is exactly one"),
        ("rrdb", {"factors": [5]}, "factor 5: accepted are 2, 3, 4, 8"),
        ("rrdb", {"head": 4}, "accepted are odd numbers"),
        ("rrdb", {"task": "both"}, "task 'both': accepted are axis, plane"),
        ("srcnn", {"task": "volume"}, "task 'volume': accepted are axis, plane"),
        ("two_stage", {"task": "volume"}, "accepted are both, axis, plane"),
        ("srcnn", {"kernels": [9, 5]}, "accepted is one more than channels"),
        ("srcnn", {"kernels": [9, 2, 5]}, "kernel 2: accepted are odd numbers"),
        ("srcnn_3d", {"kernel": 2}, "accepted are odd numbers"),
        ("improved_srcnn", {"kernels": [9, 5, 7]}, "accepted are exactly four"),
        ("improved_srcnn", {"link": 10}, "accepted are odd numbers"),
        ("deep_resolve", {"layers": 1}, "layers 1: accepted are whole numbers from 2"),
    ],
)
def test_arguments_that_an_architecture_cannot_take_are_refused(name, arguments, message):
    with pytest.raises(RequestError, match=message):
        build_network(name, arguments)
