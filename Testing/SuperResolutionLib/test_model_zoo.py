import errno
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from SuperResolutionLib import model_zoo
from SuperResolutionLib.errors import RequestError, WorkError
from SuperResolutionLib.model_file import CHECKPOINT_KEY, load_model
from SuperResolutionLib.model_zoo import add_model, axis_meant, find_upscaler, list_upscalers, reason_against, user_folder

INTERPOLATIONS = ["nearest", "linear", "cubic", "lanczos"]


@pytest.fixture(autouse=True)
def shipped(tmp_path, monkeypatch):
    """An empty folder in the place of the shipped models."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    monkeypatch.setattr(model_zoo, "SHIPPED", folder)
    return folder


def checkpoint_bytes():
    return save({"weight": torch.zeros(2)}, metadata={CHECKPOINT_KEY: "{}"})


def gain(decibels, factor=2):
    return ({"modality": "MR", "factor": factor, "psnr": 30 + decibels, "psnr_cubic": 30.0},)


def test_shipped_models_come_first_then_the_users_then_the_interpolations(shipped, models_of_the_user, make_model):
    make_model(path=models_of_the_user / "mine.safetensors")
    make_model(path=shipped / "b.safetensors")
    make_model(path=shipped / "a.safetensors", name="sr_dcnn")
    listed = list_upscalers()
    assert [info.id for info in listed] == ["a", "b", "mine", *INTERPOLATIONS]
    assert [info.kind for info in listed] == ["network"] * 3 + ["interpolation"] * 4
    assert [info.factors for info in listed][:3] == [(2,), (2, 3), (2, 3)]
    assert listed[2].path == models_of_the_user / "mine.safetensors" and listed[2].card.title == listed[2].title == "random weights"
    assert not any(info.problem for info in listed)


def test_listing_imports_no_torch(models_of_the_user, make_model, python):
    make_model(path=models_of_the_user / "mine.safetensors")
    code = (
        "import sys; from SuperResolutionLib.model_zoo import list_upscalers; "
        "print(*(info.id for info in list_upscalers()), 'torch' in sys.modules)"
    )
    done = python("-c", code)
    assert done.stdout.split()[-6:] == ["mine", *INTERPOLATIONS, "False"], done.stderr


def test_listing_needs_none_of_the_packages_that_are_installed_later(models_of_the_user, make_model, python):
    make_model(path=models_of_the_user / "mine.safetensors")
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['safetensors', 'torch', 'pydicom', 'gdcm'])); "
        "from SuperResolutionLib.model_zoo import list_upscalers; "
        "print(*(info.id for info in list_upscalers() if not info.problem))"
    )
    done = python("-c", code)
    assert done.stdout.split()[-5:] == ["mine", *INTERPOLATIONS], done.stderr


def test_a_broken_file_of_the_user_is_listed_with_its_problem(models_of_the_user, make_model):
    broken = models_of_the_user / "broken.safetensors"
    broken.write_bytes(b"nothing that could be weights")
    make_model(path=models_of_the_user / "good.safetensors")
    listed = {info.id: info for info in list_upscalers()}
    assert str(broken) in listed["broken"].problem and listed["broken"].path == broken and listed["broken"].factors == ()
    assert listed["good"].problem == ""
    with pytest.raises(RequestError, match="broken.safetensors: damaged or no safetensors file"):
        find_upscaler("broken", "MR", 2)
    assert find_upscaler("good", "MR", 2).id == "good"


def test_a_checkpoint_in_the_users_folder_is_no_broken_model(models_of_the_user, make_model, tmp_path):
    """A run's folder, with its model, its checkpoint and what is being written, may be the user's folder of models."""
    make_model(path=models_of_the_user / "good.safetensors")
    content = checkpoint_bytes()
    for name in ("checkpoint", "of another name", ".partial-checkpoint"):
        (models_of_the_user / f"{name}.safetensors").write_bytes(content)
    (models_of_the_user / ".partial-good.safetensors").write_bytes(content[:20])
    assert [info.id for info in list_upscalers()] == ["good", *INTERPOLATIONS]


def test_only_what_a_file_holds_makes_it_a_checkpoint(models_of_the_user):
    (models_of_the_user / "checkpoint.safetensors").write_bytes(checkpoint_bytes()[:-1])
    (models_of_the_user / "weights.safetensors").write_bytes(save({"weight": torch.zeros(2)}))
    problems = {info.id: info.problem for info in list_upscalers() if info.problem}
    assert problems.keys() == {"checkpoint", "weights"}
    assert "damaged" in problems["checkpoint"] and "weights without a card" in problems["weights"]


def test_without_any_folder_the_interpolations_remain(monkeypatch, tmp_path):
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(tmp_path / "absent"))
    monkeypatch.setattr(model_zoo, "SHIPPED", tmp_path / "absent too")
    assert [info.id for info in list_upscalers()] == INTERPOLATIONS


def test_the_users_folder_is_below_home_unless_named(monkeypatch, tmp_path):
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(tmp_path))
    assert user_folder() == tmp_path
    monkeypatch.delenv("SUPERRESOLUTION_MODELS")
    assert user_folder() == Path.home() / ".superresolution" / "models"


def test_a_model_is_found_by_its_id_or_its_path(models_of_the_user, make_model, tmp_path):
    make_model(path=models_of_the_user / "file-name.safetensors", id="by-id")
    elsewhere = make_model(path=tmp_path / "elsewhere.safetensors")
    assert find_upscaler("by-id", "MR", 2).path == models_of_the_user / "file-name.safetensors"
    assert find_upscaler(str(elsewhere), "MR", 2).path == elsewhere
    assert find_upscaler("cubic", "MR", 8).kind == "interpolation"


def test_a_path_may_be_relative_and_have_any_name(make_model, tmp_path, monkeypatch):
    make_model(path=tmp_path / "weights")
    monkeypatch.chdir(tmp_path)
    assert load_model(find_upscaler("weights", "MR", 2).path).card.id == "weights"


def test_a_shipped_model_comes_before_one_of_the_user_with_the_same_id(shipped, models_of_the_user, make_model):
    make_model(path=models_of_the_user / "same.safetensors", title="the user's")
    make_model(path=shipped / "same.safetensors", title="shipped")
    assert find_upscaler("same", "MR", 2).title == "shipped"


def test_an_unknown_model_is_refused_with_all_that_there_are(shipped, make_model):
    make_model(path=shipped / "mr.safetensors")
    with pytest.raises(RequestError, match="model 'edsr': accepted are auto, mr, nearest, linear, cubic, lanczos, or the path of"):
        find_upscaler("edsr", "MR", 2)


def test_a_factor_that_a_model_does_not_offer_is_refused(make_model):
    with pytest.raises(RequestError, match="factor 4: model 'slice_stack' offers 2, 3"):
        find_upscaler(str(make_model()), "MR", 4)
    with pytest.raises(RequestError, match="factor 9: model 'linear' offers 2, 3, 4, 5, 6, 7, 8"):
        find_upscaler("linear", "MR", 9)


def test_a_progressive_model_is_listed_with_all_that_it_offers(models_of_the_user, make_model):
    make_model(path=models_of_the_user / "steps.safetensors", arguments={"factors": [2]}, progressive=True)
    assert list_upscalers()[0].factors == (2, 4, 8) and find_upscaler("steps", "MR", 8).id == "steps"


@pytest.mark.parametrize("axis", ["i", "j", "k", "all"])
def test_a_model_for_planes_is_refused_along_an_axis(make_model, axis):
    path = str(make_model("srcnn", arguments={"task": "plane"}))
    with pytest.raises(RequestError, match=f"axis '{axis}': model 'srcnn' makes planes finer; accepted are auto and plane"):
        find_upscaler(path, "MR", 2, axis)
    assert [find_upscaler(path, "MR", 2, accepted).id for accepted in ("auto", "plane")] == ["srcnn", "srcnn"]


def test_the_automatic_axis_of_a_model_for_planes_is_its_plane_and_that_of_no_other(make_model, tmp_path):
    planes = str(make_model("srcnn", arguments={"task": "plane"}))
    both = str(make_model("two_stage", path=tmp_path / "both.safetensors"))
    assert find_upscaler(both, "MR", 2).card.task == "both"
    assert [axis_meant(planes, axis) for axis in ("auto", "plane", "k", "all")] == ["plane", "plane", "k", "all"]
    assert [axis_meant(model, "auto") for model in (both, "auto", "cubic")] == ["auto"] * 3
    with pytest.raises(RequestError, match="model 'edsr': accepted are auto"):
        axis_meant("edsr", "auto")


def test_auto_takes_a_model_for_planes_only_where_planes_are_wanted(shipped, make_model):
    make_model("srcnn", path=shipped / "planes.safetensors", arguments={"task": "plane"}, quality=gain(9.0))
    make_model(path=shipped / "axis.safetensors", quality=gain(1.0))
    assert [find_upscaler("auto", "MR", 2, axis).id for axis in ("auto", "k", "all", "plane")] == ["axis", "axis", "axis", "planes"]


def test_auto_is_the_shipped_model_with_the_largest_gain(shipped, models_of_the_user, make_model):
    make_model(path=shipped / "a.safetensors", quality=gain(1.0) + gain(3.0, 3))
    make_model(path=shipped / "b.safetensors", quality=gain(2.0) + gain(2.0, 3))
    make_model(path=shipped / "c.safetensors", quality=gain(9.0), modalities=("CT",))
    make_model(path=shipped / "d.safetensors")
    make_model(path=models_of_the_user / "e.safetensors", quality=gain(9.0))
    assert [find_upscaler("auto", "MR", factor).id for factor in (2, 3)] == ["b", "a"]
    assert find_upscaler("auto", "CT", 2).id == "c"


def test_auto_is_never_an_interpolation(models_of_the_user, make_model):
    make_model(path=models_of_the_user / "mine.safetensors")
    with pytest.raises(RequestError, match="model auto: no shipped model for MR at factor 2; shipped are none"):
        find_upscaler("auto", "MR", 2)


def test_auto_offers_no_factor_that_no_shipped_model_has(shipped, make_model):
    make_model(path=shipped / "mr.safetensors", modalities=("MR", "CT"))
    with pytest.raises(RequestError, match="no shipped model for CT at factor 4; shipped are mr: MR/CT x2, x3"):
        find_upscaler("auto", "CT", 4)


def test_auto_does_not_pass_over_a_damaged_shipped_model(shipped):
    (shipped / "mr.safetensors").write_bytes(b"cut off")
    with pytest.raises(RequestError, match="mr.safetensors: damaged"):
        find_upscaler("auto", "MR", 2)


# Which upscaler fits a volume.


def test_a_model_fits_the_modalities_it_was_trained_on_and_no_other(models_of_the_user, make_model):
    make_model(path=models_of_the_user / "mr.safetensors", modalities=("MR",))
    make_model(path=models_of_the_user / "both.safetensors", modalities=("MR", "CT"))
    make_model(path=models_of_the_user / "any.safetensors", modalities=())
    listed = {info.id: info for info in list_upscalers()}
    assert [name for name, info in listed.items() if reason_against(info, "MR") != ""] == []
    assert [name for name, info in listed.items() if reason_against(info, "CT") != ""] == ["mr"]
    assert reason_against(listed["mr"], "CT") == "trained on MR; this volume is CT"
    assert reason_against(listed["both"], "PT") == "trained on MR, CT; this volume is PT"


def test_the_problem_of_a_file_is_the_reason_against_it(models_of_the_user):
    (models_of_the_user / "broken.safetensors").write_bytes(b"nothing that could be weights")
    broken = list_upscalers()[0]
    assert reason_against(broken, "MR") == broken.problem != ""


# Models of the user.


@pytest.fixture
def elsewhere(make_model, tmp_path):
    """A good model file that the user got from somewhere."""
    return make_model(path=tmp_path / "downloaded-3.safetensors", id="knee", title="Knees")


def test_a_model_that_is_added_is_copied_whole_under_its_id(elsewhere, models_of_the_user):
    info = add_model(elsewhere)
    assert (info.id, info.title, info.path) == ("knee", "Knees", models_of_the_user / "knee.safetensors")
    assert [path.name for path in models_of_the_user.iterdir()] == ["knee.safetensors"]
    assert info.path.read_bytes() == elsewhere.read_bytes() and load_model(info.path).card == info.card
    assert find_upscaler("knee", "MR", 2) == info


def test_adding_makes_the_users_folder(elsewhere, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(tmp_path / "not" / "yet"))
    assert add_model(str(elsewhere)).path == tmp_path / "not" / "yet" / "knee.safetensors"


def test_a_newer_file_of_the_same_id_replaces_the_older(elsewhere, models_of_the_user, make_model, tmp_path):
    add_model(elsewhere)
    add_model(make_model(path=tmp_path / "newer.safetensors", id="knee", title="Better knees"))
    assert [info.title for info in list_upscalers() if info.id == "knee"] == ["Better knees"]
    assert add_model(models_of_the_user / "knee.safetensors").title == "Better knees"


def refused(path, folder):
    """Return the one line with which a model is not added, and make sure that nothing was."""
    before = sorted(folder.iterdir()) if folder.is_dir() else None
    with pytest.raises(RequestError) as caught:
        add_model(path)
    message = str(caught.value)
    assert str(path) in message and "accepted" in message and "\n" not in message
    assert (sorted(folder.iterdir()) if folder.is_dir() else None) == before
    return message


@pytest.mark.parametrize("kept", [0, 8, 100, -1])
def test_a_damaged_file_is_not_added(elsewhere, models_of_the_user, kept):
    elsewhere.write_bytes(elsewhere.read_bytes()[:kept])
    assert "damaged or no safetensors file" in refused(elsewhere, models_of_the_user)


def test_a_pickle_is_not_added(models_of_the_user, tmp_path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "weights.safetensors")
    assert "pickled weights" in refused(tmp_path / "weights.safetensors", models_of_the_user)


def test_a_file_that_is_not_there_is_not_added(models_of_the_user, tmp_path):
    refused(tmp_path / "absent.safetensors", models_of_the_user)


def test_an_id_that_another_upscaler_has_is_not_added(elsewhere, shipped, models_of_the_user, make_model, tmp_path):
    make_model(path=shipped / "renamed.safetensors", id="knee")
    assert f"the id 'knee' belongs to {shipped / 'renamed.safetensors'}" in refused(elsewhere, models_of_the_user)
    cubic = make_model(path=tmp_path / "c.safetensors", id="cubic")
    assert "the id 'cubic' belongs to an interpolation" in refused(cubic, models_of_the_user)
    automatic = make_model(path=tmp_path / "a.safetensors", id="auto")
    assert "the id 'auto' belongs to the choice of the best shipped model" in refused(automatic, models_of_the_user)
    other = make_model(path=models_of_the_user / "other name.safetensors", id="hand")
    assert f"belongs to {other}" in refused(make_model(path=tmp_path / "hand.safetensors"), models_of_the_user)


@pytest.mark.parametrize("name", ["../knee", "/knee", "a/b", "a\\b", "C:knee", "knee\n", "\0"])
def test_an_id_that_would_lead_out_of_the_folder_is_not_added(make_model, models_of_the_user, tmp_path, name):
    path = make_model(path=tmp_path / "m.safetensors", id=name)
    assert f"the id {name!r} is no file name" in refused(path, models_of_the_user)


def test_a_folder_that_cannot_be_made_is_told(elsewhere, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SUPERRESOLUTION_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(WorkError, match="file/models: not made, Not a directory"):
        add_model(elsewhere)


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC])
def test_a_copy_that_fails_half_way_leaves_nothing(elsewhere, models_of_the_user, monkeypatch, number):
    def half(source, target):
        Path(target).write_bytes(Path(source).read_bytes()[:500])
        raise OSError(number, "failed half way")

    monkeypatch.setattr(shutil, "copyfile", half)
    with pytest.raises(WorkError, match="knee.safetensors: not written, failed half way"):
        add_model(elsewhere)
    assert list(models_of_the_user.iterdir()) == []
