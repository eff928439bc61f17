import shutil

import pytest

from SuperResolutionLib.benchmark import contestants
from SuperResolutionLib.benchmark.contestants import Eclare, PlainTorch, SlidingWindow, our_upscalers
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.model_zoo import INTERPOLATIONS


def test_by_default_every_upscaler_of_slices_runs_once_networks_first(models_of_the_user, make_model):
    make_model("slice_stack", models_of_the_user / "own.safetensors", {"factors": [4]})
    make_model("slice_stack", models_of_the_user / "twofold.safetensors", {"factors": [2]})
    (models_of_the_user / "broken.safetensors").write_text("nothing")
    ids = [contestant.id for contestant in our_upscalers((), "cpu")]
    assert set(ids) == {"fast", "own", *INTERPOLATIONS} and len(ids) == len(set(ids))
    assert ids[-len(INTERPOLATIONS) :] == list(INTERPOLATIONS)


def test_what_does_not_offer_the_factor_is_refused(make_model):
    with pytest.raises(RequestError, match="offers 2"):
        our_upscalers([str(make_model("sr_dcnn"))], "cpu")


def test_peers_that_are_not_installed_say_so(monkeypatch):
    monkeypatch.setattr(contestants, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert SlidingWindow(model="fast.safetensors").missing() == "the Python package 'monai' is not installed"
    assert "run-eclare" in Eclare().missing() and not PlainTorch().missing()


def test_how_peers_are_run_is_told_with_the_numbers_that_matter(tmp_path):
    assert "windows of 96x96x16" in SlidingWindow(model="a/fast.safetensors").about
    command = Eclare().command(tmp_path / "thick.nii.gz", tmp_path)
    patches = int(command[command.index("--n-patches") + 1])
    assert f"{patches:,} of its" in Eclare.about
