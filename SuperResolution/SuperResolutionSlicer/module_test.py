"""What the self-tests of both modules have in common: a scene and a panel for each test, patience, and nothing left behind."""

from __future__ import annotations

import os
import time
import unittest
from collections.abc import Callable, Sequence
from pathlib import Path

import slicer
import slicer.util
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest

from .packages import UPSCALING, missing_packages

POSIX = os.name == "posix"
_TIMEOUT_S = 300


class ModuleTest(ScriptedLoadableModuleTest):
    """To be derived from as ``<Module>Test``; runs in Slicer's own harness, with and without a main window, and in a headless host."""

    def setUp(self) -> None:
        """Start every test with an empty scene and the panel open."""
        slicer.mrmlScene.Clear(0)
        self.module = type(self).__name__.removesuffix("Test")
        self.panel = slicer.util.getModuleWidget(self.module)
        self.was_entered = self.panel.parent.isEntered  # by Reload and Test
        self.enter()
        self.ui, self.logic = self.panel.ui, self.panel.logic
        self.folders = set(_temporary_folders())

    def tearDown(self) -> None:
        """No test may leave a process or a temporary folder."""
        self.logic.abandon()
        self.assertEqual(set(_temporary_folders()) - self.folders, set())
        self.leave()
        slicer.mrmlScene.Clear(0)
        if self.was_entered:
            if slicer.util.mainWindow() is not None:
                slicer.util.selectModule(self.module)
            self.enter()

    def runTest(self, **kwargs) -> None:
        """Run every test; called by Reload and Test."""
        for name in unittest.TestLoader().getTestCaseNames(type(self)):
            self.setUp()
            try:
                getattr(self, name)()
            except unittest.SkipTest as skipped:
                self.delayDisplay(f"{name}: skipped, {skipped}")
            finally:
                self.tearDown()
        self.delayDisplay(f"{self.module}: all tests passed")

    def enter(self) -> None:
        """Come to the module; Slicer never enters one twice."""
        if not self.panel.parent.isEntered:
            self.panel.parent.enter()

    def leave(self) -> None:
        """Go to another module."""
        if self.panel.parent.isEntered:
            self.panel.parent.exit()

    def need_packages(self, names: Sequence[str] | None = UPSCALING) -> None:
        """Skip where packages are not installed, see `packages.missing_packages`."""
        missing = missing_packages(names)
        if missing:
            self.skipTest(f"not installed: {', '.join(map(str, missing))}")

    def words(self) -> str:
        """Return what the panel says, for a test that fails."""
        return self.ui.messageLabel.text

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Let the application work until something is so."""
        end = time.time() + _TIMEOUT_S
        while not condition():
            self.assertLess(time.time(), end, f"nothing happened for {_TIMEOUT_S} s; the panel says: {self.words()}")
            slicer.app.processEvents()
            time.sleep(0.01)

    def assert_gone(self, pid: int) -> None:
        """Check that a process has ended."""
        if POSIX:
            end = time.time() + 2
            while _alive(pid) and time.time() < end:
                time.sleep(0.01)
            self.assertFalse(_alive(pid), f"process {pid} is still there")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _temporary_folders() -> list[str]:
    return [path.name for path in Path(slicer.app.temporaryPath).glob("SuperResolution-*")]
