import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.contract.accuracy import NO_HISTORY_NOTE, PROJECTED_ACCURACY_NOTE
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import (
    DriftReport,
    FeatureReport,
    FeatureType,
    RecordCounts,
    Status,
    Verdict,
    Violation,
    WindowBounds,
)
from plumbline.contract.statistics import EffectMeasure
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.compare.features import compare
from plumbline.drift.data.counts import CategoricalCounts
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.judge.analysis import analyse
from plumbline.drift.judge.comparison import RunContext
from plumbline.drift.projection import Projector
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.history import History, PastChange, PastWindow
from plumbline.drift.reference.learn import learn
from plumbline.drift.settings.policy import Policy
from tests.oracles.counted_rows import CapturedWindow, count_rows

Column = NDArray[np.float64] | NDArray[np.object_]
SPECS = (
    FeatureSpec("age", FeatureType.NUMERIC),
    FeatureSpec("gain", FeatureType.NUMERIC),
    FeatureSpec("job", FeatureType.CATEGORICAL),
)
BOUNDS = WindowBounds("2024-05-01T10:00:00Z", "2024-05-01T11:00:00Z")


def rows(n: int, seed: int) -> dict[str, Column]:
    random = np.random.default_rng(seed)
    return {
        "age": random.normal(40, 12, n),
        "gain": np.where(random.uniform(size=n) < 0.08, 5000.0, 0.0),
        "job": np.array(random.choice(["clerk", "nurse", "smith"], n, p=[0.5, 0.3, 0.2]), dtype=object),
    }


def scores(columns: dict[str, Column]) -> NDArray[np.float64]:
    return np.asarray(0.5 * (1 + np.tanh((columns["age"].astype(np.float64) - 45) / 12)))


def learned() -> Baseline:
    test = rows(1500, 2)
    positive = np.random.default_rng(9).uniform(size=1500) < scores(test)
    return learn(
        train=Table(SPECS, rows(4000, 1)),
        target_label="rich",
        test=Table(SPECS, test),
        test_labels=["yes" if value else "no" for value in positive],
        probabilities=scores(test),
    )


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return learned()


def window(columns: dict[str, Column], **changes: Any) -> CapturedWindow:
    n = len(columns["age"])
    plain = CapturedWindow(BOUNDS, Table(SPECS, columns), scores(columns), RecordCounts(n, n))
    return replace(plain, **changes)


def report(
    baseline: Baseline, captured: CapturedWindow | WindowCounts, projector: Projector | None = None, **changes: Any
) -> DriftReport:
    counted = captured if isinstance(captured, WindowCounts) else count_rows(baseline, captured)
    context = replace(RunContext(policy=Policy(minimum_rows=200), endpoint="e", schedule="s", seed=1), **changes)
    return analyse(baseline, counted, context, projector)


def feature(found: DriftReport, name: str) -> FeatureReport:
    return next(feature for feature in found.features if feature.name == name)


def test_the_report_says_where_unreadable_cells_stand(baseline: Baseline) -> None:
    places = {"not_a_number": ("a.jsonl:2", "b.jsonl:1")}
    counted = replace(count_rows(baseline, window(rows(800, 3))), unreadable_examples={"age": places})
    found = DriftReport.from_json(report(baseline, counted).to_json())
    assert [entry.unreadable_examples for entry in found.features] == [places, {}, {}]


def test_an_unchanged_window_is_quiet(baseline: Baseline) -> None:
    found = report(baseline, window(rows(800, 3)))
    assert (found.verdict, str(found.reason)) == (Verdict.NO_DRIFT, "no feature drifted")
    assert [feature.name for feature in found.features] == ["age", "gain", "job"]
    assert [feature.verdict for feature in (*found.features, found.prediction)] == [Verdict.NO_DRIFT] * 4
    assert (found.window, found.endpoint, found.schedule, found.n_rows) == (BOUNDS, "e", "s", 800)
    assert found.records == RecordCounts(800, 800)


def test_the_report_projects_the_accuracy(baseline: Baseline) -> None:
    found = report(baseline, window(rows(2000, 3))).projected_accuracy
    assert found.status is Status.ESTIMATED
    assert found.lower is not None
    assert found.upper is not None
    assert found.estimate is not None
    assert 0.7 < found.lower < found.estimate < found.upper < 0.9


def test_each_type_gets_its_own_numbers(baseline: Baseline) -> None:
    found = report(baseline, window(rows(800, 3)))
    age, job = feature(found, "age"), feature(found, "job")
    assert (age.type, age.test) == (FeatureType.NUMERIC, "ks_2samp_exact")
    assert (job.type, job.test) == (FeatureType.CATEGORICAL, "chi2_homogeneity")
    assert (age.unseen_fraction, job.out_of_range_fraction, job.effect(EffectMeasure.WASSERSTEIN_DISTANCE)) == (
        None,
        None,
        None,
    )
    assert age.effect(EffectMeasure.WASSERSTEIN_DISTANCE) is not None
    assert (found.prediction.name, found.prediction.type) == ("probability", FeatureType.NUMERIC)
    assert found.prediction.unseen_fraction is None
    assert found.prediction.out_of_range_fraction is not None


def test_a_shifted_feature_is_named_and_the_prediction_follows(baseline: Baseline) -> None:
    columns = rows(800, 3)
    columns["age"] = columns["age"].astype(np.float64) + 12
    found = report(baseline, window(columns))
    assert found.verdict is Verdict.DRIFT
    assert str(found.reason) == "drift in age, the prediction"
    assert found.drifted_features == ("age",)
    # Scores are read off the same ages, but the bins are those of the test set.
    assert found.prediction.verdict is Verdict.DRIFT


def test_a_move_off_the_atom_is_caught(baseline: Baseline) -> None:
    columns = rows(800, 3)
    columns["gain"] = np.where(np.arange(800) % 10 < 6, 5000.0, 0.0)
    found = feature(report(baseline, window(columns)), "gain")
    assert found.verdict is Verdict.DRIFT
    assert found.effect(EffectMeasure.DRIFT_SCORE) == pytest.approx(104, abs=3)


def test_a_column_of_identifiers_takes_seconds_not_minutes() -> None:
    n = 50_000
    reference = CategoricalCounts.of(np.array([f"id{i}" for i in range(n)], dtype=object))
    window = CategoricalCounts.of(np.array([f"id{i}" for i in range(n // 2, n + n // 2)], dtype=object))
    start = time.process_time()
    assert compare("id", reference, window).unseen_fraction == 0.5
    assert time.process_time() - start < 10


def test_unseen_and_out_of_range_are_shares_of_the_present_values(baseline: Baseline) -> None:
    columns = rows(400, 3)
    columns["job"] = np.array(["smith"] * 150 + ["_new"] * 50 + [None] * 200, dtype=object)
    columns["age"] = np.array([40.0] * 90 + [-5000.0] * 5 + [5000.0] * 5 + [np.nan] * 300)
    found = report(baseline, window(columns, probabilities=np.full(400, 2.0)))
    assert feature(found, "job").unseen_fraction == 0.25
    assert feature(found, "job").missing_fraction == 0.5
    assert feature(found, "age").out_of_range_fraction == 0.1
    assert found.prediction.out_of_range_fraction == 1
    assert "not probabilities" in str(found.projected_accuracy.reason)


def test_a_column_that_went_missing_is_drift(baseline: Baseline) -> None:
    columns = rows(400, 3)
    columns["job"] = np.array([None] * 400, dtype=object)
    found = feature(report(baseline, window(columns)), "job")
    assert found.verdict is Verdict.DRIFT
    assert (found.missing_fraction, found.missing_fraction_reference) == (1, 0)
    assert (found.effect(EffectMeasure.DRIFT_SCORE), found.p_value) == (None, None)
    assert "the missing fraction moved from 0 to 1" in str(found.reason)
    assert "every value is missing in the window" in str(found.reason)


def single(kind: FeatureType, reference: Column, captured: Column) -> FeatureReport:
    specs = (FeatureSpec("f", kind),)
    learned = learn(train=Table(specs, {"f": reference}), target_label="y")
    n = len(captured)
    found = CapturedWindow(BOUNDS, Table(specs, {"f": captured}), np.full(n, np.nan), RecordCounts(n, n))
    return report(learned, found).features[0]


def test_a_column_missing_on_both_sides_is_not_judged() -> None:
    nothing = np.full(500, np.nan)
    found = single(FeatureType.NUMERIC, nothing, nothing)
    assert (found.verdict, str(found.reason)) == (Verdict.NOT_JUDGED, "every value is missing in the reference")


def test_a_column_that_appears_is_drift_of_its_missing_fraction() -> None:
    found = single(FeatureType.NUMERIC, np.full(500, np.nan), np.arange(500.0))
    assert found.verdict is Verdict.DRIFT
    assert "the missing fraction moved from 1 to 0" in str(found.reason)


@pytest.mark.parametrize(
    ("kind", "value"), [(FeatureType.NUMERIC, 7.0), (FeatureType.CATEGORICAL, "only")], ids=["numeric", "categorical"]
)
def test_a_constant_that_stays_is_not_judged(kind: FeatureType, value: float | str) -> None:
    dtype = object if isinstance(value, str) else np.float64
    found = single(kind, np.array([value] * 500, dtype=dtype), np.array([value] * 300, dtype=dtype))
    assert (found.verdict, str(found.reason)) == (Verdict.NOT_JUDGED, "every value is the same one on both sides")
    assert (
        found.effect(EffectMeasure.DRIFT_SCORE),
        found.effect(EffectMeasure.JENSEN_SHANNON_DISTANCE),
        found.p_value,
    ) == (0, 0, None)


def test_a_constant_that_changed_is_drift_without_a_wasserstein_distance() -> None:
    found = single(FeatureType.NUMERIC, np.full(500, 7.0), np.full(300, 8.0))
    assert found.verdict is Verdict.DRIFT
    assert (found.effect(EffectMeasure.DRIFT_SCORE), found.effect(EffectMeasure.WASSERSTEIN_DISTANCE)) == (200, None)
    assert "no Wasserstein distance" in str(found.reason)


def test_an_empty_window_is_not_judged(baseline: Baseline) -> None:
    found = report(baseline, window(rows(0, 3)), isolation_forest=True)
    assert (found.verdict, str(found.reason)) == (Verdict.NOT_JUDGED, "no records in the window")
    assert {str(feature.reason) for feature in (*found.features, found.prediction)} == {"the window has no rows"}
    assert str(found.projected_accuracy.reason) == "the window is not judged: no records in the window"
    assert str(found.isolation_forest_similarity.reason) == "the window is not judged: no records in the window"


def test_a_window_of_rejected_records_says_so(baseline: Baseline) -> None:
    found = report(baseline, window(rows(0, 3), records=RecordCounts(3, 0, {"not_json": 3})))
    assert (found.verdict, str(found.reason)) == (
        Verdict.NOT_JUDGED,
        "none of the 3 records in the window could be used: "
        "3 as not_json; look at the files named: they were cut off, or are no captures",
    )


def test_rows_that_are_left_of_a_mostly_rejected_window_are_not_judged(baseline: Baseline) -> None:
    columns = rows(800, 3)
    columns["age"] = columns["age"].astype(np.float64) + 30
    records = RecordCounts(1100, 800, {"output_not_a_prediction": 300})
    found = report(baseline, window(columns, records=records), isolation_forest=True, multivariate=True, facet="job")
    assert (found.verdict, found.reason and found.reason.code) == (Verdict.NOT_JUDGED, ReasonCode.REJECTED_FRACTION)
    judged = {one.verdict for one in (*found.features, found.prediction)} | {one.verdict for one in found.shifts}
    assert judged | {found.bias.verdict} == {Verdict.NOT_JUDGED}
    parts = (found.projected_accuracy, found.isolation_forest_similarity, found.multivariate)
    assert {part.status for part in parts} == {Status.NOT_JUDGED}
    assert found.warnings == ()


def test_a_verdict_carries_a_warning_about_what_was_rejected(baseline: Baseline) -> None:
    columns = rows(800, 3)
    columns["age"] = columns["age"].astype(np.float64) + 30
    found = report(baseline, window(columns, records=RecordCounts(900, 800, {"not_json": 100})))
    assert found.verdict is Verdict.DRIFT
    assert [warning.code for warning in found.warnings] == [ReasonCode.REJECTED_RECORDS]
    assert DriftReport.from_json(found.to_json()).warnings == found.warnings
    changed = ReasonCode.MODEL_CHANGED.reason()
    refused = report(baseline, window(columns, records=RecordCounts(900, 800, {"not_json": 100})), not_judged=changed)
    assert (refused.reason, refused.warnings) == (changed, found.warnings)


def test_too_few_rows_are_not_judged_but_described(baseline: Baseline) -> None:
    columns = rows(12, 3)
    columns["age"] = columns["age"].astype(np.float64) + 500
    found = report(baseline, window(columns))
    assert (found.verdict, str(found.reason)) == (Verdict.NOT_JUDGED, "12 rows, fewer than the minimum of 200")
    assert {feature.verdict for feature in (*found.features, found.prediction)} == {Verdict.NOT_JUDGED}
    assert feature(found, "age").effect(EffectMeasure.DRIFT_SCORE) == pytest.approx(180, abs=2)
    assert found.projected_accuracy.status is Status.NOT_JUDGED


def test_a_prediction_that_was_not_captured_is_not_judged(baseline: Baseline) -> None:
    found = report(baseline, window(rows(400, 3), probabilities=np.full(400, np.nan)))
    assert (found.prediction.verdict, str(found.prediction.reason)) == (
        Verdict.NOT_JUDGED,
        "no predictions were captured",
    )
    assert found.verdict is Verdict.NO_DRIFT


def test_predictions_lost_in_part_are_reported_and_no_drift(baseline: Baseline) -> None:
    columns = rows(1600, 3)
    partly = scores(columns)
    partly[::2] = np.nan
    found = report(baseline, window(columns, probabilities=partly)).prediction
    assert (found.verdict, found.missing_fraction) == (Verdict.NO_DRIFT, 0.5)


def test_without_reference_predictions_the_prediction_is_not_judged(baseline: Baseline) -> None:
    found = report(replace(baseline, test=None), window(rows(400, 3)))
    assert found.prediction.verdict is Verdict.NOT_JUDGED
    assert str(found.prediction.reason) == "the baseline has no predictions for a labelled test set"
    assert str(found.projected_accuracy.reason) == "the baseline has no labelled test set"


def test_one_bad_column_does_not_take_the_report_with_it(baseline: Baseline) -> None:
    counted = count_rows(baseline, window(rows(400, 3)))
    columns = {**counted.columns, "age": counted.columns["job"]}
    found = report(baseline, replace(counted, columns=columns))
    assert feature(found, "age").verdict is Verdict.NOT_JUDGED
    assert str(feature(found, "age").reason).startswith("internal fault: TypeError")
    assert (found.verdict, str(found.reason)) == (
        Verdict.NOT_JUDGED,
        "internal fault: in age; the run's log has the traceback",
    )


def test_a_column_that_no_row_names_violates_the_schema(baseline: Baseline) -> None:
    counted = count_rows(baseline, window(rows(800, 3)))
    gone = CategoricalCounts.of(np.array([None] * 800, dtype=object))
    for columns in ({**counted.columns, "job": replace(gone, n_absent=800)}, {"age": counted.columns["age"]}):
        found = report(baseline, replace(counted, columns=columns))
        assert (feature(found, "job").verdict, feature(found, "job").violation) == (
            Verdict.NOT_JUDGED,
            Violation.MISSING_COLUMN,
        )
        assert found.verdict is Verdict.NO_DRIFT


def test_a_violation_is_told_of_a_window_too_small_to_judge(baseline: Baseline) -> None:
    counted = count_rows(baseline, window(rows(12, 3)))
    gone = replace(counted.columns["job"], values=np.array([]), counts=np.array([], int), n_missing=12, n_absent=12)
    found = report(baseline, replace(counted, columns={**counted.columns, "job": gone}))
    assert found.verdict is Verdict.NOT_JUDGED
    assert feature(found, "job").violation is Violation.MISSING_COLUMN


def test_a_violation_is_told_where_the_numbers_fail(baseline: Baseline) -> None:
    counted = count_rows(baseline, window(rows(400, 3)))
    broken = replace(counted.columns["job"], unreadable={"not_a_number": 401})
    found = feature(report(baseline, replace(counted, columns={**counted.columns, "age": broken})), "age")
    assert (found.violation, str(found.reason)) == (Violation.DATA_TYPE, "50 % of its values cannot be read")


def test_a_failing_prediction_or_projection_is_not_judged(baseline: Baseline) -> None:
    counted = count_rows(baseline, window(rows(400, 3)))
    broken: Any = counted.columns["job"]
    found = report(baseline, replace(counted, probabilities=broken))
    assert str(found.prediction.reason).startswith("internal fault: TypeError")
    assert str(found.projected_accuracy.reason).startswith("internal fault: TypeError")


def test_a_forest_that_fails_leaves_the_report_standing(baseline: Baseline) -> None:
    columns = rows(800, 3)
    captured = window(columns)
    del columns["job"]
    found = report(baseline, captured, isolation_forest=True)
    assert (
        str(found.isolation_forest_similarity.reason)
        == "internal fault: KeyError: 'job'; the run's log has the traceback"
    )
    assert feature(found, "age").verdict is Verdict.NO_DRIFT


def test_the_forest_is_off_unless_asked_for(baseline: Baseline) -> None:
    captured = window(rows(400, 3))
    assert str(report(baseline, captured).isolation_forest_similarity.reason) == "switched off"
    switched_on = report(baseline, captured, isolation_forest=True).isolation_forest_similarity
    assert switched_on.status is Status.ESTIMATED
    assert switched_on.relative_difference_percent == pytest.approx(0, abs=3)


def test_equal_arguments_give_equal_bytes(baseline: Baseline) -> None:
    captured = window(rows(400, 3))
    assert report(baseline, captured).to_json() == report(baseline, captured).to_json()


def test_the_report_survives_its_file(baseline: Baseline) -> None:
    found = report(baseline, window(rows(400, 3)), isolation_forest=True)
    assert DriftReport.from_json(found.to_json()) == found


def test_extreme_values_never_reach_the_file_as_nan(baseline: Baseline) -> None:
    columns = rows(400, 3)
    columns["age"] = np.resize([1e308, -1e308, np.inf, -np.inf, 5e-324, np.nan], 400)
    found = report(baseline, window(columns, probabilities=np.resize([0.0, 1.0, np.nan], 400)))
    assert json.loads(found.to_json())["verdict"] == "drift"


def test_analysis_leaves_its_inputs_alone(baseline: Baseline) -> None:
    columns = rows(400, 3)
    captured = window(columns)
    before = {name: column.copy() for name, column in columns.items()}
    probabilities = captured.probabilities.copy()
    report(baseline, captured, isolation_forest=True)
    for name, column in before.items():
        np.testing.assert_array_equal(columns[name], column)
    np.testing.assert_array_equal(captured.probabilities, probabilities)


def test_quiet_windows_raise_false_alarms_no_more_often_than_promised(baseline: Baseline) -> None:
    # Any feature or prediction significant after adjustment: a rate of at most 5 % gives more than 19 of 150 quiet
    # windows in 1 run of 10,000 (binomial). One reference serves all windows, which makes them a little alike.
    significant = drifted = 0
    projector = Projector.of(baseline, seed=1)
    for seed in range(150):
        found = report(baseline, window(rows(300, 1000 + seed)), projector)
        adjusted = [f.p_value_adjusted for f in (*found.features, found.prediction) if f.p_value_adjusted is not None]
        significant += min(adjusted) < 0.05
        drifted += found.verdict is Verdict.DRIFT
    assert significant <= 19
    # The effect must also reach what chance reaches once in 100 comparisons: of four, at most 4 % of the windows,
    # which gives more than 15 of 150 in 1 run of 10,000.
    assert drifted <= min(significant, 15)


def test_a_quiet_feature_that_could_not_have_shown_a_change_is_not_judged(baseline: Baseline) -> None:
    found = report(baseline, window(rows(250, 3)))
    age = feature(found, "age")
    assert str(found.reason) == "no feature drifted; not judged: age, job"
    assert age.verdict is Verdict.NOT_JUDGED
    assert age.min_sample_size is not None
    assert age.min_sample_size > 250
    assert (
        str(age.reason)
        == f"250 values are too few: a Jensen-Shannon distance of 0.1 takes {age.min_sample_size} to be found"
    )


def test_a_drifted_feature_says_what_moved(baseline: Baseline) -> None:
    columns = rows(800, 3)
    columns["job"] = np.array(["smith"] * 600 + ["clerk"] * 200, dtype=object)
    (first, *_) = feature(report(baseline, window(columns)), "job").top_contributors
    assert (first.label, first.window_fraction) == ("smith", 0.75)
    assert first.reference_fraction == pytest.approx(0.2, abs=0.03)


def test_shift_that_the_past_shows_is_no_drift_in_any_part_of_the_report(baseline: Baseline) -> None:
    moved = rows(500, 7)
    moved["age"] = moved["age"].astype(np.float64) + 8
    wandered = PastChange(effects=dict.fromkeys(EffectMeasure, 100.0))
    past = PastWindow(
        start="2024-04-01T10:00:00Z",
        end="2024-04-01T11:00:00Z",
        n_rows=200,
        changes={"age": wandered, PROBABILITY_COLUMN: wandered},
        separability=0.999,
    )
    history = History(time_column="t", start=past.start, end=past.end, n_rows=200, windows={200: (past,) * 20})
    news, known = (
        report(one, window(moved), multivariate=True) for one in (baseline, replace(baseline, history=history))
    )
    assert (news.verdict, news.multivariate.verdict, news.past) == (Verdict.DRIFT, Verdict.DRIFT, None)
    assert (known.verdict, known.multivariate.verdict) == (Verdict.NO_DRIFT, Verdict.NO_DRIFT)
    assert str(known.past) == "20 past windows of 200 rows at 10 h UTC on weekdays"
    assert feature(known, "age").past_threshold == pytest.approx(100.0)


def test_the_report_says_what_it_assumes_where_the_past_is_not_known(baseline: Baseline) -> None:
    known = History(time_column="when", start="2024-01-01T00:00:00Z", end="2024-02-01T00:00:00Z", n_rows=4000)
    notes = [
        report(one, window(rows(1500, 4))).projected_accuracy.note
        for one in (baseline, replace(baseline, history=known))
    ]
    assert notes == [f"{PROJECTED_ACCURACY_NOTE} {NO_HISTORY_NOTE}", PROJECTED_ACCURACY_NOTE]
