"""Every statistic that features are compared by: effect measures, and the test of each feature type."""

from plumbline.contract.statistics import EffectMeasure, FeatureType
from plumbline.drift.data.counts import NumericCounts, ValueCounts
from plumbline.drift.statistics.cells import Cells
from plumbline.drift.statistics.chi_square import chi_square
from plumbline.drift.statistics.declaration import EffectStatistic, Evidence
from plumbline.drift.statistics.drift_score import DRIFT_SCORE
from plumbline.drift.statistics.jensen_shannon import JENSEN_SHANNON
from plumbline.drift.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from plumbline.drift.statistics.wasserstein import WASSERSTEIN

_EFFECTS = {one.measure: one for one in (JENSEN_SHANNON, DRIFT_SCORE, WASSERSTEIN)}


def effect_statistic(measure: EffectMeasure) -> EffectStatistic:
    """Return the computation of one effect measure."""
    return _EFFECTS[measure]


def effects(kind: FeatureType, reference: ValueCounts, window: ValueCounts, cells: Cells) -> dict[str, float]:
    """Return the effects of a column of one type by their measures' names; one without a meaning is absent."""
    found = {
        measure.value: _EFFECTS[measure].compute(reference, window, cells)
        for measure in EffectMeasure
        if kind in measure.types
    }
    return {name: value for name, value in found.items() if value is not None}


def distribution_test(reference: ValueCounts, window: ValueCounts, cells: Cells, seed: int) -> Evidence:
    """Test whether both sides have one distribution: Kolmogorov-Smirnov for numbers, chi-square for categories."""
    if isinstance(reference, NumericCounts) and isinstance(window, NumericCounts):
        return kolmogorov_smirnov(reference, window)
    return chi_square(cells, seed)
