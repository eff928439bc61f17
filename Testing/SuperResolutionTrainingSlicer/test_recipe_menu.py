"""The menu of recipes says what the recipes say, though it does not need PyYAML."""

import subprocess
import sys

import pytest
import yaml

from SuperResolutionTrainingLib.recipe import read_recipe
from SuperResolutionTrainingSlicer.recipe_menu import RECIPES, recipe_entries

ENTRIES = recipe_entries()


def test_every_shipped_recipe_is_offered_the_one_for_ordinary_machines_first():
    assert {entry.name for entry in ENTRIES} == {path.stem for path in RECIPES.glob("*.yaml")}
    assert ENTRIES[0].name == "fast"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_menu_says_what_the_recipe_says(entry):
    recipe, plain = read_recipe(entry.path), yaml.safe_load(entry.path.read_text(encoding="utf-8"))
    assert (entry.title, entry.network, entry.task, entry.images) == (recipe.title, recipe.network, recipe.task, recipe.images)
    factors = plain.get("arguments", {}).get("factors") or plain.get("drawn_factors", [])
    assert entry.factors == tuple(sorted(set(factors)))
    assert "\n" not in entry.describe()


def test_the_menu_needs_neither_yaml_nor_torch():
    code = "import sys; sys.modules['yaml'] = None; from SuperResolutionTrainingSlicer.recipe_menu import recipe_entries; "
    code += "assert recipe_entries(); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
