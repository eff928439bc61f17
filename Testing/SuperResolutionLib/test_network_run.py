import itertools

import numpy as np
import pytest
import torch

from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.model_file import load_model
from SuperResolutionLib.network_run import NetworkRun
from SuperResolutionLib.upscaling import Settings

EXACT = {"device": "cpu", "precision": "float32"}
MODELS = [("slice_stack", {}), ("slice_stack", {"exchanged": 0}), ("slice_stack", {"layers": 3, "neighbours": 2}), ("sr_dcnn", {})]


@pytest.fixture
def make_thick(make_volume):
    def make(shape=(6, 18, 20), **options):
        return make_volume(shape, **options).voxels

    return make


@pytest.fixture
def run(make_model):
    """Upscale with a network and return the fine voxels and the run."""

    def upscale(thick, name="slice_stack", arguments=None, factor=2, progress=lambda fraction, left: None, **settings):
        job = NetworkRun(load_model(make_model(name, arguments=arguments)), thick, factor, Settings(**EXACT | settings))
        return job.upscale(progress), job

    return upscale


@pytest.mark.parametrize(("name", "arguments"), MODELS)
@pytest.mark.parametrize("shape", [(24, 40, 42), (3, 120, 120), (70, 18, 33)])
def test_the_pieces_give_what_the_whole_gives(run, make_thick, name, arguments, shape):
    thick = make_thick(shape)
    whole, one = run(thick, name, arguments)
    pieced, many = run(thick, name, arguments, memory_mb=4)
    assert len(one.plan.pieces) == 1 < len(many.plan.pieces)
    assert np.abs(pieced - whole).max() <= 1e-5 * np.ptp(whole)


@pytest.mark.parametrize(("name", "arguments"), [model for model in MODELS if model[0] == "slice_stack"])
def test_a_smaller_halo_would_leave_seams(run, make_thick, make_model, monkeypatch, name, arguments):
    """Proof that the comparison of pieces and whole can fail."""
    thick = make_thick((24, 40, 42))
    whole, _ = run(thick, name, arguments)
    model = load_model(make_model(name, arguments=arguments))
    reach = model.network.halo
    for axis in range(2):
        monkeypatch.setattr(type(model.network), "halo", tuple(r - (a == axis) for a, r in enumerate(reach)))
        pieced, many = run(thick, name, arguments, memory_mb=4)
        monkeypatch.undo()
        assert len(many.plan.pieces) > 1
        assert np.abs(pieced - whole).max() > 1e-4 * np.ptp(whole)


@pytest.mark.parametrize("name", ["slice_stack", "sr_dcnn"])
@pytest.mark.parametrize("shape", [(1, 16, 16), (5, 7, 9), (2, 1, 30)])
def test_the_smallest_volumes_are_taken(run, make_thick, name, shape):
    fine, _ = run(make_thick(shape), name)
    assert fine.shape == (2 * shape[0], *shape[1:]) and fine.dtype == np.float32 and np.isfinite(fine).all()


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float64, ">i2"])
def test_every_number_type_is_taken(run, make_thick, dtype):
    thick = (make_thick() / 8).astype(dtype)
    np.testing.assert_allclose(run(thick)[0], run(thick.astype(np.float32))[0], atol=1e-3)


def test_slice_stack_keeps_scale_and_offset_of_the_input(run, make_thick):
    thick = make_thick()
    fine, shifted = run(thick)[0], run(3 * thick - 1024)[0]
    np.testing.assert_allclose(shifted, 3 * fine - 1024, atol=1e-5 * np.ptp(shifted))


@pytest.mark.parametrize("name", ["slice_stack", "sr_dcnn"])
def test_a_constant_volume_is_no_obstacle(run, name):
    assert np.isfinite(run(np.full((4, 16, 16), -1000.0, np.float32), name)[0]).all()
    np.testing.assert_allclose(run(np.full((4, 16, 16), -1000.0, np.float32))[0], -1000, rtol=1e-6)


@pytest.mark.parametrize("name", ["slice_stack", "sr_dcnn"])
def test_the_ensemble_is_the_mean_over_all_flips(run, make_thick, name):
    thick = make_thick()
    expected = np.zeros((12, 18, 20))
    for flips in itertools.product((False, True), repeat=3):
        axes = [axis for axis, flip in enumerate(flips) if flip]
        expected += np.flip(run(np.flip(thick, axes), name)[0], axes) / 8
    together, alone = run(thick, name, ensemble=True)[0], run(thick, name)[0]
    np.testing.assert_allclose(together, expected, atol=1e-5 * np.ptp(expected))
    assert np.abs(together - alone).max() > 1e-2 * np.ptp(expected)


@pytest.mark.parametrize("name", ["slice_stack", "sr_dcnn"])
@pytest.mark.parametrize("offset", [0, -100_000])
def test_the_variance_is_that_over_all_flips_and_views(run, make_thick, monkeypatch, name, offset):
    members, flipped = [], NetworkRun._flipped

    def watched(job, slices, flips):
        result = flipped(job, slices, flips)
        fine = result[0].double().numpy() * job._scale
        members.append(fine if len(members) < 8 else fine.swapaxes(1, 2))
        return result

    monkeypatch.setattr(NetworkRun, "_flipped", watched)
    thick = make_thick((6, 18, 20)) + np.float32(offset)
    fine, job = run(thick, name, ensemble=True)
    assert len(members) == 8 * job.plan.views

    def inner(member):
        beyond = [(have - want) // 2 for have, want in zip(member.shape, fine.shape)]
        return member[tuple(slice(start, start + length) for start, length in zip(beyond, fine.shape))]

    expected = np.var([inner(member) for member in members], axis=0)
    np.testing.assert_allclose(job.variance, expected, atol=1e-4 * expected.max())
    assert job.variance.dtype == np.float32 and job.variance.min() >= 0 < expected.max()


def test_the_variance_of_the_pieces_is_that_of_the_whole(run, make_thick):
    thick = make_thick((24, 40, 42))
    _, whole = run(thick, "sr_dcnn", ensemble=True)
    _, pieced = run(thick, "sr_dcnn", ensemble=True, memory_mb=4)
    assert len(whole.plan.pieces) == 1 < len(pieced.plan.pieces)
    np.testing.assert_allclose(pieced.variance, whole.variance, atol=1e-5 * whole.variance.max())


def test_there_is_no_variance_without_ensemble(run, make_thick):
    assert run(make_thick(), "sr_dcnn")[1].variance is None


def test_sr_dcnn_sees_both_orthogonal_views_alike(run, make_thick, make_network):
    thick = make_thick()
    turned = run(thick.transpose(0, 2, 1), "sr_dcnn")[0].transpose(0, 2, 1)
    fine = run(thick, "sr_dcnn")[0]
    np.testing.assert_allclose(fine, turned, atol=1e-5 * np.ptp(fine))
    plane = torch.from_numpy(thick)[None] / 1000
    with torch.inference_mode():
        one, other = (make_network("sr_dcnn")(view, 2) for view in (plane, plane.transpose(2, 3)))
    assert (one - other.transpose(2, 3)).abs().max() > 1e-3


def test_planes_that_do_not_see_each_other_are_cut_apart_without_halo(run, make_thick):
    """In either view whole planes, a few at a time: a network of any reach needs the memory of one plane only."""
    thick = make_thick((24, 40, 42))
    _, job = run(thick, "sr_dcnn", memory_mb=4)
    assert job.plan.size[0] == 24 and job.plan.size[2] == 42 and job.plan.work == 2 * (24 + 2 * 3) * 40 * (42 + 2 * 4)
    assert 1 < len(job.plan.pieces) < 40


@pytest.mark.parametrize("name", ["slice_stack", "sr_dcnn"])
@pytest.mark.parametrize("memory_mb", [None, 4])
def test_progress_grows_to_one_and_the_seconds_left_to_none(run, make_thick, memory_mb, name):
    told = []
    _, job = run(make_thick((24, 40, 42)), name, progress=lambda *state: told.append(state), memory_mb=memory_mb)
    fractions, seconds = zip(*told)
    assert list(fractions) == sorted(set(fractions)) and fractions[-1] == 1 and len(told) >= job.plan.views * len(job.plan.pieces)
    assert min(seconds) >= 0 and seconds[-1] == 0


def test_reduced_precision_is_near_to_single_precision(run, make_thick):
    thick = make_thick()
    exact, job = run(thick)
    rough, other = run(thick, precision="bfloat16")
    assert (job.precision, other.precision, str(job.device)) == ("float32", "bfloat16", "cpu")
    assert 0 < np.abs(rough - exact).max() < 0.02 * np.ptp(exact)


def test_the_input_is_left_as_it_was(run, make_thick):
    thick = make_thick()
    before = thick.copy()
    run(thick, ensemble=True)
    np.testing.assert_array_equal(thick, before)


def test_a_memory_limit_below_what_is_needed_is_refused(run, make_thick):
    with pytest.raises(RequestError, match="memory 1 MB: .* needs at least"):
        run(make_thick((40, 100, 100)), memory_mb=1)


def short_of_memory(monkeypatch, most):
    """Let the device run out of memory with pieces that read more than `most` voxels; return the sizes that it took."""
    piece, taken = NetworkRun._piece, []

    def limited(self, thick, *arguments):
        if thick.size > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        taken.append(thick.size)
        return piece(self, thick, *arguments)

    monkeypatch.setattr(NetworkRun, "_piece", limited)
    return taken


@pytest.mark.parametrize(("name", "ensemble"), [("slice_stack", False), ("sr_dcnn", True)])
def test_a_device_that_runs_out_of_memory_gets_smaller_pieces_and_the_run_says_so(run, make_thick, monkeypatch, name, ensemble):
    thick = make_thick((40, 70, 72))
    whole, job = run(thick, name, ensemble=ensemble)
    assert job.shortage == ""
    taken = short_of_memory(monkeypatch, most=40 * 50 * 50)
    pieced, short = run(thick, name, ensemble=ensemble)
    assert len(taken) > 2 and max(taken) <= 40 * 50 * 50
    assert np.abs(pieced - whole).max() <= 1e-5 * np.ptp(whole)
    if ensemble:
        np.testing.assert_allclose(short.variance, job.variance, rtol=1e-3, atol=1e-6 * job.variance.max())
    assert short.shortage.startswith("device cpu: out of memory with pieces of 40 x ") and "smaller ones were used" in short.shortage


def test_a_device_without_memory_for_the_smallest_piece_says_so(run, make_thick, monkeypatch):
    short_of_memory(monkeypatch, most=0)
    with pytest.raises(WorkError, match=r"device cpu: out of memory even with pieces of \d+ x \d+ x \d+ voxels; the CPU may have more"):
        run(make_thick())
