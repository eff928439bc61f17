"""What a machine is, for the record of a benchmark."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..companion import training_library
from ..errors import RequestError
from ..version import __version__

_CPUINFO = Path("/proc/cpuinfo")
_MATRIX_INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_fp16", "asimdhp", "bf16", "sve")


def describe_machine() -> dict[str, Any]:
    """Return processor, cores that may be used, memory, system, versions and what else kept the machine busy when it was asked."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _cpu(),
        "cores": cores,
        "flags": [flag for flag in _MATRIX_INSTRUCTIONS if flag in _cpuinfo("flags", "Features").split()],
        "memory_gb": _memory_gb(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "superresolution": __version__,
        "git_revision": _git_revision(),
    }


def _cpu() -> str:
    if sys.platform == "darwin":
        asked = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
        return asked.stdout.strip() or platform.processor()
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _cpuinfo(*names: str) -> str:
    """Return the first of the entries that Linux has of the first processor; empty where it has none."""
    lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines() if _CPUINFO.is_file() else []
    entries = dict(reversed([(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]))
    return next((entries[name] for name in names if name in entries), "")


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _git_revision() -> str | None:
    try:
        return training_library("revision").git_revision() or None
    except RequestError:
        return None  # an engine without its companion is no checkout
