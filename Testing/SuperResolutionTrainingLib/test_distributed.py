"""Several processes train one network: two on the CPU do what one does with batches twice as large."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import yaml

from SuperResolutionLib.model_file import load_model
from SuperResolutionTrainingLib import training_run
from SuperResolutionTrainingLib.distributed import Group
from SuperResolutionTrainingLib.samples import PatchSampler


@pytest.fixture
def recipe_file(plain_recipe, tmp_path):
    path = tmp_path / "recipe.yaml"
    stages = [{"steps": 6, "losses": {"l2": 1}, "learning_rate": 0.01}, {"steps": 4, "losses": {"l1": 1, "ssim": 0.1}}]
    # Heads of two factors, of which a step uses one: what a process did not use is no obstacle.
    arguments = plain_recipe["arguments"] | {"factors": [2, 3]}
    changes = {"stages": stages, "arguments": arguments, "drawn_factors": [2], "validate_every": 5, "average": 0.9}
    path.write_text(yaml.safe_dump(plain_recipe | changes))
    return path


def torchrun(processes, *program):
    """Run a program by torch's own launcher."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", *map(str, program)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


def train_together(recipe, data, out):
    """Train in two processes."""
    return torchrun(2, "-m", "SuperResolutionLib.cli", "train", recipe, "--data", data, "--out", out, "--device", "cpu", "--json")


def twice_the_batch(monkeypatch):
    """Let a batch hold what two processes draw in a step."""
    draw = PatchSampler.batch

    def both(self, number):
        (thick, fine, factor), (other_thick, other_fine, _) = (draw(self, 2 * number + rank) for rank in range(2))
        return np.concatenate((thick, other_thick)), np.concatenate((fine, other_fine)), factor

    monkeypatch.setattr(PatchSampler, "batch", both)


def test_two_processes_do_what_one_does_with_twice_the_batch(recipe_file, scans, tmp_path, monkeypatch):
    done = train_together(recipe_file, scans, tmp_path / "two")
    assert done.returncode == 0, done.stderr
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert [message["processes"] for message in messages if message["type"] == "plan"] == [2]
    assert [message["type"] for message in messages].count("result") == 1
    twice_the_batch(monkeypatch)
    told = []
    path = training_run.run(str(recipe_file), scans, tmp_path / "one", tell=told.append, device="cpu")

    one, two = (load_model(model).network.state_dict() for model in (path, tmp_path / "two" / "tiny.safetensors"))
    for name in one:
        np.testing.assert_allclose(two[name].numpy(), one[name].numpy(), atol=2e-5, err_msg=name)

    def curve(messages):
        return [(message["step"], message["psnr"]) for message in messages if message["type"] == "validation"]

    assert [step for step, _ in curve(told)] == [5, 10]
    np.testing.assert_allclose(curve(messages), curve(told), atol=2e-3)


def test_a_wrong_recipe_ends_all_processes(recipe_file, scans, tmp_path):
    recipe_file.write_text("id: tiny")
    done = train_together(recipe_file, scans, tmp_path / "two")
    assert done.returncode != 0 and "key 'title' is missing" in done.stderr


def test_a_process_alone_leads_and_agrees_with_itself():
    with Group("cpu") as group:
        assert group.leads and group.size == 1 and group.number_of(7) == 7
        assert group.agree(1.5, True) == [1.5, True] and group.mean(3.0) == 3.0
        assert group.in_turn(lambda first: first) is True
