"""Which state of the code is at work."""

from __future__ import annotations

import subprocess
from pathlib import Path


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


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()
