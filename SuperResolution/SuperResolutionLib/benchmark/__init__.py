"""What this machine can do at most, and what every upscaler and the peers that are installed make of it.

Everything that is timed is a process of its own, from its start to its end, so that nobody profits from what was loaded before and the
peak memory is its own. This process stays small: it imports no torch, and the ceiling, the input and the count of operations are made
by processes as well.
"""
