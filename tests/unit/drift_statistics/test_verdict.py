from dataclasses import replace

import pytest
from drift.features import Comparison
from drift.policy import Policy
from drift.statistics.evidence import Evidence
from drift.verdict import judge_features, judge_window, refusal

from contract.records import FeatureReport, FeatureType, RecordCounts, Verdict

POLICY = Policy(alpha=0.05, effect_threshold=0.1, missing_threshold=0.05, minimum_rows=200)


def comparison(**changes: object) -> Comparison:
    quiet = Comparison(
        name="age",
        type=FeatureType.NUMERIC,
        evidence=Evidence("t", 1.0, 0.5),
        drift_score=10.0,
        jensen_shannon_distance=0.02,
        missing_fraction=0.0,
        missing_fraction_reference=0.0,
        missing_evidence=Evidence("t", 0.0, 1.0),
    )
    return replace(quiet, **changes)  # type: ignore[arg-type]


def judged(*comparisons: Comparison, refused: str = "") -> list[FeatureReport]:
    return judge_features(comparisons, POLICY, refused)


def test_significant_and_large_is_drift() -> None:
    (report,) = judged(comparison(evidence=Evidence("t", 9.0, 0.001), jensen_shannon_distance=0.2))
    assert report.verdict is Verdict.DRIFT
    assert report.reason == "adjusted p 0.001 is below 0.05 and the Jensen-Shannon distance 0.2 reaches 0.1"


def test_a_distance_that_reaches_the_threshold_exactly_is_drift() -> None:
    (report,) = judged(comparison(evidence=Evidence("t", 9.0, 0.001), jensen_shannon_distance=0.1))
    assert report.verdict is Verdict.DRIFT


def test_significant_but_small_is_no_drift() -> None:
    (report,) = judged(comparison(evidence=Evidence("t", 9.0, 1e-30), jensen_shannon_distance=0.04))
    assert report.verdict is Verdict.NO_DRIFT
    assert report.reason == "the Jensen-Shannon distance 0.04 is below 0.1"


def test_large_but_not_significant_is_no_drift() -> None:
    (report,) = judged(comparison(evidence=Evidence("t", 9.0, 0.05), jensen_shannon_distance=0.4))
    assert report.verdict is Verdict.NO_DRIFT
    assert report.reason == "adjusted p 0.05 is not below 0.05"


def test_the_effect_must_exceed_what_chance_reaches() -> None:
    evidence = Evidence("t", 9.0, 0.001)
    (report,) = judged(comparison(evidence=evidence, jensen_shannon_distance=0.2, chance_distance=0.25))
    assert report.verdict is Verdict.NO_DRIFT
    assert "below 0.25" in report.reason


def test_p_values_are_adjusted_over_all_features() -> None:
    loud = comparison(evidence=Evidence("t", 9.0, 0.03), jensen_shannon_distance=0.2)
    alone, among = judged(loud)[0], judged(loud, comparison(), comparison())[0]
    assert (alone.verdict, among.verdict) == (Verdict.DRIFT, Verdict.NO_DRIFT)
    assert among.p_value == 0.03
    assert among.p_value_adjusted == pytest.approx(0.09)


def test_a_feature_without_a_test_does_not_count_in_the_adjustment() -> None:
    unknown = comparison(evidence=None, missing_evidence=None, reason="every value is missing in the reference")
    report, other = judged(comparison(evidence=Evidence("t", 9.0, 0.03)), unknown)
    assert report.p_value_adjusted == 0.03
    assert (other.verdict, other.p_value_adjusted) == (Verdict.NOT_JUDGED, None)
    assert other.reason == "every value is missing in the reference"


def test_a_moved_missing_fraction_is_drift() -> None:
    (report,) = judged(comparison(missing_fraction=0.06, missing_evidence=Evidence("t", 9.0, 1e-6)))
    assert report.verdict is Verdict.DRIFT
    assert report.reason == "the missing fraction moved from 0 to 0.06 (adjusted p 1e-06)"


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
        reason="every value is missing in the window",
    )
    (report,) = judged(gone)
    assert report.verdict is Verdict.DRIFT
    assert "every value is missing in the window" in report.reason


def test_a_refused_window_keeps_its_numbers_and_judges_no_feature() -> None:
    loud = comparison(evidence=Evidence("t", 9.0, 1e-9), jensen_shannon_distance=0.5)
    (report,) = judged(loud, refused="12 rows, fewer than the minimum of 200")
    assert report.verdict is Verdict.NOT_JUDGED
    assert report.reason == "the window is not judged: 12 rows, fewer than the minimum of 200"
    assert report.drift_score == 10.0


@pytest.mark.parametrize(
    ("records", "n_rows", "expected"),
    [
        (RecordCounts(), 0, "no records in the window"),
        (RecordCounts(5, 0, {"not_json": 5}), 0, "none of the 5 records in the window could be used"),
        (RecordCounts(12, 12), 12, "12 rows, fewer than the minimum of 200"),
        (RecordCounts(199, 199), 199, "199 rows, fewer than the minimum of 200"),
        (RecordCounts(200, 200), 200, ""),
    ],
)
def test_a_window_too_small_to_judge_says_which(records: RecordCounts, n_rows: int, expected: str) -> None:
    assert refusal(records, n_rows, POLICY) == expected


def report(name: str, verdict: Verdict) -> FeatureReport:
    return FeatureReport(name=name, type=FeatureType.NUMERIC, verdict=verdict)


def test_the_window_drifts_with_any_feature_and_names_them() -> None:
    features = [report("age", Verdict.DRIFT), report("sex", Verdict.NO_DRIFT), report("race", Verdict.DRIFT)]
    outcome = judge_window(features, report("probability", Verdict.NOT_JUDGED), "")
    assert outcome.verdict is Verdict.DRIFT
    assert outcome.reason == "drift in age, race"


def test_the_window_drifts_with_the_prediction_alone() -> None:
    outcome = judge_window([report("age", Verdict.NO_DRIFT)], report("probability", Verdict.DRIFT), "")
    assert (outcome.verdict, outcome.reason) == (Verdict.DRIFT, "drift in the prediction")


def test_features_without_a_verdict_are_named_in_a_quiet_window() -> None:
    features = [report("age", Verdict.NO_DRIFT), report("sex", Verdict.NOT_JUDGED)]
    outcome = judge_window(features, report("probability", Verdict.NO_DRIFT), "")
    assert (outcome.verdict, outcome.reason) == (Verdict.NO_DRIFT, "no feature drifted; not judged: sex")


def test_a_window_in_which_nothing_could_be_judged_is_not_quiet() -> None:
    outcome = judge_window([report("age", Verdict.NOT_JUDGED)], report("probability", Verdict.NO_DRIFT), "")
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_JUDGED, "no feature could be judged")


def test_a_refused_window_is_not_judged_whatever_its_features_say() -> None:
    outcome = judge_window([report("age", Verdict.DRIFT)], report("probability", Verdict.DRIFT), "no records")
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_JUDGED, "no records")
