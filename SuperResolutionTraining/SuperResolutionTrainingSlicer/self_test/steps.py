"""What every test begins and ends with, and the volumes that several take."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import slicer
import slicer.util

from SuperResolutionSlicer.module_test import ModuleTest
from SuperResolutionSlicer.phantom import shepp_logan


class Steps(ModuleTest):
    """A panel whose models and runs are in a folder of the test's own."""

    def setUp(self) -> None:
        """Start every test with an empty scene, the panel open, and a folder in the place of the user's own models and runs."""
        self.home = tempfile.TemporaryDirectory()
        self.runs = Path(self.home.name) / "runs"
        self.environment = mock.patch.dict(os.environ, {"SUPERRESOLUTION_MODELS": str(Path(self.home.name) / "models")})
        self.environment.start()
        super().setUp()
        self.parameters = self.logic.getParameterNode()
        self.parameters.runsFolder = str(self.runs)

    def tearDown(self) -> None:
        """No test may leave a process or a temporary folder."""
        self.logic.abandon()
        self.environment.stop()
        self.home.cleanup()
        super().tearDown()

    def words(self) -> str:
        """Return what the panel says, for a test that fails."""
        return f"{super().words()} {self.ui.evaluationMessage.text} {self.ui.logText.plainText}"

    def add_heads(self, number: int) -> list[slicer.vtkMRMLScalarVolumeNode]:
        """Add phantoms of a head, each with noise of its own."""
        nodes = []
        for seed in range(number):
            voxels = shepp_logan(32) + np.random.default_rng(seed).integers(0, 40, (32, 32, 32), np.int16)
            nodes.append(slicer.util.addVolumeFromArray(voxels, np.eye(4), f"head {seed}"))
            nodes[-1].SetAttribute("modality", "MR")
        return nodes
