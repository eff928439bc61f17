"""Asks for the packages that are missing, installs them in the background, and then goes on with what was wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .packages import ask_consent, install_packages, missing_packages


class PackageInstallation:
    """One installation at a time.

    Parameters
    ----------
    said : callable
        Called with each line that pip prints, and with nothing but "" when an installation begins or ends.
    names : sequence of str, optional
        Of the packages, see `packages.missing_packages`.
    """

    def __init__(self, said: Callable[[str], None], names: Sequence[str] | None = None) -> None:
        self.askConsent = ask_consent
        self.running = False
        self._said, self._names = said, names

    def ensure(self, then: Callable[[], None], refused: Callable[[str], None]) -> None:
        """Call `then` once the packages are there, or `refused` with the reason."""
        missing = missing_packages(self._names)
        if not missing:
            then()
        elif not self.askConsent(missing):
            refused(f"Not started: {', '.join(map(str, missing))} must be installed first.")
        else:
            self._install(missing, then, refused)

    def forget(self) -> None:
        """Pip goes on, but nothing is shown or started any more."""
        self.running = False

    def _install(self, missing: list, then: Callable[[], None], refused: Callable[[str], None]) -> None:
        def said(line: str) -> None:
            if self.running:
                self._said(line)

        def completed(status: int) -> None:
            if not self.running:
                return
            self.running = False
            self._said("")
            left = missing_packages(self._names)
            if status == 0 and not left:
                then()
                return
            names = f"; still missing: {', '.join(map(str, left))}" if left else ""
            refused(f"The packages were not installed (status {status}){names}. Details hold what pip said.")

        self.running = True
        self._said("")
        try:
            install_packages(missing, said, completed)
        except RuntimeError as error:
            self.running = False
            self._said("")
            refused(str(error))
