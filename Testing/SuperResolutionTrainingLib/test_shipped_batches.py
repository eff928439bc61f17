"""The batches that the shipped model was trained on can be drawn again: numbers recorded from the program that drew them first."""

import hashlib

import numpy as np
import pytest

from SuperResolutionLib.files import write_volume
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.recipe import recipe_from
from SuperResolutionTrainingLib.samples import PatchSampler

SCANS = [
    {"file": "a.nrrd", "subject": "a", "modality": "MR", "weight": 2, "coarsen": [2, 2, 1]},
    {"file": "a.nrrd", "subject": "a", "modality": "MR", "axes": "k"},
    {"file": "b.nrrd", "subject": "b", "modality": "CT", "axes": "ij", "weight": 0.5},
]
DIGEST = "7890d29f442b4a5b20edc8c711d8d178e9d3166a5cce360fe6ea3b033998d354"
SUMS = [
    -0.8824, 4.9047, -7.3457, 0.2320, 2.4556, 0.9915, 2.1270, -4.1373,
    -3.1007, -5.7544, -9.1017, 5.1295, 0.9176, 3.5368, 1.2177, 11.8517,
    3.4074, -6.0192, 1.0703, -0.3865, -1.4576, -0.1272, 1.6212, 4.2137,
]  # fmt: skip


@pytest.fixture
def data(tmp_path):
    """Scans of whole numbers that are the same on every machine: boxes and stripes in air."""
    k, j, i = np.indices((36, 50, 54))
    content = (i > 12) & (j > 15) & (k > 6)
    for name, step in (("a", 3), ("b", 7)):
        voxels = np.where(content, 40 + (k * step + j * 5 + i * i * step // 4) % 301 + 90 * ((i // 7 + j // 5 + k // 3) % 2), 10)
        write_volume(Volume(voxels.astype(np.int16), np.eye(4)), tmp_path / f"{name}.nrrd")
    return tmp_path


def batches(data, noise, contrast_changes):
    recipe = recipe_from(
        {
            "id": "x", "title": "x", "network": "slice_stack", "modalities": ["MR", "CT"], "scans": SCANS, "seed": 1,
            "acquisitions": [{"profile": "mean", "weight": 5}, {"profile": "gaussian", "thickness": [0.8, 1.2]}],
            "patches": {"slices": 8, "plane": 16, "margin": 2, "batch": 4, "content": "trial"},
            "augmentation": {"noise": noise, "contrast_changes": contrast_changes},
            "stages": [{"steps": 10, "losses": {"l1": 1}}],
        }
    )  # fmt: skip
    sampler = PatchSampler(recipe, data, (2, 3, 4, 4))
    return [sampler.batch(number) for number in range(12)]


def test_the_truth_is_drawn_bit_by_bit_as_before(data):
    digest = hashlib.sha256()
    for _, fine, factor in batches(data, 0.003, 0.0):
        digest.update(bytes([factor]) + fine.astype("<f4").tobytes())
    assert digest.hexdigest() == DIGEST


def test_thick_patches_are_made_as_before(data):
    """Compared by weighted sums, since powers and matrix products round differently from machine to machine."""
    sums = [float(side.ravel() @ np.sin(np.arange(side.size))) for thick, fine, _ in batches(data, 0.003, 0.3) for side in (thick, fine)]
    np.testing.assert_allclose(sums, SUMS, atol=2e-3)
