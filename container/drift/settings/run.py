"""Arguments and environment -> `Settings`. With `drift.settings.platform` the only reader of the environment here.

Two engines start the same image. Model Monitor hands over the window's times and its data, and uploads what the
output folder holds below a key of its own. Our schedule (`Variable.SCHEDULED_TIME`) names the moment it fired and
the capture destination: window, data and key layout are then worked out here.
"""

import os
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from plumbline.contract.decoding import read_json
from plumbline.contract.names import Argument, MonitorVariable, Variable, report_prefix, schedule_prefix
from plumbline.contract.predictions import PredictionFormat, PredictionKind
from plumbline.contract.records import WindowBounds
from plumbline.drift.data.times import HOUR, format_time, hour_folder, parse_time
from plumbline.drift.errors import ConfigError
from plumbline.drift.settings.distribution import Distribution, read_distribution
from plumbline.drift.settings.environment import Variables
from plumbline.drift.settings.platform import Platform, read_platform
from plumbline.drift.settings.policy import Policy

_CAPTURE_FORMAT = "sagemakercapturejson"
MAX_WINDOW_HOURS = 24
"""Of one window that our own schedule gives: a day."""
MAX_LOOK_BACK_HOURS = 168
"""A week."""


@dataclass(frozen=True, kw_only=True)
class ReferenceSource:
    """Where the reference comes from: a baseline, or the files to learn one from. Paths or S3 URIs.

    Without a `target_label` every column of `train` is a feature, and there is no test set.
    """

    baseline: str | None = None
    train: str | None = None
    test: str | None = None
    predictions: str | None = None
    target_label: str | None = None
    history: str | None = None
    time_column: str | None = None

    def __post_init__(self) -> None:
        """Refuse combinations that leave the reference open."""
        if (self.baseline is None) == (self.train is None):
            raise ConfigError(
                f"exactly one of {Argument.BASELINE} and {Argument.TRAIN} must be given, "
                f"got {self.baseline!r} and {self.train!r}; a baseline is learned from training data once"
            )
        if self.baseline is not None and (self.test or self.predictions):
            raise ConfigError(
                f"{Argument.TEST} and {Argument.PREDICTIONS} must come with {Argument.TRAIN}, "
                f"got {self.test!r} and {self.predictions!r}; a baseline brings its own"
            )
        if self.test is not None and self.target_label is None:
            raise ConfigError(
                f"{Argument.TARGET_LABEL} must name the target's column in {Argument.TEST}, got None; pass both"
            )
        if self.baseline is not None and (self.history or self.time_column):
            raise ConfigError(
                f"{Argument.HISTORY} and {Argument.TIME_COLUMN} must come with {Argument.TRAIN}, got {self.history!r} "
                f"and {self.time_column!r}; a baseline brings its own"
            )
        if self.predictions is not None and self.test is None:
            raise ConfigError(
                f"{Argument.PREDICTIONS} must come with {Argument.TEST}, got {self.predictions!r} alone; pass both"
            )


@dataclass(frozen=True)
class CaptureHours:
    """The capture files of some hours, still in S3: those from `start` up to `end` below the destination `uri`."""

    uri: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class LookBackSource:
    """How many hours before it a window with too few rows may get, and the S3 URI of the captures."""

    maximum_hours: int
    captures: str


@dataclass(frozen=True, kw_only=True)
class WindowSource:
    """Which records are judged, where they are, and where the results go."""

    bounds: WindowBounds
    source: Path | CaptureHours
    """Folder of capture files, or where to fetch them from."""
    variant: str | None = None
    """The production variant whose records count; None: all."""
    output: Path
    look_back: LookBackSource | None = None
    """None: a window has the hours of its bounds, whatever they hold."""


@dataclass(frozen=True, kw_only=True)
class AcceptedSource:
    """Where accepted windows are recorded, a folder or prefix, and what the environment file accepts, a JSON file.

    Paths or S3 URIs. `reports` is the root below which every report of this schedule is: what the file accepts is read
    there. None: nothing is looked for.
    """

    records: str | None = None
    stated: str | None = None
    reports: str | None = None


@dataclass(frozen=True, kw_only=True)
class LabelSource:
    """Labels that come late: where they arrive, and the captures that they belong to. Paths or S3 URIs.

    A window waits `lag_hours` for its labels. Captures joined with labels go to `merged`; None: nowhere.
    """

    labels: str
    captures: str
    lag_hours: int = 0
    merged: str | None = None

    def __post_init__(self) -> None:
        """Refuse a lag outside its range."""
        if self.lag_hours < 0:
            raise ConfigError(f"the label lag must be 0 hours or more, got {self.lag_hours!r}; correct it")


@dataclass(frozen=True, kw_only=True)
class OptionalAnalyses:
    """Analyses of a run beyond the comparison of each feature with the training data.

    `earlier` is the root below which every report of this schedule is, for what changes over time; None: that is not
    judged. `facet` names the column by whose values bias is measured, and `model` where the model's artifact is, a path
    or an S3 URI, for feature attributions.
    """

    isolation_forest: bool = False
    multivariate: bool = False
    earlier: str | None = None
    labels: LabelSource | None = None
    facet: str | None = None
    model: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """One run of the container.

    `policy` has the environment's thresholds; those of the file at `policy_file`, a path or an S3 URI, take
    precedence. `predictions` is what is stated of the endpoint's answers. `champions` is where the history of the
    endpoint's models is, which may not be there yet; None: none is kept. `accepted` is where the windows are that were
    accepted as the reference.
    """

    reference: ReferenceSource
    window: WindowSource
    schedule: str | None
    policy: Policy
    policy_file: str | None
    analyses: OptionalAnalyses
    champions: str | None = None
    accepted: AcceptedSource = AcceptedSource()
    predictions: PredictionFormat = PredictionFormat()
    distribution: Distribution = Distribution()
    platform: Platform


def read_settings(arguments: Namespace, environment: Mapping[str, str] = os.environ) -> RunSettings:
    """Read one run's settings.

    Raises
    ------
    ConfigError
        If a variable or argument breaks its rule; the text names it, its value and the remedy.
    """
    variables = Variables(environment)
    _check_format(variables)
    variables.switch(MonitorVariable.PUBLISH_CLOUDWATCH_METRICS)
    platform = read_platform(environment)
    if platform.publish and platform.endpoint is None:
        raise variables.error(MonitorVariable.ENDPOINT_NAME, "must name the endpoint when metrics are published")
    given = {name: value or None for name, value in vars(arguments).items()}
    policy_file = given.pop(Argument.POLICY.name.lower(), None)
    stated = given.pop(Argument.ACCEPTED.name.lower(), None)
    return RunSettings(
        reference=ReferenceSource(**given),
        window=_scheduled_window(variables) if variables.text(Variable.SCHEDULED_TIME) else _given_window(variables),
        schedule=variables.text(MonitorVariable.SCHEDULE_NAME),
        policy=Policy(**variables.thresholds()),
        policy_file=policy_file,
        analyses=_optional_analyses(variables),
        champions=variables.text(Variable.CHAMPION_S3_URI),
        accepted=AcceptedSource(
            records=variables.text(Variable.ACCEPTED_S3_URI),
            stated=stated,
            reports=_reports_of_schedule(variables) if stated else None,
        ),
        predictions=_predictions(variables),
        distribution=read_distribution(variables, platform.ml_root),
        platform=platform,
    )


def window_bounds(start: str | None, end: str | None) -> WindowBounds:
    """Return the half-open window of two times as the user or the platform writes them; without times, no bounds.

    Raises
    ------
    ConfigError
        If only one is given, one is no time, or the end is not after the start.
    """
    if not start and not end:
        return WindowBounds()
    if not (start and end):
        raise ConfigError(f"start_time and end_time must be given together, got {start!r} and {end!r}; give both")
    moments = _moment("start_time", start), _moment("end_time", end)
    if moments[0] >= moments[1]:
        raise ConfigError(f"end_time must be after start_time, got {start!r} and {end!r}; correct the window")
    return WindowBounds(format_time(moments[0]), format_time(moments[1]))


def _moment(name: str, text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError as error:
        raise ConfigError(f"{name} must be an ISO 8601 time, got {text!r}; write 2026-01-31T13:00:00Z") from error


def _given_window(variables: Variables) -> WindowSource:
    return WindowSource(
        bounds=window_bounds(variables.text(MonitorVariable.START_TIME), variables.text(MonitorVariable.END_TIME)),
        source=Path(variables.required(MonitorVariable.DATASET_SOURCE)),
        variant=variables.text(Variable.VARIANT),
        output=Path(variables.required(MonitorVariable.OUTPUT_PATH)),
        look_back=_look_back(variables),
    )


def _scheduled_window(variables: Variables) -> WindowSource:
    """Return the last full hours before the scheduled time, with the key layout that Model Monitor gives by itself."""
    scheduled = _moment(Variable.SCHEDULED_TIME, variables.required(Variable.SCHEDULED_TIME))
    end = scheduled.replace(minute=0, second=0, microsecond=0)
    start = end - variables.count_within(Variable.WINDOW_HOURS, 1, 1, MAX_WINDOW_HOURS) * HOUR
    endpoint = variables.required(MonitorVariable.ENDPOINT_NAME)
    schedule = variables.required(MonitorVariable.SCHEDULE_NAME)
    output = Path(variables.required(MonitorVariable.OUTPUT_PATH))
    return WindowSource(
        bounds=WindowBounds(format_time(start), format_time(end)),
        source=CaptureHours(variables.required(Variable.CAPTURE_S3_URI), start, end),
        variant=variables.text(Variable.VARIANT),
        output=output / report_prefix(endpoint, schedule, hour_folder(start)),
        look_back=_look_back(variables),
    )


def _look_back(variables: Variables) -> LookBackSource | None:
    hours = variables.count_within(Variable.LOOK_BACK_HOURS, 0, 0, MAX_LOOK_BACK_HOURS)
    return LookBackSource(hours, variables.required(Variable.CAPTURE_S3_URI)) if hours else None


def _check_format(variables: Variables) -> None:
    """Accept endpoint capture only. AWS's pages spell the key with both s and S, so case does not count."""
    name = MonitorVariable.DATASET_FORMAT
    text = variables.text(name)
    if text is None:
        return
    try:
        keys = {key.lower() for key in read_json(text)}
    except (ValueError, TypeError, AttributeError) as error:
        raise variables.error(name, "must be a JSON object") from error
    if _CAPTURE_FORMAT not in keys:
        raise variables.error(name, "must be sagemakerCaptureJson", "monitor a real-time endpoint's data capture")


def _predictions(variables: Variables) -> PredictionFormat:
    kind = variables.text(Variable.PREDICTION_KIND)
    if kind is not None and kind not in set(PredictionKind):
        raise variables.error(Variable.PREDICTION_KIND, f"must be one of {', '.join(PredictionKind)}")
    return PredictionFormat(
        kind=None if kind is None else PredictionKind(kind),
        positive_label=variables.text(Variable.POSITIVE_LABEL),
        path=variables.text(Variable.PREDICTION_PATH),
    )


def _optional_analyses(variables: Variables) -> OptionalAnalyses:
    return OptionalAnalyses(
        isolation_forest=variables.switch(Variable.ISOLATION_FOREST),
        multivariate=variables.switch(Variable.MULTIVARIATE),
        earlier=_reports_of_schedule(variables),
        labels=_label_source(variables),
        facet=variables.text(Variable.FACET),
        model=variables.text(Variable.MODEL_S3_URI),
    )


def _label_source(variables: Variables) -> LabelSource | None:
    labels = variables.text(Variable.LABELS_S3_URI)
    if labels is None:
        return None
    return LabelSource(
        labels=labels,
        captures=variables.required(Variable.CAPTURE_S3_URI),
        lag_hours=variables.count(Variable.LABEL_LAG_HOURS, 0),
        merged=variables.text(Variable.MERGED_S3_URI),
    )


def _reports_of_schedule(variables: Variables) -> str | None:
    root = variables.text(Variable.REPORTS_S3_URI)
    if root is None:
        return None
    endpoint = variables.required(MonitorVariable.ENDPOINT_NAME)
    return f"{root.rstrip('/')}/{schedule_prefix(endpoint, variables.required(MonitorVariable.SCHEDULE_NAME))}"
