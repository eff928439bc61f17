"""Resources/requirements.txt: what Slicer installs for the modules, no more and no less."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "SuperResolution" / "Resources" / "requirements.txt"
LIBRARIES = [ROOT / "SuperResolution" / "SuperResolutionLib", ROOT / "SuperResolutionTraining" / "SuperResolutionTrainingLib"]
FROM_SLICER = {"numpy", "pydicom", "scipy", "simpleitk"}  # of what ships with it, what the libraries use
FOR_UPSCALING = {"torch", "safetensors"}
OPTIONAL = {"distributed", "monai"}  # for clusters and as a peer in the benchmark, which the panels do not use
COMMAND_LINE = {"cli.py", "bars.py"}  # its progress bars are not the panel's


def requirements() -> list[Requirement]:
    """Read the file as slicer.packaging.load_requirements does, to which a comment behind a requirement is an error."""
    lines = (line.strip() for line in REQUIREMENTS.read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def imported_packages(file: Path) -> set[str]:
    """Return the top-level packages that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def with_dependencies(names: set[str]) -> set[str]:
    """Return the packages and all that they depend on here."""
    found, left = set(), set(names)
    while left:
        name = left.pop()
        found.add(name)
        needed = [Requirement(line) for line in metadata.requires(name) or []]
        here = [each for each in needed if not each.marker or each.marker.evaluate({"extra": ""})]
        left |= {canonicalize_name(each.name) for each in here} - found
    return found


def fill(folder: Path, names: set[str]) -> None:
    """Make a folder from which exactly these installed packages can be imported."""
    folder.mkdir()
    distributions = [metadata.distribution(name) for name in names]
    # Distributions may share a folder, as those of CUDA do.
    for entry in {Path(each.locate_file(file.parts[0])) for each in distributions for file in each.files if file.parts[0] != ".."}:
        (folder / entry.name).symlink_to(entry)


def upscale(packages: set[str], folder: Path) -> dict:
    """Run the background process where only these packages and Python itself can be imported, and return its last line."""
    fill(folder / "packages", packages)
    thick = sitk.GetImageFromArray(np.random.default_rng(0).normal(500, 100, (5, 16, 16)).astype(np.int16))
    thick.SetSpacing((0.7, 0.7, 2.8))
    sitk.WriteImage(thick, folder / "thick.nrrd")
    request = folder / "request.json"
    settings = {"model": "fast", "factor": 2, "device": "cpu"}
    request.write_text(json.dumps({"input": str(folder / "thick.nrrd"), "output": str(folder / "fine.nrrd"), "settings": settings}))
    path = os.pathsep.join([str(ROOT / "SuperResolution"), str(folder / "packages")])
    command = [sys.executable, "-S", "-m", "SuperResolutionLib.worker", str(request)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_requirements_are_what_the_libraries_import_beyond_slicer_and_python():
    imported = set()
    for library in LIBRARIES:
        files = (file for file in library.rglob("*.py") if file.name not in COMMAND_LINE)
        imported |= set().union(*(imported_packages(file) for file in files))
    imported -= {*sys.stdlib_module_names, *(library.name for library in LIBRARIES), *OPTIONAL}
    distributions = metadata.packages_distributions()
    needed = {canonicalize_name(distributions[package][0]) for package in imported} - FROM_SLICER
    assert {canonicalize_name(each.name) for each in requirements()} == needed


def test_what_ships_with_slicer_is_never_replaced():
    shipped = FROM_SLICER | {"requests", "vtk"}
    assert not shipped & {canonicalize_name(each.name) for each in requirements()}


def test_requirements_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["training"]]
    package = {canonicalize_name(each.name): each.specifier for each in map(Requirement, lines)}
    for each in requirements():
        assert each.specifier == package[canonicalize_name(each.name)], each
        assert {limit.operator for limit in each.specifier} == {">="}, each


def test_upscaling_needs_nothing_but_its_requirements_and_slicer(tmp_path: Path):
    last = upscale(with_dependencies(FOR_UPSCALING | FROM_SLICER), tmp_path)
    assert (last["type"], last.get("model")) == ("result", "fast"), last


@pytest.mark.parametrize("missing", sorted(FOR_UPSCALING))
def test_a_missing_requirement_is_named(missing: str, tmp_path: Path):
    last = upscale(with_dependencies((FOR_UPSCALING | FROM_SLICER) - {missing}), tmp_path)
    assert last["type"] == "error"
    assert f"'{missing}' is not installed" in last["message"]
