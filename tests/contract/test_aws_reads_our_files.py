"""AWS's own tools read the three files of a run: shapes and texts recorded from real files and from AWS's readers.

Sources: aws/amazon-sagemaker-examples 2d519b5 (visualization/utils.py: the table of violations and the charts; the
notebook sm-model_monitor_introduction with its real files), aws/sagemaker-python-sdk a248126 (monitoring_files.py), and
public readers of descriptions, which match ``distance: (.+) exceeds threshold: (.+)``.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plumbline.contract.names import ReportFile
from plumbline.contract.records import DriftReport, Verdict
from plumbline.contract.records import Violation as BrokenPayload
from plumbline.drift.data.table import table
from plumbline.drift.reference.learn import learn
from plumbline.drift.run import monitor
from tests.contract.schemas import VIOLATIONS
from tests.unit.drift.builders import SPECS, record, write_capture

TARGET = "income"
CHECKS = VIOLATIONS["properties"]["violations"]["items"]["properties"]["constraint_check_type"]["enum"]

REAL_CONSTRAINTS = {
    "version": 0.0,
    "features": [
        {
            "name": "Churn",
            "inferred_type": "Integral",
            "completeness": 1.0,
            "num_constraints": {"is_non_negative": True},
        },
        {
            "name": "State",
            "inferred_type": "String",
            "completeness": 1.0,
            "string_constraints": {"domains": ["MI", "OH"]},
        },
    ],
    "monitoring_config": {
        "evaluate_constraints": "Enabled",
        "emit_metrics": "Enabled",
        "datatype_check_threshold": 1.0,
        "domain_content_threshold": 1.0,
        "distribution_constraints": {
            "perform_comparison": "Enabled",
            "comparison_threshold": 0.1,
            "comparison_method": "Robust",
            "categorical_comparison_threshold": 0.1,
            "categorical_drift_method": "LInfinity",
        },
    },
}
REAL_STATISTICS = {
    "version": 0.0,
    "dataset": {"item_count": 190},
    "features": [
        {
            "name": "label",
            "inferred_type": "Integral",
            "numerical_statistics": {
                "common": {"num_present": 190, "num_missing": 0},
                "mean": 1.2052631578947368,
                "sum": 229.0,
                "std_dev": 0.7362591679068381,
                "min": 0.0,
                "max": 2.0,
                "approximate_num_distinct_values": 3,
                "completeness": 1.0,
                "distribution": {"kll": {"buckets": [{"lower_bound": 0.0, "upper_bound": 2.0, "count": 190.0}]}},
            },
        },
        {
            "name": "State",
            "inferred_type": "String",
            "string_statistics": {
                "common": {"num_present": 190, "num_missing": 0},
                "distinct_count": 51.0,
                "completeness": 1.0,
                "distribution": {"categorical": {"buckets": [{"value": "MI", "count": 190}]}},
            },
        },
    ],
}


def rows(kind: str, n: int = 400) -> list[str]:
    """Payloads: as in training, of other values, with cells that are missing or of another type."""
    ordinary = [f"{20 + number % 50},{'abc'[number % 3]},{number % 40}" for number in range(n)]
    changed = {
        "ordinary": ordinary,
        "shifted": [f"{70 + number % 5},{'xyz'[number % 3]},{number % 40}" for number in range(n)],
        "missing": [f"?,{'abc'[number % 3]},{number % 40}" for number in range(n)],
        "texts": [f"{'old' if number % 4 else number % 50},a,{number % 40}" for number in range(n)],
        "few": ordinary[:1],
        "none": [],
    }
    return changed[kind]


KINDS = ("ordinary", "shifted", "missing", "texts", "few", "none")


@pytest.fixture(scope="module", params=KINDS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, DriftReport]:
    folder = tmp_path_factory.mktemp(request.param)
    cells = [(20.0 + number % 50, "abc"[number % 3], float(number % 40)) for number in range(1200)]
    reference = table(SPECS, cells)
    baseline = learn(
        train=reference,
        target_label=TARGET,
        test=reference,
        test_labels=[">50K" if number % 2 else "<=50K" for number in range(1200)],
        probabilities=np.array([0.8 if number % 2 else 0.2 for number in range(1200)]),
    )
    answer = 0.99 if request.param == "shifted" else 0.2
    records = [
        record(text, f"{0.8 if number % 2 else answer}", event_id=str(number))
        for number, text in enumerate(rows(request.param))
    ]
    source = write_capture(folder / "capture", records)
    report = monitor(dataset_source=source, baseline=baseline, output=folder / "out")
    return request.param, folder / "out", report


def loaded(folder: Path, name: ReportFile) -> Any:
    return json.loads((folder / name).read_text())


def names(document: Any) -> list[str]:
    return [feature["name"] for feature in document["features"]]


def violation_table(baseline: Any, latest: Any, violations: list[Any]) -> dict[str, dict[str, Any]]:
    """Return what AWS's table of violations shows, found as AWS finds it: every look-up may raise."""
    found: dict[str, dict[str, Any]] = {}
    for kind, features in (("baseline", baseline["features"]), ("latest", latest["features"])):
        for feature in features:
            found.setdefault(feature["name"], {})[kind] = feature
    for violation in violations:
        found.setdefault(violation["feature_name"], {}).setdefault("violations", []).append(violation)
    shown = {}
    for name, feature in found.items():
        kind = feature["latest"]["inferred_type"]
        statistics = feature["latest"]["string_statistics" if kind == "String" else "numerical_statistics"]
        common = statistics["common"]
        shown[name] = {
            "completeness": common["num_present"] / (common["num_present"] + common["num_missing"]),
            "drift": figure(feature, "baseline_drift_check", r"distance: (.+) exceeds"),
            "categories": figure(feature, "categorical_values_check", r"Value: (.+) does not meet the constraint req"),
        }
    return shown


def figure(feature: Any, check: str, pattern: str) -> float | None:
    descriptions = [
        one["description"] for one in feature.get("violations", ()) if one["constraint_check_type"] == check
    ]
    matches = [re.search(pattern, description) for description in descriptions]
    return next((float(match.group(1)) for match in matches if match), None)


def test_the_prediction_comes_first_under_the_targets_name(run: tuple[str, Path, DriftReport]) -> None:
    kind, folder, _ = run
    expected = [TARGET, *(spec.name for spec in SPECS)]
    assert names(loaded(folder, ReportFile.CONSTRAINTS)) == expected
    assert names(loaded(folder, ReportFile.STATISTICS)) == ([] if kind == "none" else expected)
    violated = [one["feature_name"] for one in loaded(folder, ReportFile.VIOLATIONS)["violations"]]
    assert set(violated) <= set(expected)
    assert violated == sorted(violated, key=expected.index)


def test_awss_table_of_violations_finds_every_column(run: tuple[str, Path, DriftReport]) -> None:
    kind, folder, report = run
    latest = loaded(folder, ReportFile.STATISTICS)
    shown = violation_table(latest, latest, loaded(folder, ReportFile.VIOLATIONS)["violations"])
    drifted = {name for name, row in shown.items() if row["drift"] is not None}
    if report.verdict is Verdict.DRIFT and kind == "shifted":
        assert {TARGET, "age", "workclass"} <= drifted
        assert shown["workclass"]["categories"] == 0
    assert kind in {"missing", "texts", "shifted"} or not drifted


def test_readers_of_descriptions_find_numbers(run: tuple[str, Path, DriftReport]) -> None:
    for violation in loaded(run[1], ReportFile.VIOLATIONS)["violations"]:
        assert violation["constraint_check_type"] in CHECKS
        first, *ours = violation["description"].split("\n")
        if violation["constraint_check_type"] == "baseline_drift_check":
            match = re.search("distance: (.+) exceeds threshold: (.+)", violation["description"])
            assert match is not None
            assert float(match.group(1)) >= float(match.group(2)) > 0
            assert first == f"Baseline drift {match.group(0)}"
            assert ours


def test_every_check_of_a_broken_payload_is_one_of_awss() -> None:
    assert {violation.value for violation in BrokenPayload} <= set(CHECKS)


def keys(document: Any, at: str = "") -> set[str]:
    """Return the path of every key, list entries as []."""
    if isinstance(document, dict):
        return {f"{at}.{key}" for key in document} | {
            path for key, one in document.items() for path in keys(one, f"{at}.{key}")
        }
    return {path for one in document for path in keys(one, f"{at}[]")} if isinstance(document, list) else set()


def test_the_files_have_every_key_that_real_ones_have(run: tuple[str, Path, DriftReport]) -> None:
    kind, folder, _ = run
    assert keys(REAL_CONSTRAINTS) <= keys(loaded(folder, ReportFile.CONSTRAINTS))
    if kind in {"ordinary", "shifted"}:
        assert keys(REAL_STATISTICS) <= keys(loaded(folder, ReportFile.STATISTICS))


def test_thresholds_are_fractions_that_must_comply(run: tuple[str, Path, DriftReport]) -> None:
    config = loaded(run[1], ReportFile.CONSTRAINTS)["monitoring_config"]
    assert 0.5 <= config["datatype_check_threshold"] <= 1
    assert 0.5 <= config["domain_content_threshold"] <= 1


def test_the_sdk_switches_single_features_of_text_off(run: tuple[str, Path, DriftReport]) -> None:
    # Constraints.set_monitoring looks for string_constraints, without a default.
    document = loaded(run[1], ReportFile.CONSTRAINTS)
    texts = [feature for feature in document["features"] if feature["inferred_type"] == "String"]
    assert texts
    for feature in texts:
        feature["string_constraints"].setdefault("monitoring_config_overrides", {})["evaluate_constraints"] = "Disabled"
