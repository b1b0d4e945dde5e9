import math
from dataclasses import replace

import numpy as np
import pytest

from plumbline.contract.accuracy import Measure, Shift
from plumbline.contract.records import Status, Verdict
from plumbline.contract.training import Task
from plumbline.drift.data.table import Table
from plumbline.drift.projection import Limits, Projector
from plumbline.drift.projection.estimate import METHOD, WEIGHTED_METHOD
from plumbline.drift.reference.learn import learn
from tests.unit.drift.projection.worlds import SPECS, Rows, baseline_of, counted, draw


@pytest.fixture(scope="module")
def seeing() -> Projector:
    return Projector.of(baseline_of(draw(4_000, 1)), seed=1)


@pytest.fixture(scope="module")
def blind() -> Projector:
    return Projector.of(baseline_of(draw(4_000, 2, blind=True)), seed=1)


def test_a_model_that_uses_all_features_is_projected_by_its_confidence(seeing: Projector) -> None:
    found = seeing.project(counted(seeing.baseline, draw(2_000, 3)), drop_threshold=0.02)
    assert not seeing.uses_features
    assert (found.status, found.method, found.evidence.weighted) == (Status.ESTIMATED, METHOD, False)
    assert found.assumed_shift is Shift.COVARIATE
    assert found.verdict is Verdict.NO_DRIFT


def test_a_model_that_is_blind_to_what_shifts_is_projected_with_the_features(blind: Projector) -> None:
    shifted = draw(2_000, 4, blind=True, rare=0.9)
    found = blind.project(counted(blind.baseline, shifted), drop_threshold=0.02)
    assert blind.uses_features
    assert (found.method, found.evidence.weighted) == (WEIGHTED_METHOD, True)
    assert found.lower is not None
    assert found.upper is not None
    assert found.estimate is not None
    assert found.lower <= shifted.accuracy <= found.upper
    confidence = blind.calibrated(shifted.scores)
    by_confidence = float(np.mean(np.where(shifted.scores >= 0.5, confidence, 1 - confidence)))
    # The score alone does not see that nine rows of ten are a toss-up now.
    assert by_confidence - shifted.accuracy > 0.06
    assert abs(found.estimate - shifted.accuracy) < 0.03
    assert found.verdict is Verdict.DRIFT


def test_the_chance_of_a_label_is_known_by_the_row_where_the_gate_is_open(blind: Projector) -> None:
    rows = draw(2_000, 5, blind=True)
    by_row = blind.chance_positive(rows.table, rows.scores)
    by_score = blind.calibrated(rows.scores)
    assert np.mean((by_row - rows.chance) ** 2) < np.mean((by_score - rows.chance) ** 2) / 3


def test_the_chance_of_a_label_is_known_by_the_score_where_the_gate_is_shut(seeing: Projector) -> None:
    rows = draw(500, 6)
    assert np.array_equal(seeing.chance_positive(rows.table, rows.scores), seeing.calibrated(rows.scores))


def test_refuses_a_window_that_a_classifier_tells_from_the_test_set(seeing: Projector) -> None:
    rows = draw(20_000, 7)
    far = rows.kept(rows.x > 0.96)
    found = seeing.project(counted(seeing.baseline, far), drop_threshold=0.02)
    assert found.status is Status.NOT_JUDGED
    assert found.estimate is None
    assert "tells the window's rows from the labelled test set's" in str(found.reason)
    assert found.evidence.separability is not None
    assert found.evidence.separability >= 0.95
    assert found.verdict is Verdict.NOT_JUDGED


def test_limits_that_refuse_nothing_still_give_the_measurements() -> None:
    open_limits = Limits(
        separability=math.inf, over_represented_fraction=math.inf, out_of_support_fraction=math.inf, half_width=math.inf
    )
    baseline = baseline_of(draw(2_000, 1))
    rows = draw(20_000, 7)
    far = rows.kept(rows.x > 0.96)
    found = Projector.of(baseline, seed=1, limits=open_limits).project(counted(baseline, far), drop_threshold=0.02)
    assert found.status is Status.ESTIMATED
    assert found.evidence.separability is not None
    assert found.evidence.separability >= 0.95
    assert any("area under the curve" in one.text for one in found.warnings)


def test_refuses_rows_that_the_test_set_hardly_has() -> None:
    baseline = baseline_of(draw(4_000, 8, rare=0.01))
    found = Projector.of(baseline, seed=1).project(counted(baseline, draw(2_000, 9, rare=0.7)), drop_threshold=0.02)
    assert "more than twenty times as frequent" in str(found.reason)
    assert found.evidence.over_represented_fraction == pytest.approx(0.7, abs=0.05)
    assert found.evidence.separability is not None
    assert found.evidence.separability < 0.95


def test_refuses_a_window_beyond_training_with_the_feature_that_is(seeing: Projector) -> None:
    rows = draw(1_000, 10)
    columns = {**rows.table.columns, "group": np.array(["new"] * 1_000, dtype=object)}
    strange = replace(rows, table=replace(rows.table, columns=columns))
    found = seeing.project(counted(seeing.baseline, strange), drop_threshold=0.02)
    assert "100 % of the rows hold a value that the training data never had (group)" in str(found.reason)
    assert found.evidence.out_of_support_fraction == 1


def test_ignored_features_count_for_nothing() -> None:
    baseline = baseline_of(draw(2_000, 1))
    rows = draw(20_000, 7)
    far = counted(baseline, rows.kept(rows.x > 0.96))
    found = Projector.of(baseline, seed=1, ignored=frozenset({"x"})).project(far, drop_threshold=0.02)
    assert found.status is Status.ESTIMATED
    assert found.evidence.separability == pytest.approx(0.5, abs=0.05)
    nothing = Projector.of(baseline, seed=1, ignored=frozenset({"x", "group"})).project(far, drop_threshold=0.02)
    assert nothing.status is Status.ESTIMATED
    assert nothing.evidence.separability is None
    assert nothing.evidence.gate_statistic is None


def test_a_small_test_set_is_warned_of() -> None:
    baseline = baseline_of(draw(900, 11))
    found = Projector.of(baseline, seed=1).project(counted(baseline, draw(1_000, 12)), drop_threshold=0.02)
    assert [one.text for one in found.warnings] == ["the labelled test set has 900 rows, fewer than 1000"]


def test_a_quantity_is_not_judged() -> None:
    rows = draw(600, 13)
    numbers = [str(number) for number in range(600)]
    baseline = replace(baseline_of(rows), positive_label=None, learned_task=Task.REGRESSION)
    assert baseline.test is not None
    baseline = replace(baseline, test=replace(baseline.test, labels=tuple(numbers)))
    found = Projector.of(baseline, seed=1).project(counted(baseline, rows), drop_threshold=0.02)
    assert "only labels can judge it" in str(found.reason)
    assert found.verdict is Verdict.NOT_JUDGED


def test_rows_without_a_prediction_are_left_out_of_the_weighted_estimate_too(blind: Projector) -> None:
    rows = draw(2_000, 4, blind=True, rare=0.9)
    partly = replace(rows, scores=np.where(np.arange(2_000) < 1_000, rows.scores, np.nan))
    found = blind.project(counted(blind.baseline, partly), drop_threshold=0.02)
    assert str(found.reason) == "from the 1000 of 2000 rows with a prediction"
    assert found.estimate == pytest.approx(rows.accuracy, abs=0.04)


def test_refuses_a_sample_with_hardly_a_prediction_where_features_are_used(blind: Projector) -> None:
    window = counted(blind.baseline, draw(1_000, 4, blind=True))
    unanswered = np.where(np.arange(1_000) < 199, window.sample.probabilities, np.nan)
    rare = replace(window, sample=replace(window.sample, probabilities=unanswered))
    found = blind.project(rare, drop_threshold=0.02)
    assert str(found.reason) == "199 rows of the window's sample have a prediction, fewer than 200"
    assert found.estimate is None


def test_pure_label_shift_is_a_scenario_and_never_the_estimate() -> None:
    pool = draw(40_000, 14, rare=0.0)
    reference = Projector.of(baseline_of(draw(4_000, 15, rare=0.0)), seed=1)
    random = np.random.default_rng(16)
    n_positive = 1_600
    chosen = np.concatenate(
        [
            random.choice(np.flatnonzero(pool.positive), n_positive, replace=False),
            random.choice(np.flatnonzero(~pool.positive), 2_000 - n_positive, replace=False),
        ]
    )
    shifted = pool.kept(chosen)
    found = reference.project(counted(reference.baseline, shifted), drop_threshold=0.02)
    scenario = found.label_shift
    assert scenario.status is Status.ESTIMATED
    assert scenario.selected
    assert scenario.positive_fraction == pytest.approx(0.8, abs=0.03)
    assert scenario.positive_fraction_reference == pytest.approx(0.5, abs=0.03)
    assert scenario.lower is not None
    assert scenario.upper is not None
    assert scenario.lower <= shifted.accuracy <= scenario.upper
    assert found.estimate != scenario.estimate


def test_covariate_shift_is_not_taken_for_label_shift(blind: Projector) -> None:
    found = blind.project(counted(blind.baseline, draw(2_000, 4, blind=True, rare=0.9)), drop_threshold=0.02)
    assert found.label_shift.status is Status.ESTIMATED
    assert not found.label_shift.selected


def test_the_other_figures_have_intervals_that_hold_the_true_ones(seeing: Projector) -> None:
    rows = draw(2_000, 3)
    found = {
        report.measure: report
        for report in seeing.project(counted(seeing.baseline, rows), drop_threshold=0.02).measures
    }
    called = rows.scores >= 0.5
    right = float(np.sum(called & rows.positive))
    precision, recall = right / called.sum(), right / rows.positive.sum()
    ordered = rows.scores[rows.positive][:, None] > rows.scores[~rows.positive][None, :]
    truth = {
        Measure.PRECISION: precision,
        Measure.RECALL: recall,
        Measure.F1: 2 * precision * recall / (precision + recall),
        Measure.AREA_UNDER_CURVE: float(np.mean(ordered)),
    }
    assert found.keys() == truth.keys()
    for measure, value in truth.items():
        lower, upper, reference = found[measure].lower, found[measure].upper, found[measure].reference
        assert lower is not None
        assert upper is not None
        assert reference is not None
        assert lower <= value <= upper
        assert reference == pytest.approx(value, abs=0.04)


def test_a_figure_that_is_not_defined_says_why(seeing: Projector) -> None:
    rows = draw(8_000, 3)
    none_called = rows.kept(rows.scores < 0.5)
    found = {
        one.measure: one for one in seeing.project(counted(seeing.baseline, none_called), drop_threshold=0.02).measures
    }
    assert found[Measure.PRECISION].status is Status.NOT_JUDGED
    assert str(found[Measure.PRECISION].reason) == "there is no positive prediction"
    assert found[Measure.RECALL].value == 0


def test_equal_windows_give_equal_projections_and_nothing_is_changed(blind: Projector) -> None:
    rows = draw(1_000, 4, blind=True, rare=0.8)
    window = counted(blind.baseline, rows)
    before = [np.array(window.probabilities.values), rows.scores.copy(), rows.table.columns["x"].copy()]
    first = blind.project(window, drop_threshold=0.02)
    again = Projector.of(blind.baseline, seed=1).project(window, drop_threshold=0.02)
    assert first == again
    after = [window.probabilities.values, rows.scores, rows.table.columns["x"]]
    assert all(np.array_equal(old, new) for old, new in zip(before, after, strict=True))
    assert window.sample.table.specs == SPECS


def _counted_on(rows: Rows, start: int) -> Rows:
    """Return rows whose x is a counter."""
    columns = {**rows.table.columns, "x": np.arange(start, start + rows.table.n_rows, dtype=np.float64)}
    return replace(rows, table=Table(SPECS, columns))


def test_a_counter_alone_refuses_no_window_and_other_columns_still_do() -> None:
    # Trained on the first rows, tested on those after them, as a stream is split.
    train, test = _counted_on(draw(2_000, 31), 0), _counted_on(draw(2_000, 32), 2_000)
    labels = np.where(test.positive, "yes", "no").tolist()
    baseline = learn(
        train=train.table, target_label="y", test=test.table, test_labels=labels, probabilities=test.scores
    )
    projector = Projector.of(baseline, seed=1)
    later = _counted_on(draw(1_000, 33), 9_000)
    found = projector.project(counted(baseline, later), drop_threshold=0.02)
    assert found.status is Status.ESTIMATED, found.reason
    assert found.evidence.separability is not None
    assert found.evidence.separability < 0.6
    assert found.evidence.out_of_support_fraction == 0
    strange = replace(later, table=Table(SPECS, {**later.table.columns, "group": np.full(1_000, "new", dtype=object)}))
    assert projector.project(counted(baseline, strange), drop_threshold=0.02).status is Status.NOT_JUDGED
