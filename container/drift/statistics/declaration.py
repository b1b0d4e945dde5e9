"""The declaration of an effect measure, and the result of a significance test."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from plumbline.contract.statistics import EffectMeasure
from plumbline.drift.data.counts import ValueCounts
from plumbline.drift.statistics.cells import Cells


@dataclass(frozen=True)
class EffectStatistic:
    """An effect measure with its computation.

    `compute` takes reference, window and their common cells, and returns None where the effect has no meaning.
    `null_quantile` returns, given a seed too, the effect that samples of these sizes stay below without drift in 99 of
    100 windows.
    `noncentrality` returns, for an effect in the measure's unit, the noncentrality of the chi-square statistic of the
    same cells that each row of an effective sample adds (`plumbline.drift.statistics.power`).
    """

    measure: EffectMeasure
    compute: Callable[[ValueCounts, ValueCounts, Cells], float | None]
    null_quantile: Callable[[ValueCounts, ValueCounts, Cells, int], float]
    noncentrality: Callable[[float], float]


@dataclass(frozen=True)
class Evidence:
    """One significance test: its name, its statistic and the p-value under its null.

    A p-value below the smallest float reads 0.0; `log_p_value`, its natural logarithm, goes on. Left out, it is that of
    `p_value`.
    """

    test: str
    statistic: float
    p_value: float
    log_p_value: float = math.nan

    def __post_init__(self) -> None:
        """Fill in the logarithm."""
        if math.isnan(self.log_p_value):
            object.__setattr__(self, "log_p_value", math.log(self.p_value) if self.p_value > 0 else -math.inf)

    @classmethod
    def of_log(cls, test: str, statistic: float, log_p_value: float) -> "Evidence":
        """Return the evidence whose p-value has the given logarithm; one above 0 by rounding is taken as 0."""
        log_p = min(log_p_value, 0.0)
        return cls(test, statistic, math.exp(log_p), log_p)


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
