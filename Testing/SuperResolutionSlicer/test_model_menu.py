"""The panel offers what fits the volume, and says of the rest why it does not."""

from dataclasses import replace

import numpy as np
import pytest

from SuperResolutionLib.interpolation import INTERPOLATIONS
from SuperResolutionLib.model_file import Card
from SuperResolutionLib.model_zoo import SHIPPED, UpscalerInfo, list_upscalers
from SuperResolutionLib.volume import Volume
from SuperResolutionSlicer.model_menu import card_text, factor_entries, model_entries, nearest_factor

NOISE = np.random.default_rng(0).integers(0, 1000, (8, 20, 24)).astype(np.int16)


def volume(spacing=(0.75, 0.75, 3.0), modality="MR"):
    return Volume(NOISE, np.diag([*spacing, 1.0]), modality)


def by_id(entries):
    return {entry.info.id: entry for entry in entries}


@pytest.fixture
def damaged(models_of_the_user):
    path = models_of_the_user / "mine.safetensors"
    path.write_bytes((SHIPPED / "fast.safetensors").read_bytes()[:500])
    return path


def test_without_a_volume_everything_usable_is_offered_models_first():
    entries = model_entries(None)
    assert [entry.info.id for entry in entries] == ["fast", *INTERPOLATIONS]
    assert not any(entry.reason for entry in entries)
    assert entries[0].label.startswith("fast: ") and entries[1].label == "nearest interpolation"


@pytest.mark.parametrize("for_volume", [None, volume()], ids=["no volume", "a volume"])
def test_a_damaged_file_stands_last_and_says_what_is_wrong(for_volume, damaged):
    last = model_entries(for_volume)[-1]
    assert last.label == "mine"
    assert last.reason.startswith("damaged or no safetensors file")
    assert "Not for this volume" in last.card


def test_a_model_for_mr_does_not_fit_ct(make_model):
    make_model("knees")
    assert by_id(model_entries(volume(modality="MR")))["knees"].reason == ""
    entries = model_entries(volume(modality="CT"))
    assert by_id(entries)["knees"].reason == "trained on MR; this volume is CT"
    assert [entry.info.id for entry in entries][-1] == "knees"
    assert not any(entry.reason for entry in entries[:-1])


def test_of_two_models_with_one_id_the_second_cannot_be_chosen(models_of_the_user):
    (models_of_the_user / "copy.safetensors").write_bytes((SHIPPED / "fast.safetensors").read_bytes())
    first, *_, second = model_entries(None)
    assert (first.info.id, first.reason) == ("fast", "")
    assert (second.info.id, second.reason) == ("fast", "another model has the id 'fast'")


def test_the_factors_are_those_of_the_model_and_the_nearest_to_isotropic_is_marked():
    fast = by_id(model_entries(None))["fast"].info
    assert factor_entries(fast, volume(), "auto") == [
        (2, "×2"),
        (3, "×3"),
        (4, "×4 (nearest to isotropic)"),
        (8, "×8 (experimental)"),
    ]
    only_two = replace(fast, factors=(2,))
    assert factor_entries(only_two, volume(), "auto") == [(2, "×2 (nearest to isotropic)")]


def test_large_factors_are_experimental_and_never_preselected():
    cubic = by_id(model_entries(None))["cubic"].info
    assert factor_entries(cubic, volume((0.5, 0.5, 4.0)), "auto") == [
        (2, "×2"),
        (3, "×3"),
        (4, "×4 (nearest to isotropic)"),
        *[(factor, f"×{factor} (experimental)") for factor in (5, 6, 7, 8)],
    ]


@pytest.mark.parametrize(
    ("spacing", "axis", "nearest"),
    [
        ((0.75, 0.75, 3.0), "auto", 4),
        ((0.75, 0.75, 1.5), "k", 2),
        ((0.75, 3.0, 0.75), "auto", 4),
        ((1.0, 1.0, 1.0), "auto", None),
        ((0.75, 0.75, 3.0), "i", None),
        ((0.75, 0.75, 3.0), "plane", None),
        ((0.75, 0.75, 3.0), "all", None),
    ],
)
def test_the_factor_nearest_to_isotropic_depends_on_the_axis(spacing, axis, nearest):
    fast = by_id(model_entries(None))["fast"].info
    assert nearest_factor(fast, volume(spacing), axis) == nearest


def test_no_factor_of_a_model_for_planes_is_nearest_to_isotropic():
    fast = by_id(model_entries(None))["fast"].info
    planes = replace(fast, card=replace(fast.card, task="plane"))
    assert [nearest_factor(planes, volume(), axis) for axis in ("auto", "plane")] == [None, None]
    assert nearest_factor(fast, volume(), "auto") == 4


def test_without_a_volume_or_factors_there_is_no_nearest_factor():
    fast = by_id(model_entries(None))["fast"].info
    assert nearest_factor(fast, None, "auto") is None
    assert nearest_factor(replace(fast, factors=()), volume(), "auto") is None
    assert factor_entries(replace(fast, factors=()), volume(), "auto") == []


@pytest.mark.parametrize(
    ("task", "direction"), [("axis", "along any axis"), ("plane", "in any plane, both its axes at once"), ("both", "or in any plane")]
)
def test_a_card_says_what_becomes_finer_and_by_which_factors(task, direction):
    info = by_id(model_entries(None))["fast"].info
    card = replace(info.card, task=task, factors=(2,), progressive=True)
    text = card_text(replace(info, card=card, factors=card.offered_factors))
    assert f"MR, CT by 2, 4, 8 {direction}" in text or f"MR, CT by 2, 4, 8 along any axis, {direction}" in text


def test_the_card_of_an_interpolation_promises_nothing():
    text = card_text(by_id(model_entries(None))["cubic"].info)
    assert "nothing invented" in text and "Trained on" not in text


def test_the_card_of_the_users_own_model_says_what_is_not_stated(make_model):
    make_model("knees")
    text = card_text(by_id(model_entries(None))["knees"].info)
    assert "<b>Licence</b>&nbsp;</td><td>not stated" in text
    assert "<b>Measured gain</b>&nbsp;</td><td>not measured" in text
    assert "Apache" not in text


def test_a_card_shows_names_as_they_are_written():
    info = next(each for each in list_upscalers() if each.id == "fast")
    card: Card = replace(info.card, training={"trained_on": ["A & B <i>"], "licence": "<script>"})
    text = card_text(UpscalerInfo("x", "<b>x", "network", (2,), ("MR",), info.path.with_name("y") / "x", card), "no <fit>")
    assert "&lt;b&gt;x" in text and "A &amp; B &lt;i&gt;" in text and "&lt;script&gt;" in text and "no &lt;fit&gt;" in text
