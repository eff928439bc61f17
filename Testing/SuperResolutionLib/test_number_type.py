import numpy as np
import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.number_type import to_type


def values(*numbers):
    return np.array(numbers, np.float64).reshape(-1, 1, 1)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", ">i2"])
def test_integers_stay_integers_of_the_same_type_and_are_rounded(dtype):
    result = to_type(values(0.4, 0.6, 99.7, 3), dtype)
    assert result.dtype == np.dtype(dtype)
    assert result.ravel().tolist() == [0, 1, 100, 3]


@pytest.mark.parametrize(
    ("dtype", "numbers", "wider"),
    [
        ("u1", (0, 256), "i2"),
        ("u1", (-1, 255), "i2"),
        ("u1", (0, 40000), "i4"),
        ("i1", (0, 128), "i2"),
        ("i2", (-32769, 0), "i4"),
        ("i2", (0, 32768), "i4"),
        ("u2", (-1, 65535), "i4"),
        ("u2", (-1, 9), "i2"),
        ("u4", (-1, 2**32 - 1), "i8"),
        ("i4", (0, 2**31), "i8"),
    ],
)
def test_what_would_overflow_is_widened_and_not_clipped(dtype, numbers, wider):
    result = to_type(values(*numbers), dtype)
    assert result.dtype == np.dtype(wider)
    assert result.ravel().tolist() == list(numbers)


def test_what_rounds_into_the_type_is_not_widened():
    assert to_type(values(-0.4, 255.4), "u1").dtype == np.uint8


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2"])
def test_floating_point_is_not_rounded(dtype):
    result = to_type(values(0.25, -1.5), dtype)
    assert result.dtype == np.dtype(dtype) and result.ravel().tolist() == [0.25, -1.5]


@pytest.mark.parametrize("dtype", ["i2", "f4"])
def test_the_result_is_contiguous(dtype):
    assert to_type(np.ones((4, 5, 6)).transpose(2, 0, 1), dtype).flags.c_contiguous


def test_values_beyond_every_integer_are_refused():
    with pytest.raises(RequestError, match="values from 0 to 1e\\+20: accepted are those that 64-bit integers hold"):
        to_type(values(0, 1e20), "i2")
