"""Gzip files whose blocks are compressed side by side."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import BinaryIO

_HEADER = b"\x1f\x8b\x08\0" + bytes(4) + b"\x04\xff"  # deflate, no name, no time, fastest, unknown system
_RAW = -zlib.MAX_WBITS
_LAST_BLOCK = b"\x03\0"


def write_gzip(stream: BinaryIO, parts: Sequence[memoryview], level: int) -> None:
    """Write a gzip file of one member (RFC 1952), which every reader takes.

    Each part becomes deflate blocks of its own that end on a byte (RFC 1951, 3.2.4), so that all processors compress at once: zlib lets
    go of Python meanwhile. The same parts give the same bytes.

    Parameters
    ----------
    stream : binary file
    parts : sequence of memoryview
        Bytes, one after the other; about a megabyte each compresses as well as all in one.
    level : int
        1, fastest, to 9.

    Raises
    ------
    OSError
        If the stream cannot be written to.
    """
    stream.write(_HEADER)
    checksum = length = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part, blocks in zip(parts, pool.map(partial(_deflated, level=level), parts)):
            stream.write(blocks)
            checksum = zlib.crc32(part, checksum)
            length += part.nbytes
    stream.write(_LAST_BLOCK + struct.pack("<II", checksum, length & 0xFFFFFFFF))


def _deflated(part: memoryview, level: int) -> bytes:
    compressor = zlib.compressobj(level, zlib.DEFLATED, _RAW)
    return compressor.compress(part) + compressor.flush(zlib.Z_FULL_FLUSH)
