"""What must not matter does not: order, sizes, units, which side is which, and the caller's arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from plumbline.contract.records import DriftReport, FeatureType, RecordCounts, WindowBounds
from plumbline.drift.data.counts import CategoricalCounts, NumericCounts
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.judge.analysis import analyse
from plumbline.drift.judge.comparison import RunContext
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn
from plumbline.drift.settings.policy import Policy
from plumbline.drift.statistics.cells import Cells
from plumbline.drift.statistics.chi_square import chi_square
from plumbline.drift.statistics.declaration import benjamini_hochberg_log
from plumbline.drift.statistics.drift_score import drift_score
from plumbline.drift.statistics.jensen_shannon import jensen_shannon_distance
from plumbline.drift.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from plumbline.drift.statistics.wasserstein import wasserstein
from tests.oracles.counted_rows import CapturedWindow, count_rows

integers = st.lists(st.integers(-1000, 1000), min_size=1, max_size=50)
frequencies = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=8).filter(
    lambda pairs: sum(p for p, _ in pairs) > 0 and sum(q for _, q in pairs) > 0
)


def numeric(sample: list[int]) -> NumericCounts:
    return NumericCounts.of(np.array(sample, dtype=np.float64))


def cells(pairs: list[tuple[int, int]]) -> Cells:
    held = np.array([pair for pair in pairs if sum(pair)])
    return Cells(held[:, 0], held[:, 1])


@given(integers, integers)
def test_kolmogorov_smirnov_depends_only_on_ranks(u: list[int], v: list[int]) -> None:
    def stretched(sample: list[int]) -> list[int]:
        return [value**3 + 5 for value in sample]

    assert kolmogorov_smirnov(numeric(u), numeric(v)) == kolmogorov_smirnov(
        numeric(stretched(u)), numeric(stretched(v))
    )


@given(integers, integers)
def test_kolmogorov_smirnov_is_symmetric(u: list[int], v: list[int]) -> None:
    one, other = kolmogorov_smirnov(numeric(u), numeric(v)), kolmogorov_smirnov(numeric(v), numeric(u))
    assert (one.statistic, one.p_value) == pytest.approx((other.statistic, other.p_value), abs=1e-12)


@given(integers, integers, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(u: list[int], v: list[int], random: np.random.Generator) -> None:
    shuffled = v.copy()
    random.shuffle(shuffled)
    assert wasserstein(numeric(u), numeric(v)) == wasserstein(numeric(u), numeric(shuffled))
    assert drift_score(Cells.between(numeric(u), numeric(v))) == drift_score(
        Cells.between(numeric(u), numeric(shuffled))
    )


@given(frequencies)
def test_distances_are_symmetric_for_fixed_cells(pairs: list[tuple[int, int]]) -> None:
    one, other = cells(pairs), cells([(q, p) for p, q in pairs])
    assert drift_score(one) == drift_score(other)
    assert jensen_shannon_distance(one) == pytest.approx(jensen_shannon_distance(other), abs=1e-12)
    assert chi_square(one).statistic == pytest.approx(chi_square(other).statistic, abs=1e-9)


@given(frequencies, st.integers(2, 9))
def test_distances_depend_on_shares_not_on_sizes(pairs: list[tuple[int, int]], factor: int) -> None:
    larger = cells([(p, factor * q) for p, q in pairs])
    assert drift_score(cells(pairs)) == pytest.approx(drift_score(larger), abs=1e-9)
    assert jensen_shannon_distance(cells(pairs)) ** 2 == pytest.approx(jensen_shannon_distance(larger) ** 2, abs=1e-12)


@given(frequencies)
def test_the_drift_score_bounds_the_jensen_shannon_divergence(pairs: list[tuple[int, int]]) -> None:
    # Lin (1991), theorem 3: the divergence is at most the total variation distance.
    total_variation = drift_score(cells(pairs)) / 200
    assert jensen_shannon_distance(cells(pairs)) ** 2 <= total_variation + 1e-12


@given(integers)
def test_a_sample_has_no_distance_from_itself(u: list[int]) -> None:
    same = Cells.between(numeric(u), numeric(u))
    assert (drift_score(same), jensen_shannon_distance(same), wasserstein(numeric(u), numeric(u))) == (0, 0, 0)
    assert kolmogorov_smirnov(numeric(u), numeric(u)).p_value == pytest.approx(1)


@given(st.lists(st.floats(-2000, 0), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_adjustment_follows_its_input_and_never_lowers_it(log_p: list[float], random: np.random.Generator) -> None:
    order = list(range(len(log_p)))
    random.shuffle(order)
    adjusted = benjamini_hochberg_log(log_p)
    assert benjamini_hochberg_log([log_p[i] for i in order]) == [adjusted[i] for i in order]
    assert all(log_p[i] <= adjusted[i] <= 0 for i in order)


NAMES = ("age", "pay", "job")
TYPES = {"age": FeatureType.NUMERIC, "pay": FeatureType.NUMERIC, "job": FeatureType.CATEGORICAL}


def columns(n: int, seed: int) -> dict[str, NDArray[np.float64] | NDArray[np.object_]]:
    random = np.random.default_rng(seed)
    return {
        "age": random.normal(seed % 3, 1, n).round(1),
        "pay": np.where(random.uniform(size=n) < 0.1, np.nan, random.normal(size=n)),
        "job": np.array(random.choice(["a", "b", "c"], n), dtype=object),
    }


def table(cells_of: dict[str, NDArray[np.float64] | NDArray[np.object_]], names: tuple[str, ...]) -> Table:
    return Table(tuple(FeatureSpec(name, TYPES[name]) for name in names), {name: cells_of[name] for name in names})


def learned(names: tuple[str, ...]) -> Baseline:
    n = 600
    positive = np.arange(n) % 2 == 0
    return learn(
        train=table(columns(1000, 3), names),
        target_label="y",
        test=table(columns(n, 6), names),
        test_labels=["1" if value else "0" for value in positive],
        probabilities=np.where(positive, 0.7, 0.3) + np.arange(n) / 10_000,
    )


BASELINES: dict[tuple[str, ...], Baseline] = {names: learned(names) for names in (NAMES, NAMES[::-1])}


def report(names: tuple[str, ...], seed: int, order: NDArray[np.intp]) -> DriftReport:
    rows = {name: column[order] for name, column in columns(250, seed).items()}
    scores = np.random.default_rng(seed).uniform(size=250)[order]
    captured = CapturedWindow(WindowBounds(), table(rows, names), scores, RecordCounts(250, 250))
    counted = count_rows(BASELINES[names], captured)
    return analyse(BASELINES[names], counted, RunContext(policy=Policy()))


@settings(max_examples=15)
@given(st.integers(0, 50), st.permutations(range(250)))
def test_a_report_ignores_the_order_of_rows(seed: int, order: list[int]) -> None:
    plain, shuffled = report(NAMES, seed, np.arange(250)), report(NAMES, seed, np.array(order))
    assert (plain.features, plain.prediction, plain.verdict) == (
        shuffled.features,
        shuffled.prediction,
        shuffled.verdict,
    )
    one, other = plain.projected_accuracy, shuffled.projected_accuracy
    assert one.status is other.status
    assert one.estimate == pytest.approx(other.estimate, abs=1e-12)


@settings(max_examples=15)
@given(st.integers(0, 50))
def test_a_verdict_ignores_the_order_of_features(seed: int) -> None:
    forward, backward = (report(names, seed, np.arange(250)) for names in BASELINES)
    assert forward.verdict is backward.verdict
    one, other = ({feature.name: feature for feature in each.features} for each in (forward, backward))
    assert one == other


@given(integers, st.lists(st.sampled_from(["a", "b", None]), min_size=1))
def test_counting_and_comparing_leave_their_inputs_alone(u: list[int], labels: list[str | None]) -> None:
    number, label = np.array(u, dtype=np.float64), np.array(labels, dtype=object)
    counts = NumericCounts.of(number)
    CategoricalCounts.of(label)
    values, occurrences = counts.values.copy(), counts.counts.copy()
    Cells.between(counts, counts)
    wasserstein(counts, counts)
    kolmogorov_smirnov(counts, counts)
    assert number.tolist() == u and label.tolist() == labels
    assert np.array_equal(counts.values, values) and np.array_equal(counts.counts, occurrences)
