"""slicer.packaging: which Python packages are there. The host checks them for real, but never installs any: a test replaces pip_install.

Signatures and behaviour follow Base/Python/slicer/packaging.py of Slicer.
"""

import importlib.metadata
import logging
import tomllib
from collections.abc import Callable
from pathlib import Path

import slicer
from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement

Requirements = str | Requirement | list[str | Requirement]


def load_requirements(path: str | Path) -> list[Requirement]:
    """Return the requirements in a requirements.txt; comments and pip options are passed over."""
    lines = (line.strip() for line in Path(path).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def load_pyproject_dependencies(path: str | Path) -> list[Requirement]:
    """Return ``project.dependencies`` of a pyproject.toml."""
    data = tomllib.loads(Path(path).read_text())
    if "project" not in data:
        raise KeyError(f"pyproject.toml has no [project] table: {path}")
    return [Requirement(each) for each in data["project"].get("dependencies", [])]


def pip_check(req: Requirements, _seen=None) -> bool:
    """Say whether every requirement is fulfilled, those of its extras included."""
    seen = set() if _seen is None else _seen
    return all(_is_fulfilled(each, seen) for each in _requirements(req))


def _requirements(req: Requirements) -> list[Requirement]:
    if isinstance(req, str):
        try:
            return [Requirement(req)]
        except InvalidRequirement:
            return [Requirement(each) for each in req.split()]
    if isinstance(req, Requirement):
        return [req]
    if isinstance(req, list):
        return [Requirement(each) if isinstance(each, str) else each for each in req]
    raise TypeError(f"Expected str, Requirement, or list, got {type(req).__name__}")


def _is_fulfilled(req: Requirement, seen: set) -> bool:
    key = (req.name.lower(), frozenset(req.extras))
    if key in seen or (req.marker is not None and not req.marker.evaluate(default_environment())):
        return True
    seen.add(key)
    try:
        installed = importlib.metadata.version(req.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    if installed not in req.specifier:
        return False
    needed = [Requirement(each) for each in importlib.metadata.requires(req.name) or []] if req.extras else []
    activated = [each for each in needed if each.marker and any(each.marker.evaluate({"extra": extra}) for extra in req.extras)]
    for each in activated:
        each.marker = None  # it has just been found to apply
    return all(_is_fulfilled(each, seen) for each in activated)


def isPipInstallInProgress() -> bool:
    return False


def pip_ensure(
    requirements: Requirements,
    constraints: str | Path | None = None,
    skip_packages: list[str] | None = None,
    prompt_install: bool = True,
    prompt_restart: bool = True,
    requester: str | None = None,
    skip_in_testing: bool = True,
    show_progress: bool = True,
) -> list[str] | None:
    """Ask the user and install what is missing; in testing mode do neither, unless told to.

    Raises
    ------
    RuntimeError
        If the user declines.
    """
    missing = [each for each in _requirements(requirements) if not pip_check(each)]
    if not missing:
        return None
    if skip_in_testing and slicer.app.testingEnabled():
        logging.info(f"Testing mode is enabled: skipping pip_ensure for [{', '.join(map(str, missing))}]")
        return None
    if prompt_install:
        title = f"{requester} - Install Python Packages" if requester else "Install Python Packages"
        count = "1 Python package needs" if len(missing) == 1 else f"{len(missing)} Python packages need"
        question = f"{count} to be installed.\n\nThis will modify Slicer's Python environment. Continue?"
        if not slicer.util.confirmOkCancelDisplay(question, title, detailedText="\n".join(f"- {each}" for each in missing)):
            raise RuntimeError("User declined package installation")
    return pip_install(
        [str(each) for each in missing],
        constraints=constraints,
        skip_packages=skip_packages,
        blocking=True,
        show_progress=show_progress,
        requester=requester,
    )


def pip_install(
    requirements: str | list[str],
    constraints: str | Path | None = None,
    no_deps_requirements: str | list[str] | None = None,
    skip_packages: list[str] | None = None,
    blocking: bool = True,
    show_progress: bool = True,
    requester: str | None = None,
    parent=None,
    logCallback: Callable[[str], None] | None = None,
    completedCallback: Callable[[int], None] | None = None,
) -> list[str] | None:
    raise NotImplementedError(f"the host installs no packages; pip_install was asked for {requirements}")


def pip_uninstall(
    requirements: str | list[str],
    blocking: bool = True,
    logCallback: Callable[[str], None] | None = None,
    completedCallback: Callable[[int], None] | None = None,
) -> None:
    raise NotImplementedError(f"the host removes no packages; pip_uninstall was asked for {requirements}")
