"""What pip installs: the libraries whole, with their models and recipes, and the command."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from SuperResolutionLib.version import __version__

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = {"SuperResolutionLib": ROOT / "SuperResolution", "SuperResolutionTrainingLib": ROOT / "SuperResolutionTraining"}
SET_UP_FILES = ["pyproject.toml", "constraints.txt", "Makefile", ".ci/run", "scripts/setup-environment"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """The package as pip builds it, from a copy: setuptools leaves its build folder beside the sources."""
    folder = tmp_path_factory.mktemp("package")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for library, parent in LIBRARIES.items():
        shutil.copytree(parent / library, folder / parent.name / library, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    built = subprocess.run([*command, "-w", folder, folder], capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    with zipfile.ZipFile(folder / f"superresolution-{__version__}-py3-none-any.whl") as opened:
        yield opened


def test_wheel_holds_every_file_of_the_libraries(wheel):
    files = {
        path.relative_to(parent).as_posix()
        for library, parent in LIBRARIES.items()
        for path in (parent / library).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packaged = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packaged == files


def test_wheel_declares_command_and_licence(wheel):
    information = f"superresolution-{__version__}.dist-info"
    assert "superresolution = SuperResolutionLib.cli:main" in wheel.read(f"{information}/entry_points.txt").decode()
    assert "License-Expression: Apache-2.0" in wheel.read(f"{information}/METADATA").decode()
    assert wheel.read(f"{information}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_installed_version_is_that_of_the_sources():
    assert metadata.version("superresolution") == __version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_every_required_package_is_pinned_within_its_range():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines), "a constraint is a name and a version, nothing else"
    pins = {name.lower(): version for name, version in (line.split("==") for line in lines)}

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pins[requirement.name.lower()]), requirement


def test_set_up_names_no_package_index():
    """Where packages come from is for the user's own pip settings to say."""
    for name in SET_UP_FILES:
        text = (ROOT / name).read_text()
        assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", text), name
