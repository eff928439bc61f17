import ctypes
import os
import sys
from types import SimpleNamespace

import pytest

from SuperResolutionLib import memory
from SuperResolutionLib.memory import available_memory

posix = pytest.mark.skipif(os.name != "posix", reason="numbers that POSIX tells")


@pytest.fixture
def meminfo(tmp_path, monkeypatch):
    """The file in which Linux tells of its memory, not there yet."""
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    return tmp_path / "meminfo"


@posix
def test_this_machine_has_some_memory_left_and_no_more_than_it_has():
    assert 1 << 20 < available_memory() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@posix
def test_linux_tells_what_can_be_used_without_swapping(meminfo):
    meminfo.write_text("MemTotal:       16384000 kB\nMemFree:          100000 kB\nMemAvailable:    8192000 kB\n")
    assert available_memory() == 8192000 * 1024


@posix
@pytest.mark.parametrize("text", [None, "MemTotal: 16384000 kB\nMemFree: 100000 kB\n"], ids=["no file", "no such line"])
def test_where_nobody_tells_what_is_left_all_there_is_counts(meminfo, monkeypatch, text):
    if text:
        meminfo.write_text(text)
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 16384}.__getitem__)
    assert available_memory() == 16384000


@posix
@pytest.mark.usefixtures("meminfo")
@pytest.mark.parametrize("failure", [ValueError("unrecognized configuration name"), OSError("not supported")])
def test_where_nothing_is_told_nothing_is_returned(monkeypatch, failure):
    def refuse(name):
        raise failure

    monkeypatch.setattr(os, "sysconf", refuse)
    assert available_memory() is None


@pytest.mark.parametrize("answers", [True, False])
def test_windows_is_asked_for_the_memory_that_is_left(monkeypatch, answers):
    """The place of each number is that of MEMORYSTATUSEX in sysinfoapi.h: two of 32 bits, then total and available of 64 bits."""

    def fill(reference):
        status = reference._obj
        kinds = [kind for _, kind in status._fields_]
        assert kinds[:2] == [ctypes.c_ulong] * 2 and kinds[2:] == [ctypes.c_ulonglong] * 7 and status.length == ctypes.sizeof(status)
        setattr(status, status._fields_[3][0], 5 << 30)
        return answers

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=SimpleNamespace(GlobalMemoryStatusEx=fill)), raising=False)
    assert available_memory() == (5 << 30 if answers else None)
