import pytest
import slicer

import host

host.start()  # the modules below import qt


@pytest.fixture
def scene():
    """The application's scene, empty; a test fails if something went wrong unseen meanwhile."""
    slicer.mrmlScene.Clear(0)
    host.failures()
    yield slicer.mrmlScene
    assert host.failures() == []


@pytest.fixture
def views(scene):
    """The layout manager. A process keeps its views once it has them: what holds without any is tested in a process of its own."""
    host.start(views=True)
    return slicer.app.layoutManager()
