"""Weights from elsewhere: what they compute is what the imported model computes, and what does not fit is refused by name."""

import hashlib
import os
import re

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from SuperResolutionLib import cli
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.model_file import load_model, read_card
from SuperResolutionLib.networks import build_network
from SuperResolutionLib.upscaling import upscale
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.importing import import_weights, parse_arguments

CARD = {"id": "foreign", "title": "from elsewhere", "licence": "BSD-3-Clause"}
SMALL = {"factors": [2], "channels": 8, "layers": 1, "neighbours": 1, "exchanged": 2}
CHANNELS, GROWTH, BLOCKS = 6, 4, 2


def published_weights(colours=3, entering=None):
    """Return random weights of a small ESRGAN generator for x4 under BasicSR's names."""
    shapes = {"conv_first": (CHANNELS, entering or colours)}
    for block in range(BLOCKS):
        for dense in (1, 2, 3):
            for layer in range(5):
                outputs = GROWTH if layer < 4 else CHANNELS
                shapes[f"body.{block}.rdb{dense}.conv{layer + 1}"] = (outputs, CHANNELS + layer * GROWTH)
    shapes |= {name: (CHANNELS, CHANNELS) for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr")}
    shapes["conv_last"] = (colours, CHANNELS)
    random = torch.Generator().manual_seed(1)
    weights = {}
    for name, (outputs, inputs) in shapes.items():
        weights[f"{name}.weight"] = torch.randn(outputs, inputs, 3, 3, generator=random) / (9 * inputs) ** 0.5
        weights[f"{name}.bias"] = 0.1 * torch.randn(outputs, generator=random)
    return weights


def published_result(weights, picture):
    """Return what the published network makes of a picture, written down from its paper and not from our code."""

    def convolved(name, features):
        return functional.conv2d(features, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)

    def active(features):
        return functional.leaky_relu(features, 0.2)

    trunk = first = convolved("conv_first", picture)
    for block in range(BLOCKS):
        dense_in = trunk
        for dense in (1, 2, 3):
            seen = dense_in
            for layer in range(1, 5):
                seen = torch.cat((seen, active(convolved(f"body.{block}.rdb{dense}.conv{layer}", seen))), 1)
            dense_in = dense_in + 0.2 * convolved(f"body.{block}.rdb{dense}.conv5", seen)
        trunk = trunk + 0.2 * dense_in
    features = first + convolved("conv_body", trunk)
    for name in ("conv_up1", "conv_up2"):
        features = active(convolved(name, functional.interpolate(features, scale_factor=2, mode="nearest")))
    return convolved("conv_last", active(convolved("conv_hr", features)))


def first_release(name):
    """Return the name that a layer had in ESRGAN's first release."""
    layers = {"conv_first": "model.0", "conv_up1": "model.3", "conv_up2": "model.6", "conv_hr": "model.8", "conv_last": "model.10"}
    layer, kind = name.rsplit(".", 1)
    if found := re.fullmatch(r"body\.(\d+)\.rdb(\d)\.conv(\d)", layer):
        return f"model.1.sub.{found[1]}.RDB{found[2]}.conv{found[3]}.0.{kind}"
    return f"{layers.get(layer, f'model.1.sub.{BLOCKS}')}.{kind}"


def second_release(name):
    """Return the name that a layer had in ESRGAN's second release."""
    name = re.sub(r"^body\.(\d+)\.rdb", r"RRDB_trunk.\1.RDB", name)
    for ours, theirs in {"conv_body": "trunk_conv", "conv_up": "upconv", "conv_hr": "HRconv"}.items():
        name = name.replace(ours, theirs)
    return name


LAYOUTS = {"BasicSR": str, "the first release": first_release, "the second release": second_release}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("colours", [1, 3])
def test_a_published_network_computes_the_same_after_its_import(tmp_path, layout, colours):
    weights = published_weights(colours)
    torch.save({LAYOUTS[layout](name): value for name, value in weights.items()}, tmp_path / "published.pth")
    card = import_weights(tmp_path / "published.pth", "rrdb", tmp_path / "ours.safetensors", **CARD)
    grey = torch.rand(1, 1, 9, 7, generator=torch.Generator().manual_seed(2))
    expected = published_result(weights, grey.expand(1, colours, 9, 7)).mean(1, keepdim=True)
    with torch.no_grad():
        found = load_model(tmp_path / "ours.safetensors").network.forward_plane(grey, 4)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert (card.task, card.factors) == ("plane", (4,))
    assert card.arguments | {"channels": CHANNELS, "growth": GROWTH, "blocks": BLOCKS, "head": 3} == card.arguments
    assert ("mean over those that leave" in card.training.get("conversion", "")) == (colours == 3)


def test_an_imported_model_upscales_through_the_usual_door(tmp_path):
    torch.save(published_weights(), tmp_path / "published.pth")
    import_weights(tmp_path / "published.pth", "rrdb", tmp_path / "ours.safetensors", **CARD)
    volume = Volume(np.random.default_rng(0).normal(size=(4, 8, 8)).astype(np.float32), np.diag([1.0, 1, 3, 1]), "MR")
    result = upscale(volume, model=str(tmp_path / "ours.safetensors"), factor=4, axis="plane")
    assert result.volume.shape == (4, 32, 32) and result.model == "foreign"


@pytest.mark.parametrize("wrapper", [None, "state_dict", "params", "params_ema"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_wrappers_and_prefixes_of_other_trainers_are_taken_off(tmp_path, wrapper, prefix):
    network = build_network("slice_stack", SMALL)
    weights = {f"{prefix}{name}": value for name, value in network.state_dict().items()}
    torch.save({wrapper: weights, "epoch": 3} if wrapper else weights, tmp_path / "weights.pt")
    import_weights(tmp_path / "weights.pt", "slice_stack", tmp_path / "ours.safetensors", arguments=SMALL, **CARD)
    loaded = load_model(tmp_path / "ours.safetensors").network.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in network.state_dict().items())


def test_averaged_weights_are_preferred(tmp_path):
    first, average = (build_network("slice_stack", SMALL).state_dict() for _ in range(2))
    torch.save({"params": first, "params_ema": average}, tmp_path / "weights.pth")
    import_weights(tmp_path / "weights.pth", "slice_stack", tmp_path / "ours.safetensors", arguments=SMALL, **CARD)
    loaded = load_model(tmp_path / "ours.safetensors").network.state_dict()
    assert torch.equal(loaded["body.0.weight"], average["body.0.weight"])


def test_the_card_names_file_licence_and_that_nothing_was_measured(tmp_path):
    source = tmp_path / "weights.safetensors"
    save_file(build_network("slice_stack", SMALL).state_dict(), source)
    import_weights(source, "slice_stack", tmp_path / "ours.safetensors", arguments=SMALL, modalities=("CT",), profile="gaussian", **CARD)
    card = read_card(tmp_path / "ours.safetensors")
    assert (card.id, card.title, card.modalities, card.acquisitions) == ("foreign", "from elsewhere", ("CT",), ("gaussian",))
    assert (card.quality, card.protocol, card.training["licence"]) == ((), "not measured", "BSD-3-Clause")
    assert card.training["imported_from"] == "weights.safetensors"
    assert card.training["imported_sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()


class Code:
    """What a malicious file would hold."""

    def __reduce__(self):
        return os.mkdir, ("should-not-be",)


def test_a_file_that_would_run_code_is_refused_and_runs_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"conv_first.weight": Code()}, "evil.pth")
    message = refused(tmp_path / "evil.pth", "rrdb")
    assert "code is never run" in message
    assert not (tmp_path / "should-not-be").exists() and not (tmp_path / "out.safetensors").exists()


def refused(path, network, out="out.safetensors", **options):
    """Import weights that are refused and return the one line that says why."""
    with pytest.raises(RequestError) as caught:
        import_weights(path, network, path.parent / out, **CARD | options)
    message = str(caught.value)
    assert "\n" not in message and not (path.parent / out).exists()
    return message


def test_weights_that_do_not_fit_are_refused_by_the_first_name(tmp_path):
    path = tmp_path / "weights.pth"
    weights = build_network("slice_stack", SMALL).state_dict()

    def of(changed):
        torch.save(changed, path)
        return refused(path, "slice_stack", arguments=SMALL)

    assert "'body.0.weight' of shape (8, 8, 3, 3) is not there" in of({n: v for n, v in weights.items() if n != "body.0.weight"})
    assert "'body.0.weight' has shape (8, 9, 3, 3)" in of(weights | {"body.0.weight": torch.zeros(8, 9, 3, 3)})
    assert "'extra' is no weight of the network" in of(weights | {"extra": torch.zeros(1)})
    assert "'body.0.weight' holds values that are no numbers" in of(weights | {"body.0.weight": torch.full((8, 8, 3, 3), torch.nan)})
    assert "'step' is int" in of(weights | {"step": 3})


def test_an_rrdb_that_is_not_ours_is_refused_with_the_reason(tmp_path):
    path = tmp_path / "weights.pth"

    def of(weights):
        torch.save(weights, path)
        return refused(path, "rrdb")

    assert "pixel unshuffling" in of(published_weights(entering=12))
    assert "takes 4 channels and 'conv_last.weight' gives 4" in of(published_weights(4))
    assert "'body.0.rdb1.conv1x1.weight' is no weight" in of(published_weights() | {"body.0.rdb1.conv1x1.weight": torch.zeros(4, 6, 1, 1)})
    assert "'conv_first.weight' is not there" in of({"features.0.weight": torch.zeros(3, 3)})
    assert "'body.0.rdb1.conv1.bias' of shape" in of({n: v for n, v in published_weights().items() if n != "body.0.rdb1.conv1.bias"})


def test_what_is_no_file_of_weights_is_refused(tmp_path):
    for name, content in {"torn.pth": b"PK\x03\x04", "text.pt": b"hello", "torn.safetensors": b"\x08\0\0\0\0\0\0\0{"}.items():
        (tmp_path / name).write_bytes(content)
        assert name in refused(tmp_path / name, "rrdb")
    torch.save([1, 2], tmp_path / "list.pth")
    assert "holds list, no state dict" in refused(tmp_path / "list.pth", "rrdb")
    assert "no such file" in refused(tmp_path / "absent.pth", "rrdb")
    assert ".pt, .pth, .safetensors" in refused(tmp_path / "model.onnx", "rrdb")


def test_requests_that_lack_something_are_refused_before_any_file_is_read(tmp_path):
    path = tmp_path / "absent.pth"
    assert "licence ''" in refused(path, "rrdb", licence="")
    assert "end in .safetensors" in refused(path, "rrdb", out="model.pth")
    assert "there is no folder" in refused(path, "rrdb", out="absent/model.safetensors")


def test_arguments_come_as_yaml_or_json_or_as_a_file(tmp_path):
    (tmp_path / "arguments.json").write_text('{"channels": 32}')
    (tmp_path / "arguments.yaml").write_text("factors: [2]\n")
    assert parse_arguments("{channels: 32, factors: [2]}") == {"channels": 32, "factors": [2]}
    assert parse_arguments(str(tmp_path / "arguments.json")) == {"channels": 32}
    assert parse_arguments(str(tmp_path / "arguments.yaml")) == {"factors": [2]}
    for wrong in ("channels", "[1]", "{1: 2}", "{", str(tmp_path / "absent.yaml")):
        with pytest.raises(RequestError, match="accepted is a mapping"):
            parse_arguments(wrong)


def test_the_command_imports_and_says_so_in_one_line(tmp_path, capsys):
    save_file(build_network("slice_stack", SMALL).state_dict(), tmp_path / "w.safetensors")
    out = tmp_path / "ours.safetensors"
    command = ["import", str(tmp_path / "w.safetensors"), str(out), "--network", "slice_stack", "--id", "foreign", "--title", "t"]
    arguments = "{factors: [2], channels: 8, layers: 1, neighbours: 1, exchanged: 2}"
    assert cli.main([*command, "--licence", "MIT", "--arguments", arguments, "--modality", "MR"]) == 0
    assert "its quality was not measured" in capsys.readouterr().out and read_card(out).modalities == ("MR",)
    assert cli.main(command) == 2 and "--licence" in capsys.readouterr().err
