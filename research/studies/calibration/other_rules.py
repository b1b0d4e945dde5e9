"""Other tools' rules for "this feature drifted", on one feature's counts.

All are written from their descriptions. Tests hold the statistics to scipy on the raw values, and `evidently_check`
holds Evidently's rule to the package itself.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.special import chdtrc, ndtr
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

from plumbline.contract.records import FeatureType
from plumbline.drift.data.table import FeatureSpec
from research.studies.calibration.population import Counted, Levels

REFERENCE_ALPHA = 0.05
REFERENCE_CATEGORICAL_BELOW = 50
"""A numeric column with fewer distinct values than this is compared as categories."""

EVIDENTLY_TESTS_UP_TO = 1000
"""Reference rows up to which Evidently chooses significance tests; beyond, distances."""
EVIDENTLY_ALPHA = 0.05
EVIDENTLY_DISTANCE = 0.1
EVIDENTLY_SHARE = 0.5
"""Evidently's dataset drifts when at least this share of its columns does."""
_FEW_VALUES = 5
_MIN_DEVIATION = 0.001


@dataclass(frozen=True)
class ColumnPair:
    """One feature of a reference sample and of a window, as frequencies of the population's levels."""

    spec: FeatureSpec
    levels: Levels
    reference: Counted
    window: Counted

    @property
    def present(self) -> tuple[Counted, Counted]:
        """Both sides without the missing cells."""
        return self.reference[:-1], self.window[:-1]

    @cached_property
    def kolmogorov_smirnov(self) -> float:
        """The p-value of `scipy.stats.ks_2samp`, which three of the rules need."""
        return float(ks_2samp(*(np.repeat(self.levels, side) for side in self.present)).pvalue)


@dataclass(frozen=True)
class RuleScore:
    """A tool's result for one column: its method, its number, and whether that is drift."""

    method: str
    value: float
    drifts: bool


def textbook_p_value(column: ColumnPair) -> float:
    """Return scipy's own p-value: `ks_2samp` as it chooses its method, or `chi2_contingency` without correction."""
    if column.spec.type is FeatureType.NUMERIC:
        return column.kolmogorov_smirnov
    reference, window = column.present
    held = (reference + window) > 0
    return float(chi2_contingency(np.stack([reference[held], window[held]]), correction=False).pvalue)


def reference_rule(column: ColumnPair) -> bool:
    """Return whether the feature drifts by the reference implementation: p < 0.05, each feature by itself.

    Numeric: `scipy.stats.ks_2samp`. Categorical: `scipy.stats.chisquare` of the reference's shares times the window's
    rows, as if observed, against the window's counts, as if expected, both cut to whole numbers; labels that one side
    lacks are left out, and a missing cell is a label. Newer scipy refuses unequal totals; this is what it did before.
    """
    distinct = int((column.reference > 0).sum())
    if column.spec.type is FeatureType.NUMERIC and distinct >= REFERENCE_CATEGORICAL_BELOW:
        return column.kolmogorov_smirnov < REFERENCE_ALPHA
    common = (column.reference > 0) & (column.window > 0)
    n = column.window.sum()
    observed = np.floor(column.reference[common] / column.reference.sum() * n)
    expected = np.floor(column.window[common] / n * n)
    return _chi_square_of_fit(observed, expected) < REFERENCE_ALPHA


def evidently_rule(column: ColumnPair) -> RuleScore:
    """Return the result of Evidently 0.7 with its defaults.

    Missing cells are left out. Up to 1,000 reference values: Kolmogorov-Smirnov for numbers, chi-square of fit for
    categories, Z-test for two of them, at 0.05. Beyond: Wasserstein distance in standard deviations of the reference
    for numbers, Jensen-Shannon distance (natural logarithm) for categories, at 0.1. Numbers with five distinct values
    or fewer count as categories.

    References
    ----------
    https://docs-old.evidentlyai.com/reference/data-drift-algorithm
    """
    reference, window = column.present
    distinct = int(((reference + window) > 0).sum())
    is_number = column.spec.type is FeatureType.NUMERIC and distinct > _FEW_VALUES
    if reference.sum() > EVIDENTLY_TESTS_UP_TO:
        return _distance(column.levels, reference, window) if is_number else _divergence(reference, window)
    if is_number:
        return RuleScore("K-S p_value", column.kolmogorov_smirnov, column.kolmogorov_smirnov <= EVIDENTLY_ALPHA)
    if distinct <= 2:
        p = _z_test(reference, window)
        return RuleScore("Z-test p_value", p, p < EVIDENTLY_ALPHA)
    p = _chi_square_of_fit(window, reference * (window.sum() / reference.sum()))
    return RuleScore("chi-square p_value", p, p < EVIDENTLY_ALPHA)


def _distance(levels: Levels, reference: Counted, window: Counted) -> RuleScore:
    values = np.asarray(levels, dtype=np.float64)
    centre = np.average(values, weights=reference)
    deviation = float(np.sqrt(np.average((values - centre) ** 2, weights=reference)))
    distance = wasserstein_distance(values, values, reference, window) / max(deviation, _MIN_DEVIATION)
    return RuleScore("Wasserstein distance (normed)", float(distance), bool(distance >= EVIDENTLY_DISTANCE))


def _divergence(reference: Counted, window: Counted) -> RuleScore:
    distance = jensenshannon(reference / reference.sum(), window / window.sum())
    return RuleScore("Jensen-Shannon distance", float(distance), bool(distance >= EVIDENTLY_DISTANCE))


def _chi_square_of_fit(observed: NDArray[np.float64] | Counted, expected: NDArray[np.float64] | Counted) -> float:
    """Return the p-value of Pearson's test without the check of totals; NaN, never significant, for a single label."""
    held = (observed + expected) > 0
    with np.errstate(divide="ignore"):
        statistic = float(np.sum((observed[held] - expected[held]) ** 2 / expected[held]))
    freedom = int(held.sum()) - 1
    return float(chdtrc(freedom, statistic)) if freedom > 0 else float("nan")


def _z_test(reference: Counted, window: Counted) -> float:
    held = (reference + window) > 0
    if held.sum() < 2:
        return 1.0
    n_reference, n_window = int(reference.sum()), int(window.sum())
    second = int(reference[held][1]), int(window[held][1])
    pooled = sum(second) / (n_reference + n_window)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n_reference + 1 / n_window))
    z = (second[0] / n_reference - second[1] / n_window) / error
    return float(2 * (1 - ndtr(abs(z))))
