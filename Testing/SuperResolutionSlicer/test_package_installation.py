"""Nothing is installed without consent, and work goes on where it was wanted."""

import pytest
from packaging.requirements import Requirement

from SuperResolutionSlicer import package_installation
from SuperResolutionSlicer.package_installation import PackageInstallation

TORCH = [Requirement("torch>=2.6")]


class Asked:
    """An installation with all that was heard of it; pip is played by the test."""

    def __init__(self, monkeypatch, missing, consent=True):
        self.missing, self.said, self.went_on, self.refused = missing, [], 0, []
        self.installation = PackageInstallation(self.said.append)
        self.installation.askConsent = lambda _: consent
        monkeypatch.setattr(package_installation, "missing_packages", lambda names: self.missing)
        monkeypatch.setattr(package_installation, "install_packages", self._install)
        self.error = None

    def _install(self, missing, logged, completed):
        if self.error:
            raise RuntimeError(self.error)
        self.logged, self.completed = logged, completed

    def ensure(self):
        def go_on():
            self.went_on += 1

        self.installation.ensure(go_on, self.refused.append)


@pytest.fixture
def asked(monkeypatch):
    return lambda *arguments, **options: Asked(monkeypatch, *arguments, **options)


def test_where_nothing_is_missing_work_goes_on_at_once(asked):
    it = asked([])
    it.ensure()
    assert (it.went_on, it.refused, it.said) == (1, [], [])


def test_without_consent_nothing_happens(asked):
    it = asked(TORCH, consent=False)
    it.ensure()
    assert (it.went_on, it.refused) == (0, ["Not started: torch>=2.6 must be installed first."])


def test_with_consent_work_goes_on_when_pip_is_done(asked):
    it = asked(TORCH)
    it.ensure()
    assert it.installation.running
    it.logged("Collecting torch")
    it.missing = []
    it.completed(0)
    assert (it.went_on, it.said, it.installation.running) == (1, ["", "Collecting torch", ""], False)


@pytest.mark.parametrize(("status", "missing"), [(1, []), (0, TORCH)])
def test_a_failed_installation_is_told(status, missing, asked):
    it = asked(TORCH)
    it.ensure()
    it.missing = missing
    it.completed(status)
    assert it.went_on == 0 and f"were not installed (status {status})" in it.refused[0]
    assert ("still missing: torch>=2.6" in it.refused[0]) == bool(missing)


def test_pip_that_cannot_be_started_is_told(asked):
    it = asked(TORCH)
    it.error = "another installation is in progress"
    it.ensure()
    assert (it.refused, it.installation.running) == (["another installation is in progress"], False)


def test_a_panel_that_is_gone_hears_nothing_more(asked):
    it = asked(TORCH)
    it.ensure()
    it.installation.forget()
    it.logged("Collecting torch")
    it.completed(0)
    assert (it.said, it.went_on, it.refused) == ([""], 0, [])
