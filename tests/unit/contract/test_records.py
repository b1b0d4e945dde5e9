"""drift_report.json: the shape survives the file, and a broken one is refused by name."""

import ast
import json
import re
from dataclasses import replace
from pathlib import Path
from string import Formatter

import pytest

from plumbline.contract.decoding import decode
from plumbline.contract.reasons import Reason, ReasonCode, has_code, joined
from plumbline.contract.records import (
    SWITCHED_OFF,
    Contributor,
    DriftReport,
    FeatureReport,
    FeatureType,
    IsolationForestSimilarity,
    MultivariateReport,
    OverTimeFeature,
    OverTimeReport,
    ProjectedAccuracy,
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
    isolation_forest_similarity=IsolationForestSimilarity(reason=SWITCHED_OFF),
    rule="drift if any feature drifts",
    over_time=OverTimeReport(
        verdict=Verdict.NO_DRIFT,
        alpha=0.05,
        evidence_threshold=12.5,
        n_windows=24,
        n_rows=2400,
        features=(OverTimeFeature(name="age", evidence=1.5, difference=-0.25),),
    ),
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


@pytest.mark.parametrize("text", ['{"version": 4}', '{"version": 6}', "[]", "{}"])
def test_fails_on_a_version_it_does_not_know(text: str) -> None:
    with pytest.raises(ValueError, match="version must be 5"):
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
        ({"features": [{"type": "numeric"}]}, "DriftReport.features[0] must have the keys of this version, lacks name"),
        ({"reason": {"text": "why"}}, "DriftReport.reason must have the keys of this version, lacks code"),
        ({"verdict": "perhaps"}, "'perhaps' is not a valid Verdict"),
    ],
)
def test_a_report_with_another_shape_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        DriftReport.from_json(json.dumps({**json.loads(REPORT.to_json()), **changes}))


def test_unknown_keys_are_left_out_at_any_depth() -> None:
    document = json.loads(REPORT.to_json()) | {"later": {"deep": [1]}}
    document["features"][0]["population_stability_index"] = 0.3
    document["features"][0]["effects"]["population_stability_index"] = 0.3
    read = DriftReport.from_json(json.dumps(document))
    assert read.features[0].effects == {"drift_score": 31.5, "population_stability_index": 0.3}
    assert replace(read, features=REPORT.features) == REPORT


def test_absent_optional_keys_take_their_default() -> None:
    document = json.loads(REPORT.to_json())
    for name in ("over_time", "segments", "multivariate", "quality", "rule"):
        del document[name]
    del document["features"][0]["top_contributors"]
    read = DriftReport.from_json(json.dumps(document))
    assert (read.over_time, read.segments, read.rule) == (OverTimeReport(), (), "")
    assert read.features[0] == replace(AGE, top_contributors=())


def test_a_required_key_stays_required() -> None:
    document = json.loads(REPORT.to_json())
    del document["verdict"], document["n_rows"]
    with pytest.raises(ValueError, match="DriftReport must have the keys of this version, lacks n_rows, verdict"):
        DriftReport.from_json(json.dumps(document))


def test_a_reason_of_a_later_version_keeps_its_text() -> None:
    read = decode(Reason, {"code": "of_a_later_version", "text": "why"})
    assert (read.code, str(read)) == (ReasonCode.OTHER, "why")


def test_reasons_are_joined_under_the_code_of_the_first() -> None:
    first, second = ReasonCode.NO_RECORDS.reason(), because("more")
    assert joined(None, first, None, second) == Reason(ReasonCode.NO_RECORDS, "no records in the window; more")
    assert joined(None) is None
    assert has_code(first, ReasonCode.NO_RECORDS)
    assert not has_code(None, ReasonCode.NO_RECORDS)


def test_every_reason_is_given_the_fields_of_its_text() -> None:
    """A missing field would fail only when the reason is given, and a part of the report with it."""
    root = Path(__file__).parents[3]
    given = [
        (path.name, node.lineno, node.func.value.attr, {keyword.arg for keyword in node.keywords})
        for path in [*root.glob("contract/*.py"), *root.glob("container/**/*.py")]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "reason"
        and isinstance(node.func.value, ast.Attribute)
        and getattr(node.func.value.value, "id", "") == "ReasonCode"
    ]
    fields = {code.name: {name for _, name, _, _ in Formatter().parse(code.template) if name} for code in ReasonCode}
    assert len(given) > len(ReasonCode) / 2
    assert [one for one in given if fields[one[2]] != one[3]] == []
