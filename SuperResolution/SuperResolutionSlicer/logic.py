"""What the module offers to scripts, and to its own panel: one run at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from .connections import connect
from .engine_process import Ending
from .parameters import SuperResolutionParameterNode
from .upscaling_run import Finished, Told, UpscalingRun


class SuperResolutionLogic(ScriptedLoadableModuleLogic):
    """Upscales volume nodes in a background process.

    Examples
    --------
    From Slicer's Python console::

        logic = slicer.util.getModuleLogic("SuperResolution")
        fine = logic.upscale(slicer.util.getNode("knee"), model="fast", factor=4)
    """

    def __init__(self) -> None:
        super().__init__()
        self._node: slicer.vtkMRMLScriptedModuleNode | None = None
        self._run: UpscalingRun | None = None
        self._told: list[Callable[[Told], None]] = []
        self._changed: list[Callable[[], None]] = []
        connect(slicer.app, "aboutToQuit()", self.abandon)

    def getParameterNode(self) -> SuperResolutionParameterNode:
        """Return the module's parameter node, wrapped."""
        # Held: the garbage collector takes observers for unreachable with a node that only C++ knows, and VTK then calls what is gone.
        self._node = super().getParameterNode()
        return SuperResolutionParameterNode(self._node)

    @property
    def running(self) -> bool:
        """Whether a run is in progress."""
        return self._run is not None and self._run.running

    @property
    def run(self) -> UpscalingRun | None:
        """The latest run, if any."""
        return self._run

    def follow(self, told: Callable[[Told], None] | None = None, changed: Callable[[], None] | None = None) -> None:
        """Have `told` called with the progress of every run, and `changed` when one starts or ends."""
        self._told += [told] if told else []
        self._changed += [changed] if changed else []

    def startUpscaling(
        self,
        inputVolume: slicer.vtkMRMLScalarVolumeNode,
        settings: dict[str, Any] | None = None,
        outputVolume: slicer.vtkMRMLScalarVolumeNode | None = None,
        name: str | None = None,
        finished: Callable[[Finished], None] = lambda _: None,
        adaptMinutes: float | None = None,
    ) -> UpscalingRun:
        """Start making a volume finer and return at once; see `UpscalingRun` for the parameters.

        Raises
        ------
        RuntimeError
            If a run is in progress, the output is the input, or the input cannot be written.
        """
        if self.running:
            raise RuntimeError("a volume is being upscaled; accepted is one run at a time: wait for it or cancel it")
        if outputVolume is inputVolume:
            raise RuntimeError(f"{inputVolume.GetName()}: the output is the input; accepted is another volume, or none for a new one")

        def ended(what: Finished) -> None:
            self._tell_changed()
            finished(what)

        self._run = UpscalingRun(inputVolume, settings or {}, self._tell, ended, outputVolume, name, adaptMinutes)
        self._run.start()
        self._tell_changed()
        return self._run

    def upscale(
        self,
        inputVolume: slicer.vtkMRMLScalarVolumeNode,
        outputVolume: slicer.vtkMRMLScalarVolumeNode | None = None,
        adaptMinutes: float | None = None,
        **settings: Any,
    ) -> slicer.vtkMRMLScalarVolumeNode:
        """Make a volume finer and wait for the result; the application stays usable meanwhile.

        Parameters
        ----------
        inputVolume, outputVolume, adaptMinutes
            See `UpscalingRun`.
        **settings
            See `SuperResolutionLib.upscaling.Settings`.

        Raises
        ------
        RuntimeError
            If there is no result, with the reason.
        """
        ended: list[Finished] = []
        loop = qt.QEventLoop()

        def finished(what: Finished) -> None:
            ended.append(what)
            loop.quit()

        self.startUpscaling(inputVolume, settings, outputVolume, finished=finished, adaptMinutes=adaptMinutes)
        leave = loop.quit  # an abandoned run says nothing but that something changed
        self._changed.append(leave)
        try:
            if not ended:
                loop.exec_()
        finally:
            self._changed.remove(leave)
        if not ended:
            raise RuntimeError("the run was abandoned because the scene was closed")
        if ended[0].outcome.ending is not Ending.DONE:
            raise RuntimeError(ended[0].describe())
        return ended[0].node

    def cancel(self) -> None:
        """End the run, if there is one; its `finished` is called."""
        if self.running:
            self._run.cancel()

    def abandon(self) -> None:
        """End the run, if there is one, without a word."""
        if self.running:
            self._run.abandon()
            self._tell_changed()

    def _tell(self, told: Told) -> None:
        for follower in self._told:
            follower(told)

    def _tell_changed(self) -> None:
        for follower in self._changed:
            follower()
