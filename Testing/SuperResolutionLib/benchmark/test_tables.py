from pathlib import Path

import pytest

from SuperResolutionLib.benchmark.record import read_record
from SuperResolutionLib.benchmark.tables import in_markdown, in_text

ROOT = Path(__file__).resolve().parents[3]
RECORDS = sorted((ROOT / "SuperResolution" / "Records").glob("*.json"))
MISSING = {"seconds": (), "stages": (), "operations": None, "peak_memory_mb": None, "problem": "not measured: it is not installed"}


@pytest.fixture
def record(make_record, make_timing):
    cubic = {"contestant": "cubic", "kind": "interpolation", "precision": "", "device": "", "operations": None}
    return make_record(
        make_timing(seconds=(10.0, 12.0, 20.0), stages=({"starting": 1.0, "network": 8.0},) * 3),
        make_timing(**cubic, seconds=(3.0,), stages=({"starting": 0.5},)),
        make_timing(contestant="monai", kind="peer", about="windows", **MISSING),
        make_timing(contestant="eclare", kind="peer", about="few patches", size=(64, 64, 64), seconds=(90.0,), stages=({},)),
        make_timing(size=(64, 64, 64), seconds=(2.0,), stages=({"starting": 1.0, "network": 0.5},)),
        repeats=3,
    )


def test_lines_on_a_terminal_are_aligned_and_tell_everything(record):
    lines = in_text(record).splitlines()
    at = next(number for number, line in enumerate(lines) if "runs in" in line)
    header, fast, cubic = lines[at : at + 3]
    assert "12.00 (10.00-20.00)" in fast and "60%" in fast and fast.endswith("500") and len(fast) == len(header)
    assert "3.00" in cubic and cubic.split().count("-") == 3


def test_a_record_in_markdown(record):
    lines = in_markdown([record]).splitlines()
    assert lines[0].startswith("**Abacus, 2 cores; avx512_bf16") and "bfloat16; copy 10.0 GB/s" in lines[0]
    assert "| fast | cpu bfloat16 | 12.00 (10.00-20.00) | 8.00 | 33% | 1.97 | 60% | 500 |" in lines
    assert "| cubic | | 3.00 | - | - | 7.86 | - | 500 |" in lines
    assert "| | 64x64x64 | 384x384x160 | largest / smallest |" in lines
    assert "| fast | 3815; 500 | 466; 500 | 8.18 |" in lines
    assert any(line.startswith("- NOT KEPT: fast: the whole command") for line in lines)


def test_a_peer_that_is_missing_is_told(record):
    for text in (in_text(record), in_markdown([record])):
        assert "monai, 384x384x160: not measured: it is not installed" in text


def test_a_peer_on_another_volume_stands_beside_the_networks_on_it(record):
    assert "eclare, 64x64x64: 90.00 s, peak 500 MB (few patches); fast 2.00 s" in in_markdown([record])


def test_several_records_stand_one_after_the_other(record):
    assert in_markdown([record, record]) == f"{in_markdown([record])}\n{in_markdown([record])}"


@pytest.mark.skipif(not RECORDS, reason="no record of a benchmark is kept yet")
def test_the_table_of_the_readme_is_made_of_the_records():
    begin, end = "<!-- benchmark: begin -->\n", "<!-- benchmark: end -->"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.partition(begin)[2].partition(end)[0].strip() == in_markdown(map(read_record, RECORDS)).strip()
