import hashlib

import pytest
import torch

from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib import vgg19
from SuperResolutionTrainingLib.losses import build_loss
from SuperResolutionTrainingLib.made import Made, Setting
from SuperResolutionTrainingLib.vgg19 import FILE, Vgg19Features, load_vgg19_features


@pytest.fixture
def narrow(monkeypatch):
    """VGG19 with a sixteenth of its channels."""
    monkeypatch.setattr(vgg19, "_WIDTHS", tuple(width // 16 for width in vgg19._WIDTHS))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where torch keeps downloaded weights."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def write_weights(folder, monkeypatch, **more):
    weights = Vgg19Features().state_dict() | {"classifier.0.weight": torch.zeros(2, 2)} | more
    torch.save(weights, folder / FILE)
    monkeypatch.setattr(vgg19, "_DIGEST", hashlib.sha256((folder / FILE).read_bytes()).hexdigest()[:8])


def test_layers_are_named_and_shaped_as_those_of_torchvision():
    """Configuration E of Simonyan and Zisserman: conv5_4 is layer 34 of torchvision's list, 20 024 384 weights up to it."""
    network = Vgg19Features()
    assert list(network.state_dict())[-2:] == ["features.34.weight", "features.34.bias"] and len(network.features) == 35
    assert sum(weight.numel() for weight in network.parameters()) == 20_024_384
    assert not any(weight.requires_grad for weight in network.parameters())


def test_the_loss_is_the_distance_of_features_and_its_gradient_reaches_the_result(narrow, folder, monkeypatch):
    torch.manual_seed(0)
    write_weights(folder, monkeypatch)
    loss = build_loss("perceptual", Setting(None, None, torch.device("cpu"), None))
    truth = torch.rand(1, 16, 2, 16)
    result = (truth + 0.1 * torch.randn_like(truth)).requires_grad_()
    distance = loss(Made(result, truth, False))
    distance.backward()
    assert loss(Made(truth, truth, False)) == 0 < distance and result.grad.abs().sum() > 0
    assert loss.fidelity is False


def test_weights_that_are_not_there_are_asked_for_in_one_line(folder):
    with pytest.raises(RequestError, match=f"loss 'perceptual': VGG19's weights are not on this machine; accepted is torchvision's {FILE}"):
        load_vgg19_features()


def test_another_file_of_that_name_is_refused(folder):
    (folder / FILE).write_bytes(b"something else")
    with pytest.raises(RequestError, match=f"{FILE}: damaged or another file"):
        load_vgg19_features()


def test_weights_that_would_run_code_are_refused(narrow, folder, monkeypatch, tmp_path):
    class Dangerous:
        def __reduce__(self):
            return open, (str(tmp_path / "was-run"), "w")

    write_weights(folder, monkeypatch, danger=Dangerous())
    (tmp_path / "was-run").unlink(missing_ok=True)
    with pytest.raises(RequestError):
        load_vgg19_features()
    assert not (tmp_path / "was-run").exists()
