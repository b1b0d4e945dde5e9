"""How large a window must be before it can show an effect."""

import math
from dataclasses import dataclass

from scipy import special

from plumbline.contract.statistics import EffectMeasure
from plumbline.drift.statistics.cells import Cells
from plumbline.drift.statistics.registry import effect_statistic

POWER = 0.8
"""Probability of finding the effect: J. Cohen, "Statistical Power Analysis for the Behavioral Sciences" (2nd ed.,
1988), section 2.4."""

_CHANCE = 0.01


@dataclass(frozen=True)
class Sought:
    """An effect that is to be found: its size in the units of its measure, and the level of the one test."""

    measure: EffectMeasure
    size: float
    alpha: float


def min_sample_size(cells: Cells, sought: Sought) -> int | None:
    """Return the rows of the window from which the effect is found with a probability of 0.8.

    Found: the chi-square test of these cells gives a p-value below alpha, and the size lies above what chance reaches
    in one window of a hundred. With ``m = nN / (n + N)``, the statistic is a noncentral chi-square variable of
    ``n_cells - 1`` degrees of freedom and a noncentrality of m times what the measure declares
    (`EffectStatistic.noncentrality`).

    None: no window is large enough, the reference is too small. A Kolmogorov-Smirnov test of the same column needs
    fewer rows for a shift, and more for a change within one bin.

    References
    ----------
    J. Cohen, "Statistical Power Analysis for the Behavioral Sciences" (2nd ed., 1988), chapter 7; W. Guenther, "Power
    and sample size for approximate chi-square tests" (1977).

    Examples
    --------
    Cohen's table 7.4.6, 5 degrees of freedom at 0.05: w = 0.3 needs 143 rows, here with a reference without noise.

    >>> import numpy as np
    >>> cells = Cells(np.full(6, 10**9), np.full(6, 1))
    >>> min_sample_size(cells, Sought(EffectMeasure.DRIFT_SCORE, 30.0, 0.05))
    143
    """
    freedom = len(cells.pooled) - 1
    if freedom < 1:
        return None
    strength = effect_statistic(sought.measure).noncentrality(sought.size)
    critical = float(special.chdtri(freedom, sought.alpha))
    effective = float(special.chndtrinc(critical, freedom, 1 - POWER)) / strength
    if sought.measure is EffectMeasure.JENSEN_SHANNON_DISTANCE:
        effective = max(effective, float(special.chdtri(freedom, _CHANCE)) / strength)
    spare = cells.n_reference - effective
    return math.ceil(effective * cells.n_reference / spare) if spare > 0 else None
