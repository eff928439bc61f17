import numpy as np
import pytest
import torch

from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.networks import build_network
from SuperResolutionTrainingLib.samples import PatchSampler
from SuperResolutionTrainingLib.trainer import train


class Interrupted(Exception):
    """Stands for whatever ends a run: a power cut, Ctrl-C."""


def interrupt_at(step):
    def report(progress):
        if progress.step == step:
            raise Interrupted

    return report


def weights_of(network):
    return {name: weight.detach().cpu().numpy() for name, weight in network.state_dict().items()}


def assert_identical(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_training_brings_the_network_nearer_to_the_truth(make_recipe, scans, tmp_path):
    recipe = make_recipe(steps=150)
    network = train(recipe, scans, tmp_path / "run")
    unseen = [PatchSampler(recipe, scans, (2,)).batch(number) for number in range(1000, 1010)]

    def error(network):
        with torch.inference_mode():
            results = [network(torch.from_numpy(thick), factor).numpy() for thick, _, factor in unseen]
        return np.mean([np.abs(result - fine).mean() for result, (_, fine, _) in zip(results, unseen)])

    assert error(network.cpu().eval()) < 0.95 * error(build_network(recipe.network, recipe.arguments))


def test_the_loss_that_is_reported_falls(make_recipe, scans, tmp_path):
    told = []
    train(make_recipe(steps=200), scans, tmp_path / "run", report=told.append)
    assert [(progress.step, progress.steps) for progress in told] == [(50, 200), (100, 200), (150, 200), (200, 200)]
    assert told[-1].loss < 0.95 * told[0].loss


def test_the_same_recipe_gives_the_same_weights(make_recipe, scans, tmp_path):
    one, other = (weights_of(train(make_recipe(steps=10), scans, tmp_path / name)) for name in ("one", "other"))
    assert_identical(one, other)
    another = weights_of(train(make_recipe(steps=10, seed=2), scans, tmp_path / "another"))
    assert any(not np.array_equal(one[name], another[name]) for name in one)


def test_an_interrupted_run_is_resumed_to_the_identical_weights(make_recipe, scans, tmp_path):
    recipe = make_recipe(steps=260)
    whole = weights_of(train(recipe, scans, tmp_path / "whole"))
    with pytest.raises(Interrupted):
        train(recipe, scans, tmp_path / "broken", report=interrupt_at(250))
    told = []
    resumed = weights_of(train(recipe, scans, tmp_path / "broken", resume=True, report=told.append))
    assert_identical(resumed, whole)
    assert [progress.step for progress in told] == [250]
    assert sorted(path.name for path in (tmp_path / "broken").iterdir()) == sorted(path.name for path in (tmp_path / "whole").iterdir())


def test_a_finished_run_is_resumed_without_another_step(make_recipe, scans, tmp_path):
    recipe = make_recipe(steps=10)
    done = weights_of(train(recipe, scans, tmp_path / "run"))
    assert_identical(weights_of(train(recipe, scans, tmp_path / "run", resume=True)), done)


def test_resuming_without_a_checkpoint_is_refused(make_recipe, scans, tmp_path):
    with pytest.raises(RequestError, match="run/.*: no checkpoint to resume from"):
        train(make_recipe(), scans, tmp_path / "run", resume=True)


def test_resuming_with_another_recipe_is_refused(make_recipe, scans, tmp_path):
    train(make_recipe(steps=5), scans, tmp_path / "run")
    with pytest.raises(RequestError, match="run/.*: made with another recipe"):
        train(make_recipe(steps=5, learning_rate=0.02), scans, tmp_path / "run", resume=True)


@pytest.mark.parametrize("kept", [0, 10, -100])
def test_a_damaged_checkpoint_is_refused_with_its_path(make_recipe, scans, tmp_path, kept):
    train(make_recipe(steps=5), scans, tmp_path / "run")
    (checkpoint,) = (tmp_path / "run").iterdir()
    checkpoint.write_bytes(checkpoint.read_bytes()[:kept])
    with pytest.raises(RequestError, match=f"{checkpoint.name}: damaged") as caught:
        train(make_recipe(steps=5), scans, tmp_path / "run", resume=True)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_runs_no_code(make_recipe, scans, tmp_path):
    class Dangerous:
        def __reduce__(self):
            return open, (str(tmp_path / "was-run"), "w")

    train(make_recipe(steps=5), scans, tmp_path / "run")
    (checkpoint,) = (tmp_path / "run").iterdir()
    torch.save({"recipe": Dangerous()}, checkpoint)
    (tmp_path / "was-run").unlink(missing_ok=True)
    with pytest.raises(RequestError):
        train(make_recipe(steps=5), scans, tmp_path / "run", resume=True)
    assert not (tmp_path / "was-run").exists()


def test_an_interruption_while_the_checkpoint_is_written_leaves_the_one_before(make_recipe, scans, tmp_path, monkeypatch):
    recipe = make_recipe(steps=5)
    train(recipe, scans, tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}

    def cut_off(state, path):
        path.write_bytes(b"half a check")
        raise Interrupted

    monkeypatch.setattr(torch, "save", cut_off)
    with pytest.raises(Interrupted):
        train(recipe, scans, tmp_path / "run")
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_training_stops_when_the_loss_is_no_number(make_recipe, scans, tmp_path):
    with pytest.raises(WorkError, match=r"training of tiny: the loss is (nan|inf) at step \d+; a lower learning rate than 1e\+38 may help"):
        train(make_recipe(learning_rate=1e38), scans, tmp_path / "run")


def test_training_starts_from_the_weights_it_is_given_where_they_fit(make_recipe, scans, tmp_path):
    """With steps too small to see, the result is the start."""
    arguments = make_recipe().arguments
    network = build_network("slice_stack", arguments)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_()
    start = {name: weight.clone() for name, weight in network.state_dict().items()}
    tails = [name for name in start if start[name].shape[0] == 2]
    others = {name: weight if name not in tails else torch.zeros(3, 8, 3, 3) for name, weight in start.items()}
    recipe = make_recipe(steps=1, learning_rate=1e-12)
    whole, part = (train(recipe, scans, tmp_path / name, start=given) for name, given in (("whole", start), ("part", others)))
    for name, weight in weights_of(whole).items():
        np.testing.assert_allclose(weight, start[name], atol=1e-6)
        if name not in tails:
            np.testing.assert_allclose(weights_of(part)[name], start[name], atol=1e-6)
    assert tails and all(not np.allclose(weights_of(part)[name], start[name], atol=0.1) for name in tails)


def test_sr_dcnn_is_trained_by_the_same_door(make_recipe, scans, tmp_path):
    told = []
    recipe = make_recipe(network="sr_dcnn", arguments={"factors": [2], "channels": [6]}, steps=100, learning_rate=0.003)
    network = train(recipe, scans, tmp_path / "run", report=told.append)
    assert network.factors == (2,) and told[-1].loss < told[0].loss
