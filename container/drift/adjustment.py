"""Multiple testing: a window asks one question per feature, so each p-value is adjusted for the others."""

from collections.abc import Sequence

import numpy as np


def benjamini_hochberg_log(log_p_values: Sequence[float]) -> list[float]:
    """Return the adjusted p-values, in the order given: the smallest false discovery rate at which each is rejected.

    Both sides are natural logarithms, so that p-values below the smallest float keep their order. Never below the
    p-value itself, at most 0. An empty sequence gives an empty list.

    References
    ----------
    Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate" (1995).

    Examples
    --------
    >>> benjamini_hochberg_log([-2000.0, -1000.0])
    [-1999.30685281944, -1000.0]
    """
    log_p = np.asarray(log_p_values, dtype=np.float64)
    falling = np.argsort(-log_p, kind="stable")
    scaled = log_p[falling] + np.log(len(log_p) / np.arange(len(log_p), 0, -1))
    adjusted = np.empty_like(log_p)
    adjusted[falling] = np.minimum.accumulate(np.minimum(scaled, 0.0))
    return [float(value) for value in adjusted]
