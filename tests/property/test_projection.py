"""The projection of accuracy whatever the rows."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.projection import Limits, Projector
from plumbline.drift.projection.domain import MAX_WEIGHT, Domain
from plumbline.drift.projection.estimate import MEASURES, Expected, undefined
from plumbline.drift.projection.label_shift import corrected, positive_fraction
from plumbline.drift.projection.recalibration import ScoredLabels, calibration_error
from tests.unit.drift.projection.worlds import baseline_of, counted, draw

Floats = NDArray[np.float64]
CHANCES = st.floats(0, 1)
PROJECTOR = Projector.of(
    baseline_of(draw(800, 1)), seed=1, ignored=frozenset({"x", "group"}), limits=Limits(half_width=1.0)
)


def vectors(n: int, elements: Any) -> st.SearchStrategy[Floats]:
    return arrays(np.float64, n, elements=elements)


@st.composite
def expected(draw_: st.DrawFn) -> Expected:
    scores = np.array(sorted(draw_(st.sets(CHANCES, min_size=1, max_size=20))))
    n = len(scores)
    return Expected(
        scores,
        draw_(vectors(n, st.integers(1, 50).map(float))),
        draw_(vectors(n, st.sampled_from([0.0, 0.01, 0.3, 0.5, 0.9, 1.0]))),
    )


@given(expected())
def test_every_figure_lies_within_zero_and_one(rows: Expected) -> None:
    assert -1e-12 <= rows.accuracy <= 1 + 1e-12
    for measure, compute in MEASURES.items():
        if not undefined(measure, rows):
            assert -1e-9 <= compute(rows) <= 1 + 1e-9


@given(expected(), st.integers(2, 5))
def test_more_of_the_same_rows_changes_no_figure(rows: Expected, times: int) -> None:
    more = Expected(rows.scores, rows.counts * times, rows.positive)
    assert np.isclose(more.accuracy, rows.accuracy)
    assert np.isclose(more.label_variance * times, rows.label_variance)
    for measure, compute in MEASURES.items():
        assert undefined(measure, more) == undefined(measure, rows)
        if not undefined(measure, rows):
            assert np.isclose(compute(more), compute(rows))


@given(st.data(), st.integers(1, 20), st.floats(0.01, 0.99))
def test_the_share_of_positives_is_a_share_and_no_other_is_more_likely(
    data: st.DataObject, n: int, before: float
) -> None:
    calibrated = data.draw(vectors(n, st.floats(0.01, 0.99)))
    masses = data.draw(vectors(n, st.floats(0.1, 1)))
    shares = masses / masses.sum()
    found = positive_fraction(calibrated, shares, before)

    def likelihood(share: float) -> float:
        return float(shares @ np.log(calibrated * share / before + (1 - calibrated) * (1 - share) / (1 - before)))

    assert 0 < found < 1
    assert all(likelihood(found) >= likelihood(other) - 1e-7 for other in (0.01, 0.2, 0.5, before, 0.8, 0.99))


@given(vectors(8, CHANCES), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_correcting_there_and_back_changes_nothing(calibrated: Floats, share: float, before: float) -> None:
    there = corrected(calibrated, share, before)
    assert ((there >= 0) & (there <= 1)).all()
    assert np.allclose(corrected(there, before, share), calibrated)


@given(st.data(), st.integers(1, 12), st.integers(1, 12))
def test_weights_are_bounded_and_separability_is_one_less_its_mirror(
    data: st.DataObject, n_reference: int, n_window: int
) -> None:
    log_odds = data.draw(vectors(n_reference + n_window, st.floats(-8, 8)))
    domain, mirrored = (Domain(np.arange(n_reference), values, values) for values in (log_odds, -log_odds))
    weights = domain.weights(domain.log_odds)
    assert ((weights > 0) & (weights <= MAX_WEIGHT)).all()
    assert np.isclose(domain.separability() + mirrored.separability(), 1)
    assert 0 <= domain.over_represented_fraction <= 1


@given(st.data(), st.integers(1, 60))
def test_calibration_error_is_a_share_and_blind_to_order(data: st.DataObject, n: int) -> None:
    chances = data.draw(vectors(n, st.sampled_from([0.1, 0.2, 0.5, 0.9])))
    positive = data.draw(vectors(n, st.sampled_from([0.0, 1.0])))
    order = data.draw(st.permutations(range(n)))
    error = calibration_error(chances, positive)
    assert 0 <= error <= 1
    assert np.isclose(error, calibration_error(chances[order], positive[order]))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**16), st.integers(200, 400), st.floats(0.5, 2))
def test_the_interval_holds_the_estimate_whatever_the_order_of_the_rows(seed: int, n: int, power: float) -> None:
    rows = draw(n, seed, power=power)
    order = np.random.default_rng(seed).permutation(n)
    found, again = (
        PROJECTOR.project(counted(PROJECTOR.baseline, one), drop_threshold=0.02) for one in (rows, rows.kept(order))
    )
    assert found == again
    assert found.lower is not None and found.upper is not None and found.estimate is not None
    assert 0 <= found.lower <= found.estimate <= found.upper <= 1
    for report in found.measures:
        if report.value is not None and report.lower is not None and report.upper is not None:
            assert report.lower <= report.value <= report.upper
    assert found.reference is not None and found.drop == found.reference - found.estimate


@given(st.integers(0, 1000))
def test_calibrated_probabilities_keep_the_order_of_the_scores(seed: int) -> None:
    random = np.random.default_rng(seed)
    scores = NumericCounts.of(random.uniform(size=50)).values
    labelled = ScoredLabels.of(random.uniform(size=60), random.uniform(size=60) < 0.5)
    assert (np.diff(labelled.calibrate(scores, np.ones(60))) >= 0).all()
