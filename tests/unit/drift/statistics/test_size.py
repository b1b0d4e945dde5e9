"""Whether each p-value keeps its level without drift, on the columns that are hard: tied values and rare labels.

Each test counts how often p < .05 in seeded repetitions without drift. A method of exactly that level leaves the
accepted range in less than 1 seeding of 1,000; the seeds are fixed, so the tests do not flicker.
"""

import numpy as np
import pytest
from scipy import stats

from plumbline.contract.statistics import HypothesisTest
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.statistics.cells import Cells
from plumbline.drift.statistics.chi_square import chi_square
from plumbline.drift.statistics.declaration import Evidence
from plumbline.drift.statistics.kolmogorov_smirnov import kolmogorov_smirnov

REPETITIONS = 300
LEVEL = 0.05
FEWEST, MOST = (int(stats.binom.ppf(q, REPETITIONS, LEVEL)) for q in (0.0005, 0.9995))

COUNTRIES = np.array([0.896, 0.02, 0.018, *np.linspace(0.006, 0.001, 21)])
"""Like native-country: nine in ten are one label, and most labels are expected once or never in 200 rows."""
HOURS = np.array([0.47, 0.2, 0.15, 0.1, 0.05, 0.03])
"""Like hours-per-week: nearly every other value is 40."""


def rejections(evidence: list[Evidence]) -> int:
    return sum(one.p_value < LEVEL for one in evidence)


def labelled(n_window: int, random: np.random.Generator) -> Cells:
    shares = COUNTRIES / COUNTRIES.sum()
    reference, window = random.multinomial(20_000, shares), random.multinomial(n_window, shares)
    held = reference + window > 0
    return Cells(reference[held], window[held])


@pytest.mark.parametrize(
    ("n_window", "method"),
    [
        (200, HypothesisTest.CHI_SQUARE_MONTE_CARLO),
        (2000, HypothesisTest.CHI_SQUARE_MONTE_CARLO),
        (100_000, HypothesisTest.CHI_SQUARE),
    ],
)
def test_chi_square_keeps_its_level_on_rare_labels(n_window: int, method: str) -> None:
    random = np.random.default_rng(11)
    found = [chi_square(labelled(n_window, random), seed) for seed in range(REPETITIONS)]
    assert {one.test for one in found} == {method}
    assert FEWEST <= rejections(found) <= MOST


@pytest.mark.parametrize("n_window", [200, 2000])
def test_kolmogorov_smirnov_keeps_its_level_on_tied_values(n_window: int) -> None:
    random = np.random.default_rng(12)

    def column(n: int) -> NumericCounts:
        return NumericCounts(np.arange(6.0), random.multinomial(n, HOURS), 0)

    found = [kolmogorov_smirnov(column(20_000), column(n_window)) for _ in range(REPETITIONS)]
    assert {one.test for one in found} == {HypothesisTest.KS_EXACT}
    assert FEWEST <= rejections(found) <= MOST


def test_kolmogorov_smirnov_keeps_its_level_on_distinct_values() -> None:
    random = np.random.default_rng(13)
    found = [
        kolmogorov_smirnov(NumericCounts.of(random.normal(size=60_000)), NumericCounts.of(random.normal(size=60_000)))
        for _ in range(REPETITIONS // 10)
    ]
    assert {one.test for one in found} == {HypothesisTest.KS_ASYMPTOTIC}
    assert rejections(found) <= stats.binom.ppf(0.9995, len(found), LEVEL)
