"""Arguments of the pipeline's jobs -> frozen settings."""

from argparse import Namespace
from dataclasses import dataclass
from datetime import datetime

from plumbline.contract.training import finite_number
from plumbline.contract.values import DEFAULT_MISSING_VALUES, read_missing_values
from plumbline.drift.data.times import parse_time
from plumbline.drift.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class PrepareSettings:
    """Settings of ``prepare``: the labelled captures of one endpoint with inference times in [fresh_from, fresh_until).

    `merged` is the root below which captures joined with labels are, an S3 URI or a path. With fewer usable rows than
    `minimum_rows` the job fails. `missing_values` are the texts of a cell without a value. The `time_column` is no
    feature, and gets the fresh rows' inference times; None: there is none.
    """

    target_label: str
    endpoint: str
    merged: str
    fresh_from: datetime
    fresh_until: datetime
    minimum_rows: int
    missing_values: frozenset[str] = DEFAULT_MISSING_VALUES
    time_column: str | None = None

    def __post_init__(self) -> None:
        """Refuse a time that ends before it begins."""
        if self.fresh_from >= self.fresh_until:
            raise ConfigError(
                f"--fresh_until must be after --fresh_from, got {self.fresh_until} and {self.fresh_from}; "
                "correct the execution's parameters"
            )


@dataclass(frozen=True, kw_only=True)
class GateThresholds:
    """How much a challenger may be worse than the champion, each a fraction of the rows, 0 to 1.

    `holdout_margin` holds on the holdout, `test_margin` on the original test set, and `slice_margin` on each value of
    the `slice_columns` that has `minimum_slice_rows` rows of the holdout.
    """

    holdout_margin: float
    test_margin: float
    slice_columns: tuple[str, ...]
    slice_margin: float
    minimum_slice_rows: int

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        for name in ("holdout_margin", "test_margin", "slice_margin"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(
                    f"--{name} must lie in 0 to 1, got {getattr(self, name)!r}; correct the [retraining] settings"
                )


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings:
    """Settings of ``evaluate``: target, thresholds of the gate, and the segment and time column of the baseline."""

    target_label: str
    thresholds: GateThresholds
    segment_column: str | None
    time_column: str | None = None


def prepare_settings(arguments: Namespace) -> PrepareSettings:
    """Read the arguments of ``prepare``.

    Raises
    ------
    ConfigError
        If one breaks its rule.
    """
    return PrepareSettings(
        target_label=arguments.target_label,
        endpoint=arguments.endpoint_name,
        merged=arguments.merged_s3_uri,
        fresh_from=_moment("fresh_from", arguments.fresh_from),
        fresh_until=_moment("fresh_until", arguments.fresh_until),
        minimum_rows=_count("minimum_rows", arguments.minimum_rows),
        missing_values=_missing_values(arguments.missing_values),
        time_column=arguments.time_column or None,
    )


def evaluate_settings(arguments: Namespace) -> EvaluateSettings:
    """Read the arguments of ``evaluate``.

    Raises
    ------
    ConfigError
        If one breaks its rule.
    """
    columns = (name.strip() for name in arguments.slice_columns.split(","))
    return EvaluateSettings(
        target_label=arguments.target_label,
        thresholds=GateThresholds(
            holdout_margin=_share("holdout_margin", arguments.holdout_margin),
            test_margin=_share("test_margin", arguments.test_margin),
            slice_columns=tuple(filter(None, columns)),
            slice_margin=_share("slice_margin", arguments.slice_margin),
            minimum_slice_rows=_count("minimum_slice_rows", arguments.minimum_slice_rows),
        ),
        segment_column=arguments.segment_column or None,
        time_column=arguments.time_column or None,
    )


def _moment(name: str, text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError as error:
        raise ConfigError(f"--{name} must be an ISO 8601 time, got {text!r}; write 2026-01-31T13:00:00Z") from error


def _missing_values(text: str) -> frozenset[str]:
    try:
        return read_missing_values(text) if text else DEFAULT_MISSING_VALUES
    except ValueError as error:
        raise ConfigError(f"--missing_values {error}; correct training.missing_values") from error


def _count(name: str, text: str) -> int:
    number = finite_number(text)
    if number is None or number != int(number) or number < 1:
        raise ConfigError(
            f"--{name} must be a whole number of 1 or more, got {text!r}; correct the [retraining] settings"
        )
    return int(number)


def _share(name: str, text: str) -> float:
    number = finite_number(text)
    if number is None:
        raise ConfigError(f"--{name} must be a number, got {text!r}; correct the [retraining] settings")
    return number
