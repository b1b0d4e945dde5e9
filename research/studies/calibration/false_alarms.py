"""Windows without drift: how often each rule alarms all the same, and the size of each feature's test."""

from dataclasses import dataclass, field

import numpy as np

from plumbline.contract.records import DriftReport, FeatureReport, Verdict
from research.studies.calibration import other_rules
from research.studies.calibration.other_rules import ColumnPair
from research.studies.calibration.population import Frequencies, Population
from research.studies.calibration.product import PopulationMonitor

PLUMBLINE = "Plumbline"
ADJUSTED_P = "adjusted p < 0.05 alone"
REFERENCE = "reference implementation"
EVIDENTLY_ANY = "Evidently, any column"
EVIDENTLY_HALF = "Evidently, half of the columns"
RULES = (PLUMBLINE, ADJUSTED_P, REFERENCE, EVIDENTLY_ANY, EVIDENTLY_HALF)

ALPHA = 0.05
TEXTBOOK = "scipy"
"""Under this name the size of scipy's own test is counted, on the same windows."""


@dataclass
class FeatureTally:
    """Verdicts of Plumbline on one feature; counts of windows.

    `tested` counts the windows in which a test was the one made, `significant` those in which its p was below `ALPHA`.
    """

    drifts: int = 0
    not_judged: int = 0
    tested: dict[str, int] = field(default_factory=dict)
    significant: dict[str, int] = field(default_factory=dict)

    def add(self, feature: FeatureReport, column: ColumnPair) -> None:
        """Count one window's report, and scipy's own test on the same column."""
        self.drifts += feature.verdict is Verdict.DRIFT
        self.not_judged += feature.verdict is Verdict.NOT_JUDGED
        p_values = {TEXTBOOK: other_rules.textbook_p_value(column)}
        if feature.test is not None and feature.p_value is not None:
            p_values[feature.test] = feature.p_value
        for test, p_value in p_values.items():
            self.tested[test] = self.tested.get(test, 0) + 1
            self.significant[test] = self.significant.get(test, 0) + (p_value < ALPHA)


@dataclass(frozen=True)
class AlarmTally:
    """What happened in many windows of one size against references of one size; counts of windows.

    `alarms` counts by rule, `features` by name.
    """

    n_reference: int
    n_window: int
    repetitions: int
    not_judged: int
    alarms: dict[str, int]
    features: dict[str, FeatureTally]


def columns(population: Population, reference: Frequencies, window: Frequencies) -> list[ColumnPair]:
    """Return both samples feature by feature, for the other tools' rules."""
    return [
        ColumnPair(spec, population.levels[spec.name], reference[spec.name], window[spec.name])
        for spec in population.specs
    ]


def generator(*key: int) -> np.random.Generator:
    """Return the random numbers of one repetition: they depend on its own key only."""
    return np.random.default_rng(key)


def false_alarms(
    product: PopulationMonitor, n_reference: int, n_window: int, repetitions: int, seed: int
) -> AlarmTally:
    """Draw reference and window from one population, again and again, and count the alarms of each rule."""
    not_judged = 0
    alarms = dict.fromkeys(RULES, 0)
    features = {spec.name: FeatureTally() for spec in product.population.specs}
    for repetition in range(repetitions):
        random = generator(seed, n_reference, n_window, repetition)
        reference = product.population.draw(n_reference, random)
        window = product.population.draw(n_window, random)
        report = product.judge(product.learned(reference), window, seed=repetition)
        pairs = columns(product.population, reference, window)
        not_judged += report.verdict is Verdict.NOT_JUDGED
        for rule, alarmed in _alarms(report, pairs).items():
            alarms[rule] += alarmed
        for feature, pair in zip(report.features, pairs, strict=True):
            features[feature.name].add(feature, pair)
    return AlarmTally(n_reference, n_window, repetitions, not_judged, alarms, features)


def _alarms(report: DriftReport, pairs: list[ColumnPair]) -> dict[str, bool]:
    evidently = [other_rules.evidently_rule(pair).drifts for pair in pairs]
    return {
        PLUMBLINE: report.verdict is Verdict.DRIFT,
        ADJUSTED_P: any(
            feature.p_value_adjusted is not None and feature.p_value_adjusted < ALPHA for feature in report.features
        ),
        REFERENCE: any(other_rules.reference_rule(pair) for pair in pairs),
        EVIDENTLY_ANY: any(evidently),
        EVIDENTLY_HALF: sum(evidently) >= other_rules.EVIDENTLY_SHARE * len(evidently),
    }
