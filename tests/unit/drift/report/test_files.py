import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plumbline.contract.description import exit_message
from plumbline.contract.names import ReportFile
from plumbline.contract.records import DriftReport, FeatureType, RecordCounts, Verdict, Violation, WindowBounds
from plumbline.contract.statistics import EffectMeasure
from plumbline.drift.data.counts import NumericCounts, ValueCounts, count
from plumbline.drift.data.documents import write_text
from plumbline.drift.data.table import table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.errors import PublishError
from plumbline.drift.judge.window_state import WindowState
from plumbline.drift.report.files import Json, constraints, statistics, violations, write_reports
from plumbline.drift.report.handover import short_message
from plumbline.drift.settings.policy import FeaturePolicy, Policy
from tests.oracles.counted_rows import CapturedWindow, count_rows
from tests.reports import because
from tests.unit.drift.builders import SPECS
from tests.unit.drift.reports import ABSENT, DRIFTED, NOT_JUDGED, REPORT, small_baseline

NAN = float("nan")


SOUND = replace(REPORT, features=tuple(feature for feature in REPORT.features if feature is not ABSENT))
"""The report of a window whose payload is as in training."""


def numeric(*values: float) -> ValueCounts:
    return count(FeatureType.NUMERIC, np.array(values, dtype=np.float64))


def categorical(*values: str | None) -> ValueCounts:
    return count(FeatureType.CATEGORICAL, np.array(values, dtype=object))


def described(column: ValueCounts) -> Json:
    (feature,) = statistics({"x": column}, column.n_rows)["features"]
    assert isinstance(feature, dict)
    return feature


def test_numeric_statistics_are_those_of_the_values() -> None:
    feature = described(numeric(0, 1, 2, 10, NAN))
    assert feature["inferred_type"] == "Integral"
    figures = feature["numerical_statistics"]
    assert figures["common"] == {"num_present": 4, "num_missing": 1}
    assert (figures["mean"], figures["sum"], figures["min"], figures["max"]) == (3.25, 13.0, 0.0, 10.0)
    assert (figures["completeness"], figures["approximate_num_distinct_values"]) == (0.8, 4)
    # Population standard deviation of 0, 1, 2, 10: sqrt(62.75 / 4).
    assert figures["std_dev"] == pytest.approx(3.960744879, abs=1e-9)


def test_ten_buckets_of_equal_width_hold_every_value_once() -> None:
    buckets = described(numeric(0, 1, 2, 10, 10, NAN))["numerical_statistics"]["distribution"]["kll"]["buckets"]
    assert [bucket["count"] for bucket in buckets] == [1, 1, 1, 0, 0, 0, 0, 0, 0, 2]
    assert [bucket["lower_bound"] for bucket in buckets] == list(range(10))
    assert [bucket["upper_bound"] for bucket in buckets] == list(range(1, 11))


def test_a_constant_column_has_one_bucket() -> None:
    figures = described(numeric(2.5, 2.5))["numerical_statistics"]
    assert figures["distribution"] == {"kll": {"buckets": [{"lower_bound": 2.5, "upper_bound": 2.5, "count": 2}]}}
    assert figures["std_dev"] == 0.0


def test_a_column_without_values_has_counts_only() -> None:
    assert described(numeric(NAN, NAN))["numerical_statistics"] == {
        "common": {"num_present": 0, "num_missing": 2},
        "completeness": 0.0,
    }


def test_a_cell_that_cannot_be_read_is_not_missing() -> None:
    column = NumericCounts(np.array([1.0]), np.array([1]), n_missing=1, unreadable={"not_a_number": 2})
    figures = described(column)["numerical_statistics"]
    assert figures["common"] == {"num_present": 3, "num_missing": 1}
    assert figures["completeness"] == 0.75


def test_a_window_without_rows_describes_no_column() -> None:
    assert statistics({"x": numeric()}, 0) == {"version": 0, "dataset": {"item_count": 0}, "features": []}


def test_a_figure_that_overflows_is_left_out() -> None:
    figures = described(numeric(-1.7e308, 1.7e308, 1.7e308, 1.7e308))["numerical_statistics"]
    assert figures["max"] == 1.7e308
    assert not {"sum", "mean", "std_dev", "distribution"} & set(figures)


def test_fractions_make_a_column_fractional() -> None:
    assert described(numeric(1, 1.5))["inferred_type"] == "Fractional"


def test_categories_are_listed_by_frequency() -> None:
    figures = described(categorical("b", "a", "b", "c", None))["string_statistics"]
    assert figures["distinct_count"] == 3
    assert figures["common"] == {"num_present": 4, "num_missing": 1}
    assert figures["distribution"]["categorical"]["buckets"] == [
        {"value": "b", "count": 2},
        {"value": "a", "count": 1},
        {"value": "c", "count": 1},
    ]


def test_many_categories_are_counted_and_the_most_frequent_listed() -> None:
    figures = described(categorical(*[str(number) for number in range(1500)], "7"))["string_statistics"]
    buckets = figures["distribution"]["categorical"]["buckets"]
    assert (figures["distinct_count"], len(buckets)) == (1500, 1000)
    assert buckets[0] == {"value": "7", "count": 2}


def test_constraints_describe_the_reference() -> None:
    document = constraints(small_baseline().counts, Policy(effect_threshold=0.2))
    age, work, hours = document["features"]
    assert age == {
        "name": "age",
        "inferred_type": "Integral",
        "completeness": 0.75,
        "num_constraints": {"is_non_negative": True},
    }
    assert work["string_constraints"] == {"domains": ["a", "b"]}
    assert hours["num_constraints"] == {"is_non_negative": False}
    assert document["monitoring_config"]["distribution_constraints"]["comparison_threshold"] == 0.2
    assert document["monitoring_config"]["distribution_constraints"]["categorical_comparison_threshold"] == 0.2
    # The fractions that must comply: the values of the reference's type, and nine tenths of the categories known.
    assert document["monitoring_config"]["datatype_check_threshold"] == 0.95
    assert document["monitoring_config"]["domain_content_threshold"] == 0.9


def test_constraints_say_what_a_feature_has_of_its_own() -> None:
    own = {"age": FeaturePolicy(effect_threshold=0.3), "hours": FeaturePolicy(ignore=True)}
    age, work, hours = constraints(small_baseline().counts, Policy(features=own))["features"]
    assert age["monitoringConfigOverrides"] == {
        "distribution_constraints": {
            "perform_comparison": "Enabled",
            "comparison_threshold": 0.3,
            "comparison_method": "Robust",
            "categorical_comparison_threshold": 0.3,
            "categorical_drift_method": "LInfinity",
        }
    }
    assert "monitoringConfigOverrides" not in work
    assert hours["monitoringConfigOverrides"] == {"evaluate_constraints": "Disabled"}


def test_constraints_of_an_empty_or_wide_column_claim_nothing() -> None:
    wide = categorical(*[str(number) for number in range(101)])
    empty, many = constraints({"empty": numeric(NAN), "many": wide}, Policy())["features"]
    assert empty == {"name": "empty", "inferred_type": "Unknown", "completeness": 0.0}
    assert "string_constraints" not in many


POLICY = Policy(alpha=0.05, missing_values_threshold=0.05)


def found_in(report: DriftReport, policy: Policy = POLICY) -> list[dict[str, str]]:
    return list(violations(report, small_baseline(), policy)["violations"])


def checks(report: DriftReport) -> list[tuple[str, str]]:
    return [(violation["feature_name"], violation["constraint_check_type"]) for violation in found_in(report)]


def test_a_drifted_feature_is_a_violation() -> None:
    assert checks(SOUND) == [("hours", "baseline_drift_check")]


def drifted(**more: Any) -> DriftReport:
    return replace(REPORT, features=(replace(DRIFTED, **more),))


@pytest.mark.parametrize(
    ("feature", "description"),
    [
        ({"effect_threshold": 0.1}, "Baseline drift distance: 0.5 exceeds threshold: 0.1\nmoved"),
        (
            {"effect_threshold": 20.0, "effect_measure": EffectMeasure.DRIFT_SCORE},
            "Baseline drift distance: 120.5 exceeds threshold: 20\nmoved",
        ),
        # The values stayed: more cells than before are missing, or fewer.
        (
            {"effect_threshold": 0.6, "missing_fraction": 0.3, "missing_fraction_reference": 0.1},
            "Baseline drift distance: 0.2 exceeds threshold: 0.05\nmoved",
        ),
        (
            {"effect_threshold": 0.6, "missing_fraction": 0.0, "missing_fraction_reference": 0.5},
            "Baseline drift distance: 0.5 exceeds threshold: 0.05\nmoved",
        ),
        ({"effect_threshold": 0.6}, "moved"),
        ({"effects": {}}, "moved"),
    ],
)
def test_the_description_of_drift_begins_as_awss_does(feature: dict[str, Any], description: str) -> None:
    assert found_in(drifted(**feature))[0]["description"] == description


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("violation", list(Violation))
def test_a_broken_payload_is_a_violation_whatever_the_verdict(verdict: Verdict, violation: Violation) -> None:
    report = replace(REPORT, verdict=verdict, features=(replace(ABSENT, violation=violation),))
    (found,) = found_in(report)
    assert (found["feature_name"], found["constraint_check_type"]) == ("age", violation.value)
    assert found["description"].endswith("no row names it")


@pytest.mark.parametrize(
    ("unreadable", "missing", "percent"),
    [(0.75, 0.0, "25"), (2 / 3, None, "33.3333"), (0.25, 0.5, "50"), (None, 0.0, "0"), (0.0, 0.0, "0")],
)
def test_another_type_is_described_as_aws_does(unreadable: float | None, missing: float | None, percent: str) -> None:
    broken = replace(ABSENT, violation=Violation.DATA_TYPE, unreadable_fraction=unreadable, missing_fraction=missing)
    (found,) = found_in(replace(REPORT, features=(broken,)))
    assert found["description"] == (
        "Data type match requirement is not met. Expected data type: Integral, Expected match: 95.0%. Observed: Only "
        f"{percent}% of data is Integral.\nno row names it"
    )


@pytest.mark.parametrize("verdict", [Verdict.NO_DRIFT, Verdict.NOT_JUDGED])
def test_without_a_drift_verdict_there_is_no_violation(verdict: Verdict) -> None:
    assert checks(replace(SOUND, verdict=verdict)) == []


@pytest.mark.parametrize(
    ("missing", "p", "check"),
    [
        (0.05, 0.01, "completeness_check"),
        (1.0, 0.01, "missing_column_check"),
        (0.04, 0.01, None),
        (0.3, 0.05, None),
        (0.3, None, None),
    ],
)
def test_missing_values_are_a_violation_of_their_own(missing: float, p: float | None, check: str | None) -> None:
    report = replace(REPORT, features=(replace(DRIFTED, missing_fraction=missing, missing_p_value_adjusted=p),))
    assert checks(report)[1:] == ([("hours", check)] if check else [])


def test_unknown_categories_are_a_violation_of_their_own() -> None:
    report = replace(REPORT, features=(replace(DRIFTED, unseen_fraction=0.11),))
    assert ("hours", "categorical_values_check") in checks(report)
    report = replace(REPORT, features=(replace(DRIFTED, unseen_fraction=0.1),))
    assert ("hours", "categorical_values_check") not in checks(report)


def test_a_fraction_that_does_not_comply_is_told_as_aws_does() -> None:
    report = drifted(missing_fraction=0.3, missing_p_value_adjusted=0.01, unseen_fraction=0.25)
    assert [found["description"].split("\n")[0] for found in found_in(report)[1:]] == [
        "Value: 0.7 does not meet the constraint requirement!",
        "Value: 0.75 does not meet the constraint requirement!",
    ]


def test_a_drifted_prediction_is_a_violation_under_the_targets_name() -> None:
    report = replace(REPORT, features=(), prediction=replace(DRIFTED, name="probability"))
    assert checks(report) == [("y", "baseline_drift_check")]


def window_of(*rows: tuple[float, str | None, float]) -> WindowCounts:
    captured = CapturedWindow(
        WindowBounds(), table(SPECS, rows), np.full(len(rows), NAN), RecordCounts(len(rows), len(rows), {})
    )
    return count_rows(small_baseline(), captured)


@pytest.mark.parametrize("rows", [[], [(1.5, "é", NAN), (NAN, None, 3.0)]])
def test_equal_arguments_give_equal_bytes(tmp_path: Path, rows: list[tuple[float, str | None, float]]) -> None:
    for folder in ("a", "b"):
        state = WindowState(bounds=WindowBounds("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"))
        write_reports(tmp_path / folder, REPORT, small_baseline(), window_of(*rows), Policy(), state)
    names = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert names == sorted(ReportFile)
    for name in names:
        text = (tmp_path / "a" / name).read_bytes()
        assert text == (tmp_path / "b" / name).read_bytes()
        assert json.loads(text)
    assert DriftReport.from_json((tmp_path / "a" / "drift_report.json").read_text()) == REPORT


def test_a_folder_that_cannot_be_written_is_the_operators_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PublishError, match="must be writable by the container's user"):
        write_text(tmp_path / "file" / "below", "text")


def test_the_message_says_drift_in_sagemakers_words() -> None:
    assert exit_message(SOUND) == "CompletedWithViolations: drift in hours (290 rows; 4 of 294 records rejected)"


def test_the_message_names_the_features_whose_payload_is_broken() -> None:
    quiet = replace(REPORT, verdict=Verdict.NO_DRIFT, reason=because("no drift"), records=RecordCounts(290, 290))
    assert exit_message(quiet) == "CompletedWithViolations: no drift (290 rows; not as in training: age)"


def test_the_message_says_plainly_that_nothing_was_judged() -> None:
    assert exit_message(NOT_JUDGED) == "Completed: not judged, no records in the window (0 rows)"


def test_a_long_message_is_cut_between_characters() -> None:
    message = short_message("é\n" * 2000)
    assert len(message.encode()) <= 1024
    assert "\n" not in message
    assert message.startswith("é é")
