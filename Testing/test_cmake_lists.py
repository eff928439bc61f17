"""Slicer packages what a module's CMakeLists.txt lists: a file left out is missing at the user's, one that is not there ends the build."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = ["SuperResolution", "SuperResolutionTraining"]


def cmake_list(module: str, variable: str) -> list[str]:
    text = (ROOT / module / "CMakeLists.txt").read_text()
    entries = re.search(rf"set\({variable}\s(.*?)\)\n", text, re.DOTALL).group(1).split()
    return [entry.replace("${MODULE_NAME}", module) for entry in entries]


def files_below(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


@pytest.mark.parametrize("module", MODULES)
def test_lists_are_complete(module: str):
    folder = ROOT / module
    packages = [path for path in folder.iterdir() if path.is_dir() and path.name.startswith(module)]
    files = files_below(*packages, folder / "Resources")
    scripts = cmake_list(module, "MODULE_PYTHON_SCRIPTS")
    resources = cmake_list(module, "MODULE_PYTHON_RESOURCES")

    assert scripts[0] == f"{module}.py"
    listed = {folder / entry for entry in scripts[1:] + resources}
    assert listed - files == set(), "listed, but not there: `make lists` mends it"
    assert files - listed == set(), "there, but not listed: `make lists` mends it"
    assert all(script.endswith(".py") for script in scripts)
    assert not any(resource.endswith(".py") for resource in resources)
    assert len(scripts + resources) == len({*scripts, *resources})


def test_modules_share_no_installed_path():
    """Slicer installs all modules into one folder, where equal paths overwrite one another."""
    first, second = ({*cmake_list(module, "MODULE_PYTHON_SCRIPTS"), *cmake_list(module, "MODULE_PYTHON_RESOURCES")} for module in MODULES)
    assert first & second == set()


def test_extension_builds_each_module_that_has_its_script():
    text = (ROOT / "CMakeLists.txt").read_text()
    assert re.search(r"foreach\(module (.*)\)", text).group(1).split() == MODULES
