"""Every file of a run against its schema, for windows of every kind; and AWS's own samples against ours."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from plumbline.contract.names import ReportFile
from plumbline.contract.quality import QualityReport
from plumbline.contract.records import WindowBounds
from plumbline.drift.data.table import table
from plumbline.drift.judge.analysis import analyse, reference_sample, window_sample, with_quality
from plumbline.drift.judge.comparison import RunContext
from plumbline.drift.judge.over_time import WindowTimes, judge_over_time
from plumbline.drift.judge.window_state import EarlierState
from plumbline.drift.reference.learn import learn
from plumbline.drift.report.files import write_reports
from plumbline.drift.report.metrics import metrics_file, of_report
from plumbline.drift.settings.policy import Policy
from tests.contract import schemas
from tests.unit.drift.builders import SPECS, read_window, record, write_capture

SCHEMAS = {
    ReportFile.STATISTICS: schemas.STATISTICS,
    ReportFile.CONSTRAINTS: schemas.CONSTRAINTS,
    ReportFile.VIOLATIONS: schemas.VIOLATIONS,
    ReportFile.DRIFT_REPORT: schemas.DRIFT_REPORT,
    ReportFile.WINDOW_COUNTS: schemas.WINDOW_COUNTS,
    ReportFile.WINDOW_STATE: schemas.WINDOW_STATE,
}
WINDOWS = {
    "ordinary": ["41,a,40"] * 150 + ["30,b,20"] * 150,
    "drifted": ["41,new,90"] * 300,
    "missing": ["?,?,?"] * 300,
    "extreme": ["1.7e308,a,-1.7e308", "-1.7e308,a,1.7e308"] * 150,
    "few": ["41,a,40"],
    "none": [],
    "malformed": ["1", "x,y,z", "41,a,40,50"],
}

HOUR = WindowBounds("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z")


def assert_valid(document: Any, schema: schemas.Schema) -> None:
    problems = [error.message for error in Draft202012Validator(schema).iter_errors(document)]
    assert not problems


def strict(text: str) -> Any:
    """Parse JSON and refuse NaN and Infinity, which JSON has no word for."""
    return json.loads(text, parse_constant=pytest.fail)


@pytest.fixture(params=WINDOWS)
def run_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    rows = [(40.0, "a", 40.0), (30.0, "b", 20.0)] * 300
    labels = [">50K", "<=50K"] * 300
    baseline = learn(
        train=table(SPECS, rows),
        target_label="income",
        test=table(SPECS, rows),
        test_labels=labels,
        probabilities=np.array([0.9, 0.1] * 300),
    )
    data = write_capture(tmp_path / "data", [record(text) for text in WINDOWS[request.param]])
    window = read_window(data, baseline, WindowBounds())
    context = RunContext(policy=Policy(), endpoint="e", isolation_forest=request.param == "ordinary")
    report = with_quality(analyse(baseline, window, context), QualityReport())
    times = WindowTimes(own=HOUR, start=HOUR.start)
    sides = reference_sample(baseline, window), window_sample(baseline, window)
    over_time = judge_over_time(
        baseline.specs, *sides, context, times=times, n_rows=window.n_rows, earlier=EarlierState(is_searched=True)
    )
    report = replace(report, over_time=over_time.report)
    write_reports(tmp_path / "out", report, baseline, window, Policy(), over_time.state)
    (tmp_path / "out" / "metrics.jsonl").write_text(metrics_file(of_report(report), "2026-11-22T13:05:00Z"))
    return tmp_path / "out"


@pytest.mark.parametrize("name", list(ReportFile))
def test_a_report_file_has_the_documented_keys_and_types(run_folder: Path, name: ReportFile) -> None:
    assert_valid(strict((run_folder / name).read_text()), SCHEMAS[name])


def test_every_line_of_the_metrics_file_is_a_metric(run_folder: Path) -> None:
    for line in (run_folder / "metrics.jsonl").read_text().splitlines():
        assert_valid(strict(line), schemas.METRIC_LINE)


# The structures that AWS's pages print, with numbers in the places where the pages say "number".
AWS_STATISTICS = """
{"version": 0, "dataset": {"item_count": 4}, "features": [
  {"name": "feature-name", "inferred_type": "Fractional", "numerical_statistics": {
    "common": {"num_present": 4, "num_missing": 0}, "mean": 1.5, "sum": 6, "std_dev": 0.5, "min": 1, "max": 2,
    "distribution": {"kll": {
      "buckets": [{"lower_bound": 1, "upper_bound": 2, "count": 4}],
      "sketch": {"parameters": {"c": 0.64, "k": 2048}, "data": [[1, 1, 2, 2], [1, 2]]}}}}},
  {"name": "feature-name", "inferred_type": "String", "string_statistics": {
    "common": {"num_present": 4, "num_missing": 0}, "distinct_count": 1,
    "distribution": {"categorical": {"buckets": [{"value": "string", "count": 4}]}}}}]}
"""
AWS_CONSTRAINTS = """
{"version": 0, "features": [{"name": "string", "inferred_type": "Integral", "completeness": 1.0,
  "num_constraints": {"is_non_negative": true},
  "string_constraints": {"domains": ["list of", "observed values", "for small cardinality"]},
  "monitoringConfigOverrides": {}}],
 "monitoring_config": {"evaluate_constraints": "Enabled", "emit_metrics": "Enabled", "datatype_check_threshold": 0.1,
  "domain_content_threshold": 0.1, "distribution_constraints": {"perform_comparison": "Enabled",
   "comparison_threshold": 0.1, "comparison_method": "Simple", "categorical_comparison_threshold": 0.1,
   "categorical_drift_method": "LInfinity"}}}
"""
AWS_VIOLATIONS = """
{"violations": [{"feature_name": "string", "constraint_check_type": "data_type_check", "description": "string"}]}
"""


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        (AWS_STATISTICS, schemas.STATISTICS),
        (AWS_CONSTRAINTS, schemas.CONSTRAINTS),
        (AWS_VIOLATIONS, schemas.VIOLATIONS),
    ],
)
def test_the_structures_of_awss_pages_fit_our_schemas(text: str, schema: schemas.Schema) -> None:
    assert_valid(strict(text), schema)


def test_the_schemas_refuse_what_they_do_not_name() -> None:
    document = {"violations": [{"feature_name": "x", "constraint_check_type": "drift", "description": "y"}]}
    assert not Draft202012Validator(schemas.VIOLATIONS).is_valid(document)
    assert not Draft202012Validator(schemas.VIOLATIONS).is_valid({"violations": [], "version": "1.0"})
