"""The product's verdict on a counted sample, by the container's own function `drift.judge.analysis.analyse`."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from plumbline.contract.records import DriftReport, RecordCounts
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.judge.analysis import analyse
from plumbline.drift.judge.comparison import RunContext
from plumbline.drift.read.capture import count_window, plan_of
from plumbline.drift.read.kernel.partial_counts import PartialCounts
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn
from plumbline.drift.settings.policy import Policy
from research.studies.calibration.population import Frequencies, Population

TARGET = "label"
_ROWS_OF_THE_PATTERN = 1


@dataclass(frozen=True, eq=False)
class PopulationMonitor:
    """Judges samples of one population.

    The reference is learned from a row in memory and the window counted without any, by the product's own functions;
    then they take each sample's value counts. A test holds the result to what the same rows would have given.
    """

    population: Population
    policy: Policy
    baseline: Baseline
    window: WindowCounts

    @classmethod
    def of(cls, population: Population) -> Self:
        """Prepare to judge samples of `population` with the policy that the product ships."""
        table = population.table(np.arange(_ROWS_OF_THE_PATTERN))
        baseline = learn(train=table, target_label=TARGET)
        window = count_window(lambda _: PartialCounts(), plan_of(baseline))
        return cls(population, Policy(), baseline, window)

    def learned(self, reference: Frequencies) -> Baseline:
        """Return the baseline of a reference sample."""
        counts = self.population.counts(reference)
        return replace(self.baseline, n_rows=_n_rows(reference), counts=counts)

    def judge(self, baseline: Baseline, window: Frequencies, seed: int) -> DriftReport:
        """Return the report on a window of the given rows; `seed` is that of the product's own random numbers."""
        n_rows = _n_rows(window)
        counted = replace(
            self.window,
            records=RecordCounts(n_rows, n_rows),
            n_rows=n_rows,
            columns=self.population.counts(window),
            probabilities=NumericCounts(np.array([]), np.array([], dtype=np.int64), n_rows),
        )
        return analyse(baseline, counted, RunContext(policy=self.policy, seed=seed))


def _n_rows(sample: Frequencies) -> int:
    return int(next(iter(sample.values())).sum())
