"""drift_report.json: the shape survives the file, and a broken one is refused by name."""

import json
import re

import pytest

from contract.records import (
    Contributor,
    DriftReport,
    FeatureReport,
    FeatureType,
    IsolationForestSimilarity,
    MultivariateReport,
    ProjectedAccuracy,
    RecentReport,
    RecordCounts,
    SegmentReport,
    Status,
    Verdict,
    Violation,
    WindowBounds,
    finite,
)
from tests.reports import because

AGE = FeatureReport(
    name="age",
    type=FeatureType.NUMERIC,
    effects={"drift_score": 31.5},
    unreadable={"not_a_number": 3},
    top_contributors=(Contributor("[30, 40)", 0.1, 0.3),),
    violation=Violation.DATA_TYPE,
    verdict=Verdict.DRIFT,
)
REPORT = DriftReport(
    window=WindowBounds("2026-01-05T00:00:00Z", "2026-01-05T01:00:00Z"),
    endpoint="plumbline-dev",
    schedule="plumbline-dev-hourly",
    records=RecordCounts(read=12, used=10, rejected={"not_json": 2}, examples={"not_json": ("a.jsonl:3", "a.jsonl:9")}),
    n_rows=100,
    verdict=Verdict.DRIFT,
    reason=because("drift in age"),
    features=(
        AGE,
        FeatureReport(name="sex", type=FeatureType.CATEGORICAL, effects={"drift_score": 1.5}, verdict=Verdict.NO_DRIFT),
    ),
    prediction=FeatureReport(name="probability", type=FeatureType.NUMERIC, reason=because("not captured")),
    projected_accuracy=ProjectedAccuracy(status=Status.ESTIMATED, estimate=0.84, lower=0.82, upper=0.86),
    isolation_forest_similarity=IsolationForestSimilarity(reason=because("switched off")),
    rule="drift if any feature drifts",
    recent=RecentReport(verdict=Verdict.NO_DRIFT, n_windows=24, n_rows=2400, features=(AGE,), prediction=AGE),
    segments=(SegmentReport(kind="variant", value="A", n_rows=9, verdict=Verdict.DRIFT, reason=None, features=(AGE,)),),
    multivariate=MultivariateReport(status=Status.ESTIMATED, area_under_curve=0.7, p_value=0.01),
)


def test_report_survives_the_file() -> None:
    assert DriftReport.from_json(REPORT.to_json()) == REPORT


def test_equal_reports_are_equal_bytes() -> None:
    assert DriftReport.from_json(REPORT.to_json()).to_json() == REPORT.to_json()


def test_drifted_features_are_those_whose_verdict_is_drift() -> None:
    assert REPORT.drifted_features == ("age",)


def test_fails_when_a_record_is_lost() -> None:
    with pytest.raises(ValueError, match="read must equal used plus rejected"):
        RecordCounts(read=3, used=1, rejected={"not_json": 1})


def test_fails_on_nan() -> None:
    broken = ProjectedAccuracy(status=Status.ESTIMATED, estimate=float("nan"))
    with pytest.raises(ValueError, match="not JSON compliant"):
        DriftReport(**{**vars(REPORT), "projected_accuracy": broken}).to_json()


@pytest.mark.parametrize("text", ['{"version": 3}', '{"version": 5}', "[]", "{}"])
def test_fails_on_a_version_it_does_not_know(text: str) -> None:
    with pytest.raises(ValueError, match="version must be 4"):
        DriftReport.from_json(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_json_has_no_word_for_become_none(value: float) -> None:
    assert finite(value) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_rows": "many"}, "DriftReport.n_rows must be int, got str"),
        ({"n_rows": True}, "DriftReport.n_rows must be int, got bool"),
        ({"window": []}, "DriftReport.window must be an object, got list"),
        ({"features": {}}, "DriftReport.features must be a list, got dict"),
        ({"window": {"start": None}}, "differs in end"),
        ({"more": 1}, "DriftReport must have the keys of this version, differs in more"),
        ({"verdict": "perhaps"}, "'perhaps' is not a valid Verdict"),
    ],
)
def test_a_report_with_another_shape_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        DriftReport.from_json(json.dumps({**json.loads(REPORT.to_json()), **changes}))
