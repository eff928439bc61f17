"""The extension as Slicer packages it: configured, built and installed by CMake, then run from the installed tree alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

ROOT = Path(__file__).resolve().parent.parent
STAND_IN = ROOT / "Testing" / "slicer_cmake"
MODULE = ROOT / "SuperResolution"
MODULES = ["SuperResolution", "SuperResolutionTraining"]
MODULES_FOLDER = Path("lib", "Slicer-5.12", "qt-scripted-modules")
SEEN_BY_CMAKE = ["CMakeLists.txt", "LICENSE", "README.md", "SuperResolution", "SuperResolutionTraining"]


def run(*command: object, **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)


def tool(name: str) -> str:
    """Return the path of a program that came as a Python package."""
    return shutil.which(name, path=sysconfig.get_path("scripts"))


def configure(source: Path, build: Path) -> subprocess.CompletedProcess:
    settings = {
        "CMAKE_MAKE_PROGRAM": tool("ninja"),
        "CMAKE_TOOLCHAIN_FILE": STAND_IN / "no_compiler.cmake",
        "Slicer_DIR": STAND_IN,
    }
    return run(tool("cmake"), "-G", "Ninja", *(f"-D{name}={value}" for name, value in settings.items()), "-S", source, "-B", build)


def install(source: Path, folder: Path) -> Path:
    """Configure, build and install the extension of a source tree, and return the installed tree."""
    build, installed = folder / "build", folder / "installed"
    for done in (
        configure(source, build),
        run(tool("cmake"), "--build", build),
        run(tool("cmake"), "--install", build, "--prefix", installed),
    ):
        assert done.returncode == 0, done.stdout + done.stderr
    return installed


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


def run_alone(path: list[Path], *arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """Run Python with these folders and the installed packages on its path: without `site`, no source tree comes in by the way."""
    path = [*path, Path(sysconfig.get_path("purelib"))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1"} | environment
    return run(sys.executable, "-S", *arguments, env=environment, cwd=path[0])


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The installed tree of this extension."""
    return install(ROOT, tmp_path_factory.mktemp("package"))


@pytest.fixture
def sources(tmp_path) -> Path:
    """A copy of the source tree that a test may damage."""
    folder = tmp_path / "sources"
    folder.mkdir()
    for name in SEEN_BY_CMAKE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


def test_installed_module_is_the_module_of_the_source_tree(installed: Path):
    expected = {name for name in files_below(MODULE) - {"CMakeLists.txt"} if not name.startswith("Records/")}
    assert {name for name in files_below(installed / MODULES_FOLDER) if "Training" not in name} == expected
    assert "SuperResolution.py" in expected


def test_a_listed_file_that_is_missing_ends_the_configuration(sources: Path, tmp_path: Path):
    (sources / "SuperResolution" / "SuperResolutionLib" / "worker.py").unlink()
    done = configure(sources, tmp_path / "build")
    assert done.returncode != 0
    assert "given nonexistent file or directory 'SuperResolutionLib/worker.py'" in " ".join(done.stderr.split())


def test_a_file_that_is_not_listed_is_not_installed(sources: Path, tmp_path: Path):
    (sources / "SuperResolution" / "SuperResolutionLib" / "forgotten.py").touch()
    names = files_below(install(sources, tmp_path) / MODULES_FOLDER)
    assert "SuperResolutionLib/worker.py" in names
    assert "SuperResolutionLib/forgotten.py" not in names


def test_a_misspelt_keyword_ends_the_configuration(sources: Path, tmp_path: Path):
    lists = sources / "SuperResolution" / "CMakeLists.txt"
    lists.write_text(lists.read_text().replace("WITH_GENERIC_TESTS", "WITH_GENERIC_TEST"))
    done = configure(sources, tmp_path / "build")
    assert done.returncode != 0
    assert "'WITH_GENERIC_TEST'" in done.stderr


def test_ctest_knows_the_self_test(installed: Path):
    done = run(tool("ctest"), "--test-dir", installed.parent / "build", "--show-only=json-v1")
    assert {f"py_{name}" for name in MODULES} <= {test["name"] for test in json.loads(done.stdout)["tests"]}


def test_installed_engine_upscales_with_the_shipped_model(installed: Path, tmp_path: Path):
    modules = installed / MODULES_FOLDER
    found = run_alone([modules], "-c", "import SuperResolutionLib; print(SuperResolutionLib.__file__)")
    assert Path(found.stdout.strip()) == modules / "SuperResolutionLib" / "__init__.py", found.stderr

    thick = sitk.GetImageFromArray(np.random.default_rng(0).normal(500, 100, (5, 24, 20)).astype(np.int16))
    thick.SetSpacing((0.7, 0.7, 2.8))
    sitk.WriteImage(thick, tmp_path / "thick.nrrd")
    request = {
        "input": str(tmp_path / "thick.nrrd"),
        "output": str(tmp_path / "fine.nrrd"),
        "settings": {"model": "fast", "factor": 2, "device": "cpu"},
    }
    (tmp_path / "request.json").write_text(json.dumps(request))

    done = run_alone([modules], "-m", "SuperResolutionLib.worker", tmp_path / "request.json")
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert (result["type"], result["model"]) == ("result", "fast")
    fine = sitk.ReadImage(tmp_path / "fine.nrrd")
    assert fine.GetSize() == (20, 24, 10)
    assert fine.GetSpacing() == pytest.approx((0.7, 0.7, 1.4))


def test_installed_module_passes_its_self_test(installed: Path):
    """In the tests' own host, which stands in for Slicer."""
    off_screen = {"QT_QPA_PLATFORM": "offscreen", "VTK_DEFAULT_OPENGL_WINDOW": "vtkEGLRenderWindow"}
    done = run_alone([ROOT / "Testing"], "-m", "host", installed / MODULES_FOLDER / "SuperResolution.py", **off_screen)
    assert done.returncode == 0, done.stdout + done.stderr


def test_installed_training_module_opens_beside_the_other(installed: Path):
    """Its own self-test takes minutes; what packaging can break shows when the panel opens."""
    code = "import host, sys; host.start(); panel = host.load_module(sys.argv[1]); panel.parent.enter(); "
    code += "assert panel.ui.recipeBox.count > 1; assert host.failures() == []"
    off_screen = {"QT_QPA_PLATFORM": "offscreen", "VTK_DEFAULT_OPENGL_WINDOW": "vtkEGLRenderWindow"}
    modules = installed / MODULES_FOLDER
    done = run_alone([ROOT / "Testing", modules], "-c", code, modules / "SuperResolutionTraining.py", **off_screen)
    assert done.returncode == 0, done.stdout + done.stderr


def description(installed: Path) -> dict[str, str]:
    """Return what CMake told Slicer about the extension."""
    text = (installed / "share" / "Slicer-5.12" / "SuperResolution.s4ext").read_text()
    return {key: value for key, _, value in (line.partition(" ") for line in text.splitlines())}


def test_index_entry_says_what_cmake_says(installed: Path):
    entry = json.loads((ROOT / "Resources" / "SuperResolution.json").read_text())
    told = description(installed)
    assert entry["category"] == told["category"]
    assert entry["build_dependencies"] == told["depends"].split()
    assert entry["build_subdirectory"] == "."


def test_index_entry_holds_what_the_schema_asks_for_and_nothing_else():
    """Schemas/slicer-extension-catalog-entry-schema-v1.0.2.json of Slicer."""
    entry = json.loads((ROOT / "Resources" / "SuperResolution.json").read_text())
    assert entry["$schema"].endswith("/Schemas/slicer-extension-catalog-entry-schema-v1.0.2.json#")
    assert {"$schema", "category", "scm_url"} <= set(entry)
    optional = {"scm_revision", "scm_type", "build_dependencies", "dicom_support_rule", "build_subdirectory", "enabled", "tier"}
    assert set(entry) - {"$schema", "category", "scm_url"} <= optional
    assert entry["tier"] in range(1, 6)


def test_public_addresses_come_all_at_once(installed: Path):
    """NA stands for the address of a project without a public page; the index then refuses the entry, and rightly."""
    entry = json.loads((ROOT / "Resources" / "SuperResolution.json").read_text())
    told = description(installed)
    addresses = [entry["scm_url"], told["homepage"], told["iconurl"], *(told["screenshoturls"].split() or [""])]
    if entry["scm_url"] == "NA":
        assert addresses == ["NA", "NA", "", ""]
    else:
        assert all(address.startswith("https://") for address in addresses)
        assert "slicer" in entry["scm_url"].rsplit("/", 1)[-1].lower(), "the index asks for Slicer in the repository's name"


@pytest.mark.parametrize("path", ["Resources/Icon.png", *(f"{name}/Resources/Icons/{name}.png" for name in MODULES)])
def test_icons_are_square_and_of_the_size_that_slicer_asks_for(path: str):
    icon = sitk.ReadImage(ROOT / path)
    assert icon.GetSize() == (128, 128)
    assert icon.GetNumberOfComponentsPerPixel() == 4, "transparent around the picture"
