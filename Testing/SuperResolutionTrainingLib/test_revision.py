import subprocess

import pytest

from SuperResolutionTrainingLib import revision


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository with the code's folders in it."""

    def git(*arguments):
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@x", *arguments], check=True, capture_output=True
        )

    folder = tmp_path / "Training" / "Lib"
    folder.mkdir(parents=True)
    (tmp_path / "SuperResolution").mkdir()
    (tmp_path / "SuperResolution" / "engine.py").touch()
    (folder / "__init__.py").touch()
    monkeypatch.setattr(revision, "__file__", str(folder / "revision.py"))
    return git, tmp_path


def test_a_checkout_is_named_by_its_commit_and_whether_it_was_changed(checkout):
    git, folder = checkout
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    commit = revision.git_revision()
    assert len(commit) == 40 and int(commit, 16)
    (folder / "SuperResolution" / "engine.py").write_text("x = 1")
    assert revision.git_revision() == f"{commit}+changes"
    git("checkout", ".")
    (folder / "SuperResolution" / "own_network.py").touch()
    assert revision.git_revision() == f"{commit}+changes"
    (folder / "SuperResolution" / "own_network.py").unlink()
    (folder / "demo.png").touch()
    assert revision.git_revision() == commit


def test_code_that_git_does_not_follow_has_none(checkout):
    git, _ = checkout
    assert revision.git_revision() == ""
    git("init")
    assert revision.git_revision() == ""


def test_without_git_there_is_none(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert revision.git_revision() == ""


def test_versions_are_those_of_what_is_installed(monkeypatch):
    import numpy

    found = revision.versions()
    assert list(found) == ["superresolution", "python", "torch", "numpy", "platform", "git_revision"]
    assert found["numpy"] == numpy.__version__

    def absent(package):
        raise revision.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(revision.metadata, "version", absent)
    assert revision.versions()["torch"] is None
