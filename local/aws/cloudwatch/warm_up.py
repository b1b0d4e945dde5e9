"""Warm-up periods of metric alarms: no evaluation right after an alarm's creation.

Source: CloudWatch User Guide, "Alarm warm-up periods".
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import botocore.session

from plumbline.local.aws.cloudwatch.alarms import EvaluationRule
from plumbline.local.aws.errors import ApiError
from plumbline.local.aws.sagemaker.validation import validate_shape
from plumbline.local.aws.seams import Seam

MEMBER: Final = "WarmUpConfiguration"
_SHAPE: Final = botocore.session.get_session().get_service_model("cloudwatch").shape_for(MEMBER)

Alarm = dict[str, Any]


@dataclass(frozen=True)
class WarmUp:
    """How long an alarm waits for its first data.

    Parameters
    ----------
    seconds
        It waits no longer than this.
    whole
        It waits until then even if data arrives earlier.
    """

    seconds: int
    whole: bool = False

    @classmethod
    def of(cls, alarm: Alarm) -> "WarmUp | None":
        """Read the warm-up period of an alarm as PutMetricAlarm describes it; None when it has none."""
        configuration = alarm.get(MEMBER)
        if not configuration:
            return None
        whole = configuration.get("OnlyStartEvaluatingAfterWarmUpPeriodEnds", False)
        return cls(configuration["WarmUpPeriodDurationInMinutes"] * 60, whole)

    def holds(self, age_seconds: float, rule: EvaluationRule, points: Sequence[float | None]) -> bool:
        """Return whether an alarm of this age must not be evaluated yet.

        Parameters
        ----------
        points
            One per period of the evaluation range, newest first; None where a period has no data.
        """
        if age_seconds >= self.seconds:
            return False
        n_known = sum(point is not None for point in points)
        return self.whole or n_known < rule.evaluation_periods


class WarmUps:
    """Remembers when each alarm was first seen, and that its warm-up period is over: a change does not restart it."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._over: set[str] = set()

    def holds(self, alarm: Alarm, points: Sequence[float | None], now: float) -> bool:
        """Return whether an alarm is in its warm-up period."""
        arn, warm_up = alarm["AlarmArn"], WarmUp.of(alarm)
        if warm_up is None or arn in self._over:
            return False
        if warm_up.holds(now - self._since.setdefault(arn, now), EvaluationRule.of(alarm), points):
            return True
        self._over.add(arn)
        return False

    def keep(self, arns: Iterable[str]) -> None:
        """Forget every other alarm: one that is made again warms up again."""
        existing = set(arns)
        self._since = {arn: since for arn, since in self._since.items() if arn in existing}
        self._over &= existing


def install(lock: threading.Lock) -> None:
    """Make alarms keep the warm-up period of their request or template, which MiniStack drops.

    Parameters
    ----------
    lock
        Held while an alarm is stored without it, so that it is not evaluated then.
    """
    put, record = Seam.CW_PUT.take(), Seam.CFN_ALARM.take()

    def put_alarm(params: Alarm, body: Alarm, is_cbor: bool, is_json: bool = False) -> Any:
        name, configuration = requested(params, body)
        try:
            member = checked(configuration)
        except ApiError as error:
            return Seam.CW_ERROR.take()("ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor)
        with lock:
            answer = put(params, body, is_cbor, is_json)
            if answer[0] == 200:
                Seam.CW_ALARMS.take()[name].update(member)
        return answer

    def template_alarm(name: str, properties: Alarm) -> Alarm:
        member = checked(properties.get(MEMBER))
        return {**record(name, properties), **member}

    Seam.CW_PUT.replace(put_alarm)
    Seam.CFN_ALARM.replace(template_alarm)


def requested(params: Mapping[str, Any], body: Alarm) -> tuple[str, Alarm | None]:
    """Return the alarm's name and the warm-up configuration of a PutMetricAlarm request.

    Parameters
    ----------
    params, body
        The request in the query protocol, flat, or else in one of the others.
    """
    if body:
        return body.get("AlarmName", ""), body.get(MEMBER)
    flat = {key: value[0] if isinstance(value, list) else value for key, value in params.items()}
    prefix = f"{MEMBER}."
    given = {key.removeprefix(prefix): value for key, value in flat.items() if key.startswith(prefix)}
    return flat.get("AlarmName", ""), given or None


def checked(configuration: Mapping[str, Any] | None) -> Alarm:
    """Return the member that an alarm has for a warm-up configuration; nothing when there is none.

    Raises
    ------
    ApiError
        If CloudWatch would refuse it.
    """
    return {} if configuration is None else {MEMBER: validate_shape(_SHAPE, configuration)}
