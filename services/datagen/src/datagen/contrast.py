"""Does a reply sound like its own style, and more so than like any other? On any vectors.

Both figures are cosines. A row is judged by the others: its own part is taken out of the centre
of its style first, so a single row cannot vouch for itself.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from datagen.vectors import Matrix

Floats = npt.NDArray[np.float64]
# Fewer rows make no centre of a style.
FEWEST_ROWS = 4


def contrasts(
    matrix: Matrix,
    styles: Sequence[int],
    rivals: npt.NDArray[np.bool_],
    teaches: npt.NDArray[np.bool_] | None = None,
) -> Floats:
    """Return for each row: cosine to its own style's centre minus the best of its rivals'.

    Args:
        matrix: one row of length 1 for each reply.
        styles: the number of each row's style.
        rivals: a square table; which styles a row of a style could be taken for.
        teaches: which rows make up the centres; every one by default.

    Returns:
        One number a row, -1 to 1, below 0 where another style is nearer; NaN where there is no
        rival or the row's own style has fewer than 4 rows.
    """
    own = np.asarray(styles, np.int64)
    rows = np.arange(len(own))
    member = np.zeros((len(own), len(rivals)), np.float32)
    counted = np.ones(len(own), bool) if teaches is None else teaches
    member[rows, own] = counted
    sums = np.asarray((matrix.T @ member).T, np.float64)
    # A dense matrix of 32 bits would be copied whole to meet one of 64.
    against = np.asarray(matrix @ sums.T.astype(matrix.dtype), np.float64)
    squares = (sums**2).sum(axis=1)
    sizes = np.bincount(own[counted], minlength=len(rivals))
    cosines = against / np.sqrt(np.maximum(squares, 1e-12))
    itself = length_squares(matrix) * counted
    mine = against[rows, own] - itself
    rest = np.maximum(squares[own] - 2 * against[rows, own] + itself, 1e-12)
    allowed = rivals[own] & (sizes >= FEWEST_ROWS)
    allowed[rows, own] = False
    best = np.where(allowed, cosines, -np.inf).max(axis=1, initial=-np.inf)
    judged = allowed.any(axis=1) & (sizes[own] >= FEWEST_ROWS)
    return np.where(judged, mine / np.sqrt(rest) - np.where(judged, best, 0.0), np.nan)


def length_squares(matrix: Matrix) -> Floats:
    """Return the square of each row's length: 1, or 0 for an empty text."""
    if isinstance(matrix, np.ndarray):
        return np.asarray(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
    return np.asarray(matrix.multiply(matrix).sum(axis=1), np.float64).ravel()


def likenesses(
    matrix: Matrix, styles: Sequence[int], references: Matrix, owners: Sequence[int]
) -> Floats:
    """Return the highest cosine of each row to a reference of its style; NaN without one.

    Args:
        matrix: one row of length 1 for each reply.
        styles: the number of each row's style.
        references: the same for the examples of the cards.
        owners: the number of each reference's style.
    """
    found = np.full(len(styles), np.nan)
    own, whose = np.asarray(styles, np.int64), np.asarray(owners, np.int64)
    for style in np.unique(whose):
        rows = np.flatnonzero(own == style)
        if rows.size:
            table = matrix[rows] @ references[np.flatnonzero(whose == style)].T
            dense = table.toarray() if hasattr(table, "toarray") else table
            found[rows] = np.asarray(dense).max(axis=1)
    return found
