"""drift_report.json: the shape survives the file, and a broken one is refused by name."""

import json

import pytest

from contract.records import (
    DriftReport,
    FeatureReport,
    FeatureType,
    IsolationForestSimilarity,
    ProjectedAccuracy,
    RecordCounts,
    Status,
    Verdict,
    WindowBounds,
    finite,
)

REPORT = DriftReport(
    window=WindowBounds("2026-01-05T00:00:00Z", "2026-01-05T01:00:00Z"),
    endpoint="plumbline-dev",
    schedule="plumbline-dev-hourly",
    records=RecordCounts(read=12, used=10, rejected={"not_json": 2}),
    n_rows=100,
    verdict=Verdict.DRIFT,
    reason="drift in age",
    features=(
        FeatureReport(name="age", type=FeatureType.NUMERIC, drift_score=31.5, verdict=Verdict.DRIFT),
        FeatureReport(name="sex", type=FeatureType.CATEGORICAL, drift_score=1.5, verdict=Verdict.NO_DRIFT),
    ),
    prediction=FeatureReport(name="probability", type=FeatureType.NUMERIC, reason="not captured"),
    projected_accuracy=ProjectedAccuracy(status=Status.ESTIMATED, estimate=0.84, lower=0.82, upper=0.86),
    isolation_forest_similarity=IsolationForestSimilarity(reason="switched off"),
)


def test_report_survives_the_file() -> None:
    assert DriftReport.from_json(REPORT.to_json()) == REPORT


def test_equal_reports_are_equal_bytes() -> None:
    assert DriftReport.from_json(REPORT.to_json()).to_json() == REPORT.to_json()


def test_report_has_the_keys_that_the_readme_promises() -> None:
    written = json.loads(REPORT.to_json())

    assert set(written) == {
        "version",
        "window",
        "endpoint",
        "schedule",
        "records",
        "n_rows",
        "verdict",
        "reason",
        "features",
        "prediction",
        "projected_accuracy",
        "isolation_forest_similarity",
    }
    assert set(written["records"]) == {"read", "used", "rejected"}
    assert set(written["window"]) == {"start", "end"}
    assert set(written["features"][0]) == set(written["prediction"])
    assert set(written["features"][0]) == {
        "name",
        "type",
        "drift_score",
        "test",
        "statistic",
        "p_value",
        "p_value_adjusted",
        "wasserstein_distance",
        "jensen_shannon_distance",
        "missing_fraction",
        "missing_fraction_reference",
        "unseen_fraction",
        "out_of_range_fraction",
        "verdict",
        "reason",
    }
    assert set(written["projected_accuracy"]) == {
        "status",
        "reason",
        "estimate",
        "lower",
        "upper",
        "reference",
        "drop",
        "method",
    }
    assert set(written["isolation_forest_similarity"]) == {"status", "reason", "relative_difference_percent"}


def test_drifted_features_are_those_whose_verdict_is_drift() -> None:
    assert REPORT.drifted_features == ("age",)


def test_fails_when_a_record_is_lost() -> None:
    with pytest.raises(ValueError, match="read must equal used plus rejected"):
        RecordCounts(read=3, used=1, rejected={"not_json": 1})


def test_fails_on_nan() -> None:
    broken = ProjectedAccuracy(status=Status.ESTIMATED, estimate=float("nan"))
    with pytest.raises(ValueError, match="not JSON compliant"):
        DriftReport(**{**vars(REPORT), "projected_accuracy": broken}).to_json()


@pytest.mark.parametrize("text", ['{"version": 2}', "[]", "{}"])
def test_fails_on_a_version_it_does_not_know(text: str) -> None:
    with pytest.raises(ValueError, match="version must be 1"):
        DriftReport.from_json(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_json_has_no_word_for_become_none(value: float) -> None:
    assert finite(value) is None
