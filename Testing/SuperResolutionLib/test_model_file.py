import json
import struct
from dataclasses import asdict

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.model_file import load_model, read_card, save_model

QUALITY = (
    {"modality": "MR", "factor": 2, "psnr": 33.0, "psnr_cubic": 31.0},
    {"modality": "CT", "factor": 2, "psnr": 32.0, "psnr_cubic": 31.0},
    {"modality": "MR", "factor": 3, "psnr": 30.0, "psnr_cubic": 31.0},
)


@pytest.fixture
def rewrite(make_model):
    """Write a model file, then change its card or its weights behind its back."""

    def change(card=lambda card: card, weights=lambda weights: weights, **made):
        path = make_model(**made)
        with safe_open(path, framework="pt") as file:
            text, tensors = file.metadata()["superresolution"], {name: file.get_tensor(name) for name in file.keys()}
        changed = card(json.loads(text))
        text = changed if isinstance(changed, str) else json.dumps(changed)
        save_file(weights(tensors), path, None if changed is None else {"superresolution": text})
        return path

    return change


def refusal(path, read=load_model):
    """Return the one line with which a model file is refused."""
    with pytest.raises(RequestError) as caught:
        read(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


def test_what_is_written_is_read_back(tmp_path, make_network):
    arguments = {"factors": [2, 3], "channels": 8, "layers": 1, "neighbours": 1, "exchanged": 2}
    network = make_network("slice_stack")
    written = save_model(
        tmp_path / "tiny.safetensors", network, id="tiny", title="Tiny", network="slice_stack", arguments=arguments,
        modalities=("MR", "CT"), acquisitions=("mean", "gaussian"), engine_version="1.2", quality=QUALITY,
        training={"steps": 7}, protocol="as ever",
    )  # fmt: skip
    model = load_model(tmp_path / "tiny.safetensors")
    assert model.card == written == read_card(tmp_path / "tiny.safetensors")
    assert (written.factors, written.halo) == ((2, 3), tuple(network.halo)) and written.arguments == arguments
    assert (written.training, written.protocol, written.modalities) == ({"steps": 7}, "as ever", ("MR", "CT"))
    assert not model.network.training and len(model.sha256) == 64
    slices = torch.rand(1, 4, 9, 9)
    with torch.inference_mode():
        torch.testing.assert_close(model.network(slices, 2), network(slices, 2), atol=0, rtol=0)


def test_writing_twice_gives_the_same_file(make_model, tmp_path):
    one, other = (make_model(path=tmp_path / f"{name}.safetensors", id="same").read_bytes() for name in "ab")
    assert one == other


def test_weights_are_stored_in_single_precision(make_network, tmp_path):
    save_model(
        tmp_path / "m.safetensors", make_network("sr_dcnn").double(), id="m", title="", network="sr_dcnn",
        arguments={"factors": [2], "channels": [4, 4]}, modalities=(), acquisitions=("mean",), engine_version="0",
    )  # fmt: skip
    assert {weight.dtype for weight in load_model(tmp_path / "m.safetensors").network.parameters()} == {torch.float32}


def test_the_gain_is_the_mean_over_what_was_measured(make_model):
    card = read_card(make_model(quality=QUALITY))
    assert [card.mean_gain(factor) for factor in (2, 3, 4)] == [1.5, -1.0, None]
    assert (card.mean_gain(2, "MR"), card.mean_gain(2, "CT"), card.mean_gain(3, "CT")) == (2.0, 1.0, None)


def test_a_file_that_cannot_be_written_leaves_nothing(make_model, tmp_path):
    with pytest.raises(WorkError, match="absent/m.safetensors: not written"):
        make_model(path=tmp_path / "absent" / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_card_is_read_without_torch(make_model, python):
    code = "import sys; from SuperResolutionLib.model_file import read_card; print(read_card(sys.argv[1]).id, 'torch' in sys.modules)"
    done = python("-c", code, make_model())
    assert done.stdout.split() == ["slice_stack", "False"], done.stderr


def test_a_card_is_read_without_the_package_that_reads_weights(make_model, python):
    code = (
        "import sys; sys.modules['safetensors'] = None; from SuperResolutionLib.model_file import read_card; print(read_card(sys.argv[1]))"
    )
    path = make_model(quality=QUALITY)
    done = python("-c", code, path)
    assert done.stdout.strip() == str(read_card(path)), done.stderr


def test_a_pickle_is_refused_with_its_path_and_never_loaded(tmp_path):
    class Dangerous:
        def __reduce__(self):
            return open, (str(tmp_path / "was-run"), "w")

    for name in ("weights.pt", "weights.safetensors"):
        for legacy in (False, True):
            torch.save({"weight": torch.zeros(3), "run": Dangerous()}, tmp_path / name, _use_new_zipfile_serialization=not legacy)
            (tmp_path / "was-run").unlink(missing_ok=True)
            for read in (read_card, load_model):
                assert "pickled weights, which can run code and are never loaded" in refusal(tmp_path / name, read)
            assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize("length", [0x0280, 0x0380, 0x0480, 0x0580])
def test_a_header_whose_length_begins_like_a_pickle_is_read(make_model, length):
    path = make_model(title="")
    shortest = int.from_bytes(path.read_bytes()[:8], "little")
    for more in range(0x10000):
        path = make_model(title="t" * (length + 0x10000 - shortest - 8 + more))
        if int.from_bytes(path.read_bytes()[:2], "little") == length:
            break
    assert path.read_bytes()[:2] == length.to_bytes(2, "little") and len(read_card(path).title) > 1000


def test_changed_weights_are_refused(make_model):
    path = make_model()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "damaged or was changed" in refusal(path)


@pytest.mark.parametrize("kept", [0, 4, 8, 100, -1, -1000])
def test_a_file_that_is_cut_off_is_refused(make_model, kept):
    path = make_model()
    path.write_bytes(path.read_bytes()[:kept])
    for read in (read_card, load_model):
        assert "damaged or no safetensors file" in refusal(path, read)


@pytest.mark.parametrize("content", [b"hello", b"\x00" * 100, b"\xff" * 100, b"{}" * 50])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / "m.safetensors").write_bytes(content)
    assert "no safetensors file" in refusal(tmp_path / "m.safetensors")


def with_header(path, header, weights=bytes(16)):
    """Write a file whose header is this text or object."""
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + weights)
    return path


@pytest.mark.parametrize(
    "header",
    [
        "[" * 100_000,
        "[]",
        "5",
        {"__metadata__": "superresolution"},
        {"__metadata__": ["superresolution"]},
        {"__metadata__": {"superresolution": 5}},
        {"__metadata__": {"superresolution": {}}},
        {"weight": 5},
        {"weight": {"data_offsets": []}},
        {"weight": {"data_offsets": [0, "16"]}},
        {"weight": {"data_offsets": [0, 17]}},
    ],
    ids=lambda header: str(header)[:40],
)
def test_a_header_of_another_kind_is_refused(tmp_path, header):
    path = with_header(tmp_path / "m.safetensors", header, weights=b"" if "__metadata__" in header else bytes(16))
    for read in (read_card, load_model):
        assert "damaged or no safetensors file" in refusal(path, read)


@pytest.mark.parametrize(
    "entry", [{"dtype": "F33"}, {"dtype": "F8_E8M0", "shape": [16]}, {"shape": [5]}, {"data_offsets": [4, 16], "shape": [3]}], ids=str
)
def test_weights_that_only_a_whole_reading_finds_wrong_are_refused(make_model, tmp_path, entry):
    """The card is sound, and so is the length of the file."""
    content = make_model().read_bytes()
    metadata = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])["__metadata__"]
    weight = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]} | entry
    path = with_header(tmp_path / "m.safetensors", {"__metadata__": metadata, "weight": weight})
    assert read_card(path).id == "slice_stack"
    assert "damaged or no safetensors file" in refusal(path, load_model)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert "No such file" in refusal(tmp_path / "absent.safetensors")
    assert "accepted is the path" in refusal(tmp_path)


def test_weights_without_a_card_are_refused(rewrite):
    assert "weights without a card" in refusal(rewrite(lambda card: None), read_card)


@pytest.mark.parametrize(("change", "found"), [({"schema": 2}, "schema 2"), ({"schema": None}, "schema None")])
def test_a_card_of_another_schema_is_refused(rewrite, change, found):
    assert f"card of {found}; accepted is schema 1" in refusal(rewrite(lambda card: card | change), read_card)


@pytest.mark.parametrize(("text", "found"), [("[1]", "schema list"), ("{", "not JSON"), ('"a"', "schema str")])
def test_a_card_that_is_no_object_is_refused(rewrite, text, found):
    assert found in refusal(rewrite(lambda card: text), read_card)


def test_an_unknown_entry_is_refused_by_name(rewrite):
    assert "unknown entry 'colour'; accepted are acquisitions, " in refusal(rewrite(lambda card: card | {"colour": 1}), read_card)


@pytest.mark.parametrize("entry", ["id", "network", "arguments", "factors", "acquisitions", "halo", "weights_sha256"])
def test_a_missing_entry_is_refused_by_name(rewrite, entry):
    message = refusal(rewrite(lambda card: {name: value for name, value in card.items() if name != entry}), read_card)
    assert "incomplete card" in message and f"'{entry}'" in message


@pytest.mark.parametrize(
    "change",
    [
        {"id": 5},
        {"factors": 4},
        {"factors": ["2"]},
        {"factors": []},
        {"modalities": "MR"},
        {"acquisitions": []},
        {"acquisitions": ["box"]},
        {"arguments": [1]},
        {"halo": None},
        {"normalisation": {"low": 1}},
        {"normalisation": {"low": "0", "high": 99}},
        {"quality": [{"psnr": 30}]},
        {"quality": ["good"]},
        {"task": "segmentation"},
        {"task": ["axis"]},
        {"interpolated": "yes"},
        {"progressive": 1},
    ],
)
def test_an_entry_that_the_engine_could_not_use_is_refused_by_name(rewrite, change):
    assert f"'{next(iter(change))}'" in refusal(rewrite(lambda card: card | change), read_card)


def test_an_unknown_network_is_refused(rewrite):
    assert "network 'unet'; accepted are deep_resolve, " in refusal(rewrite(lambda card: card | {"network": "unet"}), read_card)


@pytest.mark.parametrize(
    ("name", "arguments", "task", "interpolated"),
    [
        ("slice_stack", {}, "axis", False),
        ("srcnn", {}, "axis", True),
        ("srcnn", {"task": "plane"}, "plane", True),
        ("two_stage", {}, "both", False),
    ],
)
def test_what_the_network_is_stands_in_the_card(make_model, name, arguments, task, interpolated):
    model = load_model(make_model(name, arguments=arguments))
    assert (model.card.task, model.card.interpolated, model.card.progressive) == (task, interpolated, False)
    assert model.card.halo == (model.network.plane_halo if task == "plane" else model.network.halo)


def test_a_file_from_before_there_were_tasks_is_read_as_one_for_an_axis(rewrite):
    def older(card):
        return {name: value for name, value in card.items() if name not in ("interpolated", "progressive")} | {"task": "upscaling"}

    card = load_model(rewrite(older)).card
    assert (card.task, card.interpolated, card.progressive, card.offered_factors) == ("axis", False, False, (2, 3))


def test_the_shipped_model_is_one_for_an_axis():
    from SuperResolutionLib.model_zoo import SHIPPED

    card = load_model(SHIPPED / "fast.safetensors").card
    assert (card.task, card.axis, card.offered_factors) == ("axis", "any", (2, 3, 4, 8))


@pytest.mark.parametrize(
    ("factors", "progressive", "offered"),
    [([2, 3], False, (2, 3)), ([2], True, (2, 4, 8)), ([2, 3], True, (2, 3, 4, 8)), ([4], True, (4,)), ([3], True, (3,))],
)
def test_a_progressive_model_offers_powers_of_its_factors_up_to_8(make_model, factors, progressive, offered):
    card = read_card(make_model(arguments={"factors": factors}, progressive=progressive))
    assert card.offered_factors == offered
    passes = {factor: card.passes(factor) for factor in offered}
    assert all(np.prod(steps) == factor and set(steps) <= set(factors) for factor, steps in passes.items())
    assert passes[offered[0]] == offered[:1]


@pytest.mark.parametrize("change", [{"channels": 9}, {"layers": 2}, {"factors": [2]}, {"depth": 3}, {"channels": "8"}])
def test_weights_of_another_architecture_are_refused(rewrite, change):
    message = refusal(rewrite(lambda card: card | {"arguments": card["arguments"] | change}))
    assert "network 'slice_stack'" in message


def test_weights_in_another_number_type_are_refused(rewrite):
    path = rewrite(weights=lambda weights: {name: weight.bfloat16() for name, weight in weights.items()})
    assert "weights" in refusal(path)


def test_the_card_holds_only_plain_data(make_model):
    """So that any program can read it."""
    card = asdict(read_card(make_model(quality=QUALITY)))
    assert json.loads(json.dumps(card)).keys() == card.keys() and not any(isinstance(value, np.generic) for value in card.values())
