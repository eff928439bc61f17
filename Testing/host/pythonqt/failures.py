"""What the application only prints, kept so that a test can fail on it."""

import sys
from types import TracebackType

failures: list[str] = []
_strict = True


def strict() -> bool:
    """Tell whether silent mistakes (a signal that does not exist) are recorded in `failures`."""
    return _strict


def set_strict(value: bool) -> None:
    """Record silent mistakes, or not."""
    global _strict
    _strict = value


def mistake(text: str) -> None:
    """Print a mistake as the application does, which goes on, and record it where we are strict."""
    print(text, file=sys.stderr)
    if _strict:
        failures.append(text)


def record_unhandled() -> None:
    """Let `sys.excepthook`, which gets the exceptions of slots and observers, record them as well."""
    shown = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        failures.append(f"{kind.__name__}: {error}")
        shown(kind, error, trace)

    sys.excepthook = hook
