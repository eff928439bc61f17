"""The two ways a job can end badly, each told in one line."""


class SuperResolutionError(Exception):
    """Base of every error that is meant to be read by the user.

    The message is one line: it names the thing, what was found and what is accepted.
    """

    exit_status = 1


class WorkError(SuperResolutionError):
    """The request was right, yet the work failed (full disk, memory, corrupt data met half-way)."""


class RequestError(SuperResolutionError):
    """The request was wrong: an option, a file or a volume that cannot be accepted."""

    exit_status = 2
