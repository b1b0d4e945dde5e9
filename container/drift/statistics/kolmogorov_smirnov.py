"""Two-sample Kolmogorov-Smirnov test."""

import warnings

from scipy.stats import ks_2samp

from drift.counts import NumericCounts
from drift.statistics.evidence import Evidence

EXACT = "ks_2samp_exact"
ASYMPTOTIC = "ks_2samp_asymptotic"

_MAX_EXACT_N = 10_000
"""scipy's own limit for `method="auto"`: the exact p-value costs time proportional to both sizes."""


def kolmogorov_smirnov(reference: NumericCounts, window: NumericCounts) -> Evidence:
    """Test whether the window has the reference's distribution function.

    Null: both are drawn from one continuous distribution; with ties the p-value is too large, never too small. The
    statistic is the largest distance of the two empirical distribution functions: 0 (equal) to 1 (disjoint), larger
    is worse; it depends on ranks only. Missing values are left out. The result names how the p-value came about:
    exact up to 10,000 values a side, asymptotic beyond and where the exact sum fails.

    Raises
    ------
    ValueError
        If a side has no present value.

    References
    ----------
    J. Hodges, "The significance probability of the Smirnov two-sample test" (1958).

    Examples
    --------
    >>> import numpy as np
    >>> kolmogorov_smirnov(NumericCounts.of(np.arange(4.0)), NumericCounts.of(np.arange(4.0, 8.0))).statistic
    1.0
    """
    if not (reference.n_present and window.n_present):
        raise ValueError("both sides must have a present value, got none on one of them")
    samples = reference.expanded(), window.expanded()
    exact = max(reference.n_present, window.n_present) <= _MAX_EXACT_N
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = ks_2samp(*samples, method="exact" if exact else "asymp")
    # scipy warns when it gives up the exact sum and falls back to the asymptotic p-value by itself.
    name = EXACT if exact and not caught else ASYMPTOTIC
    return Evidence(name, float(result.statistic), min(max(float(result.pvalue), 0.0), 1.0))
