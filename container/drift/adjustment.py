"""Multiple testing: a window asks one question per feature, so each p-value is adjusted for the others."""

from collections.abc import Sequence

import numpy as np


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return the adjusted p-values, in the order given: the smallest false discovery rate at which each is rejected.

    Never below the p-value itself, at most 1. An empty sequence gives an empty list.

    References
    ----------
    Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate" (1995).

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.5, 0.02, 0.04])
    [0.04, 0.5, 0.04, 0.05333333333333334]
    """
    p = np.asarray(p_values, dtype=np.float64)
    falling = np.argsort(-p, kind="stable")
    scaled = p[falling] * len(p) / np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[falling] = np.minimum.accumulate(np.minimum(scaled, 1.0))
    return [float(value) for value in adjusted]


def benjamini_hochberg_log(log_p_values: Sequence[float]) -> list[float]:
    """Return the natural logarithms of the adjusted p-values: the same, where p-values are below the smallest float.

    Examples
    --------
    >>> benjamini_hochberg_log([-2000.0, -1000.0])
    [-1999.3068528194401, -1000.0]
    """
    log_p = np.asarray(log_p_values, dtype=np.float64)
    falling = np.argsort(-log_p, kind="stable")
    scaled = log_p[falling] + np.log(len(log_p) / np.arange(len(log_p), 0, -1))
    adjusted = np.empty_like(log_p)
    adjusted[falling] = np.minimum.accumulate(np.minimum(scaled, 0.0))
    return [float(value) for value in adjusted]
