"""The Python packages that a network needs: which are missing, the user's consent, their installation."""

from __future__ import annotations

import importlib
import importlib.metadata
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import slicer
import slicer.packaging
import slicer.util
from packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).resolve().parent.parent / "Resources" / "requirements.txt"
# What the application brings along and pip must never replace.
_SHIPPED = ["numpy", "scipy", "SimpleITK", "pydicom", "requests", "vtk"]
# Downloads as of 2026, for the consent; the largest of the platforms.
_SIZES_MB = {"torch": 2500, "safetensors": 1, "pyyaml": 1, "scikit-image": 15, "matplotlib": 10, "pillow": 7, "jinja2": 1, "pyrtools": 1}


UPSCALING = ("torch", "safetensors")
"""The requirements of a network that runs; training asks for all that the file names."""


def missing_packages(names: Sequence[str] | None = UPSCALING) -> list[Requirement]:
    """Return those of these requirements that are not installed, None: of all, from package metadata: nothing is imported."""
    importlib.invalidate_caches()
    wanted = [each for each in slicer.packaging.load_requirements(REQUIREMENTS) if names is None or each.name in names]
    return [requirement for requirement in wanted if not slicer.packaging.pip_check(requirement)]


def consent_text(missing: list[Requirement]) -> str:
    """Return what the user is asked before anything is installed: names, sizes, and where they go."""
    lines = [f"    {requirement} (up to {_SIZES_MB.get(requirement.name.lower(), 20)} MB)" for requirement in missing]
    return "\n".join(
        (
            "SuperResolution needs these Python packages, which are not installed yet:",
            "",
            *lines,
            "",
            "They will be downloaded from the Python package index and installed into Slicer's own Python.",
            "Your images stay on this machine. Install the packages now?",
        )
    )


def ask_consent(missing: list[Requirement]) -> bool:
    """Ask the user in the only modal dialog of this module; False in testing mode."""
    return slicer.util.confirmOkCancelDisplay(consent_text(missing), windowTitle="SuperResolution: install packages")


def install_packages(missing: list[Requirement], logged: Callable[[str], None], completed: Callable[[int], None]) -> None:
    """Install packages in the background.

    Parameters
    ----------
    missing : list of Requirement
    logged : callable
        Called with each line that pip prints.
    completed : callable
        Called once with pip's exit status.

    Raises
    ------
    RuntimeError
        If another installation is in progress, pip cannot be started, or the PyTorch extension fails.

    Notes
    -----
    With the PyTorch extension torch comes through it: it picks the build that fits the GPU driver.
    """
    if slicer.packaging.isPipInstallInProgress():
        raise RuntimeError("another installation of Python packages is in progress; try again when it is done")
    torch = [requirement for requirement in missing if requirement.name == "torch"]
    if torch and _install_with_pytorch_extension(torch[0], logged):
        missing = [requirement for requirement in missing if requirement.name != "torch"]
    if missing:
        _install_with_pip(missing, logged, completed)
    else:
        completed(0)


def _install_with_pip(missing: list[Requirement], logged: Callable[[str], None], completed: Callable[[int], None]) -> None:
    constraints = _constraints_file()

    def ended(status: int) -> None:
        constraints.unlink(missing_ok=True)
        completed(status)

    try:
        slicer.packaging.pip_install(
            [str(requirement) for requirement in missing],
            constraints=constraints,
            blocking=False,
            show_progress=False,
            requester="SuperResolution",
            logCallback=logged,
            completedCallback=ended,
        )
    except Exception as error:  # whatever keeps pip from being started
        constraints.unlink(missing_ok=True)
        raise RuntimeError(f"pip could not be started: {error}") from error


def _constraints_file() -> Path:
    """Write the installed versions of what the application brings, so that pip keeps them."""
    lines = [f"{name}=={version}\n" for name in _SHIPPED if (version := _version(name))]
    with tempfile.NamedTemporaryFile("w", suffix="-constraints.txt", dir=slicer.app.temporaryPath, delete=False) as file:
        file.writelines(lines)
    return Path(file.name)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _install_with_pytorch_extension(torch: Requirement, logged: Callable[[str], None]) -> bool:
    try:
        import PyTorchUtils
    except ModuleNotFoundError:
        return False
    logged(f"installing {torch} with the PyTorch extension; Slicer may stand still for some minutes")
    slicer.app.processEvents()
    try:
        PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=False, torchVersionRequirement=str(torch.specifier))
    except Exception as error:  # of pip, of the driver's detection, of torch itself, which it imports at the end
        raise RuntimeError(f"the PyTorch extension could not install {torch}: {error}") from error
    return True
