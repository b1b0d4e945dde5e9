"""Changes of one feature: how often each verdict of its finds them, beside the rules of other tools.

On the path from value counts to verdict, as in the study of calibration: many windows are judged in little time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.reasons import ReasonCode, has_code
from plumbline.contract.records import FeatureReport, Verdict
from research.studies.calibration import other_rules
from research.studies.calibration.false_alarms import columns, generator
from research.studies.calibration.population import Frequencies, Population
from research.studies.calibration.product import PopulationMonitor
from research.studies.calibration.shifts import missing, move, tilt

N_REFERENCE = 20_000
SCALE, SENTINEL = 100.0, 999.0
SCALED, CODED = "hours-per-week", "education-num"
"""Features of which some rows come in another unit, and with a number that stands for nothing."""
_OWN_STREAM = 3


@dataclass(frozen=True, eq=False)
class CellChange:
    """What is done to one feature's cells in a window; `shares` are those of its levels, the last of missing cells."""

    feature: str
    name: str
    shares: NDArray[np.float64] | None

    def apply(self, window: Frequencies, random: np.random.Generator) -> Frequencies:
        """Return the window with this feature's cells drawn anew."""
        if self.shares is None:
            return window
        n = int(window[self.feature].sum())
        return {**window, self.feature: random.multinomial(n, self.shares).astype(np.int64)}


@dataclass(frozen=True, kw_only=True)
class CellTally:
    """One change in windows of one size; counts of windows.

    `named` counts by how the changed feature was named: by its distribution, its missing values, its tail or range;
    `any_feature` the windows in which any feature drifted. `reference` and `evidently` are those tools' rules.
    """

    feature: str
    change: str
    n_window: int
    n_windows: int
    named: Mapping[str, int] = field(default_factory=dict)
    not_judged: int = 0
    any_feature: int = 0
    reference: int = 0
    evidently: int = 0

    @property
    def n_named(self) -> int:
        """Windows in which the changed feature drifted, by whatever verdict."""
        return sum(self.named.values())


BY = {
    "distribution": (ReasonCode.DISTRIBUTION_DRIFTED,),
    "missing values": (ReasonCode.MISSING_FRACTION_MOVED,),
    "tail and range": (ReasonCode.OUT_OF_RANGE, ReasonCode.HEAVIER_TAIL),
}
"""How a feature is named, by the codes of the reason that comes first."""


def with_damage(population: Population) -> Population:
    """Return the population with the values that damage makes of its own."""
    scaled = SCALE * np.asarray(population.levels[SCALED], np.float64)
    return population.with_numbers(SCALED, scaled).with_numbers(CODED, np.array([SENTINEL]))


def changes(population: Population) -> Iterator[CellChange]:
    """Yield what is done to windows; `population` is one `with_damage`."""
    yield CellChange(SCALED, "none", None)
    for percent in (1, 2, 5, 8):
        yield CellChange(SCALED, f"x 100 in {percent} % of the rows", _scaled(population, percent / 100))
    for percent in (1, 2, 5, 8):
        yield CellChange(CODED, f"999 in {percent} % of the rows", _coded(population, percent / 100))
    for points in (2, 5, 10):
        shift = missing(population, "workclass", points)
        yield CellChange(shift.feature, shift.size, shift.shares)
    for deviations in (0.1, 0.2, 0.3, 0.5):
        shift = tilt(population, "age", deviations)
        yield CellChange(shift.feature, shift.size, shift.shares)
    for points in (5, 10, 20):
        shift = move(population, "sex", "Female", points, source="Male")
        yield CellChange(shift.feature, shift.size, shift.shares)


def _scaled(population: Population, fraction: float) -> NDArray[np.float64]:
    levels, shares = np.asarray(population.levels[SCALED], np.float64), _shares(population, SCALED)
    after = (1 - fraction) * shares
    own = np.flatnonzero(shares[:-1])
    np.add.at(after, np.searchsorted(levels, SCALE * levels[own]), fraction * shares[own])
    after[-1] += fraction * shares[-1]
    return after


def _coded(population: Population, fraction: float) -> NDArray[np.float64]:
    after = (1 - fraction) * _shares(population, CODED)
    after[int(np.searchsorted(np.asarray(population.levels[CODED], np.float64), SENTINEL))] += fraction
    return after


def _shares(population: Population, feature: str) -> NDArray[np.float64]:
    return np.asarray(population.frequencies[feature] / population.n_rows)


def tallies(population: Population, sizes: Mapping[int, int], seed: int) -> Iterator[CellTally]:
    """Yield what is found of each change.

    Parameters
    ----------
    sizes
        Windows of each change, by their rows.
    """
    damaged = with_damage(population)
    product = PopulationMonitor.of(damaged)
    for change in changes(damaged):
        for n_window, n_windows in sizes.items():
            yield tally(product, change, n_window, n_windows, seed)


def tally(product: PopulationMonitor, change: CellChange, n_window: int, n_windows: int, seed: int) -> CellTally:
    """Draw reference and window again and again, change the windows, and count what is found."""
    place = product.population.index(change.feature)
    named = dict.fromkeys(BY, 0)
    not_judged = any_feature = reference_rule = evidently = 0
    for repetition in range(n_windows):
        random = generator(seed, n_window, repetition, _OWN_STREAM)
        reference = product.population.draw(N_REFERENCE, random)
        window = change.apply(product.population.draw(n_window, random), random)
        report = product.judge(product.learned(reference), window, seed=repetition)
        pair = columns(product.population, reference, window)[place]
        for name in named_by(report.features[place]):
            named[name] += 1
        not_judged += report.features[place].verdict is Verdict.NOT_JUDGED
        any_feature += report.verdict is Verdict.DRIFT
        reference_rule += other_rules.reference_rule(pair)
        evidently += other_rules.evidently_rule(pair).drifts
    return CellTally(
        feature=change.feature,
        change=change.name,
        n_window=n_window,
        n_windows=n_windows,
        named=named,
        not_judged=not_judged,
        any_feature=any_feature,
        reference=reference_rule,
        evidently=evidently,
    )


def named_by(feature: FeatureReport) -> Iterator[str]:
    """Yield how a feature that drifted is named (`BY`); nothing of one that did not."""
    if feature.verdict is Verdict.DRIFT:
        yield next(name for name, codes in BY.items() if has_code(feature.reason, *codes))
