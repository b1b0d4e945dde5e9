"""How large a window must be before it can show an effect."""

import math
from dataclasses import dataclass

from scipy import special

from contract.records import EffectMeasure
from drift.statistics.cells import Cells

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
    ``n_cells - 1`` degrees of freedom and a noncentrality of

    - ``8 ln 2 * m * d**2`` for a Jensen-Shannon distance d (its second-order expansion),
    - ``m * (s / 100)**2`` or more for a drift score s (the Cauchy-Schwarz inequality),
    - ``m * (2 * (2 F(w / 2) - 1))**2`` or more for a shift of a normal variable by w standard deviations, F the normal
      distribution function.

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
    strength = _noncentrality_per_row(sought)
    critical = float(special.chdtri(freedom, sought.alpha))
    effective = float(special.chndtrinc(critical, freedom, 1 - POWER)) / strength
    if sought.measure is EffectMeasure.JENSEN_SHANNON_DISTANCE:
        effective = max(effective, float(special.chdtri(freedom, _CHANCE)) / strength)
    spare = cells.n_reference - effective
    return math.ceil(effective * cells.n_reference / spare) if spare > 0 else None


def _noncentrality_per_row(sought: Sought) -> float:
    if sought.measure is EffectMeasure.JENSEN_SHANNON_DISTANCE:
        return 8 * math.log(2) * sought.size**2
    if sought.measure is EffectMeasure.DRIFT_SCORE:
        return (sought.size / 100) ** 2
    return float(2 * (2 * special.ndtr(sought.size / 2) - 1)) ** 2
