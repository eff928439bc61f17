"""The recipe of the shipped model trains as it did: figures recorded from the program that made it, for a tiny network on made-up scans."""

import numpy as np
import pytest
import yaml

from SuperResolutionLib.files import write_volume
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.distributed import Group
from SuperResolutionTrainingLib.recipe import recipe_from
from SuperResolutionTrainingLib.trainer import Trainer
from SuperResolutionTrainingLib.training_run import SHIPPED

# Sum, and sum of absolute values, of each weight after five steps of absolute and five of squared error.
RECORDED = {
    "heads.2.weight": (-0.14331, 54.06437),
    "heads.3.weight": (1.42741, 53.85769),
    "heads.4.weight": (-0.42536, 53.32396),
    "body.0.weight": (-6.77589, 95.68141),
    "body.1.weight": (5.63698, 96.89365),
    "tails.2.weight": (0.00103, 0.00452),
    "tails.3.weight": (-0.00633, 0.02163),
    "tails.4.weight": (0.04963, 0.08663),
}


def scan(step):
    k, j, i = np.indices((28, 30, 32))
    ball = (k - 14) ** 2 + (j - 15) ** 2 + (i - 16) ** 2 < 120
    return Volume((100 + 400 * ball + (step * k * j + 3 * i * i + j * i) % 251).astype(np.int16), np.eye(4))


def test_the_weights_after_ten_steps_are_those_of_the_program_before(tmp_path):
    write_volume(scan(7), tmp_path / "anna.nii.gz")
    write_volume(scan(5), tmp_path / "bert.nii.gz")
    shipped = yaml.safe_load((SHIPPED / "fast.yaml").read_text(encoding="utf-8"))
    shipped["arguments"] |= {"channels": 16, "layers": 2, "exchanged": 2}
    shipped["patches"]["plane"] = 12
    shipped["stages"] = [stage | {"steps": 5} for stage in shipped["stages"]]
    shipped["scans"] = [
        {"file": "anna.nii.gz", "subject": "anna", "modality": "MR", "axes": "ijk", "weight": 2, "coarsen": [2, 1, 1]},
        {"file": "bert.nii.gz", "subject": "bert", "modality": "MR", "axes": "jk"},
    ]
    with Group("cpu") as group:
        network = Trainer(recipe_from(shipped), tmp_path, tmp_path / "run", group).run().network
    found = {name: (weight.sum().item(), weight.abs().sum().item()) for name, weight in network.state_dict().items()}
    assert found.keys() == RECORDED.keys()
    for name, sums in RECORDED.items():
        # Reduced precision rounds differently from machine to machine.
        assert found[name] == pytest.approx(sums, rel=0.01, abs=0.003), name
