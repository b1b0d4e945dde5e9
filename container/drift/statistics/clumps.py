"""Tests of rows that come in blocks: what is left of the evidence when such rows do not count as independent."""

import math
from dataclasses import dataclass, replace

from plumbline.contract.statistics import HypothesisTest
from plumbline.drift.data.counts import NumericCounts, ValueCounts
from plumbline.drift.statistics.cells import Cells
from plumbline.drift.statistics.declaration import Evidence
from plumbline.drift.statistics.log_tails import log_chi_square_tail, log_kolmogorov_tail


@dataclass(frozen=True)
class DesignEffects:
    """How many rows of each side tell as much as one independent row would, 1 or more."""

    reference: float = 1.0
    window: float = 1.0

    def retained(self, reference: ValueCounts, window: ValueCounts) -> float:
        """Return the fraction of the evidence that is left, 0 to 1: by which the effective sample size shrinks.

        Examples
        --------
        >>> import numpy as np
        >>> sides = [NumericCounts.of(np.arange(100.0)), NumericCounts.of(np.arange(50.0))]
        >>> DesignEffects(4.0, 4.0).retained(*sides)
        0.25
        """
        before, after = 1 / max(reference.n_present, 1), 1 / max(window.n_present, 1)
        return (before + after) / (self.reference * before + self.window * after)


INDEPENDENT = DesignEffects()


def weakened(
    evidence: Evidence, reference: ValueCounts, window: ValueCounts, cells: Cells, retained: float
) -> Evidence:
    """Return a distribution's test with the effective sample size in place of the number of rows.

    Null: as of the test itself, for rows that are alike within blocks. A chi-square statistic is multiplied by
    `retained` (the first-order correction of Rao and Scott), and the Kolmogorov-Smirnov distance is that of so many
    rows fewer, by its limit distribution. The p-value is never below that of independent rows.

    References
    ----------
    J. Rao, A. Scott, "The analysis of categorical data from complex sample surveys" (1981).
    """
    if retained >= 1:
        return evidence
    if isinstance(reference, NumericCounts) and isinstance(window, NumericCounts):
        n_rows = reference.n_present * window.n_present / (reference.n_present + window.n_present)
        log_p = log_kolmogorov_tail(max(round(n_rows * retained), 1), evidence.statistic)
        return _no_smaller(evidence, HypothesisTest.KS_ASYMPTOTIC, log_p)
    freedom = len(cells.pooled) - 1
    if freedom < 1:
        return evidence
    log_p = log_chi_square_tail(evidence.statistic * retained, freedom)
    return _no_smaller(evidence, HypothesisTest.CHI_SQUARE, log_p)


def scaled(evidence: Evidence | None, retained: float) -> Evidence | None:
    """Return a test of a fraction, or of a tail, with the logarithm of its p-value multiplied by `retained`.

    Of a fraction of n rows it falls in proportion to n, to first order (Chernoff).
    """
    if evidence is None or retained >= 1:
        return evidence
    log_p = evidence.log_p_value * retained
    return replace(evidence, p_value=math.exp(log_p), log_p_value=log_p)


def _no_smaller(evidence: Evidence, test: str, log_p: float) -> Evidence:
    return Evidence.of_log(test, evidence.statistic, max(log_p, evidence.log_p_value))
