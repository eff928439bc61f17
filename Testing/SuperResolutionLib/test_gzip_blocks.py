import gzip
import io
import subprocess
import zlib

import numpy as np
import pytest

from SuperResolutionLib.gzip_blocks import write_gzip


def written(parts, level=1):
    stream = io.BytesIO()
    write_gzip(stream, [memoryview(part) for part in parts], level)
    return stream.getvalue()


@pytest.fixture
def parts():
    random = np.random.default_rng(0)
    return [random.integers(0, 50, size, np.uint8).tobytes() for size in (352, 100_000, 1, 70_000)]


@pytest.mark.parametrize("level", [1, 9])
def test_what_was_written_is_read_back(parts, level):
    assert gzip.decompress(written(parts, level)) == b"".join(parts)


def test_it_is_one_member_for_readers_that_stop_after_the_first(parts):
    reader = zlib.decompressobj(wbits=31)
    assert reader.decompress(written(parts)) == b"".join(parts)
    assert reader.eof and reader.unused_data == b""


def test_the_program_gzip_finds_nothing_wrong(parts, tmp_path):
    (tmp_path / "a.gz").write_bytes(written(parts))
    subprocess.run(["gzip", "--test", tmp_path / "a.gz"], check=True)


def test_no_parts_and_empty_parts_are_taken():
    assert gzip.decompress(written([])) == gzip.decompress(written([b"", b""])) == b""


def test_the_same_parts_give_the_same_bytes(parts):
    assert written(parts) == written(parts)


def test_a_changed_byte_is_found_by_the_checksum(parts):
    data = bytearray(written(parts))
    data[-8] ^= 1
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(bytes(data))


def test_compression_in_parts_costs_little():
    voxels = np.random.default_rng(0).normal(500, 30, 1_000_000).astype(np.int16).tobytes()
    pieces = [voxels[start : start + 300_000] for start in range(0, len(voxels), 300_000)]
    assert len(written(pieces)) < 1.05 * len(gzip.compress(voxels, 1))


def test_a_full_disk_is_told():
    class Full(io.RawIOBase):
        def write(self, data):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_gzip(Full(), [memoryview(b"abc")], 1)
