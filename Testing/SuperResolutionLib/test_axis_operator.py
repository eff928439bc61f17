import numpy as np
import pytest

from SuperResolutionLib.axis_operator import AxisOperator


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_matrix_is_applied_to_every_line_along_the_axis(random, axis):
    matrix, array = random.normal(size=(5, 7)), random.normal(size=[7 if a == axis else a + 2 for a in range(3)])
    expected = np.moveaxis(np.tensordot(matrix, array, axes=(1, axis)), 0, axis)
    np.testing.assert_allclose(AxisOperator(matrix)(array, axis), expected, atol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_long_banded_matrix_is_worked_off_without_losing_anything(random, axis):
    """More rows than are worked off at once."""
    matrix = np.triu(np.tril(random.normal(size=(150, 100)), 3), -60)
    matrix[40:80] = 0
    array = random.normal(size=[100 if a == axis else 3 for a in range(3)])
    expected = np.moveaxis(np.tensordot(matrix, array, axes=(1, axis)), 0, axis)
    np.testing.assert_allclose(AxisOperator(matrix)(array, axis), expected, atol=1e-12)


def test_the_adjoint_is_the_transposed_matrix(random):
    matrix, x, y = random.normal(size=(40, 70)), random.normal(size=(70, 2, 3)), random.normal(size=(40, 2, 3))
    operator = AxisOperator(matrix)
    assert np.vdot(operator(x, 0), y) == pytest.approx(np.vdot(x, operator.adjoint(y, 0)))


@pytest.mark.parametrize(("given", "returned"), [("f8", "f8"), ("f4", "f4"), ("i2", "f4"), ("u1", "f4"), (">f4", "f4")])
def test_double_precision_stays_and_all_else_becomes_single_precision(given, returned):
    result = AxisOperator(np.eye(3)[:2])(np.arange(3).astype(given).reshape(3, 1, 1), 0)
    assert result.dtype == np.dtype(returned) and result.ravel().tolist() == [0, 1]


def test_a_view_that_is_not_contiguous_is_taken_as_it_looks(random):
    array = random.normal(size=(4, 5, 6)).transpose(2, 0, 1)[::-1]
    np.testing.assert_allclose(AxisOperator(np.eye(6)[::-1])(array, 0), array[::-1])


def test_an_array_of_another_length_is_refused():
    with pytest.raises(ValueError, match="length 4 along axis 1; the operator takes 3"):
        AxisOperator(np.eye(3))(np.zeros((3, 4, 3)), 1)
