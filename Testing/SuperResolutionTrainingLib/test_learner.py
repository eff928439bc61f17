import pytest
import torch
from torch import nn

from SuperResolutionTrainingLib.distributed import Group
from SuperResolutionTrainingLib.learner import Learner
from SuperResolutionTrainingLib.made import Setting
from SuperResolutionTrainingLib.muon import Muon
from SuperResolutionTrainingLib.recipe import recipe_from


@pytest.mark.parametrize(
    ("optimiser", "decay", "kind"),
    [("adamw", 0.0, torch.optim.AdamW), ("adamw", 0.1, torch.optim.AdamW), ("adam", 0.0, torch.optim.Adam), ("muon", 0.0, Muon)],
)
def test_the_optimiser_and_its_weight_decay_are_those_of_the_recipe(optimiser, decay, kind):
    stages = [{"steps": 1, "losses": {"l1": 1}, "learning_rate": 0.1}]
    told = {"id": "x", "title": "x", "network": "slice_stack", "modalities": ["MR"], "stages": stages}
    module = nn.Conv2d(1, 2, 3)
    with Group("cpu") as group:
        recipe = recipe_from(told | {"optimiser": optimiser, "weight_decay": decay})
        learner = Learner(module, Setting(module, recipe, torch.device("cpu"), group))
    assert type(learner.optimiser) is kind
    assert all(settings.get("weight_decay", 0) == decay for settings in learner.optimiser.param_groups)
