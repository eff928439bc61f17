"""Which state of the code is at work."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

from SuperResolutionLib.version import __version__


def git_revision() -> str:
    """Return the commit that the code is a checkout of, with ``+changes`` if it was changed since; empty where it is no checkout."""
    here = Path(__file__).resolve().parent
    try:
        # Of a folder that git does not follow, as in an installation below somebody's own checkout, the commit would say nothing.
        followed = _git(here, "ls-files", "--error-unmatch", "__init__.py")
        revision, changes = (
            _git(here, "rev-parse", "HEAD"),
            # A network of one's own may be a file that git does not follow yet.
            _git(here, "status", "--porcelain", "--untracked-files=all", "--", "..", "../../SuperResolution"),
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"{revision}{'+changes' if changes else ''}" if followed else ""


def versions() -> dict[str, str | None]:
    """Return the versions of what figures come from: engine, Python, packages, platform and `git_revision`; None for what is absent."""
    return {
        "superresolution": __version__,
        "python": platform.python_version(),
        "torch": _version_of("torch"),
        "numpy": _version_of("numpy"),
        "platform": platform.platform(),
        "git_revision": git_revision() or None,
    }


def _version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()
