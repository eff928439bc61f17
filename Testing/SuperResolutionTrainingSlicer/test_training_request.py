"""What the panel asks the training process for."""

import subprocess
import sys
from pathlib import Path

import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib.recipe import recipe_from
from SuperResolutionTrainingSlicer.recipe_menu import RecipeEntry, recipe_entries
from SuperResolutionTrainingSlicer.training_request import VALIDATE_EVERY, Wishes, make_request, reason_against_name, scaled

ENTRIES = recipe_entries()
DATA = Path("scans")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
@pytest.mark.parametrize("factor", [0, 3])
def test_every_recipe_with_every_wish_is_a_valid_recipe(entry, factor):
    request = make_request(entry, Wishes("knees", DATA, factor=factor, profile="kspace", steps=123, minutes=5, device="cpu"))
    recipe = recipe_from(request["recipe"])
    assert (recipe.id, recipe.scans, [each.profile for each in recipe.acquisitions]) == ("knees", (), ["kspace"])
    assert sum(stage.steps for stage in recipe.stages) == 123
    assert 1 <= recipe.validate_every <= VALIDATE_EVERY
    if factor:
        assert (recipe.arguments["factors"], recipe.drawn_factors, recipe.validated_factors) == ([3], (3,), (3,))
    assert (request["data"], request["minutes"], request["device"]) == ("scans", 5, "cpu")


def test_what_the_user_does_not_decide_is_the_recipes():
    (fast,) = (entry for entry in ENTRIES if entry.name == "fast")
    recipe = recipe_from(make_request(fast, Wishes("knees", DATA))["recipe"])
    assert [each.profile for each in recipe.acquisitions] == ["mean", "gaussian"]
    assert [stage.steps for stage in recipe.stages] == [5000, 21000]
    assert recipe.arguments["factors"] == [2, 3, 4]


@pytest.mark.parametrize(("stages", "steps", "expected"), [([3, 1], 100, [75, 25]), ([1, 1, 1], 10, [3, 4, 3]), ([9, 1], 2, [2, 1])])
def test_stages_keep_their_proportions(stages, steps, expected):
    assert [stage["steps"] for stage in scaled([{"steps": each} for each in stages], steps)] == expected


@pytest.mark.parametrize("name", ["knees", "T2.knee-2_a", "7", "a" * 64, "console"])
def test_names_that_are_file_names_everywhere_are_accepted(name):
    assert reason_against_name(name) == ""


@pytest.mark.parametrize("name", ["", "a b", "../a", ".hidden", "a/b", "ä", "a.", "a" * 65, "con", "LPT1.a"])
def test_other_names_are_refused(name):
    assert reason_against_name(name).startswith(f"'{name}' cannot name a model")


@pytest.mark.parametrize("text", ["stages: [", "- a list", "id: old"])
def test_a_file_that_is_no_recipe_is_refused_by_name(text, tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(RequestError, match="broken.yaml"):
        make_request(RecipeEntry(path, "broken", "", "", "axis", False, ()), Wishes("a", DATA))


def test_torch_is_not_imported_into_the_application():
    code = "import sys; from pathlib import Path; from SuperResolutionTrainingSlicer.training_request import *; "
    code += "from SuperResolutionTrainingSlicer.recipe_menu import recipe_entries; "
    code += "make_request(recipe_entries()[0], Wishes('a', Path())); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
