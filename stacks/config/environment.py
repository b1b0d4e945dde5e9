"""The sections of an environment file: typed, bounded, closed.

Defaults have thresholds, and the alarms on windows without a verdict: a file that does not name them has them too.
"""

import hashlib
import json
import math
from enum import StrEnum
from typing import Annotated, Literal, Self

import jmespath  # type: ignore[import-untyped]
from pydantic import AfterValidator, Field, StrictBool, StrictInt, StringConstraints, model_validator

from plumbline.contract.accepted import Acceptance, read_window
from plumbline.contract.predictions import PredictionKind
from plumbline.contract.values import DEFAULT_MISSING_VALUES, missing_values_of
from plumbline.stacks.config.availability import (
    HostingInstance,
    ProcessingInstance,
    TrainingInstance,
    has_model_monitor,
    missing_types,
)
from plumbline.stacks.config.retraining import (
    PromotionSection,
    RetrainingSection,
    check_canary,
    check_fresh_rows,
    check_triggers,
)
from plumbline.stacks.config.schedule import (
    WINDOW_HOURS,
    Engine,
    expression_for,
    interval_hours,
)
from plumbline.stacks.config.thresholds import (
    HOURS_A_DAY,
    BiasSection,
    FeatureSection,
    LabelsSection,
    ThresholdsSection,
    check_effect,
    check_lag,
)
from plumbline.stacks.config.values import (
    MAX_HYPERPARAMETER,
    MAX_VARIABLE,
    RESOURCE_ID,
    SPARK_MASTER,
    VARIANT_NAME,
    ConfigSection,
    Days,
    FeatureName,
    Location,
    MissingValue,
    Percent,
    TagKey,
    TagValue,
    archive_name,
    table_name,
    text,
)

"""A week of hours: more would only read more files each hour."""
MAX_LOOK_BACK_HOURS = 168
"""A week: the container takes no more."""
MAX_ALARM_HOURS = 168
"""CloudWatch: period times evaluation periods is at most seven days."""


def divides_day(hours: int) -> int:
    """Accept a length of a window."""
    if hours not in WINDOW_HOURS:
        raise ValueError(f"must be {', '.join(map(str, WINDOW_HOURS[:-1]))} or {WINDOW_HOURS[-1]}")
    return hours


class Removal(StrEnum):
    """What happens to keys, buckets and logs when their stack is deleted."""

    DESTROY = "destroy"
    RETAIN = "retain"


class ModelSection(ConfigSection):
    """The model that serves, and the baseline of the data it was accepted on.

    Local paths are relative to the repository.
    """

    artifact: Annotated[Location, AfterValidator(archive_name)]
    """A .tar.gz file, or s3://bucket/key.tar.gz."""
    baseline: Location
    """A folder with baseline.json, or the s3:// prefix of one."""


class TrainingSection(ConfigSection):
    """What training jobs read and run on."""

    train: Annotated[Location, AfterValidator(table_name)]
    """A CSV file with a header row, or an s3:// prefix of such files."""
    test: Annotated[Location, AfterValidator(table_name)]
    target_label: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    segment_column: FeatureName | None = None
    """Categorical feature by whose values windows are also judged apart; absent: none."""
    time_column: FeatureName | None = None
    """Column with the time of each row, which is no feature: with it training predicts the past by models of earlier
    rows, and baselines keep how far this task wanders; absent: none."""
    missing_values: tuple[MissingValue, ...] | None = None
    """Texts of a cell without a value, besides the empty cell; absent: the default set; empty: no other."""
    instance_type: TrainingInstance
    max_runtime_seconds: Annotated[StrictInt, Field(ge=60, le=86400)]

    @property
    def missing_texts(self) -> frozenset[str]:
        """Texts of a cell without a value."""
        return DEFAULT_MISSING_VALUES if self.missing_values is None else missing_values_of(self.missing_values)

    @property
    def missing_argument(self) -> str:
        """The same as an argument of a job: a JSON list; empty: the default set."""
        return "" if self.missing_values is None else json.dumps(self.missing_values, ensure_ascii=False)

    @model_validator(mode="after")
    def _missing_values_are_one_argument(self) -> Self:
        if len(self.missing_argument) > MAX_VARIABLE:
            raise ValueError(
                f"must have missing_values of {MAX_VARIABLE} characters together as a list, got "
                f"{len(self.missing_argument)}"
            )
        return self

    @model_validator(mode="after")
    def _segments_are_not_of_the_target(self) -> Self:
        if self.segment_column == self.target_label:
            raise ValueError(f"must have a segment_column other than target_label, got {self.segment_column!r}")
        return self

    @model_validator(mode="after")
    def _time_is_no_other_column(self) -> Self:
        if self.time_column is not None and self.time_column in {self.target_label, self.segment_column}:
            raise ValueError(
                f"must have a time_column other than target_label and segment_column, got {self.time_column!r}"
            )
        return self


class AutoscalingSection(ConfigSection):
    """Target tracking on invocations; absent section: the instance count stays."""

    maximum_count: Annotated[StrictInt, Field(ge=2, le=100)]
    invocations_per_instance: Annotated[StrictInt, Field(ge=1)]
    """Invocations a minute that one instance should get."""


class EndpointSection(ConfigSection):
    """Instances that serve the model."""

    instance_type: HostingInstance
    instance_count: Annotated[StrictInt, Field(ge=1, le=100)]
    autoscaling: AutoscalingSection | None = None

    @model_validator(mode="after")
    def _room_to_scale(self) -> Self:
        if self.autoscaling and self.autoscaling.maximum_count <= self.instance_count:
            raise ValueError(
                f"must have autoscaling.maximum_count above instance_count {self.instance_count}, "
                f"got {self.autoscaling.maximum_count}"
            )
        return self


class CaptureSection(ConfigSection):
    """What the endpoint records of its traffic."""

    sampling_percent: Percent


class MonitorSection(ConfigSection):
    """The job that compares each window with the baseline."""

    engine: Engine
    schedule: str | None = None
    """Absent: the engine's own for `window_hours`."""
    window_hours: Annotated[StrictInt, AfterValidator(divides_day)] | None = None
    """Hours of one window, and between two runs; absent: those of `schedule`, else 1."""
    look_back_hours: Annotated[StrictInt, Field(ge=0, le=MAX_LOOK_BACK_HOURS)] = 0
    """Hours before it that a window with too few rows may get, until it has enough; 0: none."""
    instance_type: ProcessingInstance
    volume_gb: Annotated[StrictInt, Field(ge=1, le=16384)]
    max_runtime_seconds: Annotated[StrictInt, Field(ge=60, le=3600)]
    isolation_forest: StrictBool
    """Also compute the reference task's own proxy; it is no accuracy."""
    multivariate: StrictBool
    """Also judge the features together: can a classifier distinguish the window from the training data?"""
    attribution: StrictBool = False
    """Also compare what the predictions rest on, feature by feature, with the test set."""
    variant: Annotated[str, text(VARIANT_NAME, "be the name of a production variant")] | None = None
    """The variant to judge, the records of others are rejected; absent: each of several is judged apart."""
    instance_count: Annotated[StrictInt, Field(ge=1, le=100)] = 1
    """With two or more the job is a Spark cluster, and the window is read by all of them."""
    spark_above_gb: Annotated[StrictInt, Field(ge=0)] | None = None
    """Windows with more captured data than this are read by Spark, with all cores; absent: none."""
    spark_master: Annotated[str, text(SPARK_MASTER, "be a master like spark://host:7077")] | None = None
    """A Spark cluster of your own that reads the windows; absent: none."""

    @property
    def needs_spark(self) -> bool:
        """Whether the job's image has to hold Spark."""
        return self.instance_count > 1 or self.spark_above_gb is not None or self.spark_master is not None

    @model_validator(mode="after")
    def _one_cluster(self) -> Self:
        if self.spark_master is not None and self.instance_count > 1:
            raise ValueError(
                f"must have instance_count 1 with spark_master {self.spark_master}, got {self.instance_count}"
            )
        return self

    @property
    def expression(self) -> str:
        """When the monitor runs, in UTC."""
        return self.schedule or expression_for(self.engine, self.window_hours or 1)

    @property
    def interval_hours(self) -> int:
        """Hours between two runs, which one window has."""
        return interval_hours(self.engine, self.expression)

    @property
    def overlapping_runs(self) -> int:
        """How many runs in a row can judge one row: with `look_back_hours` their windows overlap."""
        return 1 + math.ceil(self.look_back_hours / self.interval_hours)

    @model_validator(mode="after")
    def _schedule_suits_engine_and_window(self) -> Self:
        hours = self.interval_hours
        if self.window_hours not in {None, hours}:
            raise ValueError(
                f"must have a schedule with {self.window_hours} hours between two runs for window_hours "
                f"{self.window_hours}, got {self.schedule!r}; leave one of the two out"
            )
        return self


class PredictionsSection(ConfigSection):
    """What the endpoint's answers mean; what is absent is the baseline's, or inferred."""

    kind: PredictionKind | None = None
    """What an answer holds for a row."""
    positive_label: Annotated[str, StringConstraints(min_length=1, max_length=MAX_VARIABLE)] | None = None
    """The label that a number alone is the probability of."""
    path: Annotated[str, StringConstraints(min_length=1, max_length=MAX_VARIABLE)] | None = None
    """Where in an answer the predictions are: a JMESPath expression, or the number of a column from 0."""

    @model_validator(mode="after")
    def _path_is_one(self) -> Self:
        if self.path is not None and not (self.path.isascii() and self.path.isdigit()):
            try:
                jmespath.compile(self.path)
            except jmespath.exceptions.JMESPathError as error:
                raise ValueError(
                    f"must have a path that is a JMESPath expression or a column's number from 0, got {self.path!r}"
                ) from error
        return self

    @model_validator(mode="after")
    def _a_quantity_has_no_positive_label(self) -> Self:
        if self.positive_label is not None and self.kind is PredictionKind.VALUE:
            raise ValueError(f"must have no positive_label with kind {self.kind}, got {self.positive_label!r}")
        return self


class AcceptedSection(ConfigSection):
    """Windows that are the reference from their end on, in place of the training data; absent section: none.

    `plumbline accept` records the same for a running environment; of both the later one counts.
    """

    windows: tuple[str, ...]
    """Times as START/END, ISO 8601; windows begin and end at them."""
    at: str
    """When they were accepted, ISO 8601."""
    by: str
    reason: str
    """Why, in one line."""
    features: tuple[FeatureName, ...] = ()
    """Features whose reference they are; absent: all, and the prediction."""
    prediction: StrictBool = False
    """With `features`: the prediction too."""

    @property
    def text(self) -> str:
        """Content of the file that the job reads."""
        return self._acceptance().to_json()

    def _acceptance(self) -> Acceptance:
        return Acceptance(
            windows=tuple(map(read_window, self.windows)),
            at=self.at,
            by=self.by,
            reason=self.reason,
            features=self.features,
            prediction=self.prediction,
        ).checked()

    @model_validator(mode="after")
    def _is_a_statement(self) -> Self:
        try:
            self._acceptance()
        except ValueError as error:
            raise ValueError(f"must be a statement that can be recorded: {error}") from error
        return self

    @model_validator(mode="after")
    def _the_prediction_is_beside_features(self) -> Self:
        if self.prediction and not self.features:
            raise ValueError("must have prediction only with features, got it alone: without both all is accepted")
        return self


class AlarmsSection(ConfigSection):
    """When alarms fire, and who is notified."""

    drift_datapoints: Annotated[StrictInt, Field(ge=1)]
    """M of the M of N windows that must drift."""
    drift_periods: Annotated[StrictInt, Field(ge=1)]
    not_judged_datapoints: Annotated[StrictInt, Field(ge=1)] = 3
    """So many of the last `not_judged_periods` windows without a verdict, or with too many rejected records."""
    not_judged_periods: Annotated[StrictInt, Field(ge=1)] = 6
    rejected_fraction: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=1)] = 0.1
    """Fraction of a window's records, or of its answers, that cannot be read."""
    monitor_silence_hours: Annotated[StrictInt, Field(ge=2, le=MAX_ALARM_HOURS)]
    """So many hours without a finished run of the monitor are an alarm."""
    emails: tuple[Annotated[str, text(r"[^@\s]+@[^@\s]+\.[^@\s]+", "be an e-mail address")], ...] = ()

    @model_validator(mode="after")
    def _datapoints_fit_periods(self) -> Self:
        for name in ("drift", "not_judged"):
            datapoints, periods = getattr(self, f"{name}_datapoints"), getattr(self, f"{name}_periods")
            if datapoints > periods:
                raise ValueError(f"must have {name}_datapoints of at most {name}_periods {periods}, got {datapoints}")
        return self


class NetworkSection(ConfigSection):
    """Subnets and security groups of model, monitoring and retraining jobs; absent section: no VPC."""

    subnet_ids: Annotated[
        tuple[Annotated[str, text(rf"subnet-{RESOURCE_ID}", "be a subnet like subnet-0123456789abcdef0")], ...],
        Field(min_length=1, max_length=16),
    ]
    security_group_ids: Annotated[
        tuple[Annotated[str, text(rf"sg-{RESOURCE_ID}", "be a security group like sg-0123456789abcdef0")], ...],
        Field(min_length=1, max_length=5),
    ]


class RetentionSection(ConfigSection):
    """Days that records are kept."""

    capture_days: Days
    report_days: Days
    access_log_days: Days
    log_days: Literal[7, 14, 30, 90, 180, 365]
    """Of the functions' log groups; CloudWatch Logs takes only certain numbers."""


class EnvironmentConfig(ConfigSection):
    """One environment."""

    name: Annotated[
        str,
        text(
            r"(?=.{1,16}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*",
            "be 1 to 16 lower-case letters, digits and inner dashes, a letter first",
        ),
    ]
    """Part of every physical name; 16 characters leave room for SageMaker's limit of 63."""
    region: Annotated[str, text(r"[a-z]{2}(?:-[a-z]+)+-\d", "be a region like eu-central-1")]
    account: Annotated[str, text(r"\d{12}", "be an account of 12 digits")] | None = None
    """Absent: the account of the credentials that deploy."""
    removal: Removal
    termination_protection: StrictBool
    permissions_boundary: (
        Annotated[
            str,
            text(r"arn:[a-z-]+:iam::\d{12}:policy/\S+", "be a policy like arn:aws:iam::123456789012:policy/boundary"),
        ]
        | None
    ) = None
    tags: dict[TagKey, TagValue] = {}
    model: ModelSection
    training: TrainingSection
    endpoint: EndpointSection
    capture: CaptureSection
    monitor: MonitorSection
    thresholds: ThresholdsSection = ThresholdsSection()
    features: dict[FeatureName, FeatureSection] = {}
    """Features that are judged by thresholds of their own."""
    labels: LabelsSection | None = None
    bias: BiasSection | None = None
    predictions: PredictionsSection | None = None
    accepted: AcceptedSection | None = None
    retraining: RetrainingSection
    promotion: PromotionSection
    alarms: AlarmsSection
    network: NetworkSection | None = None
    retention: RetentionSection

    @property
    def retraining_rules(self) -> str:
        """Digest of the settings by which challengers are trained and judged."""
        training = self.training.model_dump_json(exclude={"instance_type", "max_runtime_seconds"})
        text = "\n".join((training, self.retraining.rules, self.feature_types_argument))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def feature_types_argument(self) -> str:
        """Declared types by column as a hyperparameter: a JSON object; empty: none."""
        types = {name: feature.type for name, feature in self.features.items() if feature.type is not None}
        return json.dumps(types, ensure_ascii=False) if types else ""

    @model_validator(mode="after")
    def _feature_types_are_one_hyperparameter(self) -> Self:
        if len(self.feature_types_argument) > MAX_HYPERPARAMETER:
            raise ValueError(
                f"must have types of features of {MAX_HYPERPARAMETER} characters together as JSON, got "
                f"{len(self.feature_types_argument)}"
            )
        return self

    @model_validator(mode="after")
    def _effect_thresholds_lie_in_their_measures_range(self) -> Self:
        for name, feature in self.features.items():
            if feature.effect_threshold is not None:
                measure = feature.effect_measure or self.thresholds.effect_measure
                check_effect(f"features.{name}.effect_threshold", measure, feature.effect_threshold)
        return self

    @model_validator(mode="after")
    def _region_has_the_engine(self) -> Self:
        if missing := missing_types(self.region):
            raise ValueError(
                f"must have another region: in {self.region} CloudFormation does not make {', '.join(missing)}; "
                f"captured requests from there can be judged with `plumbline monitor`, got {self.region!r}"
            )
        if self.monitor.engine is Engine.MODEL_MONITOR and not has_model_monitor(self.region):
            raise ValueError(
                f"must have monitor.engine scheduler in region {self.region}, where CloudFormation makes no monitoring "
                f"schedule, got {self.monitor.engine.value}"
            )
        return self

    @model_validator(mode="after")
    def _alarm_windows_hold_two_runs(self) -> Self:
        hours = self.monitor.interval_hours
        if self.alarms.monitor_silence_hours < 2 * hours:
            raise ValueError(
                f"must have alarms.monitor_silence_hours of at least two runs, {2 * hours}, "
                f"got {self.alarms.monitor_silence_hours}"
            )
        for name in ("drift_periods", "not_judged_periods"):
            periods = getattr(self.alarms, name)
            if periods * hours > MAX_ALARM_HOURS:
                raise ValueError(f"must have alarms.{name} of at most {MAX_ALARM_HOURS // hours}, got {periods}")
        most_periods = 1 + (MAX_ALARM_HOURS // hours - 1) // self.monitor.overlapping_runs
        if self.alarms.drift_periods > most_periods:
            raise ValueError(
                f"must have alarms.drift_periods of at most {most_periods} for monitor.look_back_hours "
                f"{self.monitor.look_back_hours}, got {self.alarms.drift_periods}"
            )
        return self

    @model_validator(mode="after")
    def _captures_are_kept_while_windows_look_back(self) -> Self:
        monitor, lag_hours = self.monitor, self.labels.lag_hours if self.labels else 0
        least_days = (lag_hours + monitor.look_back_hours + monitor.interval_hours) // HOURS_A_DAY + 1
        if monitor.look_back_hours and self.retention.capture_days < least_days:
            raise ValueError(
                f"must have retention.capture_days of at least {least_days} for monitor.look_back_hours "
                f"{monitor.look_back_hours}, got {self.retention.capture_days}"
            )
        return self

    @model_validator(mode="after")
    def _labels_come_while_captures_are_kept(self) -> Self:
        if self.labels:
            hours, days = self.monitor.interval_hours, self.retention.capture_days
            check_lag(self.labels, interval_hours=hours, capture_days=days)
        return self

    @model_validator(mode="after")
    def _there_are_rows_to_retrain_on(self) -> Self:
        check_fresh_rows(self.retraining, labels=self.labels, capture_days=self.retention.capture_days)
        check_triggers(self.retraining, has_labels=self.labels is not None, is_multivariate=self.monitor.multivariate)
        if self.training.target_label in self.retraining.slice_columns:
            raise ValueError(
                f"must have retraining.slice_columns without training.target_label, got {self.training.target_label!r}"
            )
        return self

    @model_validator(mode="after")
    def _fleet_holds_the_canary(self) -> Self:
        check_canary(self.promotion, instance_count=self.endpoint.instance_count)
        return self

    @model_validator(mode="after")
    def _groups_are_not_those_of_the_target(self) -> Self:
        if self.bias and self.bias.facet == self.training.target_label:
            raise ValueError(f"must have a bias.facet other than training.target_label, got {self.bias.facet!r}")
        return self

    @model_validator(mode="after")
    def _model_fits_a_variable(self) -> Self:
        artifact = self.model.artifact
        if self.monitor.attribution and artifact.startswith("s3:") and len(artifact) > MAX_VARIABLE:
            raise ValueError(
                f"must have a model.artifact of at most {MAX_VARIABLE} characters with monitor.attribution, "
                f"got {len(artifact)}"
            )
        return self
