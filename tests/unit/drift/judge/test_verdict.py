from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from plumbline.contract.reasons import Reason, ReasonCode, has_code
from plumbline.contract.records import (
    AnswerCounts,
    Contributor,
    EffectMeasure,
    FeatureReport,
    FeatureType,
    MultivariateReport,
    RecordCounts,
    Status,
    Verdict,
    Violation,
    WindowBounds,
)
from plumbline.drift.compare.features import ColumnComparison, SchemaFinding
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.errors import ConfigError
from plumbline.drift.judge.past import MISSING, OUT_OF_RANGE, SEPARABILITY, PastThresholds
from plumbline.drift.judge.verdict import (
    FeatureCase,
    judge_features,
    judge_rows,
    judge_window,
    loss_warnings,
    p_text,
    rule_text,
    too_many_rejected,
    window_refusal,
    with_usable_answers,
)
from plumbline.drift.read.kernel.partial_counts import PartialCounts, window_counts
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.settings.policy import FeaturePolicy, Policy
from plumbline.drift.statistics.declaration import Evidence
from tests.reports import because

POLICY = Policy(alpha=0.05, effect_threshold=0.1, missing_values_threshold=0.05, minimum_rows=200)


EFFECTS = {"drift_score": 10.0, "jensen_shannon_distance": 0.02}


def comparison(*, effects: Mapping[str, float] = EFFECTS, **changes: object) -> ColumnComparison:
    quiet = ColumnComparison(
        name="age",
        type=FeatureType.NUMERIC,
        evidence=Evidence("t", 1.0, 0.5),
        effects=EFFECTS,
        missing_fraction=0.0,
        missing_fraction_reference=0.0,
        missing_evidence=Evidence("t", 0.0, 1.0),
    )
    return replace(quiet, effects={**EFFECTS, **effects}, **changes)  # type: ignore[arg-type]


def case(found: ColumnComparison, policy: Policy = POLICY, **changes: object) -> FeatureCase:
    plain = FeatureCase(comparison=found, rule=policy.rule(found.name, found.type), n_present=500, n_rows=500)
    return replace(plain, **changes)  # type: ignore[arg-type]


def judged(
    *comparisons: ColumnComparison, refused: Reason | None = None, policy: Policy = POLICY
) -> list[FeatureReport]:
    return judge_features([case(one, policy) for one in comparisons], policy, refused)


def of_cases(*cases: FeatureCase) -> list[FeatureReport]:
    return judge_features(cases, POLICY, None)


def test_significant_and_large_is_drift() -> None:
    (report,) = judged(comparison(evidence=Evidence("t", 9.0, 0.001), effects={"jensen_shannon_distance": 0.2}))
    assert report.verdict is Verdict.DRIFT
    assert str(report.reason) == "adjusted p 0.001 is below 0.05 and the Jensen-Shannon distance 0.2 reaches 0.1"


def test_a_distance_that_reaches_the_threshold_exactly_is_drift() -> None:
    (report,) = judged(comparison(evidence=Evidence("t", 9.0, 0.001), effects={"jensen_shannon_distance": 0.1}))
    assert report.verdict is Verdict.DRIFT


def test_significant_but_small_is_no_drift() -> None:
    (report,) = judged(comparison(evidence=Evidence("t", 9.0, 1e-30), effects={"jensen_shannon_distance": 0.04}))
    assert report.verdict is Verdict.NO_DRIFT
    assert str(report.reason) == "the Jensen-Shannon distance 0.04 is below 0.1"


def test_large_but_not_significant_is_no_drift() -> None:
    (report,) = judged(comparison(evidence=Evidence("t", 9.0, 0.05), effects={"jensen_shannon_distance": 0.4}))
    assert report.verdict is Verdict.NO_DRIFT
    assert str(report.reason) == "adjusted p 0.05 is not below 0.05"


def test_the_effect_must_exceed_what_chance_reaches() -> None:
    evidence = Evidence("t", 9.0, 0.001)
    (report,) = judged(
        comparison(
            evidence=evidence, effects={"jensen_shannon_distance": 0.2}, null_q99={"jensen_shannon_distance": 0.25}
        )
    )
    assert report.verdict is Verdict.NO_DRIFT
    assert str(report.reason) == "the Jensen-Shannon distance 0.2 is below 0.25, which chance reaches"


def test_p_values_are_adjusted_over_all_features() -> None:
    loud = comparison(evidence=Evidence("t", 9.0, 0.03), effects={"jensen_shannon_distance": 0.2})
    alone, among = judged(loud)[0], judged(loud, comparison(), comparison())[0]
    assert (alone.verdict, among.verdict) == (Verdict.DRIFT, Verdict.NO_DRIFT)
    assert among.p_value == 0.03
    assert among.p_value_adjusted == pytest.approx(0.09)


def test_a_feature_without_a_test_does_not_count_in_the_adjustment() -> None:
    unknown = comparison(
        evidence=None, missing_evidence=None, not_compared=because("every value is missing in the reference")
    )
    report, other = judged(comparison(evidence=Evidence("t", 9.0, 0.03)), unknown)
    assert report.p_value_adjusted == pytest.approx(0.03)
    assert (other.verdict, other.p_value_adjusted) == (Verdict.NOT_JUDGED, None)
    assert str(other.reason) == "every value is missing in the reference"


def test_a_moved_missing_fraction_is_drift() -> None:
    (report,) = judged(comparison(missing_fraction=0.06, missing_evidence=Evidence("t", 9.0, 1e-6)))
    assert report.verdict is Verdict.DRIFT
    assert report.missing_p_value_adjusted == pytest.approx(1e-6)
    assert str(report.reason) == "the missing fraction moved from 0 to 0.06 (adjusted p 1e-06)"


def test_a_missing_fraction_that_fell_is_drift_too() -> None:
    evidence = Evidence("t", 9.0, 1e-6)
    (report,) = judged(comparison(missing_fraction_reference=0.3, missing_fraction=0.0, missing_evidence=evidence))
    assert report.verdict is Verdict.DRIFT


@pytest.mark.parametrize(("fraction", "p"), [(0.04, 1e-9), (0.3, 0.2)])
def test_a_missing_fraction_that_moved_little_or_by_chance_is_no_drift(fraction: float, p: float) -> None:
    (report,) = judged(comparison(missing_fraction=fraction, missing_evidence=Evidence("t", 9.0, p)))
    assert report.verdict is Verdict.NO_DRIFT


def test_values_that_vanished_are_drift_by_their_missing_fraction() -> None:
    gone = comparison(
        evidence=None,
        missing_fraction=1.0,
        missing_evidence=Evidence("t", 99.0, 1e-99),
        not_compared=because("every value is missing in the window"),
    )
    (report,) = judged(gone)
    assert report.verdict is Verdict.DRIFT
    assert "every value is missing in the window" in str(report.reason)


def test_a_refused_window_keeps_its_numbers_and_judges_no_feature() -> None:
    loud = comparison(evidence=Evidence("t", 9.0, 1e-9), effects={"jensen_shannon_distance": 0.5})
    (report,) = judged(loud, refused=because("12 rows, fewer than the minimum of 200"))
    assert report.verdict is Verdict.NOT_JUDGED
    assert str(report.reason) == "the window is not judged: 12 rows, fewer than the minimum of 200"
    assert report.effect(EffectMeasure.DRIFT_SCORE) == 10.0


def test_a_note_does_not_hide_why_the_window_is_refused() -> None:
    (report,) = judged(comparison(notes=(because("values counted in buckets"),)), refused=because("12 rows"))
    assert str(report.reason) == "the window is not judged: 12 rows; values counted in buckets"


@pytest.mark.parametrize(
    ("records", "n_rows", "expected"),
    [
        (RecordCounts(), 0, "no records in the window"),
        (
            RecordCounts(5, 0, {"not_json": 5}),
            0,
            "none of the 5 records in the window could be used: "
            "5 as not_json; look at the files named: they were cut off, or are no captures",
        ),
        (RecordCounts(250, 200, {"not_json": 50}), 200, None),
        (
            RecordCounts(1251, 1000, {"not_json": 51, "no_input": 200}),
            1000,
            "251 of the 1,251 records in the window (20.1 %) were rejected, more than 20 %, so that the others need "
            "not be like all: 200 as no_input; capture the input side as well: DataCaptureConfig must have the capture "
            "mode Input",
        ),
        (
            RecordCounts(9, 6, {"internal_fault": 3}),
            12,
            "3 of the 9 records in the window (33.3 %) were rejected, more than 20 %, so that the others need not be "
            "like all: 3 as internal_fault; report the traceback in the run's log: it is a fault of Plumbline; "
            "12 rows, fewer than the minimum of 200",
        ),
        (RecordCounts(900, 300, {"outside_window": 200, "other_variant": 300, "duplicate_event_id": 100}), 300, None),
        (RecordCounts(12, 12), 12, "12 rows, fewer than the minimum of 200"),
        (RecordCounts(199, 199), 199, "199 rows, fewer than the minimum of 200"),
        (RecordCounts(200, 200), 200, None),
    ],
)
def test_a_window_too_small_to_judge_says_which(records: RecordCounts, n_rows: int, expected: str | None) -> None:
    found = window_refusal(records, n_rows, POLICY)
    assert (found and found.text) == expected


def test_the_rejected_fraction_that_is_allowed_is_the_policys() -> None:
    records = RecordCounts(1000, 850, {"not_json": 150})
    assert too_many_rejected(records, Policy()) is None
    assert too_many_rejected(records, Policy(maximum_rejected_fraction=0.15)) is None
    assert has_code(too_many_rejected(records, Policy(maximum_rejected_fraction=0.1)), ReasonCode.REJECTED_FRACTION)
    one = RecordCounts(1000, 999, {"not_json": 1})
    assert has_code(too_many_rejected(one, Policy(maximum_rejected_fraction=1e-9)), ReasonCode.REJECTED_FRACTION)
    assert too_many_rejected(RecordCounts(1000, 0, {"not_json": 1000}), Policy(maximum_rejected_fraction=1)) is None
    with pytest.raises(ConfigError, match="maximum_rejected_fraction"):
        Policy(maximum_rejected_fraction=1.01)


NOTHING = window_counts(PartialCounts(), WindowPlan(specs=(), reference={}, bounds=WindowBounds()))


def windowed(records: RecordCounts, **changes: Any) -> WindowCounts:
    return replace(NOTHING, records=records, **changes)


def test_fewer_rejected_records_are_a_warning_on_the_verdict() -> None:
    records = RecordCounts(1000, 850, {"not_json": 150, "outside_window": 0})
    (warning,) = loss_warnings(windowed(records), None)
    assert warning.text == (
        "150 of the 1,000 records in the window (15.0 %) were rejected: 150 as not_json; "
        "look at the files named: they were cut off, or are no captures"
    )
    few = window_refusal(records, 12, POLICY)
    assert loss_warnings(windowed(records), few) == (warning,)
    assert loss_warnings(windowed(RecordCounts(1000, 1000)), None) == ()
    many = RecordCounts(1000, 500, {"not_json": 500})
    assert loss_warnings(windowed(many), window_refusal(many, 500, POLICY)) == ()
    none = RecordCounts(10, 0, {"not_json": 10})
    assert loss_warnings(windowed(none), window_refusal(none, 0, POLICY)) == ()


def test_answers_that_could_not_be_read_are_a_warning_too() -> None:
    some, most = (AnswerCounts(100, 100 - number, {"error": number}) for number in (5, 50))
    (warning,) = loss_warnings(windowed(RecordCounts(100, 100), answers=some), None)
    assert warning.text == "5 of 100 answers could not be read"
    (warning,) = loss_warnings(with_usable_answers(windowed(RecordCounts(100, 100), answers=most), POLICY), None)
    assert warning.code is ReasonCode.ANSWERS_UNREADABLE


def report(name: str, verdict: Verdict) -> FeatureReport:
    return FeatureReport(name=name, type=FeatureType.NUMERIC, verdict=verdict)


def test_the_window_drifts_with_any_feature_and_names_them() -> None:
    features = [report("age", Verdict.DRIFT), report("sex", Verdict.NO_DRIFT), report("race", Verdict.DRIFT)]
    outcome = judge_window(features, report("probability", Verdict.NOT_JUDGED), POLICY, None)
    assert outcome.verdict is Verdict.DRIFT
    assert str(outcome.reason) == "drift in age, race"


def test_the_window_drifts_with_the_prediction_alone() -> None:
    outcome = judge_window([report("age", Verdict.NO_DRIFT)], report("probability", Verdict.DRIFT), POLICY, None)
    assert (outcome.verdict, str(outcome.reason)) == (Verdict.DRIFT, "drift in the prediction")


def test_features_without_a_verdict_are_named_in_a_quiet_window() -> None:
    features = [report("age", Verdict.NO_DRIFT), report("sex", Verdict.NOT_JUDGED)]
    outcome = judge_window(features, report("probability", Verdict.NO_DRIFT), POLICY, None)
    assert (outcome.verdict, str(outcome.reason)) == (Verdict.NO_DRIFT, "no feature drifted; not judged: sex")


def test_a_window_in_which_nothing_could_be_judged_is_not_quiet() -> None:
    outcome = judge_window([report("age", Verdict.NOT_JUDGED)], report("probability", Verdict.NO_DRIFT), POLICY, None)
    assert (outcome.verdict, str(outcome.reason)) == (Verdict.NOT_JUDGED, "no feature could be judged")


def weak(name: str, min_sample_size: int | None, **changes: object) -> FeatureReport:
    found = comparison(evidence=Evidence("t", 1.0, 0.5), min_sample_size=min_sample_size)
    (feature,) = of_cases(case(replace(found, name=name, **changes), n_present=30, needs_power=True))  # type: ignore[arg-type]
    assert feature.verdict is Verdict.NOT_JUDGED
    return feature


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ([weak("age", 143)], "; about 143 rows would do for age"),
        (
            [weak("age", 812), weak("hours", 143), weak("sex", None)],
            "; about 143 rows would do for hours; about 812 for all features that lack rows",
        ),
        ([weak("age", 143, missing_fraction=0.5)], "; about 286 rows would do for age"),
        ([weak("age", None)], "; no number of rows would do, the reference has too few"),
        ([report("age", Verdict.NOT_JUDGED), weak("hours", 143)], "; about 143 rows would do for hours"),
    ],
)
def test_a_window_in_which_nothing_could_be_judged_names_the_rows_that_would_do(
    features: list[FeatureReport], expected: str
) -> None:
    outcome = judge_window(features, None, POLICY, None)
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.NO_FEATURE_JUDGED
    assert outcome.reason.text == f"no feature could be judged{expected}"


def test_a_refused_window_is_not_judged_whatever_its_features_say() -> None:
    outcome = judge_window(
        [report("age", Verdict.DRIFT)], report("probability", Verdict.DRIFT), POLICY, because("no records")
    )
    assert (outcome.verdict, str(outcome.reason)) == (Verdict.NOT_JUDGED, "no records")


def test_the_prediction_may_be_absent() -> None:
    assert judge_window([report("age", Verdict.NO_DRIFT)], None, POLICY, None).verdict is Verdict.NO_DRIFT


LOUD = comparison(
    evidence=Evidence("t", 9.0, 1e-9),
    effects={"jensen_shannon_distance": 0.3, "drift_score": 30.0},
)


def test_a_feature_is_judged_by_its_own_alpha() -> None:
    strict = Policy(features={"age": FeaturePolicy(alpha=0.001)})
    found = comparison(evidence=Evidence("t", 9.0, 0.01), effects={"jensen_shannon_distance": 0.3})
    assert judged(found)[0].verdict is Verdict.DRIFT
    assert str(judged(found, policy=strict)[0].reason) == "adjusted p 0.01 is not below 0.001"


@pytest.mark.parametrize(("threshold", "verdict"), [(29.0, Verdict.DRIFT), (31.0, Verdict.NO_DRIFT)])
def test_a_feature_is_judged_by_its_own_measure(threshold: float, verdict: Verdict) -> None:
    own = FeaturePolicy(effect_measure=EffectMeasure.DRIFT_SCORE, effect_threshold=threshold)
    (found,) = judged(LOUD, policy=Policy(features={"age": own}))
    assert (found.verdict, found.effect_measure, found.effect_threshold) == (
        verdict,
        EffectMeasure.DRIFT_SCORE,
        threshold,
    )
    assert "the drift score 30 " in str(found.reason)


@pytest.mark.parametrize(("null_q99", "verdict"), [(29.9, Verdict.DRIFT), (30.1, Verdict.NO_DRIFT)])
def test_chance_is_a_floor_in_the_unit_of_the_measure_that_decides(null_q99: float, verdict: Verdict) -> None:
    policy = Policy(effect_measure=EffectMeasure.DRIFT_SCORE, effect_threshold=10.0)
    levels = {"jensen_shannon_distance": 0.4, "drift_score": null_q99}
    (found,) = judged(replace(LOUD, null_q99=levels), policy=policy)
    assert found.verdict is verdict
    if verdict is Verdict.NO_DRIFT:
        assert str(found.reason) == "the drift score 30 is below 30.1, which chance reaches"


def tailed(**changes: Any) -> ColumnComparison:
    quiet = comparison(evidence=Evidence("t", 0.01, 0.9), effects={"jensen_shannon_distance": 0.01})
    return replace(quiet, tail_evidence=Evidence("exceedance", 0.01, 1e-9), **changes)


@pytest.mark.parametrize(("fraction", "verdict"), [(0.005, Verdict.DRIFT), (0.0049, Verdict.NO_DRIFT)])
def test_values_beyond_the_references_are_drift_from_the_threshold_on(fraction: float, verdict: Verdict) -> None:
    (found,) = judged(tailed(out_of_range_fraction=fraction))
    assert found.verdict is verdict
    assert found.tail_p_value_adjusted == pytest.approx(1e-9)


def test_values_beyond_the_references_that_chance_explains_are_no_drift() -> None:
    chance = replace(tailed(out_of_range_fraction=0.2), tail_evidence=Evidence("exceedance", 0.2, 0.0011))
    (found,) = judged(chance)
    assert found.verdict is Verdict.NO_DRIFT


@pytest.mark.parametrize(
    ("distance", "null_q99", "verdict"),
    [(0.25, 0.1, Verdict.DRIFT), (0.24, 0.1, Verdict.NO_DRIFT), (0.3, 0.31, Verdict.NO_DRIFT)],
)
def test_a_heavier_tail_is_drift_where_it_moves_the_whole_beyond_chance(
    distance: float, null_q99: float, verdict: Verdict
) -> None:
    levels = {"wasserstein_distance": null_q99}
    effects = {"jensen_shannon_distance": 0.01, "wasserstein_distance": distance}
    (found,) = judged(tailed(null_q99=levels, effects=effects))
    assert found.verdict is verdict


def test_a_small_shift_of_all_values_is_no_drift_whatever_bins_make_of_it() -> None:
    (found,) = judged(replace(LOUD, small_shift=1.0, effect_without_shift=0.02))
    assert found.verdict is Verdict.NO_DRIFT
    assert found.reason is not None
    assert found.reason.code is ReasonCode.EFFECT_OF_SMALL_SHIFT
    (found,) = judged(replace(LOUD, small_shift=1.0, effect_without_shift=0.2))
    assert found.verdict is Verdict.DRIFT


def test_without_a_wasserstein_distance_the_jensen_shannon_distance_decides() -> None:
    policy = Policy(effect_measure=EffectMeasure.WASSERSTEIN_DISTANCE, effect_threshold=0.5)
    (found,) = judged(LOUD, policy=policy)
    assert (found.verdict, found.effect_measure, found.effect_threshold) == (
        Verdict.DRIFT,
        EffectMeasure.JENSEN_SHANNON_DISTANCE,
        0.1,
    )


def test_an_ignored_feature_is_described_and_in_no_family() -> None:
    policy = Policy(features={"age": FeaturePolicy(ignore=True)})
    other = comparison(name="sex", evidence=Evidence("t", 9.0, 0.03))
    ignored, alone = judged(LOUD, other, policy=policy)
    assert (ignored.verdict, str(ignored.reason)) == (Verdict.NOT_JUDGED, "ignored by the policy")
    assert (ignored.p_value, ignored.p_value_adjusted, ignored.effect(EffectMeasure.DRIFT_SCORE)) == (1e-9, None, 30.0)
    assert alone.p_value_adjusted == pytest.approx(0.03)


def test_an_ignored_feature_is_not_among_those_that_could_not_be_judged() -> None:
    ignored = replace(report("id", Verdict.NOT_JUDGED), reason=ReasonCode.IGNORED.reason())
    outcome = judge_window([report("age", Verdict.NO_DRIFT), ignored], None, POLICY, None)
    assert (outcome.verdict, str(outcome.reason)) == (Verdict.NO_DRIFT, "no feature drifted")
    assert judge_window([ignored], None, POLICY, None).verdict is Verdict.NOT_JUDGED


def test_a_violation_is_not_judged_and_in_no_family() -> None:
    finding = SchemaFinding(Violation.MISSING_COLUMN, because("no row of the window names it"))
    broken = case(LOUD, finding=finding)
    found, alone = of_cases(broken, case(comparison(evidence=Evidence("t", 9.0, 0.03))))
    assert (found.verdict, found.violation) == (Verdict.NOT_JUDGED, Violation.MISSING_COLUMN)
    assert str(found.reason) == "no row of the window names it"
    assert alone.p_value_adjusted == pytest.approx(0.03)


def test_too_many_unreadable_values_are_drift_unless_the_window_is_not_judged() -> None:
    finding = SchemaFinding(Violation.DATA_TYPE, ReasonCode.UNREADABLE_COLUMN.reason(percent=46))
    broken = case(LOUD, finding=finding)
    (found,) = of_cases(broken)
    assert (found.verdict, found.violation) == (Verdict.DRIFT, Violation.DATA_TYPE)
    assert (found.p_value_adjusted, found.top_contributors[:0]) == (None, ())
    (found,) = judge_features([broken], POLICY, because("too few rows"))
    assert (found.verdict, found.violation) == (Verdict.NOT_JUDGED, Violation.DATA_TYPE)


def test_a_quiet_feature_with_too_few_rows_is_not_judged() -> None:
    (found,) = of_cases(case(comparison(min_sample_size=501), needs_power=True))
    assert (found.verdict, found.min_sample_size) == (Verdict.NOT_JUDGED, 501)
    assert str(found.reason) == "500 values are too few: a Jensen-Shannon distance of 0.1 takes 501 to be found"
    assert of_cases(case(comparison(min_sample_size=500), needs_power=True))[0].verdict is Verdict.NO_DRIFT


def test_where_no_window_is_large_enough_nothing_quiet_is_judged() -> None:
    (found,) = of_cases(case(comparison(min_sample_size=None), needs_power=True))
    assert (found.verdict, found.min_sample_size) == (Verdict.NOT_JUDGED, None)
    assert (
        str(found.reason) == "the reference has too few values to find a Jensen-Shannon distance of 0.1 in any window"
    )


def test_few_rows_that_show_drift_suffice() -> None:
    assert of_cases(case(replace(LOUD, min_sample_size=9000), needs_power=True))[0].verdict is Verdict.DRIFT


def test_a_significant_change_that_is_small_needs_no_more_rows() -> None:
    small = comparison(
        evidence=Evidence("t", 9.0, 1e-9), effects={"jensen_shannon_distance": 0.02}, min_sample_size=9000
    )
    assert of_cases(case(small, needs_power=True))[0].verdict is Verdict.NO_DRIFT


def test_unreadable_cells_are_counted_beside_the_verdict() -> None:
    (found,) = of_cases(case(comparison(), unreadable={"not_a_number": 40, "not_finite": 10}))
    assert (found.verdict, found.unreadable_fraction) == (Verdict.NO_DRIFT, 0.1)
    assert str(found.reason) == "adjusted p 0.5 is not below 0.05; 50 of 500 cells could not be read"


def test_only_a_drifted_feature_shows_its_parts() -> None:
    parts = (Contributor("a", 0.1, 0.5),)
    loud, quiet = judged(replace(LOUD, top_contributors=parts), comparison(top_contributors=parts))
    assert (loud.top_contributors, quiet.top_contributors) == (parts, ())


@pytest.mark.parametrize(("n_drifted", "verdict"), [(2, Verdict.NO_DRIFT), (3, Verdict.DRIFT)])
def test_a_share_of_the_judged_features_makes_the_window_drift(n_drifted: int, verdict: Verdict) -> None:
    features = [report(f"d{i}", Verdict.DRIFT) for i in range(n_drifted)]
    features += [report(f"q{i}", Verdict.NO_DRIFT) for i in range(10 - n_drifted)]
    features += [report(f"n{i}", Verdict.NOT_JUDGED) for i in range(5)]
    outcome = judge_window(features, None, Policy(drifted_fraction=0.3), None)
    assert outcome.verdict is verdict


def test_drift_that_is_not_enough_is_told() -> None:
    features = [report("age", Verdict.DRIFT), report("sex", Verdict.NO_DRIFT)]
    outcome = judge_window(features, None, Policy(drifted_fraction=0.6), None)
    assert (outcome.verdict, str(outcome.reason)) == (Verdict.NO_DRIFT, "drift in age only, 1 of 2 judged features")


def test_a_critical_feature_or_the_prediction_suffices() -> None:
    policy = Policy(drifted_fraction=1.0)
    critical = replace(report("age", Verdict.DRIFT), critical=True)
    others = [report("sex", Verdict.NO_DRIFT), report("race", Verdict.NO_DRIFT)]
    assert judge_window([critical, *others], None, policy, None).verdict is Verdict.DRIFT
    assert judge_window(others, report("probability", Verdict.DRIFT), policy, None).verdict is Verdict.DRIFT
    assert judge_window([replace(critical, critical=False), *others], None, policy, None).verdict is Verdict.NO_DRIFT


def test_a_violation_is_told_and_makes_no_drift() -> None:
    broken = replace(report("age", Verdict.NOT_JUDGED), violation=Violation.DATA_TYPE)
    outcome = judge_window([broken, report("sex", Verdict.NO_DRIFT)], None, POLICY, None)
    assert outcome.verdict is Verdict.NO_DRIFT
    assert str(outcome.reason) == "no feature drifted; not judged: age"


@pytest.mark.parametrize(
    ("others", "prediction", "code", "text"),
    [
        ((Verdict.NO_DRIFT,), Verdict.NO_DRIFT, ReasonCode.COLUMNS_UNREADABLE, "too many values of age cannot be read"),
        (
            (Verdict.NO_DRIFT,),
            Verdict.DRIFT,
            ReasonCode.COLUMNS_UNREADABLE,
            "too many values of age cannot be read; drift in the prediction",
        ),
        (
            (Verdict.DRIFT,),
            Verdict.NO_DRIFT,
            ReasonCode.FEATURES_DRIFTED,
            "drift in x0; too many values of age cannot be read",
        ),
        ((Verdict.NOT_JUDGED,), Verdict.NOT_JUDGED, ReasonCode.COLUMNS_UNREADABLE, "too many values of age cannot"),
        ((), Verdict.NOT_JUDGED, ReasonCode.COLUMNS_UNREADABLE, "too many values of age cannot be read"),
    ],
)
def test_unreadable_columns_are_drift_of_the_window_with_a_code_of_their_own(
    others: Sequence[Verdict], prediction: Verdict, code: ReasonCode, text: str
) -> None:
    broken = replace(report("age", Verdict.DRIFT), violation=Violation.DATA_TYPE)
    found = [report(f"x{number}", verdict) for number, verdict in enumerate(others)]
    outcome = judge_window([broken, *found], report("probability", prediction), POLICY, None)
    assert outcome.verdict is Verdict.DRIFT
    assert outcome.reason is not None
    assert outcome.reason.code is code
    assert text in outcome.reason.text


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (Policy(), "drift in any feature or the prediction"),
        (Policy(drifted_fraction=0.25), "drift in at least 25% of the judged features or the prediction"),
        (
            Policy(drifted_fraction=0.5, features={n: FeaturePolicy(critical=True) for n in ("b", "a")}),
            "drift in at least 50% of the judged features, a critical feature (a, b) or the prediction",
        ),
    ],
)
def test_the_rule_is_told(policy: Policy, text: str) -> None:
    assert rule_text(policy) == text


@pytest.mark.parametrize(
    ("log_p", "text"),
    # exp(-1000) = 10^(-434.2945) = 5.076e-435
    [(0.0, "1"), (-1.0, "0.368"), (-1000.0, "5.08e-435"), (-float("inf"), "0")],
)
def test_a_p_value_is_told_also_below_the_smallest_float(log_p: float, text: str) -> None:
    assert p_text(log_p) == text


@pytest.mark.parametrize(
    ("area", "p", "verdict", "code"),
    [
        (0.6, 0.001, Verdict.DRIFT, ReasonCode.ROWS_SEPARABLE),
        (0.599, 0.001, Verdict.NO_DRIFT, ReasonCode.ROWS_ALIKE),
        (0.61, 0.05, Verdict.NO_DRIFT, ReasonCode.ROWS_SEPARABLE_BY_CHANCE),
    ],
)
def test_whole_rows_drift_where_they_are_separable_beyond_chance(
    area: float, p: float, verdict: Verdict, code: ReasonCode
) -> None:
    found = judge_rows(MultivariateReport(status=Status.ESTIMATED, area_under_curve=area, p_value=p), POLICY)
    assert (found.verdict, found.threshold) == (verdict, 0.6)
    assert found.verdict_reason is not None
    assert found.verdict_reason.code is code


def test_rows_that_were_not_compared_have_no_verdict() -> None:
    found = judge_rows(MultivariateReport(reason=because("too few")), POLICY)
    assert (found.verdict, found.verdict_reason, str(found.reason)) == (Verdict.NOT_JUDGED, None, "too few")


def past_of(**changes: float) -> PastThresholds:
    by_name = {"missing": MISSING, "out_of_range": OUT_OF_RANGE, "area": SEPARABILITY}
    return PastThresholds(
        changes={by_name.get(name, name): value for name, value in changes.items()}, windows=because("40 past windows")
    )


MOVED = comparison(evidence=Evidence("t", 9.0, 0.001), effects={"jensen_shannon_distance": 0.2})
LOST = comparison(missing_fraction=0.3, missing_evidence=Evidence("t", 9.0, 1e-6))
BEYOND = comparison(out_of_range_fraction=0.02, tail_evidence=Evidence("t", 9.0, 1e-6))
HEAVIER = comparison(tail_evidence=Evidence("t", 9.0, 1e-6), effects={"wasserstein_distance": 0.4})


@pytest.mark.parametrize(
    ("found", "below", "above", "within"),
    [
        (
            MOVED,
            {"jensen_shannon_distance": 0.19},
            {"jensen_shannon_distance": 0.25},
            "the Jensen-Shannon distance 0.2",
        ),
        (LOST, {"missing": 0.29}, {"missing": 0.35}, "the missing fraction 0.3"),
        (BEYOND, {"out_of_range": 0.01}, {"out_of_range": 0.03}, "the out-of-range fraction 0.02"),
        (HEAVIER, {"wasserstein_distance": 0.3}, {"wasserstein_distance": 0.5}, "the Wasserstein distance 0.4"),
    ],
)
def test_change_drifts_only_where_it_exceeds_what_its_past_shows(
    found: ColumnComparison, below: dict[str, float], above: dict[str, float], within: str
) -> None:
    news, known = of_cases(case(found, past=past_of(**below)), case(found, past=past_of(**above)))
    assert news.verdict is Verdict.DRIFT
    assert str(news.reason).endswith("; which is more than its own past shows, by 40 past windows")
    assert known.verdict is Verdict.NO_DRIFT
    assert str(known.reason).startswith(f"no more than its own past shows: {within} does not exceed")
    assert known.reason is not None
    assert known.reason.code is ReasonCode.WITHIN_PAST


def test_change_above_its_past_and_below_the_policy_is_no_drift() -> None:
    (found,) = of_cases(
        case(comparison(evidence=Evidence("t", 9.0, 0.001)), past=past_of(jensen_shannon_distance=0.01))
    )
    assert found.verdict is Verdict.NO_DRIFT
    assert found.past_threshold == 0.01


def test_values_out_of_range_as_ever_may_lie_farther_out_than_ever() -> None:
    found = replace(BEYOND, effects={**EFFECTS, "wasserstein_distance": 9.0})
    (report,) = of_cases(case(found, past=past_of(out_of_range=0.03, wasserstein_distance=0.5)))
    assert report.verdict is Verdict.DRIFT
    assert str(report.reason).startswith("more values lie far out")


def test_feature_without_a_past_is_judged_by_the_policy_alone() -> None:
    (found,) = of_cases(case(MOVED))
    assert found.verdict is Verdict.DRIFT
    assert found.past_threshold is None
    assert "past" not in str(found.reason)


@pytest.mark.parametrize(("area", "verdict"), [(0.75, Verdict.NO_DRIFT), (0.76, Verdict.DRIFT)])
def test_whole_rows_drift_only_where_they_are_more_separable_than_in_the_past(area: float, verdict: Verdict) -> None:
    measured = MultivariateReport(status=Status.ESTIMATED, area_under_curve=area, p_value=0.001)
    found = judge_rows(measured, POLICY, past_of(area=0.75))
    assert (found.verdict, found.threshold, found.past_threshold) == (verdict, 0.6, 0.75)
    assert "own past shows" in str(found.verdict_reason)
