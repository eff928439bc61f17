"""sys.stdout, sys.stderr and logging as in the application, where text goes to a console that is no file."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import TextIO


class ConsoleStream:
    """A stream of the application's Python console: it has no file number and no buffer, and child processes cannot have it."""

    closed = False

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return False


@contextlib.contextmanager
def console() -> Iterator[None]:
    """Have the application's streams and its logging, of every level through one handler, for a while."""
    streams, root = (sys.stdout, sys.stderr), logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    sys.stdout, sys.stderr = map(ConsoleStream, streams)
    root.handlers[:] = [logging.StreamHandler(sys.stderr)]
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
        root.setLevel(level)
        root.handlers[:] = handlers
