"""A linear map along one axis of an array: what acquisitions and interpolations have in common."""

import numpy as np

_ROWS = 32


class AxisOperator:
    """A matrix that is applied to every line of an array along one axis.

    Parameters
    ----------
    matrix : ndarray, shape (m, n)
        Maps n voxels of a line to m voxels.

    Notes
    -----
    Rows are worked off in blocks that read only the columns they need, so that a banded matrix costs what its band costs.
    """

    def __init__(self, matrix: np.ndarray) -> None:
        self.matrix = np.asarray(matrix, dtype=np.float64)
        self._blocks = _row_blocks(self.matrix)

    @property
    def adjoint(self) -> "AxisOperator":
        """The transposed operator: ⟨Ax, y⟩ = ⟨x, Aᵀy⟩."""
        return AxisOperator(self.matrix.T)

    def __call__(self, array: np.ndarray, axis: int) -> np.ndarray:
        """Apply the operator.

        Parameters
        ----------
        array : ndarray
            Its length along `axis` is n.
        axis : int
            Array axis along which the lines run.

        Returns
        -------
        ndarray
            float64 for float64 input, else float32; length m along `axis`.

        Raises
        ------
        ValueError
            If the array has another length along `axis`.
        """
        rows, columns = self.matrix.shape
        if array.shape[axis] != columns:
            raise ValueError(f"array of length {array.shape[axis]} along axis {axis}; the operator takes {columns}")
        dtype = np.float64 if array.dtype == np.float64 else np.float32
        before = int(np.prod(array.shape[:axis], dtype=int))
        lines = np.ascontiguousarray(array, dtype=dtype).reshape(before, columns, -1)
        result = np.empty((before, rows, lines.shape[2]), dtype)
        for first, last, low, high in self._blocks:
            block = self.matrix[first:last, low:high].astype(dtype)
            if lines.shape[2] == 1:
                result[:, first:last, 0] = lines[:, low:high, 0] @ block.T
            else:
                np.matmul(block, lines[:, low:high], out=result[:, first:last])
        return result.reshape(*array.shape[:axis], rows, *array.shape[axis + 1 :])


def _row_blocks(matrix: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Return (first row, last row, first column, last column) of blocks outside of which the matrix is zero."""
    blocks = []
    for first in range(0, len(matrix), _ROWS):
        last = min(first + _ROWS, len(matrix))
        used = np.flatnonzero(np.any(matrix[first:last] != 0, axis=0))
        low, high = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 1)
        blocks.append((first, last, low, high))
    return blocks
