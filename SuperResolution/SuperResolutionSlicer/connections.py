"""Connects signals, and says so when one does not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def connect(sender: Any, signal: str, slot: Callable[..., Any]) -> None:
    """Connect a signal to a slot.

    Parameters
    ----------
    sender : QObject
    signal : str
        With its arguments, for example ``"clicked(bool)"``.
    slot : callable

    Raises
    ------
    RuntimeError
        If the sender has no such signal: PythonQt only returns False, and then nothing ever happens.
    """
    if not sender.connect(signal, slot):
        raise RuntimeError(f"{sender.className()}: signal '{signal}' does not exist")
