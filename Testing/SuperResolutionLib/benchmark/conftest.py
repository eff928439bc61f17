"""Timings that were never measured, from which all figures can be worked out by hand."""

import pytest

from SuperResolutionLib.benchmark.ceiling import Ceiling
from SuperResolutionLib.benchmark.record import Record
from SuperResolutionLib.benchmark.timing import Timing

MACHINE = {
    "cpu": "Abacus", "cores": 2, "flags": ["avx512_bf16"], "memory_gb": 8.0, "load": 0.1, "system": "Linux", "python": "3.11.0",
    "superresolution": "1.0.0", "git_revision": None, "torch": "2.6", "threads": 2, "instructions": "AVX512", "gpu": "",
}  # fmt: skip


@pytest.fixture
def make_timing():
    """Make a timing of the default model: 10 s, of which the network runs 8 and 1 is starting, at 60 % of the ceiling."""

    def make(**told):
        stages = ({"starting": 1.0, "reading": 0.5, "network": 8.0, "checking": 0.25, "writing": 0.25},)
        usual = {"device": "cpu", "precision": "bfloat16", "seconds": (10.0,), "stages": stages, "operations": 960 * 10**9}
        about = {"contestant": "fast", "kind": "network", "about": "", "size": (384, 384, 160), "peak_memory_mb": 500}
        return Timing(**about | usual | told)

    return make


@pytest.fixture
def make_record(make_timing):
    """Make a record of a machine that multiplies matrices at 100 and 200 GFLOP/s."""

    def make(*timings, **told):
        ceiling = Ceiling("cpu", {"float32": 100.0, "bfloat16": 200.0}, 10.0)
        usual = {"date": "2026-01-31", "command": "superresolution benchmark", "machine": MACHINE, "repeats": 1, "volume": (384, 384, 160)}
        return Record(**usual | told, ceiling=ceiling, timings=timings or (make_timing(),))

    return make
