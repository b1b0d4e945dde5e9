"""Ranks that tied values share, and the area under the ROC curve that they give."""

import numpy as np
from numpy.typing import NDArray


def middle_ranks(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the middle rank of each distinct value, from 1: the mean of the ranks of its equal rows.

    `counts` has the rows of each value, in the ascending order of the values; same shape.

    Examples
    --------
    >>> middle_ranks(np.array([1, 2, 1])).tolist()
    [1.0, 2.5, 4.0]
    """
    return np.asarray(np.cumsum(counts) - (counts - 1) / 2)


def area_under_curve(rank_sum: float, n_positive: float, n_negative: float) -> float:
    """Return the probability that a positive row ranks above a negative one; ties count half.

    Parameters
    ----------
    rank_sum
        Sum of the positive rows' ranks.
    n_positive, n_negative
        Rows of both classes, each at least one.

    References
    ----------
    J. Hanley, B. McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve"
    (1982).
    """
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)
