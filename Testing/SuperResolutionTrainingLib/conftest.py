"""Two small scans and a recipe that trains a small network on one of them."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.files import write_volume
from SuperResolutionLib.volume import Volume


@pytest.fixture
def scans(tmp_path):
    """A folder with the scans of two subjects: bright blobs with sharp edges, 1 mm voxels."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for seed, name in enumerate(("anna", "bert")):
        blobs = gaussian_filter(np.random.default_rng(seed).normal(size=(28, 30, 32)), 2.5)
        voxels = 100 + 500 * (blobs > 0) + 300 * (blobs > 0.1) + 200 * gaussian_filter((blobs > 0.05).astype(float), 0.7)
        write_volume(Volume(voxels.astype(np.int16), np.eye(4)), folder / f"{name}.nii.gz")
    return folder


@pytest.fixture
def plain_recipe():
    """The plain data of a recipe, as its YAML file would hold it."""
    return {
        "id": "tiny",
        "title": "a test's network",
        "network": "slice_stack",
        "arguments": {"factors": [2], "channels": 8, "layers": 1, "neighbours": 1, "exchanged": 2},
        "modalities": ["MR"],
        "scans": [
            {"file": "anna.nii.gz", "subject": "anna", "modality": "MR", "licence": "CC0-1.0"},
            {"file": "bert.nii.gz", "subject": "bert", "modality": "MR", "licence": "CC-BY-4.0", "split": "validation", "axes": "k"},
        ],
        "patches": {"slices": 4, "plane": 12, "margin": 1, "batch": 2},
        "augmentation": {"noise": 0.0, "contrast_changes": 0.0},
        "stages": [{"steps": 50, "losses": {"l1": 1}, "learning_rate": 0.01}],
        "precision": "float32",
        "validate_every": 0,
        "validated_factors": [2],
    }


@pytest.fixture
def make_recipe(plain_recipe):
    """Build the recipe with some entries changed."""

    def make(**changes):
        from SuperResolutionTrainingLib.recipe import recipe_from

        return recipe_from(plain_recipe | changes)

    return make


@pytest.fixture
def model(tmp_path):
    """Write the file of a network with random weights and return its path."""

    def write(name="own", network="slice_stack", trained_on=(), acquisitions=("mean",), **arguments):
        from SuperResolutionLib.model_file import save_model
        from SuperResolutionLib.networks import build_network

        arguments = {"factors": [2], "channels": 8} | arguments
        card = {"id": name, "title": "random", "modalities": ("MR",), "acquisitions": acquisitions, "engine_version": "0"}
        training = {"split": {"train": list(trained_on), "validation": []}}
        path = tmp_path / f"{name}.safetensors"
        save_model(path, build_network(network, arguments), network=network, arguments=arguments, training=training, **card)
        return str(path)

    return write
