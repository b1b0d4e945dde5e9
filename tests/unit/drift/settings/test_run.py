import json
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plumbline.contract.names import MonitorVariable, Variable
from plumbline.contract.records import EffectMeasure, WindowBounds
from plumbline.contract.thresholds import DEFAULT_EFFECT_THRESHOLDS
from plumbline.drift.data.times import parse_time
from plumbline.drift.errors import ConfigError
from plumbline.drift.settings.platform import read_platform
from plumbline.drift.settings.policy import Policy
from plumbline.drift.settings.run import (
    CaptureHours,
    LabelSource,
    LookBackSource,
    OptionalAnalyses,
    ReferenceSource,
    RunSettings,
    read_settings,
    window_bounds,
)

# The page "Container contract inputs" prints times with spaces inside, and this format key.
MODEL_MONITOR = {
    "dataset_format": '{"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}',
    "dataset_source": "/opt/ml/processing/endpointdata",
    "end_time": "2019-12-01T16: 20: 00Z",
    "output_path": "/opt/ml/processing/resultdata",
    "publish_cloudwatch_metrics": "Disabled",
    "sagemaker_endpoint_name": "endpoint-name",
    "sagemaker_monitoring_schedule_name": "schedule-name",
    "start_time": "2019-12-01T15: 20: 00Z",
}
SCHEDULER = {name: value for name, value in MODEL_MONITOR.items() if name not in {"start_time", "end_time"}} | {
    "PLUMBLINE_SCHEDULED_TIME": "2026-01-01T00:07:00Z",
    "PLUMBLINE_CAPTURE_S3_URI": "s3://bucket/capture/endpoint-name",
}


def settings(environment: Mapping[str, str], **arguments: str | None) -> RunSettings:
    given = {
        "baseline": "s3://bucket/baseline",
        "train": None,
        "test": None,
        "predictions": None,
        "target_label": "y",
        "policy": None,
    }
    return read_settings(Namespace(**{**given, **arguments}), environment)


def test_the_contracts_own_example_is_read() -> None:
    read = settings(MODEL_MONITOR)
    assert read.window.bounds == WindowBounds("2019-12-01T15:20:00Z", "2019-12-01T16:20:00Z")
    assert read.window.source == Path("/opt/ml/processing/endpointdata")
    assert read.window.output == Path("/opt/ml/processing/resultdata")
    assert (read.platform.endpoint, read.schedule) == ("endpoint-name", "schedule-name")
    assert read.platform.publish is False
    assert read.platform.message_file == Path("/opt/ml/output/message")
    assert read.platform.metrics_file == Path("/opt/ml/output/metrics/cloudwatch/cloudwatch_metrics.jsonl")
    assert (read.policy, read.policy_file, read.analyses) == (Policy(), None, OptionalAnalyses())
    assert read.window.variant is None
    assert read.reference == ReferenceSource(baseline="s3://bucket/baseline", target_label="y")


@pytest.mark.parametrize(
    ("text", "expected"), [("Enabled", True), (" enabled ", True), ("Disabled", False), ("", False)]
)
def test_publication_is_text_not_truth(text: str, expected: bool) -> None:
    assert settings(MODEL_MONITOR | {"publish_cloudwatch_metrics": text}).platform.publish is expected


def test_our_schedule_gives_the_last_full_hour_and_model_monitors_key_layout() -> None:
    window = settings(SCHEDULER).window
    assert window.bounds == WindowBounds("2025-12-31T23:00:00Z", "2026-01-01T00:00:00Z")
    start, end = datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    assert window.source == CaptureHours("s3://bucket/capture/endpoint-name", start, end)
    assert window.output == Path("/opt/ml/processing/resultdata/endpoint-name/schedule-name/2025/12/31/23")


@pytest.mark.parametrize(
    ("hours", "start"), [("1", "2025-12-31T23"), ("4", "2025-12-31T20"), ("24", "2025-12-31T00"), ("", "2025-12-31T23")]
)
def test_our_schedules_window_has_so_many_full_hours_under_the_key_of_the_first(hours: str, start: str) -> None:
    window = settings(SCHEDULER | {"PLUMBLINE_WINDOW_HOURS": hours}).window
    assert window.bounds == WindowBounds(f"{start}:00:00Z", "2026-01-01T00:00:00Z")
    assert isinstance(window.source, CaptureHours)
    assert window.source.start == parse_time(f"{start}:00:00Z")
    key = start.replace("-", "/").replace("T", "/")
    assert window.output == Path(f"/opt/ml/processing/resultdata/endpoint-name/schedule-name/{key}")


@pytest.mark.parametrize("engine", [MODEL_MONITOR, SCHEDULER], ids=["model_monitor", "scheduler"])
def test_hours_before_the_window_are_in_s3_on_either_engine(engine: Mapping[str, str]) -> None:
    given = {**engine, "PLUMBLINE_CAPTURE_S3_URI": "s3://bucket/capture/endpoint-name"}
    assert settings(given).window.look_back is None
    assert settings(given | {"PLUMBLINE_LOOK_BACK_HOURS": "0"}).window.look_back is None
    looking = settings(given | {"PLUMBLINE_LOOK_BACK_HOURS": "5"}).window
    assert looking.look_back == LookBackSource(5, "s3://bucket/capture/endpoint-name")


def test_a_schedule_on_the_hour_judges_the_hour_before() -> None:
    window = settings(SCHEDULER | {"PLUMBLINE_SCHEDULED_TIME": "2026-01-01T13:00:00Z"}).window
    assert window.bounds == WindowBounds("2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z")


def test_thresholds_come_from_the_environment() -> None:
    variables = {
        "PLUMBLINE_ALPHA": "0.01",
        "PLUMBLINE_EFFECT_THRESHOLD": "0.2",
        "PLUMBLINE_MISSING_VALUES_THRESHOLD": " 0.3",
        "PLUMBLINE_MINIMUM_ROWS": "50",
        "PLUMBLINE_DRIFTED_FRACTION": "0.25",
    }
    assert settings(MODEL_MONITOR | variables).policy == Policy(
        alpha=0.01, effect_threshold=0.2, missing_values_threshold=0.3, minimum_rows=50, drifted_fraction=0.25
    )


def test_an_effect_measure_brings_its_own_threshold_unless_one_is_given() -> None:
    score = MODEL_MONITOR | {"PLUMBLINE_EFFECT_MEASURE": "drift_score"}
    assert settings(score).policy.effect_measure is EffectMeasure.DRIFT_SCORE
    assert settings(score).policy.effect_threshold == DEFAULT_EFFECT_THRESHOLDS[EffectMeasure.DRIFT_SCORE]
    assert settings(score | {"PLUMBLINE_EFFECT_THRESHOLD": "150"}).policy.effect_threshold == 150


def test_the_policy_file_is_named_by_its_argument() -> None:
    assert settings(MODEL_MONITOR, policy="s3://bucket/policy.json").policy_file == "s3://bucket/policy.json"
    assert settings(MODEL_MONITOR, policy="").policy_file is None


@pytest.mark.parametrize("engine", [MODEL_MONITOR, SCHEDULER])
def test_both_engines_may_ask_for_one_variant(engine: dict[str, str]) -> None:
    assert settings(engine | {Variable.VARIANT: "AllTraffic"}).window.variant == "AllTraffic"


def test_extras_are_switched_on_one_by_one() -> None:
    assert settings(MODEL_MONITOR | {Variable.ISOLATION_FOREST: "Enabled"}).analyses == OptionalAnalyses(
        isolation_forest=True
    )
    assert settings(MODEL_MONITOR | {Variable.MULTIVARIATE: "Enabled"}).analyses == OptionalAnalyses(multivariate=True)


def test_earlier_windows_are_those_of_this_schedule() -> None:
    earlier = settings(MODEL_MONITOR | {Variable.REPORTS_S3_URI: "s3://bucket/reports/"}).analyses.earlier
    assert earlier == "s3://bucket/reports/endpoint-name/schedule-name"
    assert settings(MODEL_MONITOR).analyses.earlier is None


@pytest.mark.parametrize("key", ["sagemakerCaptureJson", "sageMakerCaptureJson"])
def test_both_spellings_of_the_capture_format_are_accepted(key: str) -> None:
    assert settings(MODEL_MONITOR | {"dataset_format": json.dumps({key: {}})})


def test_times_and_format_are_optional() -> None:
    bare = {name: MODEL_MONITOR[name] for name in ("dataset_source", "output_path")}
    assert settings(bare).window.bounds == WindowBounds()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset_source": ""}, "dataset_source must be set, got ''; set it on the monitoring job"),
        ({"output_path": " "}, "output_path must be set"),
        ({"dataset_format": '{"csv": {}}'}, "dataset_format must be sagemakerCaptureJson"),
        ({"dataset_format": "capture"}, "dataset_format must be a JSON object, got 'capture'"),
        ({"dataset_format": "3"}, "dataset_format must be a JSON object"),
        ({"dataset_format": "[3]"}, "dataset_format must be a JSON object"),
        ({"start_time": ""}, "start_time and end_time must be given together"),
        ({"start_time": "noon"}, "start_time must be an ISO 8601 time, got 'noon'"),
        ({"end_time": "2019-12-01T15:20:00Z"}, "end_time must be after start_time"),
        ({"publish_cloudwatch_metrics": "true"}, "must be Enabled or Disabled, got 'true'"),
        ({"publish_cloudwatch_metrics": "Enabled", "sagemaker_endpoint_name": ""}, "must name the endpoint"),
        ({"PLUMBLINE_ALPHA": "small"}, "PLUMBLINE_ALPHA must be a finite number, got 'small'"),
        ({"PLUMBLINE_ALPHA": "nan"}, "PLUMBLINE_ALPHA must be a finite number"),
        ({"PLUMBLINE_ALPHA": "2"}, "alpha must be above 0, below 1, got 2.0"),
        ({"PLUMBLINE_MINIMUM_ROWS": "2.5"}, "PLUMBLINE_MINIMUM_ROWS must be a whole number"),
        (
            {"PLUMBLINE_EFFECT_MEASURE": "psi"},
            f"PLUMBLINE_EFFECT_MEASURE must be one of {', '.join(EffectMeasure)}, got 'psi'; set it on",
        ),
        ({"PLUMBLINE_DRIFTED_FRACTION": "0"}, "drifted_fraction must be above 0, at most 1, got 0.0"),
        ({"PLUMBLINE_DRIFTED_FRACTION": "half"}, "PLUMBLINE_DRIFTED_FRACTION must be a finite number, got 'half'"),
        (
            {"PLUMBLINE_DRIFTED_SHARE": "0.3"},
            "PLUMBLINE_DRIFTED_SHARE is now PLUMBLINE_DRIFTED_FRACTION, got '0.3'; rename it on the monitoring job",
        ),
        ({"PLUMBLINE_MULTIVARIATE": "on"}, "PLUMBLINE_MULTIVARIATE must be Enabled or Disabled, got 'on'"),
        (
            {"PLUMBLINE_REPORTS_S3_URI": "s3://bucket/reports", "sagemaker_monitoring_schedule_name": ""},
            "sagemaker_monitoring_schedule_name must be set, got ''",
        ),
        ({"PLUMBLINE_ISOLATION_FOREST": "yes"}, "PLUMBLINE_ISOLATION_FOREST must be Enabled or Disabled"),
        ({"PLUMBLINE_LOOK_BACK_HOURS": "-1"}, "PLUMBLINE_LOOK_BACK_HOURS must be 0 to 168, got '-1'"),
        ({"PLUMBLINE_LOOK_BACK_HOURS": "169"}, "PLUMBLINE_LOOK_BACK_HOURS must be 0 to 168, got '169'"),
        ({"PLUMBLINE_LOOK_BACK_HOURS": "3"}, "PLUMBLINE_CAPTURE_S3_URI must be set, got None"),
        (SCHEDULER | {"PLUMBLINE_WINDOW_HOURS": "0"}, "PLUMBLINE_WINDOW_HOURS must be 1 to 24, got '0'"),
        (SCHEDULER | {"PLUMBLINE_WINDOW_HOURS": "25"}, "PLUMBLINE_WINDOW_HOURS must be 1 to 24, got '25'"),
        (SCHEDULER | {"PLUMBLINE_WINDOW_HOURS": "1.5"}, "PLUMBLINE_WINDOW_HOURS must be a whole number, got '1.5'"),
        ({"PLUMBLINE_SCHEDULED_TIME": "now"}, "PLUMBLINE_SCHEDULED_TIME must be an ISO 8601 time, got 'now'"),
        ({"PLUMBLINE_SCHEDULED_TIME": "2026-01-01T00:00:00Z"}, "PLUMBLINE_CAPTURE_S3_URI must be set, got None"),
    ],
)
def test_a_broken_variable_is_named_with_its_value(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings(MODEL_MONITOR | changes)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"baseline": None}, "exactly one of --baseline_s3_uri and --train_s3_uri must be given, got None and None"),
        ({"baseline": "", "train": ""}, "exactly one of"),
        ({"train": "t.csv"}, "exactly one of"),
        ({"test": "t.csv"}, "--test_s3_uri and --predictions_s3_uri must come with --train_s3_uri"),
        (
            {"baseline": None, "train": "t.csv", "test": "t.csv", "target_label": None},
            "--target_label must name the target's column in --test_s3_uri, got None; pass both",
        ),
        ({"baseline": None, "train": "t.csv", "predictions": "p.csv"}, "--predictions_s3_uri must come with --test"),
        (
            {"history": "h.csv"},
            "--history_s3_uri and --time_column must come with --train_s3_uri, got 'h.csv' and None",
        ),
        (
            {"time_column": "when"},
            "--history_s3_uri and --time_column must come with --train_s3_uri, got None and 'when'",
        ),
    ],
)
def test_arguments_that_leave_the_reference_open_are_refused(arguments: dict[str, str | None], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings(MODEL_MONITOR, **arguments)
    assert message in str(error.value)


def test_the_region_is_that_of_the_environment_or_of_the_job(tmp_path: Path) -> None:
    environment = {Variable.ML_ROOT.value: str(tmp_path)}
    assert read_platform(environment).region is None
    (tmp_path / "config").mkdir()
    file = tmp_path / "config" / "processingjobconfig.json"
    file.write_text('{"ProcessingJobArn": "arn:aws:sagemaker:eu-west-1:123456789012:processing-job/x"}')
    assert read_platform(environment).region == "eu-west-1"
    assert read_platform(environment | {"AWS_DEFAULT_REGION": "us-east-1"}).region == "us-east-1"
    file.write_text('{"ProcessingJobArn": 3}')
    assert read_platform(environment).region is None


def test_every_variable_of_the_contract_that_we_know_is_tolerated() -> None:
    known = {name.value: MODEL_MONITOR.get(name.value, "") for name in MonitorVariable}
    assert known == MODEL_MONITOR
    assert settings(known | {"baseline_statistics": "/x", "sagemaker_endpoint_datacapture_prefix": "s3://b/*"})


def test_window_bounds_normalise_times() -> None:
    assert window_bounds(None, "") == WindowBounds()
    assert window_bounds("2026-01-01 12:00", "2026-01-01T14:00:00+01:00") == WindowBounds(
        "2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z"
    )


LABELS = {
    Variable.LABELS_S3_URI: "s3://bucket/ground-truth/endpoint-name",
    Variable.CAPTURE_S3_URI: "s3://bucket/capture/endpoint-name",
    Variable.LABEL_LAG_HOURS: "48",
    "PLUMBLINE_MINIMUM_LABELLED_FRACTION": "0.25",
    Variable.MERGED_S3_URI: "s3://bucket/merged",
}


@pytest.mark.parametrize("engine", [MODEL_MONITOR, SCHEDULER])
def test_labels_are_awaited_where_their_place_is_named(engine: dict[str, str]) -> None:
    assert settings(engine).analyses.labels is None
    assert settings(engine | LABELS).analyses.labels == LabelSource(
        labels="s3://bucket/ground-truth/endpoint-name",
        captures="s3://bucket/capture/endpoint-name",
        lag_hours=48,
        merged="s3://bucket/merged",
    )
    assert settings(engine | LABELS).policy.minimum_labelled_fraction == 0.25


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({Variable.CAPTURE_S3_URI: ""}, "PLUMBLINE_CAPTURE_S3_URI must be set"),
        ({Variable.LABEL_LAG_HOURS: "-1"}, "the label lag must be 0 hours or more, got -1"),
        ({Variable.LABEL_LAG_HOURS: "1.5"}, "PLUMBLINE_LABEL_LAG_HOURS must be a whole number"),
        (
            {"PLUMBLINE_MINIMUM_LABELLED_FRACTION": "50"},
            "minimum_labelled_fraction must be above 0, at most 1, got 50",
        ),
    ],
)
def test_labels_that_could_not_be_joined_are_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings(MODEL_MONITOR | LABELS | changes)
    assert message in str(error.value)


def test_thresholds_facet_and_model_come_from_the_environment() -> None:
    found = settings(
        MODEL_MONITOR
        | {
            "PLUMBLINE_ACCURACY_DROP_THRESHOLD": "0.03",
            "PLUMBLINE_BIAS_THRESHOLD": "0.1",
            Variable.FACET: "sex",
            Variable.MODEL_S3_URI: "s3://bucket/model.tar.gz",
        }
    )
    assert (found.policy.accuracy_drop_threshold, found.policy.bias_threshold) == (0.03, 0.1)
    assert (found.analyses.facet, found.analyses.model) == ("sex", "s3://bucket/model.tar.gz")
    assert settings(MODEL_MONITOR).policy.accuracy_drop_threshold == Policy.accuracy_drop_threshold
    with pytest.raises(ConfigError, match="accuracy_drop_threshold must be above 0, below 1, got 2.0"):
        settings(MODEL_MONITOR | {"PLUMBLINE_ACCURACY_DROP_THRESHOLD": "2"})
