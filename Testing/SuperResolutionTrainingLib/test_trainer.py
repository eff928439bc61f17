import threading

import numpy as np
import pytest
import torch

from SuperResolutionLib.discriminator import Discriminator
from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.networks import build_network
from SuperResolutionTrainingLib import checkpoint, trainer
from SuperResolutionTrainingLib.distributed import Group
from SuperResolutionTrainingLib.losses import adversarial
from SuperResolutionTrainingLib.samples import PatchSampler
from SuperResolutionTrainingLib.trainer import Trainer

RRDB = {
    "network": "rrdb",
    "arguments": {"factors": [2], "channels": 4, "growth": 2, "blocks": 1},
    "patches": {"slices": 18, "plane": 34, "margin": 1, "batch": 1},
}


class Interrupted(Exception):
    """Stands for whatever ends a run: a power cut, Ctrl-C."""


@pytest.fixture(autouse=True)
def told_at_every_step(monkeypatch):
    """Report after every step, whatever the clock says."""
    monkeypatch.setattr(trainer, "_REPORT_EVERY_S", 0.0)
    monkeypatch.setattr(trainer, "_REPORT_SHARE", 0.0)


@pytest.fixture(autouse=True)
def small_discriminator(monkeypatch):
    monkeypatch.setattr(adversarial, "build_discriminator", lambda: Discriminator(channels=2))


@pytest.fixture
def train(scans):
    """Run a recipe and return what came of it."""

    def run(recipe, out, resume=False, tell=None, start=None):
        with Group("cpu") as group:
            run = Trainer(recipe, scans, out, group, tell, start)
            if resume:
                run.resume()
            return run.run()

    return run


@pytest.fixture
def same_batches(monkeypatch):
    """Let the sampler draw the same two batches again and again: what is learned shows after a few steps."""
    draw = PatchSampler.batch
    monkeypatch.setattr(PatchSampler, "batch", lambda self, number: draw(self, number % 2))


def stages(steps, losses=None, learning_rate=0.01):
    return [{"steps": steps, "losses": losses or {"l1": 1}, "learning_rate": learning_rate}]


def interrupt_at(step):
    def tell(message):
        if message["type"] == "progress" and message["step"] == step:
            raise Interrupted

    return tell


def weights_of(trained):
    return {name: weight.detach().numpy() for name, weight in trained.network.state_dict().items()}


def assert_identical(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_training_brings_the_network_nearer_to_the_truth(make_recipe, scans, train, tmp_path):
    recipe = make_recipe(stages=stages(150))
    network = train(recipe, tmp_path / "run").network
    unseen = [PatchSampler(recipe, scans, (2,)).batch(number) for number in range(1000, 1010)]

    def error(network):
        with torch.inference_mode():
            results = [network(torch.from_numpy(thick), factor).numpy() for thick, _, factor in unseen]
        return np.mean([np.abs(result - fine).mean() for result, (_, fine, _) in zip(results, unseen)])

    assert error(network) < 0.95 * error(build_network(recipe.network, recipe.arguments))


def test_it_is_told_what_will_be_done_and_how_the_loss_falls(make_recipe, same_batches, train, tmp_path):
    told = []
    train(make_recipe(stages=stages(60)), tmp_path / "run", tell=told.append)
    plan, *progress = told
    assert plan["type"] == "plan" and (plan["steps"], plan["first_step"], plan["train"], plan["validation"]) == (60, 0, ["anna"], ["bert"])
    assert [message["step"] for message in progress] == list(range(1, 61)) and progress[-1]["seconds_left"] == 0
    losses = [message["loss"] for message in progress]
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


def test_the_same_recipe_gives_the_same_weights(make_recipe, train, tmp_path):
    one, other = (weights_of(train(make_recipe(stages=stages(10)), tmp_path / name)) for name in ("one", "other"))
    assert_identical(one, other)
    another = weights_of(train(make_recipe(stages=stages(10), seed=2), tmp_path / "another"))
    assert any(not np.array_equal(one[name], another[name]) for name in one)


WHOLE_STATE = {
    "plain": {},
    "average and best": {"average": 0.9, "validate_every": 4},
    "two stages of adam": {"stages": stages(15) + stages(15, {"l2": 10, "ssim": 0.1}, 0.002), "optimiser": "adam", "schedule": "linear"},
    "muon": {"optimiser": "muon", "arguments": {"factors": [2], "channels": 16, "layers": 2}},
    "discriminator": {**RRDB, "stages": stages(6) + stages(10, {"l1": 1, "adversarial": 0.1}, 0.002), "average": 0.5, "validate_every": 4},
}


@pytest.mark.parametrize("changes", WHOLE_STATE.values(), ids=WHOLE_STATE)
def test_an_interrupted_run_is_resumed_to_the_identical_state(make_recipe, train, tmp_path, monkeypatch, changes):
    monkeypatch.setattr(trainer, "_CHECKPOINT_EVERY_S", 0.0)
    recipe = make_recipe(**{"stages": stages(30)} | changes)
    whole_told, told = [], []
    whole = train(recipe, tmp_path / "whole", tell=whole_told.append)
    with pytest.raises(Interrupted):
        train(recipe, tmp_path / "broken", tell=interrupt_at(13))
    resumed = train(recipe, tmp_path / "broken", resume=True, tell=told.append)
    assert told[0]["first_step"] == 13 and (resumed.step, resumed.steps) == (whole.step, recipe.steps)
    assert_identical(weights_of(resumed), weights_of(whole))

    def figures(messages):
        kept = ("type", "step", "loss", "psnr", "ncc", "ssim", "best")
        return [{name: message.get(name) for name in kept} for message in messages if message.get("step", 0) > 13]

    assert figures(told) == figures(whole_told)
    states = [checkpoint.read_checkpoint(tmp_path / name / checkpoint.FILE) for name in ("whole", "broken")]
    assert states[0][0] | {"seconds": 0} == states[1][0] | {"seconds": 0}
    assert_identical(*({name: value.numpy() for name, value in tensors.items()} for _, tensors in states))


def test_a_stopped_run_keeps_the_best_and_goes_on_to_the_identical_state(make_recipe, train, tmp_path):
    recipe = make_recipe(stages=stages(20), validate_every=8)
    whole = train(recipe, tmp_path / "whole")
    told = []

    def stop(message):
        told.append(message)
        if message["type"] == "progress" and message["step"] == 11:
            (tmp_path / "run" / "stop").touch()

    stopped = train(recipe, tmp_path / "run", tell=stop)
    assert stopped.ended == "stop" and stopped.steps == 12 and not (tmp_path / "run" / "stop").exists()
    measured = {message["step"]: message["psnr"] for message in told if message["type"] == "validation"}
    assert list(measured) == [8, 12] and measured[stopped.step] == max(measured.values())
    assert_identical(weights_of(train(recipe, tmp_path / "run", resume=True)), weights_of(whole))


def test_a_run_stopped_before_its_first_step_has_nothing_to_keep(make_recipe, train, tmp_path):
    with pytest.raises(WorkError, match="stopped before its first step, so there is no network to keep"):
        train(make_recipe(stages=stages(6)), tmp_path / "run", tell=lambda message: (tmp_path / "run" / "stop").touch())
    assert not (tmp_path / "run" / checkpoint.FILE).exists()


def test_a_paused_run_waits_and_goes_on(make_recipe, train, tmp_path):
    told = []

    def pause(message):
        told.append(message["type"])
        if message["type"] == "progress" and message["step"] == 3:
            (tmp_path / "run" / "pause").touch()
        if message["type"] == "paused":
            threading.Timer(0.5, (tmp_path / "run" / "pause").unlink).start()

    trained = train(make_recipe(stages=stages(6)), tmp_path / "run", tell=pause)
    assert told == ["plan", *["progress"] * 3, "paused", "resumed", *["progress"] * 3] and trained.ended == "steps"
    assert trained.seconds < 0.5


def test_a_finished_run_is_resumed_without_another_step(make_recipe, train, tmp_path):
    recipe = make_recipe(stages=stages(10), validate_every=4)
    done = train(recipe, tmp_path / "run")
    again = train(recipe, tmp_path / "run", resume=True)
    assert_identical(weights_of(again), weights_of(done))
    assert (again.step, again.steps, again.ended) == (done.step, 10, "steps")


def test_time_ends_a_run_with_stages_and_schedule_at_their_ends(make_recipe, train, tmp_path):
    told = []
    recipe = make_recipe(stages=stages(10**6) + stages(10**6, {"l2": 1}), minutes=0.02)
    trained = train(recipe, tmp_path / "run", tell=told.append)
    assert trained.ended == "minutes" and 1.2 <= trained.seconds < 2.5 and trained.steps < 10**5
    assert {message["stage"] for message in told[1:]} == {0, 1}
    more = make_recipe(stages=stages(10**6) + stages(10**6, {"l2": 1}), minutes=0.03)
    assert train(more, tmp_path / "run", resume=True).steps > trained.steps


def test_training_ends_when_validation_has_gained_nothing_for_long(make_recipe, train, tmp_path):
    told = []
    recipe = make_recipe(stages=stages(50, learning_rate=1e-12), validate_every=2, patience=3)
    trained = train(recipe, tmp_path / "run", tell=told.append)
    measured = [message for message in told if message["type"] == "validation"]
    assert trained.ended == "patience" and not any(message["best"] for message in measured[-3:])
    assert trained.step == max(message["step"] for message in measured if message["best"]) and trained.steps < 50


def test_the_model_is_what_validation_found_best(make_recipe, train, tmp_path):
    """A learning rate that ruins the network in the second stage: the weights of the first are kept."""
    told = []
    arguments = {"factors": [2], "channels": [6]}
    recipe = make_recipe(network="sr_dcnn", arguments=arguments, stages=stages(10) + stages(10, learning_rate=10), validate_every=10)
    trained = train(recipe, tmp_path / "run", tell=told.append)
    measured = {message["step"]: message["psnr"] for message in told if message["type"] == "validation"}
    assert trained.step == 10 and measured[10] > measured[20] + 1
    assert all(np.abs(weight).max() <= 1 for weight in weights_of(trained).values())


def test_where_psnr_does_not_tell_the_last_weights_are_kept(make_recipe, train, tmp_path):
    told = []
    recipe = make_recipe(**RRDB, stages=stages(4) + stages(4, {"l1": 1, "adversarial": 0.1}), validate_every=2)
    trained = train(recipe, tmp_path / "run", tell=told.append)
    assert trained.step == 8
    assert [message["best"] for message in told if message["type"] == "validation"][2:] == [False, False]


def test_validation_compares_with_cubic_and_draws_a_preview(make_recipe, train, tmp_path):
    told = []
    train(make_recipe(stages=stages(8), validate_every=4), tmp_path / "run", tell=told.append)
    one, other = [message for message in told if message["type"] == "validation"]
    assert one["psnr_cubic"] == other["psnr_cubic"] and other["psnr"] == pytest.approx(other["psnr_cubic"], abs=2)
    assert all(0 < message[name] <= 1 for message in (one, other) for name in ("ncc", "ncc_cubic", "ssim", "ssim_cubic"))
    assert [path.name for path in sorted((tmp_path / "run" / "previews").iterdir())] == ["step-0000004.png", "step-0000008.png"]
    assert other["preview"].endswith("step-0000008.png")


def test_without_subjects_for_validation_the_last_weights_are_the_model(make_recipe, plain_recipe, train, tmp_path):
    trained = train(make_recipe(scans=plain_recipe["scans"][:1], validate_every=5, stages=stages(12)), tmp_path / "run")
    assert trained.step == 12 and not (tmp_path / "run" / "previews").exists()


def test_resuming_without_a_checkpoint_is_refused(make_recipe, train, tmp_path):
    with pytest.raises(RequestError, match="run/.*: no checkpoint to resume from"):
        train(make_recipe(), tmp_path / "run", resume=True)


def test_resuming_with_another_recipe_is_refused_with_what_differs(make_recipe, train, tmp_path):
    train(make_recipe(stages=stages(5)), tmp_path / "run")
    with pytest.raises(RequestError, match="run/.*: made with another recipe: clip, seed differ; resume takes the recipe"):
        train(make_recipe(stages=stages(5), clip=2, seed=7), tmp_path / "run", resume=True)


def test_an_interruption_while_the_checkpoint_is_written_leaves_the_one_before(make_recipe, train, tmp_path, monkeypatch):
    recipe = make_recipe(stages=stages(5))
    train(recipe, tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}

    def cut_off(tensors, path, metadata):
        path.write_bytes(b"half a check")
        raise Interrupted

    monkeypatch.setattr(checkpoint, "save_file", cut_off)
    with pytest.raises(Interrupted):
        train(recipe, tmp_path / "run")
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_training_stops_when_the_loss_is_no_number_and_keeps_the_last_good_checkpoint(make_recipe, train, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "_CHECKPOINT_EVERY_S", 0.0)
    recipe = make_recipe(stages=stages(5) + stages(30, learning_rate=1e38), clip=0)
    message = r"training of tiny: the (loss|gradient) is (nan|inf) at step \d+; a lower learning rate than 1e\+38 may help"
    with pytest.raises(WorkError, match=message):
        train(recipe, tmp_path / "run")
    numbers, tensors = checkpoint.read_checkpoint(tmp_path / "run" / checkpoint.FILE)
    assert numbers["step"] >= 5 and all(bool(value.isfinite().all()) for value in tensors.values())


def test_training_starts_from_the_weights_it_is_given_where_they_fit(make_recipe, train, tmp_path):
    """With steps too small to see, the result is the start."""
    arguments = make_recipe().arguments
    network = build_network("slice_stack", arguments)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_()
    start = {name: weight.clone() for name, weight in network.state_dict().items()}
    tails = [name for name in start if start[name].shape[0] == 2]
    others = {name: weight if name not in tails else torch.zeros(3, 8, 3, 3) for name, weight in start.items()}
    recipe = make_recipe(stages=stages(1, learning_rate=1e-12))
    whole, part = (weights_of(train(recipe, tmp_path / name, start=given)) for name, given in (("whole", start), ("part", others)))
    for name, weight in whole.items():
        np.testing.assert_allclose(weight, start[name], atol=1e-6)
        if name not in tails:
            np.testing.assert_allclose(part[name], start[name], atol=1e-6)
    assert tails and all(not np.allclose(part[name], start[name], atol=0.1) for name in tails)


NETWORKS = {
    "srcnn": {"arguments": {"factors": [2], "channels": [6, 4]}},
    "srcnn in planes": {"network": "srcnn", "arguments": {"factors": [2], "channels": [6, 4], "task": "plane"}, "task": "plane"},
    "srcnn_3d": {"arguments": {"factors": [2], "channels": [4]}},
    "sr_dcnn": {"arguments": {"factors": [2], "channels": [6]}},
    "sr_dcnn_3d": {"arguments": {"factors": [2], "channels": [4]}},
    "two_stage": {
        "arguments": {"factors": [2], "channels": 6},
        "task": "both",
        "stages": stages(40, {"l1": 1, "intermediate": 1}, 0.003),
    },
    "improved_srcnn": {"arguments": {"factors": [2], "channels": 4, "kernels": [3, 3, 3, 3], "link": 3}},
    "rrdb": {"arguments": {"factors": [2], "channels": 6, "growth": 4, "blocks": 1}},
    "deep_resolve": {"arguments": {"factors": [2], "channels": 6, "layers": 3}},
    "slice_volume": {"arguments": {"factors": [2], "channels": 6, "blocks": 2}},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_trained_by_the_same_door(make_recipe, same_batches, train, tmp_path, name):
    told = []
    recipe = make_recipe(**{"network": name, "stages": stages(40, {"l1": 1}, 0.003)} | NETWORKS[name])
    trained = train(recipe, tmp_path / "run", tell=told.append)
    losses = [message["loss"] for message in told if message["type"] == "progress"]
    assert trained.network.factors == (2,) and np.mean(losses[-10:]) < np.mean(losses[:10])


def test_a_task_that_the_network_has_not_is_refused(make_recipe, train, tmp_path):
    with pytest.raises(RequestError, match="recipe: task 'plane' with network 'slice_stack': accepted is axis"):
        train(make_recipe(task="plane"), tmp_path / "run")


def test_where_the_recipe_leaves_it_open_the_precision_is_tried_once_and_kept(make_recipe, train, tmp_path, monkeypatch):
    tried = []

    def choose(name, device, attempt):
        for dtype in (torch.float32, torch.bfloat16):
            attempt(dtype)
        tried.append(name)
        return torch.bfloat16

    monkeypatch.setattr(trainer, "choose_training_precision", choose)
    told = []
    plain = weights_of(train(make_recipe(stages=stages(5), precision="bfloat16"), tmp_path / "plain"))
    recipe = make_recipe(stages=stages(5), precision="auto")
    chosen = weights_of(train(recipe, tmp_path / "run", tell=told.append))
    assert_identical(plain, chosen)
    train(recipe, tmp_path / "run", resume=True)
    assert tried == ["bfloat16", "auto"] and told[0]["precision"] == "bfloat16"


def test_the_rate_of_the_first_steps_rises(make_recipe, train, tmp_path, monkeypatch):
    rates = []
    monkeypatch.setattr(trainer.Learner, "learn", lambda self, loss, rate: rates.append(rate))
    train(make_recipe(stages=stages(3, learning_rate=1.0), schedule="constant"), tmp_path / "run")
    assert rates == pytest.approx([0.01, 0.02, 0.03])


def test_a_loss_that_cannot_take_the_patches_says_so_before_the_first_step(make_recipe, train, tmp_path):
    told = []
    recipe = make_recipe(**RRDB | {"patches": {"slices": 8, "plane": 20}}, stages=stages(5) + stages(5, {"adversarial": 1}))
    with pytest.raises(RequestError, match="planes of 8 x 16 for the discriminator: accepted are 32 rows and columns or more"):
        train(recipe, tmp_path / "run", tell=told.append)
    assert told == []


def test_an_intermediate_loss_is_refused_with_a_network_without_such_a_map(make_recipe, train, tmp_path):
    with pytest.raises(RequestError, match="recipe: loss 'intermediate' with network 'slice_stack': accepted are networks with an interm"):
        train(make_recipe(stages=stages(5, {"l1": 1, "intermediate": 1})), tmp_path / "run")
